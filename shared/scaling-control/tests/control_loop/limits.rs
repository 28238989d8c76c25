//! Limits over all groups, shared by every invocation.

use std::sync::Arc;
use std::time::Duration;

use scaling_control::fakes::Several;
use scaling_control::record::{FLEET_KEY, FleetRecord};
use scaling_policy::decision::Reason;
use serde_json::json;

use crate::world::{World, config};

/// Three groups, of which one may change in a minute.
fn three_groups() -> (World, Several) {
    let mut world = World::new();
    let names = ["a", "b", "c"];
    let groups = names.map(|name| json!({"name": name}));
    world.config = config(json!({"groups": groups, "limits": {"max_groups_changed": 1}}));
    let several = Several::of(&names, &world.ports.clock);
    several.busy_vcpu(9.0);
    world.ports.groups = Arc::new(several.clone());
    world.ports.writer = Arc::new(several.clone());
    world.ports.metrics = Arc::new(several.clone());
    (world, several)
}

fn changed(report: &scaling_control::TickReport) -> Vec<&str> {
    let acted = report.outcomes.iter().filter(|outcome| outcome.acted.is_some());
    acted.map(|outcome| outcome.config.name.as_str()).collect()
}

#[tokio::test]
async fn an_alarm_in_the_same_minute_finds_the_budget_spent() {
    let (world, several) = three_groups();
    let control = world.control();
    world.minutes(&control, 2).await;
    several.busy_vcpu(15.0);
    let report = world.minute(&control).await;
    assert_eq!(changed(&report).len(), 1);
    // Another process, the same minute.
    let alarm = world.control();
    let report = alarm.evaluate(&["a".into(), "b".into(), "c".into()]).await.unwrap();
    assert!(changed(&report).is_empty());
    let held = report.outcomes.iter().filter(|outcome| {
        outcome.evaluation().is_some_and(|evaluation| evaluation.decision.reason == Reason::FleetLimit)
    });
    assert!(held.count() > 0);
}

#[tokio::test]
async fn those_held_go_first_in_the_next_minute_whichever_process_it_is() {
    let (world, several) = three_groups();
    let control = world.control();
    world.minutes(&control, 2).await;
    several.busy_vcpu(15.0);
    let mut order = Vec::new();
    for _ in 0..3 {
        // A cold start each minute: nothing is remembered but what the store holds.
        let report = world.minute(&world.control()).await;
        order.extend(changed(&report).into_iter().map(str::to_owned));
    }
    order.sort();
    assert_eq!(order, ["a", "b", "c"], "each had its turn");
}

#[tokio::test]
async fn without_limits_no_fleet_record_is_kept() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.minute(&control).await;
    assert!(world.store.snapshot().iter().all(|record| record.key != FLEET_KEY));
}

#[tokio::test]
async fn a_quiet_minute_with_limits_does_not_touch_the_fleet_record() {
    let (world, several) = three_groups();
    let control = world.control();
    world.minutes(&control, 5).await;
    assert!(world.store.snapshot().iter().all(|record| record.key != FLEET_KEY));
    several.busy_vcpu(15.0);
    control.tick(Duration::from_secs(50)).await.unwrap();
    world.minute(&control).await;
    let stored = world.store.snapshot().into_iter().find(|record| record.key == FLEET_KEY).unwrap();
    let fleet: FleetRecord = serde_json::from_str(&stored.body).unwrap();
    assert_eq!(fleet.changed, 1);
}
