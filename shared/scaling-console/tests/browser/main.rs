//! The page in a real Chromium, with axe's rules of accessibility: `console.py` drives it.
//!
//! `make setup` installs Playwright into `.venv` and links Chromium into `.tools/bin`.

#![expect(clippy::unwrap_used, reason = "what does not start fails its test")]

#[path = "../stage/mod.rs"]
#[expect(dead_code, reason = "the other tests use the rest of it")]
mod stage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use stage::Stage;
use tokio::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_and_change_groups_in_a_browser() {
    let mut small = Stage::new(3);
    for _ in 0..150 {
        small.tick().await;
    }
    let mut large = Stage::new(1000);
    for _ in 0..2 {
        large.tick().await;
    }
    let addresses = [small.serve().await, large.serve().await].map(|address| format!("http://{address}"));
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            small.tick().await;
        }
    });
    let python = root().join(".venv/bin/python");
    assert!(python.exists(), "run `make setup`");
    let path = format!("{}:{}", root().join(".tools/bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/console.py"))
        .args(&addresses)
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("console"))
        .env("PATH", path)
        .output()
        .await
        .unwrap();
    ticking.abort();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
