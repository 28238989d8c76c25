//! Every documented type of problem, made to happen.

use axum::body::Body;
use http::Request;
use scaling_api::access::ENDPOINTS;
use scaling_api::problem::{Kind, TYPE_PREFIX};
use scaling_api::{Grant, MAX_BODY_BYTES, Role};
use scaling_control::ports::{Expected, NewRecord};
use scaling_control::record::{GroupRecord, Lease, group_key, to_json};
use scaling_policy::snapshot::RetypeSupport;
use serde_json::json;

use crate::stage::{Reply, Stage, config_of};

/// An answer of this kind; `None` for those that a listener gives, whose own tests hold them.
#[expect(clippy::too_many_lines, reason = "an arm for each kind, so that the compiler tells of a new one")]
async fn made(kind: Kind) -> Option<Reply> {
    let stage = Stage::new();
    let scale = json!({"replicas": 6});
    let retype = json!({"instance_type": "m7i.xlarge"});
    Some(match kind {
        Kind::WrongHost | Kind::TooManyRequests => return None,
        Kind::MalformedBody => stage.post_with("/scale", &[], "{").await,
        Kind::BadParameter => stage.get("/operations?limit=0").await,
        Kind::Unauthorized => Stage::guarded().get("/groups").await,
        Kind::Forbidden => {
            let mut request = Request::get("/audit").body(Body::empty()).unwrap();
            request.extensions_mut().insert(Grant(Role::Read));
            Stage::guarded().send(request).await
        }
        Kind::CrossOrigin => stage.post_with("/scale", &[("origin", "http://evil.example")], "{}").await,
        Kind::NotFound => stage.get("/operations/none").await,
        Kind::MethodNotAllowed => stage.call("PATCH", "/scale", &scale).await,
        Kind::NotAcceptable => stage.get_as("/groups", "text/html").await,
        Kind::Paused => {
            stage.post("/groups/web/pause", &json!({})).await.ok();
            stage.post("/scale", &scale).await
        }
        Kind::KillSwitch => {
            stage.call("PUT", "/kill-switch", &json!({})).await.ok();
            stage.post("/scale", &scale).await
        }
        Kind::OperationRunning => {
            stage.post("/scale", &retype).await;
            stage.post("/scale", &json!({"instance_type": "m7i.2xlarge"})).await
        }
        Kind::CountOnly => {
            stage.platform.change("web", |group| {
                group.retype = RetypeSupport::CountOnly { why: "weights".to_owned() };
            });
            stage.post("/scale", &retype).await
        }
        Kind::Conflict => {
            leased(&stage).await;
            stage.post("/scale", &scale).await
        }
        Kind::InProgress => {
            // As another process has left it that is still at work.
            let key = [("idempotency-key", "k")];
            stage.post_with("/groups/web/resume", &key, "{}").await.ok();
            unanswered(&stage).await;
            stage.post_with("/groups/web/resume", &key, "{}").await
        }
        Kind::VersionMismatch => {
            stage.post_with("/config", &[("if-match", "\"7\"")], &config_of("web").to_string()).await
        }
        Kind::BodyTooLarge => stage.post_with("/scale", &[], &" ".repeat(MAX_BODY_BYTES + 1)).await,
        Kind::UnsupportedMediaType => {
            let request = Request::post("/scale").header("content-type", "text/plain");
            stage.send(request.body(Body::from("{}")).unwrap()).await
        }
        Kind::InvalidRequest => stage.post("/scale", &json!({})).await,
        Kind::GroupRequired => Stage::with_two_groups().post("/scale", &scale).await,
        Kind::OutOfBounds => stage.post("/scale", &json!({"replicas": 5000})).await,
        Kind::InvalidConfiguration => stage.post("/config", &json!({"mode": "both"})).await,
        Kind::KeyReused => {
            let key = [("idempotency-key", "k")];
            stage.post_with("/groups/web/pause", &key, "{}").await.ok();
            stage.post_with("/groups/web/resume", &key, "{}").await
        }
        Kind::IfMatchRequired => {
            let mut source = config_of("web");
            source["require_if_match"] = true.into();
            Stage::with(&source).post("/config", &source).await
        }
        Kind::Internal => {
            *stage.platform.is_broken.lock().unwrap() = true;
            stage.post("/scale", &scale).await
        }
        Kind::PlatformRefused => {
            *stage.platform.refuses.lock().unwrap() = true;
            stage.post("/scale", &scale).await
        }
        Kind::PlatformUnavailable => {
            *stage.platform.is_down.lock().unwrap() = true;
            stage.post("/scale", &scale).await
        }
        Kind::NotTicking => {
            stage.tick().await;
            stage.clock.advance_seconds(3600);
            stage.get("/health").await
        }
    })
}

/// Somebody else is changing the group at this moment.
async fn leased(stage: &Stage) {
    let until = "2026-03-02T08:01:00Z".parse().unwrap();
    let record =
        GroupRecord { lease: Some(Lease { owner: "other".to_owned(), until }), ..GroupRecord::default() };
    let body = to_json("test", &record).unwrap();
    let record = NewRecord { key: group_key(&"web".into()), body, expires: None };
    stage.control.ports().store.put(record, Expected::Absent).await.unwrap();
}

/// Takes the answer out of the record of the only idempotency key.
async fn unanswered(stage: &Stage) {
    let mut records = stage.store.snapshot().into_iter();
    let record = records.find(|record| record.key.starts_with("idempotency/")).unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    body["answer"] = serde_json::Value::Null;
    let new = NewRecord { key: record.key, body: body.to_string(), expires: record.expires };
    stage.control.ports().store.put(new, Expected::Version(record.version)).await.unwrap();
}

#[tokio::test]
async fn every_documented_type_of_problem_happens() {
    for kind in Kind::ALL {
        if let Some(reply) = made(*kind).await {
            reply.problem(kind.status().as_u16(), kind.name());
        }
    }
}

#[tokio::test]
async fn a_fault_of_the_program_tells_the_client_nothing_but_where_to_look() {
    let reply = made(Kind::Internal).await.unwrap();
    let problem = reply.problem(500, "internal");
    assert!(
        !reply.text.contains("asked for") && problem["instance"] == reply.header("x-request-id"),
        "{reply:?}"
    );
}

/// Of what a router answers, nothing may be missing in the description. Methods and paths that there are not are not
/// described.
#[test]
fn every_type_of_problem_is_described_by_some_endpoint() {
    let document: serde_json::Value = serde_json::from_str(scaling_api::openapi::DOCUMENT).unwrap();
    let described = document["components"]["responses"].to_string();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::MethodNotAllowed) {
        assert!(described.contains(&format!("{TYPE_PREFIX}{}`", kind.name())), "{}", kind.name());
        assert!(ENDPOINTS.iter().any(|endpoint| endpoint.problems().contains(kind)), "{}", kind.name());
    }
}
