//! When a group can be changed next, and what it waits for.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

#[expect(dead_code, reason = "the browser uses the rest of it")]
mod stage;

use stage::Stage;

/// The entry of a kind of change.
fn of<'a>(group: &'a serde_json::Value, change: &str) -> &'a serde_json::Value {
    group["outlook"].as_array().unwrap().iter().find(|one| one["change"] == change).unwrap()
}

#[tokio::test]
async fn an_observed_group_is_changed_by_nobody() {
    let mut stage = Stage::new(2);
    stage.tick().await;
    let group = stage.group("observed").await;
    for change in ["up", "down", "retype"] {
        assert_eq!(of(&group, change)["waits_for"], "the group is only observed");
        assert!(of(&group, change)["from"].is_null());
    }
}

#[tokio::test]
async fn a_scale_up_waits_for_its_cooldown_and_replicas_on_order_keep_the_others() {
    let mut stage = Stage::new(1);
    stage.more = 3.0;
    stage.tick().await;
    let group = stage.group("web").await;
    assert_eq!(group["marks"][0]["kind"], "up");
    let up = of(&group, "up");
    assert!(up["waits_for"].as_str().unwrap().contains("cooldown"), "{up}");
    assert_eq!(up["from"], "2026-03-02T06:03:00Z");
    stage.tick().await;
    let group = stage.group("web").await;
    assert!(of(&group, "down")["waits_for"].as_str().unwrap().contains("on order"), "{group}");
}

#[tokio::test]
async fn an_unknown_group_is_not_found() {
    let stage = Stage::new(1);
    assert!(stage.group("web").await["detail"].as_str().unwrap().contains("no group \"web\""));
    assert!(stage.group("other").await["title"] == "not found");
}
