use std::path::Path;

use scaling_emulator::Fault;
use scaling_emulator::region::usage::Class;
use serde_json::{Value, json};

use crate::process::{Ended, ended, program};
use crate::stage::{GROUP, changes, emulator, emulator_of_a_leak, emulator_with_past};

async fn doctor(folder: &Path, endpoint: Option<&str>, config: &Value, more: &[&str]) -> Ended {
    std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    let mut command = program(folder, endpoint);
    command.args(["doctor", "--config", "scaling.json", "--json"]).args(more);
    ended(command).await
}

fn config(group: &str) -> Value {
    json!({"mode": "horizontal", "control": "act", "policy": {"triggers": ["cpu_usage"]}, "groups": [{"name": group}]})
}

/// Verdict, detail and fix of the checks of that name.
fn found<'a>(answer: &'a Value, name: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let text = |check: &'a Value, member: &str| check[member].as_str().unwrap();
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    checks.map(|check| (text(check, "verdict"), text(check, "detail"), text(check, "fix"))).collect()
}

#[tokio::test]
async fn a_healthy_controller_has_nothing_wrong_and_nothing_is_changed() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let answer = told.json();
    assert_eq!(found(&answer, "endpoint")[0].0, "good");
    assert_eq!(found(&answer, "permission").len(), 5, "{answer}");
    assert_eq!(changes(&emulator), 0, "{:?}", emulator.request_log());
    assert!(!folder.path().join("scaling.db").exists());
}

#[tokio::test]
async fn a_write_is_only_tried_on_request_and_with_the_capacity_that_is_there() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &["--try-write"]).await;
    assert_eq!(found(&told.json(), "permission to change capacity"), [("good", GROUP, "")]);
}

#[tokio::test]
async fn nothing_at_the_address_is_told_with_what_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let told = doctor(folder.path(), Some("http://127.0.0.1:9"), &config(GROUP), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let answer = told.json();
    let (verdict, _, fix) = found(&answer, "endpoint")[0];
    assert!(verdict == "wrong" && fix.contains("AWS_ENDPOINT_URL"), "{answer}");
}

#[tokio::test]
async fn without_credentials_it_says_where_they_come_from() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    std::fs::write(folder.path().join("scaling.json"), config(GROUP).to_string()).unwrap();
    let mut command = program(folder.path(), Some(&emulator.endpoint()));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.args(["doctor", "--config", "scaling.json", "--json"]);
    let answer = ended(command).await.json();
    assert!(found(&answer, "endpoint")[0].2.contains("AWS_PROFILE"), "{answer}");
}

#[tokio::test]
async fn an_unknown_group_and_a_missing_metric_are_found() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config("wbe"), &[]).await.json();
    assert_eq!(found(&answer, "group wbe")[0].0, "wrong");
    let unbound = json!({
        "mode": "horizontal", "policy": {"triggers": ["cpu_usage", "request_count"]}, "groups": [{"name": GROUP}]
    });
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &unbound, &[]).await.json();
    let group = found(&answer, "group web");
    assert!(
        group.iter().any(|(_, detail, fix)| detail.contains("request_count") && fix.contains("`metrics`")),
        "{answer}"
    );
}

/// As many replicas as the group may have, all of m7i.large with 2 vCPU.
const MOST: u32 = 10;

#[tokio::test]
async fn a_quota_below_what_the_group_may_grow_to_is_found() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    for (vcpu, expected) in [(2 * MOST, 0), (2 * MOST - 1, 1)] {
        emulator.inject(Fault::VcpuQuota { class: Class::Standard, vcpu }).unwrap();
        let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await.json();
        let group = found(&answer, "group web");
        let told = group.iter().filter(|(verdict, detail, fix)| {
            *verdict == "warning"
                && detail.contains(&format!("may run {vcpu}"))
                && fix.contains("Service Quotas")
        });
        assert_eq!(told.count(), expected, "{vcpu}: {answer}");
    }
}

#[tokio::test]
async fn memory_that_rises_by_itself_is_told_from_memory_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "mode": "hybrid", "policy": {"triggers": ["cpu_usage", "memory_usage"]}, "groups": [{"name": GROUP}]
    });
    // A quarter of 8 GiB a day; twenty hours of it.
    let leaking = emulator_of_a_leak(4.0, 1200).await;
    let answer = doctor(folder.path(), Some(&leaking.endpoint()), &config, &[]).await.json();
    let (verdict, detail, fix) = found(&answer, "memory of web")[0];
    assert!(verdict == "warning" && detail.contains("rises by 2"), "{answer}");
    assert!(fix.contains("leak"), "{answer}");
    let steady = emulator_with_past(4.0, 1200).await;
    let answer = doctor(folder.path(), Some(&steady.endpoint()), &config, &[]).await.json();
    assert_eq!(found(&answer, "memory of web")[0].0, "good", "{answer}");
    let young = emulator(4.0).await;
    let answer = doctor(folder.path(), Some(&young.endpoint()), &config, &[]).await.json();
    assert_eq!(found(&answer, "memory of web")[0].0, "skipped", "{answer}");
}

#[tokio::test]
async fn a_configuration_with_faults_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let told = doctor(folder.path(), None, &json!({"mode": "both"}), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(found(&told.json(), "configuration")[0].0, "wrong");
}
