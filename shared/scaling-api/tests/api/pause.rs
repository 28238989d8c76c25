use axum::body::Body;
use http::Request;
use scaling_api::Caller;
use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn a_paused_group_says_who_and_why_until_it_is_resumed() {
    let stage = Stage::new();
    let body = json!({"reason": "load test", "by": "ada", "until": "2026-03-02T10:00:00Z"});
    let answer = stage.post("/groups/web/pause", &body).await.ok();
    assert_eq!(answer, json!({"group": "web", "pause": body}));
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["pause"], body);
    let answer = stage.post("/groups/web/resume", &json!({"by": "ada"})).await.ok();
    assert_eq!(answer, json!({"group": "web", "pause": null}));
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["pause"], Value::Null);
}

#[tokio::test]
async fn the_body_may_be_left_out() {
    let stage = Stage::new();
    let bare = |path: &str| Request::post(path).body(Body::empty()).unwrap();
    let answer = stage.send(bare("/groups/web/pause")).await.ok();
    assert_eq!(answer["pause"], json!({"by": "api", "reason": "no reason given", "until": null}));
    stage.send(bare("/groups/web/resume")).await.ok();
}

#[tokio::test]
async fn who_is_asking_is_taken_from_the_layer_in_front() {
    let stage = Stage::new();
    let mut request = Request::post("/groups/web/pause")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"by": "somebody else"}"#))
        .unwrap();
    request.extensions_mut().insert(Caller("arn:aws:iam::1:user/ada".to_owned()));
    assert_eq!(stage.send(request).await.ok()["pause"]["by"], "arn:aws:iam::1:user/ada");
}

#[tokio::test]
async fn a_pause_that_is_over_before_it_begins_is_refused() {
    let stage = Stage::new();
    for body in
        [json!({"until": "2026-03-02T08:00:00Z"}), json!({"until": "tomorrow"}), json!({"untill": null})]
    {
        stage.post("/groups/web/pause", &body).await.problem(422, "invalid-request");
    }
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["pause"], Value::Null);
}

#[tokio::test]
async fn an_unknown_group_is_not_found() {
    let stage = Stage::new();
    for path in ["/groups/wbe/pause", "/groups/wbe/resume"] {
        assert_eq!(stage.post(path, &json!({})).await.problem(404, "not-found")["groups"], json!(["web"]));
    }
}
