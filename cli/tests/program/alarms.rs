use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Ended, ended, program};
use crate::stage::{GROUP, changes, emulator};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:alarm";

async fn sync(folder: &Path, endpoint: &str, threshold: f64, more: &[&str]) -> Ended {
    let config = json!({
        "mode": "horizontal", "policy": {"triggers": ["cpu_usage", "memory_usage", "request_count"]},
        "triggers": {"cpu_threshold": threshold}, "groups": [{"name": GROUP}]
    });
    std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    let mut command = program(folder, Some(endpoint));
    command.args(["alarms", "sync", "--config", "scaling.json", "--function", FUNCTION, "--json"]).args(more);
    ended(command).await
}

fn words(ended: &Ended) -> Value {
    ended.json()["alarms"].clone()
}

#[tokio::test]
async fn missing_alarms_are_made_once_and_kept_and_one_that_differs_is_put_right() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let endpoint = emulator.endpoint();
    let made = sync(folder.path(), &endpoint, 0.8, &[]).await;
    // The limit of request_count is per replica: no fixed value of the group's metric stands for it.
    let expected = json!({"scaling/web/cpu_usage": "create", "scaling/web/memory_usage": "create"});
    assert_eq!(words(&made), expected, "{made:?}");
    let kept = sync(folder.path(), &endpoint, 0.8, &[]).await;
    assert_eq!(words(&kept)["scaling/web/cpu_usage"], "as it should be");
    let changed = sync(folder.path(), &endpoint, 0.7, &[]).await;
    assert_eq!(words(&changed)["scaling/web/cpu_usage"], "update");
    let kept = sync(folder.path(), &endpoint, 0.7, &[]).await;
    assert_eq!(words(&kept)["scaling/web/cpu_usage"], "as it should be");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = sync(folder.path(), &emulator.endpoint(), 0.8, &["--dry-run"]).await;
    assert_eq!(words(&told)["scaling/web/cpu_usage"], "create");
    assert_eq!(changes(&emulator), 0, "{:?}", emulator.request_log());
}

#[tokio::test]
async fn what_the_group_no_longer_wants_is_removed_and_what_is_not_of_the_group_only_on_request() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let endpoint = emulator.endpoint();
    sync(folder.path(), &endpoint, 0.8, &[]).await;
    let other = |group: &str| json!({"mode": "horizontal", "policy": {"triggers": ["cpu_usage"]}, "groups": [{"name": group}]});
    let run = async |config: Value, more: &[&str]| {
        std::fs::write(folder.path().join("other.json"), config.to_string()).unwrap();
        let mut command = program(folder.path(), Some(&endpoint));
        command
            .args(["alarms", "sync", "--config", "other.json", "--function", FUNCTION, "--json"])
            .args(more);
        words(&ended(command).await)
    };
    let removed = run(other(GROUP), &[]).await;
    assert_eq!(removed["scaling/web/memory_usage"], "remove");
    let left = run(other("api"), &[]).await;
    assert_eq!(left, json!({"scaling/api/cpu_usage": "create"}), "another group's alarms are left alone");
    let pruned = run(other("api"), &["--prune"]).await;
    assert_eq!(pruned["scaling/web/cpu_usage"], "remove");
}

#[tokio::test]
async fn a_function_is_named_by_its_arn() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), None);
    command.args(["alarms", "sync", "--function", "alarm"]);
    let refused = ended(command).await;
    assert!(refused.code == Some(2) && refused.err.contains("arn:aws:lambda"), "{refused:?}");
}
