//! An emulator on a fixed port, for trying clients by hand: with one group, or with a scenario.
//! `cargo run -p scaling-emulator --example serve -- 127.0.0.1:4580 [SCENARIO.json]`. Time is stepped:
//! `curl -d '{"advance":60}' -H 'content-type: application/json' http://127.0.0.1:4580/_emulator/clock`.

use scaling_emulator::{Emulator, GroupSetup, Scenario, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4580".to_owned()).parse()?;
    let emulator = Emulator::start(Settings { listen, ..Settings::default() }).await?;
    match arguments.next() {
        Some(path) => emulator.begin(Scenario::parse(&std::fs::read_to_string(path)?)?)?,
        None => {
            emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(region))?;
        }
    }
    #[expect(clippy::print_stdout, reason = "the user needs the address")]
    {
        println!("{}", emulator.endpoint());
    }
    std::future::pending::<()>().await;
    Ok(())
}
