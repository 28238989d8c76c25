//! The console over made-up groups, for whoever works on the page: `cargo run -p scaling-console --example console`.
//! A minute passes every second.

#![expect(clippy::unwrap_used, reason = "what cannot be set up cannot be looked at")]
#![expect(clippy::print_stdout, reason = "it prints where it listens")]

#[path = "../tests/stage/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod stage;

use std::time::Duration;

use stage::Stage;

#[tokio::main]
async fn main() {
    let groups = std::env::args().nth(1).map_or(3, |count| count.parse().unwrap());
    let mut stage = Stage::new(groups);
    for _ in 0..(if groups > 100 { 5 } else { 400 }) {
        stage.tick().await;
    }
    println!("http://{}", stage.serve().await);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stage.tick().await;
    }
}
