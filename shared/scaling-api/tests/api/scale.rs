use scaling_control::controls::alone;
use scaling_control::record::KillSwitch;
use scaling_policy::operation::Step;
use scaling_policy::snapshot::{ReplacementStatus, ReplacementView, RetypeSupport};
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

#[tokio::test]
async fn a_count_is_accepted_after_the_first_call_to_the_platform() {
    let stage = Stage::new();
    let reply = stage.post("/scale", &json!({"mode": "horizontal", "replicas": 6})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    let answer = reply.json();
    assert_eq!(
        reply.header("location"),
        format!("/operations/{}", answer["operation"]["id"].as_str().unwrap())
    );
    assert_eq!(answer["operation"]["phase"], "accepted");
    assert_eq!(answer["decision"]["action"], json!({"kind": "scale", "from": 4, "to": 6}));
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
}

#[tokio::test]
async fn a_type_is_accepted() {
    let stage = Stage::new();
    let reply = stage.post("/scale", &json!({"mode": "vertical", "instance_type": "m7i.xlarge"})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    assert_eq!(
        *stage.platform.accepted.lock().unwrap(),
        [Step::StartReplacement { types: vec!["m7i.xlarge".into()] }]
    );
}

#[tokio::test]
async fn an_explicit_request_acts_in_every_control_level() {
    for control in ["observe", "up_only", "act"] {
        let stage = Stage::with(&json!({"mode": "hybrid", "group": "web", "control": control}));
        let reply = stage.post("/scale", &json!({"replicas": 3})).await;
        assert_eq!(reply.status.as_u16(), 202, "{control}: {reply:?}");
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let stage = Stage::new();
    let before = stage.store.snapshot();
    let answer = stage.post("/scale", &json!({"replicas": 6, "dry_run": true})).await.ok();
    assert_eq!(answer["dry_run"], true);
    assert_eq!(answer["decision"]["action"], json!({"kind": "scale", "from": 4, "to": 6}));
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
    assert_eq!(stage.store.snapshot(), before);
}

#[tokio::test]
async fn what_is_already_so_needs_no_operation() {
    let stage = Stage::new();
    let answer = stage.post("/scale", &json!({"replicas": 4})).await.ok();
    assert_eq!((&answer["dry_run"], &answer["decision"]["action"]["kind"]), (&false.into(), &"hold".into()));
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_group_must_be_named_while_there_are_several() {
    let stage = Stage::with_two_groups();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(422, "group-required");
    assert_eq!(problem["groups"], json!(["web", "batch"]));
    let reply = stage.post("/scale", &json!({"group": "batch", "replicas": 6})).await;
    assert_eq!(reply.json()["operation"]["group"], "batch", "{reply:?}");
}

#[tokio::test]
async fn an_unknown_group_is_not_found() {
    let stage = Stage::new();
    let problem =
        stage.post("/scale", &json!({"group": "wbe", "replicas": 6})).await.problem(404, "not-found");
    assert_eq!(problem["groups"], json!(["web"]));
}

#[tokio::test]
async fn a_group_that_the_platform_does_not_know_is_not_found() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    stage.post("/scale", &json!({"replicas": 6})).await.problem(404, "not-found");
}

#[tokio::test]
async fn bounds_are_named_when_they_are_left() {
    let mut source = config_of("web");
    source["resources"] = json!({"max_cpu": 4.0});
    let stage = Stage::with(&source);
    for (body, bound) in [
        (json!({"replicas": 11}), "1 to 10"),
        (json!({"replicas": 0}), "1 to 10"),
        (json!({"replicas": 4_000_000_000_u32}), "1 to 10"),
        (json!({"instance_type": "m7i.48xlarge"}), "vCPU"),
        (json!({"instance_type": "z9.huge"}), "catalogue"),
    ] {
        let problem = stage.post("/scale", &body).await.problem(422, "out-of-bounds");
        assert!(problem["bounds"].as_str().unwrap().contains(bound), "{body}: {problem}");
    }
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_paused_group_is_left_alone() {
    let stage = Stage::new();
    stage.post("/groups/web/pause", &json!({"reason": "load test", "by": "ada"})).await.ok();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "paused");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("load test") && detail.contains("ada"), "{detail}");
    stage.post("/groups/web/resume", &json!({})).await.ok();
    assert_eq!(stage.post("/scale", &json!({"replicas": 6})).await.status.as_u16(), 202);
}

#[tokio::test]
async fn the_kill_switch_stops_every_request() {
    let stage = Stage::new();
    let switch = KillSwitch { by: "ada".to_owned(), reason: "incident".to_owned() };
    stage.control.set_kill_switch(Some(switch), alone).await.unwrap();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "kill-switch");
    assert!(problem["detail"].as_str().unwrap().contains("incident"), "{problem}");
}

#[tokio::test]
async fn a_second_type_waits_for_the_first() {
    let stage = Stage::new();
    assert_eq!(stage.post("/scale", &json!({"instance_type": "m7i.xlarge"})).await.status.as_u16(), 202);
    *stage.platform.replacement.lock().unwrap() = Some(ReplacementView {
        id: "refresh-1".to_owned(),
        status: ReplacementStatus::InProgress,
        percent_complete: 20,
        reason: None,
        target_type: Some("m7i.xlarge".into()),
        ended: None,
    });
    for body in [json!({"instance_type": "m7i.2xlarge"}), json!({"replicas": 3})] {
        stage.post("/scale", &body).await.problem(409, "operation-running");
    }
}

#[tokio::test]
async fn a_type_that_the_platform_cannot_change_is_refused() {
    let stage = Stage::new();
    let why = "the group uses weights".to_owned();
    stage.platform.change("web", |group| group.retype = RetypeSupport::CountOnly { why });
    let problem =
        stage.post("/scale", &json!({"instance_type": "m7i.xlarge"})).await.problem(409, "count-only");
    assert!(problem["detail"].as_str().unwrap().contains("weights"), "{problem}");
}

#[tokio::test]
async fn a_platform_that_is_down_is_not_the_client_s_fault() {
    let stage = Stage::new();
    *stage.platform.is_down.lock().unwrap() = true;
    let reply = stage.post("/scale", &json!({"replicas": 6})).await;
    reply.problem(503, "platform-unavailable");
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn what_is_asked_for_with_an_expiry_stays_until_then() {
    let stage = Stage::with(&config_of("web"));
    let expires = "2026-03-02T12:00:00Z";
    let reply = stage.post("/scale", &json!({"replicas": 9, "expires": expires, "by": "ada"})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    let group = stage.get("/groups").await.ok()["groups"][0].clone();
    assert_eq!(group["override"]["until"], expires, "{group}");
    assert_eq!((&group["override"]["min"], &group["override"]["max"]), (&9.into(), &9.into()));
    for _ in 0..200 {
        stage.clock.advance_seconds(60);
        stage.tick().await;
    }
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 9 }]);
}

#[tokio::test]
async fn a_dry_run_with_an_expiry_sets_nothing() {
    let stage = Stage::new();
    let body = json!({"replicas": 9, "expires": "2026-03-02T12:00:00Z", "dry_run": true});
    stage.post("/scale", &body).await.ok();
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["override"], Value::Null);
}
