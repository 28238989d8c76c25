use axum::body::Body;
use http::Request;
use scaling_api::Caller;
use scaling_control::ports::NewRecord;
use scaling_control::record::{GroupRecord, group_key, to_json};
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

async fn entries(stage: &Stage) -> Vec<Value> {
    stage.get("/audit").await.ok()["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_write_is_recorded_with_who_what_before_and_after() {
    let stage = Stage::new();
    let pause = json!({"by": "ada", "reason": "load test", "until": null});
    stage.post("/groups/web/pause", &pause).await.ok();
    stage.clock.advance_seconds(1);
    stage.post("/groups/web/resume", &json!({"by": "bob"})).await.ok();
    stage.clock.advance_seconds(1);
    let scaled = stage.post("/scale", &json!({"replicas": 6})).await.json();
    stage.clock.advance_seconds(1);
    stage.post("/config", &config_of("web")).await.ok();
    let entries = entries(&stage).await;
    let told: Vec<[&Value; 3]> =
        entries.iter().map(|entry| [&entry["what"], &entry["by"], &entry["group"]]).collect();
    assert_eq!(
        json!(told),
        json!([
            ["configured", "api", null],
            ["scaled", "api", "web"],
            ["resumed", "bob", "web"],
            ["paused", "ada", "web"],
        ])
    );
    assert_eq!((&entries[3]["before"], &entries[3]["after"]), (&Value::Null, &pause));
    assert_eq!((&entries[2]["before"], &entries[2]["after"]), (&pause, &Value::Null));
    assert_eq!(entries[1]["after"]["operation"], scaled["operation"]["id"]);
    assert_eq!(
        (&entries[0]["before"], &entries[0]["after"]),
        (&json!({"version": 0}), &json!({"version": 1}))
    );
}

#[tokio::test]
async fn writes_of_one_instant_are_listed_in_the_order_in_which_they_were_made() {
    let stage = Stage::new();
    for number in 0..20 {
        stage.post("/groups/web/pause", &json!({"by": number.to_string()})).await.ok();
    }
    let by: Vec<String> =
        entries(&stage).await.iter().map(|entry| entry["by"].as_str().unwrap().to_owned()).collect();
    assert_eq!(by, (0..20).rev().map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn to_end_what_was_not_there_is_no_entry() {
    let stage = Stage::new();
    stage.call("DELETE", "/groups/web/override", &Value::Null).await.ok();
    stage.call("DELETE", "/kill-switch", &Value::Null).await.ok();
    stage.post("/groups/web/resume", &json!({})).await.ok();
    assert!(entries(&stage).await.is_empty());
}

#[tokio::test]
async fn an_expiry_that_takes_the_place_of_an_earlier_one_says_which() {
    let stage = Stage::new();
    for (replicas, expires) in [(6, "2026-03-02T12:00:00Z"), (7, "2026-03-02T13:00:00Z")] {
        stage.post("/scale", &json!({"replicas": replicas, "expires": expires})).await;
        stage.clock.advance_seconds(1);
    }
    let entries = entries(&stage).await;
    assert_eq!(entries[1]["before"]["override"], Value::Null);
    assert_eq!(entries[0]["before"]["override"]["min"], 6, "{entries:?}");
}

#[tokio::test]
async fn closing_a_breaker_is_recorded_though_nothing_was_paused() {
    let stage = Stage::new();
    let mut record = GroupRecord::default();
    record.state.breaker.failures = 3;
    let body = to_json("test", &record).unwrap();
    stage.store_directly(vec![NewRecord { key: group_key(&"web".into()), body, expires: None }]).await;
    stage.post("/groups/web/resume", &json!({"by": "ada"})).await.ok();
    let entries = entries(&stage).await;
    assert_eq!(
        (&entries[0]["what"], &entries[0]["before"]["breaker"]["failures"]),
        (&"resumed".into(), &3.into())
    );
}

#[tokio::test]
async fn a_blank_reason_is_none() {
    let stage = Stage::new();
    let answer = stage.post("/groups/web/pause", &json!({"reason": " "})).await.ok();
    assert_eq!(answer["pause"]["reason"], "no reason given");
}

#[tokio::test]
async fn who_was_checked_is_told_from_who_only_says_so() {
    let stage = Stage::new();
    stage.post("/groups/web/pause", &json!({"by": "ada"})).await.ok();
    stage.clock.advance_seconds(1);
    let mut request =
        Request::post("/groups/web/resume").header("x-request-id", "r-1").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller("ci".to_owned()));
    stage.send(request).await.ok();
    let entries = entries(&stage).await;
    assert_eq!((&entries[0]["by"], &entries[0]["checked"]), (&"ci".into(), &true.into()));
    assert_eq!(entries[0]["request"], "r-1");
    assert_eq!((&entries[1]["by"], &entries[1]["checked"]), (&"ada".into(), &false.into()));
    assert!(!entries[1]["request"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn what_changed_nothing_is_not_recorded() {
    let stage = Stage::new();
    stage.post("/scale", &json!({"replicas": 6, "dry_run": true})).await.ok();
    stage.post("/scale", &json!({"replicas": 4})).await.ok();
    stage.post("/scale", &json!({"replicas": 99})).await.problem(422, "out-of-bounds");
    stage.post("/groups/nobody/pause", &json!({})).await.problem(404, "not-found");
    assert!(entries(&stage).await.is_empty());
}

#[tokio::test]
async fn an_answer_that_is_given_again_is_no_new_write() {
    let stage = Stage::new();
    for _ in 0..2 {
        stage.post_with("/groups/web/pause", &[("idempotency-key", "k")], "{}").await.ok();
    }
    assert_eq!(entries(&stage).await.len(), 1);
}

#[tokio::test]
async fn entries_come_by_page() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.post("/groups/web/pause", &json!({})).await.ok();
        stage.clock.advance_seconds(86_400);
    }
    let first = stage.get("/audit?limit=2").await.ok();
    assert_eq!(first["entries"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let second = stage.get(&format!("/audit?limit=2&before={next}")).await.ok();
    assert_eq!((second["entries"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));
}
