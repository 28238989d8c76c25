//! When a group can be changed next, and what it waits for; and what is shown while there is little to show.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

#[expect(dead_code, reason = "the browser uses the rest of it")]
mod stage;

use stage::Stage;

/// The entry of a kind of change.
fn of<'a>(group: &'a serde_json::Value, change: &str) -> &'a serde_json::Value {
    let changes = group["outlook"].as_array().into_iter().flatten();
    changes.into_iter().find(|one| one["change"] == change).unwrap_or(&serde_json::Value::Null)
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

#[tokio::test]
async fn a_tick_in_which_a_group_is_not_due_takes_nothing_from_its_page() {
    let mut stage = Stage::with_period(2, 300);
    stage.tick().await;
    let before = stage.group("observed").await;
    stage.tick().await;
    let after = stage.group("observed").await;
    assert_eq!(after["at"], before["at"], "it was not looked at");
    assert_eq!(after["now"], "2026-03-02T06:02:00Z");
    for member in ["decision", "explained", "said", "totals", "outlook", "series", "readings", "cost"] {
        assert!(!before[member].is_null() && after[member] == before[member], "{member}: {after}");
    }
    let status = stage.read("/console/data/status").await;
    let web = &status["groups"][1];
    assert_eq!((&web["name"], &web["totals"]), (&"web".into(), &stage.group("web").await["totals"]));
    assert_eq!(status["groups"][0]["outlook"], before["outlook"]);
}

#[tokio::test]
async fn what_is_waited_for_passes_while_a_group_is_not_due() {
    let mut stage = Stage::with_period(1, 300);
    stage.more = 3.0;
    let (mut waited, mut passed) = (false, false);
    for _ in 0..30 {
        let before = of(&stage.group("web").await, "up")["waits_for"].clone();
        stage.tick().await;
        let group = stage.group("web").await;
        let (now, up) = (group["now"].as_str().unwrap(), of(&group, "up"));
        let is_free = up["waits_for"] == "";
        let from = up["from"].as_str();
        assert!(if is_free { from == Some(now) } else { from.is_none_or(|from| from > now) }, "{now} {up}");
        waited |= !is_free;
        passed |= is_free && before != "" && !before.is_null() && group["at"].as_str() < Some(now);
    }
    assert!(waited && passed, "{waited} {passed}");
}

#[tokio::test]
async fn a_demand_that_nobody_has_read_is_a_gap_and_no_zero() {
    let mut stage = Stage::new(1);
    stage.is_silent = true;
    stage.tick().await;
    let group = stage.group("web").await;
    assert!(group["wanted"].is_null() && group["series"]["wanted"][0].is_null(), "{group}");
    stage.is_silent = false;
    stage.tick().await;
    let group = stage.group("web").await;
    assert!(group["wanted"].as_f64().unwrap() > 0.0, "{group}");
    stage.restart(0).await;
    assert!(stage.group("web").await["series"]["wanted"][0].as_f64().unwrap() > 0.0);
}
