use scaling_policy::operation::Step;
use serde_json::json;

use crate::stage::{Stage, config_of};

const KEY: [(&str, &str); 1] = [("idempotency-key", "7f1c")];

#[tokio::test]
async fn the_same_key_and_request_get_the_first_answer_again_and_act_once() {
    let stage = Stage::new();
    let body = json!({"replicas": 6}).to_string();
    let first = stage.post_with("/scale", &KEY, &body).await;
    // Somebody else changes the group meanwhile; without the key the request would act again.
    stage.platform.change("web", |group| group.desired = 4);
    let second = stage.post_with("/scale", &KEY, &body).await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("content-type"), "application/json");
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_ne!(second.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
}

#[tokio::test]
async fn a_configuration_is_replaced_once() {
    let stage = Stage::new();
    for _ in 0..2 {
        let reply = stage.post_with("/config", &KEY, &config_of("web").to_string()).await;
        assert_eq!((reply.ok()["version"].clone(), reply.header("etag")), (1.into(), "\"1\""));
    }
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let stage = Stage::new();
    stage.post_with("/scale", &KEY, r#"{"replicas": 6}"#).await;
    for (path, body) in [("/scale", r#"{"replicas": 7}"#), ("/groups/web/pause", r#"{"replicas": 6}"#)] {
        stage.post_with(path, &KEY, body).await.problem(422, "idempotency-key-reused");
    }
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
}

#[tokio::test]
async fn a_key_is_each_callers_own() {
    let stage = Stage::new();
    let pause = async |caller: &str| {
        let request = http::Request::post("/groups/web/pause").header("content-type", "application/json");
        let mut request = request.header(KEY[0].0, KEY[0].1).body(axum::body::Body::from("{}")).unwrap();
        request.extensions_mut().insert(scaling_api::Caller(caller.to_owned()));
        stage.send(request).await
    };
    pause("ada").await.ok();
    let second = pause("bob").await;
    second.ok();
    assert!(second.headers.get("idempotency-replayed").is_none());
    assert_eq!(pause("ada").await.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn two_requests_at_the_same_time_act_once() {
    let stage = Stage::new();
    let body = r#"{"replicas": 6}"#;
    let (one, other) =
        tokio::join!(stage.post_with("/scale", &KEY, body), stage.post_with("/scale", &KEY, body));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses == [202, 202] || statuses == [202, 409], "{statuses:?}");
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
}

#[tokio::test]
async fn a_refused_request_may_be_repeated_with_its_key() {
    let stage = Stage::new();
    stage.post("/groups/web/pause", &json!({})).await.ok();
    let body = r#"{"replicas": 6}"#;
    stage.post_with("/scale", &KEY, body).await.problem(409, "paused");
    stage.post("/groups/web/resume", &json!({})).await.ok();
    assert_eq!(stage.post_with("/scale", &KEY, body).await.status.as_u16(), 202);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let stage = Stage::new();
    stage.post_with("/scale", &KEY, r#"{"replicas": 6}"#).await;
    stage.clock.advance_seconds(86_401);
    assert_eq!(stage.post_with("/scale", &KEY, r#"{"replicas": 7}"#).await.status.as_u16(), 202);
}

#[tokio::test]
async fn a_key_that_nobody_finished_is_free_again_after_a_minute() {
    let stage = Stage::new();
    let request = stage.post_with("/scale", &KEY, r#"{"replicas": 6}"#).await;
    assert_eq!(request.status.as_u16(), 202);
    // As if the process had died before it kept the answer.
    let record =
        stage.store.snapshot().into_iter().find(|record| record.key.starts_with("idempotency/")).unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    body["answer"] = serde_json::Value::Null;
    let expires = Some("2026-03-02T08:01:00Z".parse().unwrap());
    let unanswered = scaling_control::ports::NewRecord { key: record.key, body: body.to_string(), expires };
    let ports = stage.control.ports();
    ports.store.put(unanswered, scaling_control::ports::Expected::Version(record.version)).await.unwrap();
    let reply = stage.post_with("/scale", &KEY, r#"{"replicas": 6}"#).await;
    reply.problem(409, "request-in-progress");
    assert_eq!(reply.header("retry-after"), "1");
    stage.clock.advance_seconds(61);
    stage.post_with("/scale", &KEY, r#"{"replicas": 6}"#).await.ok();
}

#[tokio::test]
async fn a_key_must_be_a_key() {
    let stage = Stage::new();
    for key in ["", &"k".repeat(256), "k\u{e4}y", "two words"] {
        let reply = stage.post_with("/scale", &[("idempotency-key", key)], r#"{"replicas": 6}"#).await;
        reply.problem(400, "bad-parameter");
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    stage.post_with("/scale", &two, r#"{"replicas": 6}"#).await.problem(400, "bad-parameter");
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}
