use scaling_control::ports::{Expected, NewRecord, StateStore as _};
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

#[tokio::test]
async fn what_was_read_can_be_changed_and_written_back() {
    let stage = Stage::new();
    let read = stage.get("/config").await;
    let mut source = read.ok();
    assert_eq!(source, config_of("web"));
    source["replicas"] = json!({"min_replicas": 2, "max_replicas": 12});
    let written = stage.post_with("/config", &[("if-match", read.header("etag"))], &source.to_string()).await;
    let answer = written.ok();
    assert_eq!((&answer["version"], &answer["replaced"]), (&1.into(), &0.into()));
    assert!(read.header("etag").starts_with("\"0-"), "{read:?}");
    assert_eq!(written.header("etag"), "\"1\"");
    let read = stage.get("/config").await;
    assert_eq!((read.ok(), read.header("etag")), (source, "\"1\""));
    assert_eq!(stage.control.config().groups[0].replicas.max, 12);
}

#[tokio::test]
async fn another_process_takes_the_new_configuration_over() {
    let stage = Stage::new();
    let mut source = config_of("web");
    source["replicas"] = json!({"max_replicas": 7});
    stage.post("/config", &source).await.ok();
    let other =
        scaling_control::ControlLoop::new(stage.control.ports().clone(), (*stage.control.config()).clone());
    assert_eq!(other.refresh().await.unwrap().groups[0].replicas.max, 7);
}

#[tokio::test]
async fn a_stored_version_that_this_program_refuses_is_told_and_can_be_replaced() {
    let stage = Stage::new();
    stage.post("/config", &config_of("web")).await.ok();
    let changes = stage.control.config_changes().await.unwrap();
    let record = stage.store.get(&changes[0].key).await.unwrap().unwrap();
    let of_another_program = NewRecord {
        key: record.key,
        body: json!({"mode": "hybrid", "group": "web", "of_a_later_version": true}).to_string(),
        expires: None,
    };
    stage.store.put(of_another_program, Expected::Version(record.version)).await.unwrap();
    let stage = stage.restarted();

    let read = stage.get("/config").await;
    assert_eq!((read.ok(), read.header("etag")), (config_of("web"), "\"1\""));
    let found = stage.get("/validation").await.ok();
    assert_eq!((&found["valid"], &found["config_version"]), (&false.into(), &0.into()), "{found}");
    assert_eq!(found["refused_version"], 1, "{found}");
    assert_eq!(found["configuration"][0]["pointer"], "/of_a_later_version", "{found}");

    let source = config_of("web").to_string();
    let written = stage.post_with("/config", &[("if-match", "\"1\"")], &source).await.ok();
    assert_eq!((&written["version"], &written["replaced"]), (&2.into(), &1.into()));
    assert_eq!(stage.get("/validation").await.ok()["refused_version"], serde_json::Value::Null);
}

#[tokio::test]
async fn warnings_come_with_the_answer() {
    let answer = Stage::new().post("/config", &json!({"mode": "hybrid"})).await.ok();
    assert_eq!(answer["warnings"][0]["pointer"], "/group", "{answer}");
    assert_eq!(answer["warnings"][0]["severity"], "warning");
}

#[tokio::test]
async fn groups_that_a_new_configuration_leaves_out_are_named() {
    let stage = Stage::with_two_groups();
    let kept = json!({"mode": "hybrid", "groups": [{"name": "batch"}]});
    let answer = stage.post("/config", &kept).await.ok();
    let warning = &answer["warnings"][0];
    assert_eq!(
        (&warning["pointer"], &warning["severity"]),
        (&"/groups".into(), &"warning".into()),
        "{answer}"
    );
    assert!(warning["rule"].as_str().unwrap().starts_with("no longer has web:"), "{answer}");
    assert_eq!(stage.post("/config", &kept).await.ok()["warnings"], json!([]));
}

/// A configuration of `web` and of a group that these programs drive.
fn driven(name: &str, apply: &str, timeout: u32) -> Value {
    let programs = json!({"describe": ["a"], "apply": [apply], "metrics": ["c"], "timeout": timeout});
    json!({"groups": [{"name": "web"}, {"name": name, "platform": "standalone", "programs": programs}]})
}

