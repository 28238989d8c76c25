//! One call that is never answered, of otherwise good ports; and how long the loop waits for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use scaling_control::fakes::{Around, Call, around};
use scaling_control::record::GroupRecord;
use scaling_control::{ControlLoop, Outcome, PortError, TickReport};
use scaling_policy::decision::Reason;
use scaling_policy::operation::Phase;
use tokio::time::Instant;

use crate::world::World;

struct Hanging(&'static str);

#[async_trait]
impl Around for Hanging {
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        if call.name == self.0 { std::future::pending().await } else { Ok(()) }
    }
}

/// A tick in which `call` hangs, and how many seconds it took.
async fn tick(world: &World, call: &'static str) -> (Result<TickReport, PortError>, u64) {
    world.clock.advance_seconds(60);
    let control =
        ControlLoop::new(around(world.ports.clone(), Arc::new(Hanging(call))), world.config.clone());
    let began = Instant::now();
    let report = control.tick(Duration::from_secs(50)).await;
    (report, began.elapsed().as_secs())
}

/// A world in which the group was taken over, and then came under `busy_vcpu`.
async fn taken_over(busy_vcpu: f64) -> World {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 3).await;
    world.platform.group().busy_vcpu = Some(busy_vcpu);
    world
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_every_group_needs_fails_the_tick_after_45_seconds() {
    for call in ["get", "get_many", "describe_each"] {
        let world = taken_over(15.0).await;
        let (report, seconds) = tick(&world, call).await;
        let error = report.unwrap_err().to_string();
        assert!(error.contains("no answer within 45 s"), "{call}: {error}");
        assert_eq!(seconds, 45, "{call}");
        assert!(world.platform.group().accepted.is_empty(), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_that_do_not_come_within_45_seconds_are_missing() {
    let world = taken_over(2.0).await;
    let (report, seconds) = tick(&world, "read").await;
    let report = report.unwrap();
    let reason = &report.outcomes[0].evaluation().unwrap().decision.reason;
    assert!(matches!(reason, Reason::DataMissing { .. }), "{reason}");
    assert_eq!(seconds, 45);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_cannot_be_followed_up_within_45_seconds_waits_and_its_group_goes_on() {
    for call in ["replacement", "launch_failures"] {
        let world = taken_over(9.0).await;
        world.platform.group().used_memory = 14_000.0;
        let control = world.control();
        assert_eq!(world.minute(&control).await.changed(), 1);
        let (report, seconds) = tick(&world, call).await;
        let report = report.unwrap();
        let evaluation = report.outcomes[0].evaluation().unwrap();
        assert!(evaluation.state.open_type_change().is_some(), "{call}: {report:?}");
        assert_eq!((report.changed(), seconds), (0, 45), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_is_given_up_after_40_seconds_and_the_group_is_free_for_the_next_try() {
    let world = taken_over(15.0).await;
    let (report, seconds) = tick(&world, "apply").await;
    let report = report.unwrap();
    let error = report.outcomes[0].evaluation().unwrap().step_error.clone().unwrap();
    assert!(error.to_string().contains("no answer within 40 s"), "{error}");
    assert_eq!(seconds, 40);
    let acted = report.outcomes[0].acted.as_ref().unwrap();
    assert_eq!((acted.phase, acted.attempts), (Phase::Planned, 1));
    let stored = world.store.snapshot().into_iter().find(|record| record.key == "group/web").unwrap();
    let record: GroupRecord = serde_json::from_str(&stored.body).unwrap();
    assert_eq!(record.lease, None);
    world.minutes(&world.control(), 3).await;
    assert_eq!(world.platform.group().accepted.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_taken_within_20_seconds_lets_nothing_be_asked_for() {
    let world = taken_over(15.0).await;
    let (report, seconds) = tick(&world, "put_with").await;
    let report = report.unwrap();
    assert!(matches!(&report.outcomes[0].result, Outcome::Failed(_)), "{report:?}");
    assert_eq!(seconds, 20);
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn history_that_cannot_be_written_within_20_seconds_takes_back_no_change() {
    let world = taken_over(15.0).await;
    let (report, seconds) = tick(&world, "append").await;
    let report = report.unwrap();
    assert_eq!((report.changed(), seconds), (1, 20));
    let error = report.outcomes[0].evaluation().unwrap().step_error.clone().unwrap();
    assert!(error.to_string().contains("recording what was done failed"), "{error}");
    assert_eq!(world.platform.group().accepted.len(), 1);
}
