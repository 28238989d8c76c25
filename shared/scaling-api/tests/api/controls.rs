//! Overrides, holds and the kill switch.

use scaling_policy::operation::Step;
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

const UNTIL: &str = "2026-03-02T10:00:00Z";

#[tokio::test]
async fn an_override_holds_until_it_ends_and_says_who_and_why() {
    let stage = Stage::new();
    let body = json!({"min": 6, "max": 8, "until": UNTIL, "reason": "launch day", "by": "ada"});
    let answer = stage.call("PUT", "/groups/web/override", &body).await.ok();
    let expected = json!({
        "by": "ada", "reason": "launch day", "until": UNTIL, "min": 6, "max": 8, "instance_type": null,
    });
    assert_eq!(answer, json!({"group": "web", "override": expected}));
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["override"], expected);
    stage.tick().await;
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
    let decisions = stage.get("/groups/web/decisions").await.ok();
    assert!(
        decisions.to_string().contains("override") || decisions.to_string().contains("bounds"),
        "{decisions}"
    );
    let ended = stage.call("DELETE", "/groups/web/override", &Value::Null).await;
    assert_eq!(ended.ok(), json!({"group": "web", "override": null}));
    let audit = stage.get("/audit").await.ok();
    assert!(audit.to_string().contains("launch day"), "{audit}");
}

#[tokio::test]
async fn an_override_that_makes_no_sense_is_refused() {
    let mut source = config_of("web");
    source["resources"] = json!({"max_cpu": 4.0});
    let stage = Stage::with(&source);
    for (body, name) in [
        (json!({"until": UNTIL, "reason": "r"}), "invalid-request"),
        (json!({"min": 0, "until": UNTIL, "reason": "r"}), "invalid-request"),
        (json!({"max": 0, "until": UNTIL, "reason": "r"}), "invalid-request"),
        (json!({"min": 5, "max": 4, "until": UNTIL, "reason": "r"}), "invalid-request"),
        (json!({"min": 5, "until": UNTIL}), "invalid-request"),
        (json!({"min": 5, "until": UNTIL, "reason": " "}), "invalid-request"),
        (json!({"min": 5, "until": crate::stage::START, "reason": "r"}), "invalid-request"),
        (json!({"min": 5, "reason": "r"}), "invalid-request"),
        (json!({"instance_type": "z9.huge", "until": UNTIL, "reason": "r"}), "out-of-bounds"),
        (json!({"instance_type": "m7i.48xlarge", "until": UNTIL, "reason": "r"}), "out-of-bounds"),
    ] {
        stage.call("PUT", "/groups/web/override", &body).await.problem(422, name);
    }
    assert!(stage.store.snapshot().is_empty());
    let body = json!({"min": 5, "until": UNTIL, "reason": "r"});
    stage.call("PUT", "/groups/wbe/override", &body).await.problem(404, "not-found");
    stage.call("DELETE", "/groups/wbe/override", &body).await.problem(404, "not-found");
    stage.post("/groups/wbe/hold", &json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_hold_keeps_what_the_group_has() {
    let stage = Stage::new();
    let answer = stage.post("/groups/web/hold", &json!({"by": "ada", "reason": "looking"})).await.ok();
    assert_eq!((&answer["override"]["min"], &answer["override"]["max"]), (&4.into(), &Value::Null));
    assert_eq!(answer["override"]["until"], "2026-03-02T08:30:00Z", "for the configuration's manual_hold");
    stage.post("/scale", &json!({"replicas": 3})).await.problem(422, "out-of-bounds");
    assert_eq!(stage.post("/scale", &json!({"replicas": 5})).await.status.as_u16(), 202);
    let until = stage.post("/groups/web/hold", &json!({"until": UNTIL})).await.ok();
    assert_eq!((&until["override"]["until"], &until["override"]["min"]), (&UNTIL.into(), &5.into()));
    stage
        .post("/groups/web/hold", &json!({"until": crate::stage::START}))
        .await
        .problem(422, "invalid-request");
}

#[tokio::test]
async fn a_hold_needs_the_platform() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    stage.post("/groups/web/hold", &json!({})).await.problem(404, "not-found");
    *stage.platform.is_down.lock().unwrap() = true;
    stage.post("/groups/web/hold", &json!({})).await.problem(503, "platform-unavailable");
}

#[tokio::test]
async fn the_kill_switch_stops_everything_until_it_is_released() {
    let stage = Stage::new();
    assert_eq!(stage.get("/kill-switch").await.ok(), json!({"kill_switch": null}));
    let thrown = json!({"by": "ada", "reason": "incident"});
    let answer = stage.call("PUT", "/kill-switch", &thrown).await.ok();
    assert_eq!(answer, json!({"kill_switch": thrown}));
    assert_eq!(stage.get("/kill-switch").await.ok(), answer);
    assert_eq!(stage.get("/groups").await.ok()["kill_switch"], thrown);
    stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "kill-switch");
    stage.tick().await;
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
    stage.call("DELETE", "/kill-switch", &json!({})).await.ok();
    assert_eq!(stage.post("/scale", &json!({"replicas": 6})).await.status.as_u16(), 202);
    let audit = stage.get("/audit").await.ok();
    let done: Vec<&Value> = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    assert!(done.contains(&&json!("stopped")) && done.contains(&&json!("released")), "{audit}");
}