#[tokio::test]
async fn programs_that_the_process_does_not_run_are_told_with_each_configuration_and_others_are_not() {
    let start = driven("local", "b", 10);
    let stage = Stage::with(&start);
    for (source, is_told) in [
        (config_of("web"), false),
        (start, false),
        (driven("renamed", "b", 10), false),
        (driven("renamed", "b", 20), false),
        (driven("local", "other", 10), true),
        (driven("local", "other", 10), true),
    ] {
        let answer = stage.post("/config", &source).await.ok();
        let warnings = answer["warnings"].as_array().unwrap();
        let told = warnings.iter().any(|warning| warning["rule"].as_str().unwrap().contains("programs for"));
        assert_eq!(told, is_told, "{source}: {answer}");
    }
}

#[tokio::test]
async fn a_configuration_with_faults_is_refused_with_all_of_them_and_changes_nothing() {
    let stage = Stage::new();
    let before = stage.store.snapshot();
    let bad = json!({"mode": "both", "group": "web", "replicas": {"min_replicas": 0, "max_replcas": 3}});
    let problem = stage.post("/config", &bad).await.problem(422, "invalid-configuration");
    let pointers: Vec<&str> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/mode", "/replicas/min_replicas", "/replicas/max_replcas"] {
        assert!(pointers.contains(&pointer), "{problem}");
    }
    assert!(problem["faults"][0]["fix"].is_string() && problem["faults"][0]["rule"].is_string(), "{problem}");
    assert_eq!(stage.store.snapshot(), before);
    assert!(stage.get("/config").await.header("etag").starts_with("\"0-"));
}

#[tokio::test]
async fn a_version_that_is_not_in_force_any_more_is_refused() {
    let stage = Stage::new();
    let read = stage.get("/config").await;
    let first = read.header("etag");
    stage.post_with("/config", &[("if-match", first)], &config_of("web").to_string()).await.ok();
    for stale in [first, "\"0\"", "\"7\", \"8\"", "W/\"1\"", "1"] {
        let reply = stage.post_with("/config", &[("if-match", stale)], &config_of("web").to_string()).await;
        assert_eq!(reply.problem(412, "version-mismatch")["version"], 1, "{stale}");
    }
    for good in ["\"1\"", "\"7\", \"2\"", "*"] {
        stage.post_with("/config", &[("if-match", good)], &config_of("web").to_string()).await.ok();
    }
}

#[tokio::test]
async fn the_tag_of_a_file_is_that_of_no_other_file() {
    let mut other = config_of("web");
    other["replicas"] = json!({"max_replicas": 7});
    let (stage, other) = (Stage::new(), Stage::with(&other));
    let read = other.get("/config").await;
    for tag in [read.header("etag"), "\"0\""] {
        let reply = stage.post_with("/config", &[("if-match", tag)], &config_of("web").to_string()).await;
        reply.problem(412, "version-mismatch");
    }
    assert_eq!(read.header("etag"), other.get("/config").await.header("etag"));
}

#[tokio::test]
async fn if_match_is_required_where_the_configuration_says_so() {
    let mut source = config_of("web");
    source["require_if_match"] = true.into();
    let stage = Stage::with(&source);
    let problem = stage.post("/config", &source).await.problem(428, "if-match-required");
    let read = stage.get("/config").await;
    let tag = read.header("etag");
    assert!(problem["detail"].as_str().unwrap().contains(tag), "{problem}");
    stage.post_with("/config", &[("if-match", tag)], &source.to_string()).await.ok();
}

#[tokio::test]
async fn of_two_writers_at_the_same_time_one_is_refused() {
    let stage = Stage::new();
    let read = stage.get("/config").await;
    let (text, headers) = (config_of("web").to_string(), [("if-match", read.header("etag"))]);
    let (one, other) = tokio::join!(
        stage.post_with("/config", &headers, &text),
        stage.post_with("/config", &headers, &text)
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(stage.get("/config").await.header("etag"), "\"1\"");
}

#[tokio::test]
async fn the_schema_is_served() {
    let reply = Stage::new().get("/config/schema").await;
    assert_eq!(reply.header("content-type"), "application/schema+json");
    assert_eq!(reply.json(), scaling_policy::config::schema());
}

#[tokio::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let stage = Stage::new();
    let read = stage.get("/config").await;
    let tag = read.header("etag");
    let (weak, listed) = (format!("W/{tag}"), format!("\"7\", {tag}"));
    for (known, status) in [(tag, 304), (&weak, 304), (&listed, 304), ("*", 304), ("\"7\"", 200)] {
        let request = http::Request::get("/config").header("if-none-match", known);
        let reply = stage.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!((reply.status.as_u16(), reply.header("etag")), (status, tag), "{known}");
        assert_eq!(reply.text.is_empty(), status == 304);
    }
}
