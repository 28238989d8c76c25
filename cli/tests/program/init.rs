use std::path::Path;

use serde_json::Value;

use crate::process::{Ended, ended, program};
use crate::stage::{GROUP, changes, emulator};

async fn init(folder: &Path, endpoint: &str, arguments: &[&str]) -> Ended {
    let mut command = program(folder, Some(endpoint));
    command.arg("init").args(arguments);
    ended(command).await
}

fn written(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("config/scaling.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn what_it_writes_is_valid_observes_and_can_be_planned_with() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let wrote = init(folder.path(), &emulator.endpoint(), &["--group", GROUP]).await;
    assert_eq!(wrote.code, Some(0), "{wrote:?}");
    assert!(wrote.out.contains("scaling plan") && wrote.out.contains("observe"), "{}", wrote.out);
    let config = written(folder.path());
    let group = &config["groups"][0];
    assert_eq!(group["name"], GROUP);
    assert_eq!(group["replicas"]["min_replicas"], 1);
    assert_eq!(group["replicas"]["max_replicas"], 10);
    assert_eq!(group["replicas"]["target_replicas"], 2);
    for command in ["validate", "plan"] {
        let mut next = program(folder.path(), Some(&emulator.endpoint()));
        next.arg(command);
        let next = ended(next).await;
        assert!(next.code == Some(0) && next.out.contains("observe"), "{command}: {next:?}");
    }
    assert_eq!(changes(&emulator), 0);
}

#[tokio::test]
async fn it_finds_load_balancer_and_memory_by_their_metrics() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    init(folder.path(), &emulator.endpoint(), &["--group", GROUP]).await;
    let group = written(folder.path())["groups"][0].clone();
    assert_eq!(group["target_group"], "targetgroup/web/0123456789abcdef");
    assert_eq!(group["load_balancer"], "app/web/0123456789abcdef");
    let triggers = group["policy"]["triggers"].as_array().unwrap();
    for trigger in ["cpu_usage", "memory_usage", "request_latency"] {
        assert!(triggers.contains(&trigger.into()), "{trigger}: {group}");
    }
}

#[tokio::test]
async fn groups_are_taken_by_tag() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let none = init(folder.path(), &emulator.endpoint(), &["--tag", "team=nobody"]).await;
    assert!(none.code == Some(1) && none.err.contains("team=nobody"), "{none:?}");
    let wrote = init(folder.path(), &emulator.endpoint(), &["--tag", "team=astro"]).await;
    assert_eq!(wrote.code, Some(0), "{wrote:?}");
    assert_eq!(written(folder.path())["groups"][0]["name"], GROUP);
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_by_force() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(folder.path().join("config/scaling.json"), "{}").unwrap();
    let refused = init(folder.path(), &emulator.endpoint(), &["--group", GROUP]).await;
    assert!(refused.code == Some(1) && refused.err.contains("--force"), "{refused:?}");
    assert_eq!(written(folder.path()), serde_json::json!({}));
    let replaced = init(folder.path(), &emulator.endpoint(), &["--group", GROUP, "--force"]).await;
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    assert_eq!(written(folder.path())["groups"][0]["name"], GROUP);
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_named_and_nothing_is_written() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let failed = init(folder.path(), &emulator.endpoint(), &["--group", GROUP, "--group", "wbe"]).await;
    assert!(failed.code == Some(1) && failed.err.contains("wbe"), "{failed:?}");
    assert!(!folder.path().join("config/scaling.json").exists());
}
