//! Several controllers at once: duplicates, a stalled owner, real threads.

use std::time::Duration;

use scaling_control::fakes::around;
use scaling_control::ports::{Expected, NewRecord, StateStore};
use scaling_control::record::{GroupRecord, Lease, group_key};
use scaling_control::{ControlLoop, Outcome};
use scaling_policy::config::GroupName;

use crate::faults::Stalling;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_alarms_at_once_change_the_group_once() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.clock.advance_seconds(60);
    let evaluations = (0..8).map(|_| {
        let control = ControlLoop::new(world.ports.clone(), world.config.clone());
        tokio::spawn(async move { control.evaluate(&[GroupName::new("web")]).await })
    });
    let mut acted = 0;
    for evaluation in evaluations.collect::<Vec<_>>() {
        acted += evaluation.await.unwrap().unwrap().changed();
    }
    assert_eq!(acted, 1);
    assert_eq!(world.platform.group().accepted.len(), 1);
}

#[tokio::test]
async fn the_same_alarm_again_changes_nothing_more() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.clock.advance_seconds(60);
    for _ in 0..5 {
        control.evaluate(&[GroupName::new("web")]).await.unwrap();
    }
    assert_eq!(world.platform.group().accepted.len(), 1);
}

#[tokio::test]
async fn a_group_whose_lease_is_held_is_left_alone_until_it_expires() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    hold_lease(&world, Duration::from_secs(90)).await;
    world.platform.group().busy_vcpu = Some(15.0);
    let report = world.minute(&control).await;
    assert!(matches!(report.outcomes[0].result, Outcome::Busy));
    let report = world.minute(&control).await;
    assert_eq!(report.changed(), 1, "the lease has expired");
}

async fn hold_lease(world: &World, length: Duration) {
    let key = group_key(&GroupName::new("web"));
    let stored = world.store.get(&key).await.unwrap().unwrap();
    let mut record: GroupRecord = serde_json::from_str(&stored.body).unwrap();
    let until = scaling_control::ports::Clock::now(&*world.clock) + length;
    record.lease = Some(Lease { owner: "somebody else".to_owned(), until });
    let record = NewRecord { key, body: serde_json::to_string(&record).unwrap(), expires: None };
    world.store.put(record, Expected::Version(stored.version)).await.unwrap();
}

#[tokio::test]
async fn an_owner_that_stalls_past_its_lease_makes_no_call() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.clock.advance_seconds(60);
    // Its plan is written, and then nothing moves for two minutes.
    let ports = around(world.ports.clone(), Stalling::after_one_put(world.clock.clone(), 120));
    let stalled = ControlLoop::new(ports, world.config.clone());
    stalled.tick(Duration::from_secs(50)).await.unwrap();
    assert!(world.platform.group().accepted.is_empty(), "too little of its lease was left");
    world.minutes(&control, 3).await;
    assert_eq!(world.platform.group().accepted.len(), 1);
}
