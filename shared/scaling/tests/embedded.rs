//! The controller inside another program: it works once started, and stops when its handle is dropped.
#![cfg(unix)]

use std::path::Path;
use std::time::Duration;

use scaling::Controller;

/// A configuration of one standalone group. Its `describe` program notes in `looks` each time that it is asked.
fn configuration(folder: &Path) -> String {
    let group = r#"{"min": 1, "max": 4, "desired": 1, "instance_type": "m7i.large", "instances": []}"#;
    let describe = format!("echo look >> {}; echo '{group}'", folder.join("looks").display());
    serde_json::json!({
        "mode": "horizontal",
        "group": "workers",
        "platform": "standalone",
        "programs": {
            "describe": ["sh", "-c", describe],
            "apply": ["false"],
            "metrics": ["sh", "-c", "echo '{}'"],
        },
    })
    .to_string()
}

fn looks(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("looks")).map_or(0, |text| text.lines().count())
}

#[tokio::test]
async fn a_controller_looks_again_and_again_and_stops_with_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scaling.json");
    std::fs::write(&path, configuration(folder.path())).unwrap();
    // A minute passes in 60 ms.
    let running = Controller::new(&path).unwrap().at_pace(1000.0).start().await;
    while looks(folder.path()) < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(running);
    // A program that was running may still write its line; then nothing more comes.
    let mut before = looks(folder.path());
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = looks(folder.path());
        if now == before {
            return;
        }
        before = now;
    }
    panic!("it looks on after its handle was dropped: {before} times by now");
}
