//! How many calls a tick makes, and when it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_control::TickReport;
use scaling_control::fakes::{SteppedClock, around};
use scaling_control::ports::Clock;
use scaling_policy::config::GroupName;
use serde_json::json;

use crate::counted::Counted;
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
async fn a_quiet_tick_over_a_thousand_groups_reads_one_control_record_and_the_groups_in_hundreds() {
    let mut world = World::new();
    let groups: Vec<_> = (0..1000).map(|number| json!({"name": format!("web-{number}")})).collect();
    world.config = config(json!({"groups": groups}));
    let store = Arc::new(Counted::default());
    world.ports.store = around(world.ports.clone(), store.clone()).store;
    let control = world.control();
    world.minutes(&control, 3).await;
    store.take();
    world.minute(&control).await;
    // A store reads a hundred records to a call; its own tests count that.
    assert_eq!(store.take(), BTreeMap::from([("get", vec![1]), ("get_many", vec![1000])]));
}

/// A clock on which a second passes whenever somebody looks.
struct Creeping(Arc<SteppedClock>);

impl Clock for Creeping {
    fn now(&self) -> Timestamp {
        self.0.advance_seconds(1);
        self.0.now()
    }
}

fn evaluated(report: &TickReport) -> BTreeSet<GroupName> {
    report.outcomes.iter().map(|outcome| outcome.config.name.clone()).collect()
}

#[tokio::test]
async fn groups_left_over_by_the_deadline_are_counted_and_go_first_next_time() {
    let mut world = World::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    world.config = config(json!({"groups": names.map(|name| json!({"name": name}))}));
    world.ports.clock = Arc::new(Creeping(world.clock.clone()));
    let control = world.control();
    // The deadline passes while the groups are decided on.
    let budget = Duration::from_secs(8);
    let first = control.tick(budget).await.unwrap();
    let left_over: BTreeSet<_> = first.left_over.iter().cloned().collect();
    assert!((1..=3).contains(&left_over.len()), "some and not most of six: {left_over:?}");
    assert!(evaluated(&first).is_disjoint(&left_over));
    assert_eq!(evaluated(&first).len() + left_over.len(), 6, "none is forgotten");
    let last: Vec<GroupName> = names[6 - left_over.len()..].iter().map(|name| (*name).into()).collect();
    assert_eq!(first.left_over, last, "in the order of the configuration, as nothing is known yet");

    world.clock.advance_seconds(60);
    let second = control.tick(budget).await.unwrap();
    assert!(evaluated(&second).is_superset(&left_over), "{:?}", second.left_over);
    assert!(!second.left_over.is_empty(), "the deadline has passed again");
    // Then those evaluated longest ago, before those of just now.
    world.clock.advance_seconds(60);
    let third = control.tick(budget).await.unwrap();
    let waiting: BTreeSet<_> = second.left_over.iter().cloned().collect();
    assert!(evaluated(&third).is_superset(&waiting), "{:?}", third.left_over);
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
