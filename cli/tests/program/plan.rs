use std::path::Path;

use scaling_emulator::Fault;
use scaling_emulator::faults::When;

use crate::process::{Ended, ended, program};
use crate::stage::{GROUP, changes, emulator};

async fn plan(folder: &Path, endpoint: &str, group: &str, arguments: &[&str]) -> Ended {
    let config = serde_json::json!({
        "mode": "horizontal", "control": "act",
        "policy": {"triggers": ["cpu_usage"], "priority_triggers": ["cpu_usage"]},
        "groups": [{"name": group}]
    });
    std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    let mut command = program(folder, Some(endpoint));
    command.args(["plan", "--config", "scaling.json"]).args(arguments);
    ended(command).await
}

#[tokio::test]
async fn it_says_what_would_be_done_why_and_at_what_cost() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(2000.0).await);
    let told = plan(folder.path(), &emulator.endpoint(), GROUP, &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    for expected in [GROUP, "m7i.large", "cpu_usage is at", "Nothing was changed", "GetMetricData"] {
        assert!(told.out.contains(expected), "{expected}: {}", told.out);
    }
}

#[tokio::test]
async fn metrics_that_could_not_be_read_are_told_beside_the_plan() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(2000.0).await);
    let denied = Fault::Fail {
        operation: "CloudWatch.GetMetricData".to_owned(),
        code: "AccessDenied".to_owned(),
        status: 403,
        when: When::default(),
    };
    emulator.inject(denied).unwrap();
    let told = plan(folder.path(), &emulator.endpoint(), GROUP, &["--json"]).await;
    assert_eq!(told.json()["groups"][0]["group"], GROUP);
    assert!(told.err.contains("GetMetricData"), "{}", told.err);
}

#[tokio::test]
async fn programs_get_the_same_as_json() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(2000.0).await);
    let answer = plan(folder.path(), &emulator.endpoint(), GROUP, &["--json"]).await.json();
    let group = &answer["groups"][0];
    assert_eq!(group["group"], GROUP);
    let action = &group["decision"]["action"];
    assert_eq!(action["kind"], "scale", "{group}");
    assert!(action["to"].as_u64() > action["from"].as_u64(), "{group}");
    // CPU and memory, every minute of a month of 730 hours, at 0.01 USD per 1,000.
    let own = answer["controller_usd_per_month"].as_f64().unwrap();
    assert!((own - 2.0 * 730.0 * 60.0 / 1000.0 * 0.01).abs() < 1e-9, "{own}");
}

#[tokio::test]
async fn it_changes_nothing_and_leaves_nothing_behind() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(2000.0).await);
    plan(folder.path(), &emulator.endpoint(), GROUP, &[]).await;
    assert_eq!(changes(&emulator), 0, "{:?}", emulator.request_log());
    assert!(!folder.path().join("scaling.db").exists());
}

#[tokio::test]
async fn a_group_that_the_platform_does_not_know_fails_the_plan() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = plan(folder.path(), &emulator.endpoint(), "wbe", &[]).await;
    assert!(told.code == Some(1) && told.out.contains("wbe"), "{told:?}");
}
