//! An emulator on a fixed port with one group, for trying clients by hand:
//! `cargo run -p scaling-emulator --example serve -- 127.0.0.1:4580`. Time is stepped:
//! `curl -d '{"advance":60}' -H 'content-type: application/json' http://127.0.0.1:4580/_emulator/clock`.

use scaling_emulator::{Emulator, GroupSetup, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4580".to_owned()).parse()?;
    let emulator = Emulator::start(Settings { listen, ..Settings::default() }).await?;
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(region))?;
    #[expect(clippy::print_stdout, reason = "the user needs the address")]
    {
        println!("{}", emulator.endpoint());
    }
    std::future::pending::<()>().await;
    Ok(())
}
