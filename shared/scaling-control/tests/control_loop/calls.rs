//! How many calls a tick makes, and when it writes.

use std::time::Duration;

use serde_json::json;

use crate::world::{World, config};

#[tokio::test]
async fn a_quiet_tick_over_a_thousand_groups_describes_in_hundreds_reads_metrics_once_and_writes_nothing() {
    let mut world = World::new();
    let groups: Vec<_> = (0..1000).map(|number| json!({"name": format!("web-{number}")})).collect();
    world.config = config(json!({"groups": groups}));
    let control = world.control();
    // Take-over writes every record once, and looks for other controllers in one call.
    world.minutes(&control, 3).await;
    let before = world.store.snapshot();
    let calls = world.platform.group().calls.clone();
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes.len(), 1000);
    assert_eq!(report.changed(), 0);
    let after = world.platform.group().calls.clone();
    for (call, made) in [("describe", 10), ("metrics", 1), ("foreign_controllers", 0), ("apply", 0)] {
        assert_eq!(after.get(call).unwrap_or(&0) - calls.get(call).unwrap_or(&0), made, "{call}");
    }
    assert_eq!(world.store.snapshot(), before, "a quiet tick writes nothing");
}

#[tokio::test]
async fn what_was_learned_is_stored_every_quarter_of_an_hour() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 3).await;
    let version = |world: &World| {
        world.store.snapshot().iter().find(|record| record.key == "group/web").map(|record| record.version)
    };
    let before = version(&world);
    world.minutes(&control, 10).await;
    assert_eq!(version(&world), before);
    world.minutes(&control, 6).await;
    assert_ne!(version(&world), before);
}

#[tokio::test]
async fn groups_left_over_by_the_deadline_are_counted_and_go_first_next_time() {
    let mut world = World::new();
    world.config = config(json!({"groups": [{"name": "a"}, {"name": "b"}]}));
    let control = world.control();
    control.evaluate(&["a".into()]).await.unwrap();
    world.clock.advance_seconds(60);
    let report = control.tick(Duration::from_secs(50)).await.unwrap();
    let order: Vec<&str> = report.outcomes.iter().map(|outcome| outcome.config.name.as_str()).collect();
    assert_eq!(order.len(), 2, "{order:?}");
}

#[tokio::test]
async fn what_was_learned_between_two_writes_is_not_forgotten() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 3).await;
    // Nothing changes and nothing is written; the stabilization window is covered all the same.
    world.platform.group().busy_vcpu = Some(3.0);
    world.minutes(&control, 8).await;
    assert!(world.platform.group().desired < 4);
}

#[tokio::test]
async fn other_controllers_are_looked_for_once_an_hour() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 120).await;
    let looks = world.platform.group().calls["foreign_controllers"];
    assert!((2..=3).contains(&looks), "{looks}");
}
