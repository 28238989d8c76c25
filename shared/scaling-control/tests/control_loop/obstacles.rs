//! What keeps one thing of a group from being done keeps nothing else of it from being done.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use scaling_control::bookkeeping::accepted;
use scaling_control::controls::alone;
use scaling_control::fakes::Steps;
use scaling_control::ports::{Accepted, Expected, GroupWriter, NewRecord, StateStore as _};
use scaling_control::record::{GroupRecord, from_json, group_key, to_json};
use scaling_control::{ControlLoop, Outcome, PortError, ScaleRequest};
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::decision::Reason;
use scaling_policy::operation::{Operation, OperationKind, Pause, Phase, Step};
use scaling_policy::snapshot::ReplacementStatus;
use scaling_policy::{Learned, OperationState, Reading};
use serde_json::json;

use crate::world::World;

const TWO_TYPES: &str = "r7i.xlarge";

fn two_types() -> World {
    World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", TWO_TYPES]}}]}))
}

fn to_the_other_type() -> ScaleRequest {
    ScaleRequest {
        group: "web".into(),
        replicas: None,
        instance_type: Some(TWO_TYPES.into()),
        by: "ops".to_owned(),
        until: None,
        dry_run: false,
    }
}

async fn stored(world: &World) -> GroupRecord {
    let key = group_key(&"web".into());
    from_json(&key, &world.store.get(&key).await.unwrap().unwrap().body).unwrap()
}

/// Minutes under `busy_vcpu`, and what ended in them.
async fn under(world: &World, control: &ControlLoop, busy_vcpu: f64, minutes: usize) -> Vec<Operation> {
    world.platform.group().busy_vcpu = Some(busy_vcpu);
    let mut ended = Vec::new();
    for _ in 0..minutes {
        ended.extend(world.minute(control).await.outcomes[0].ended.iter().cloned());
    }
    ended
}

fn of_count(ended: &[Operation]) -> Vec<Phase> {
    let ended = ended.iter().filter(|operation| matches!(operation.kind, OperationKind::Scale { .. }));
    ended.map(|operation| operation.phase).collect()
}

#[tokio::test]
async fn a_type_beyond_the_quota_fails_no_scale_up_beside_it() {
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_quota = vec![TWO_TYPES.into()];
    control.request(&to_the_other_type()).await.unwrap();
    let ended = under(&world, &control, 15.5, 15).await;
    let changes = ended.iter().filter(|operation| matches!(operation.kind, OperationKind::Retype { .. }));
    assert_eq!(changes.map(|change| change.phase).collect::<Vec<_>>(), [Phase::RolledBack]);
    let counts = of_count(&ended);
    assert!(!counts.is_empty() && !counts.contains(&Phase::Failed), "{ended:?}");
    assert!(world.platform.group().desired > 4);
    assert_eq!(stored(&world).await.state.breaker.failures, 0);
}

#[tokio::test]
async fn a_type_change_that_meets_another_change_again_and_again_ends_and_keeps_nothing_from_growing() {
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::TypeChangesConflicting;
    let _ = control.request(&to_the_other_type()).await;
    let ended = under(&world, &control, 15.5, 4).await;
    assert!(world.platform.group().desired > 4, "{ended:?}");
    let mut ended = ended;
    for minute in 0..14 {
        ended.extend(world.minute(&control).await.outcomes[0].ended.iter().cloned());
        let state = stored(&world).await.state;
        let longest = state.type_change.iter().map(|change| change.valid_for.as_secs()).max();
        assert!(longest.unwrap_or_default() <= 900, "minute {minute}: {longest:?}");
    }
    let change =
        ended.iter().find(|operation| matches!(operation.kind, OperationKind::Retype { .. })).unwrap();
    assert_eq!(change.phase, Phase::Superseded);
    assert!(
        change.failure.as_ref().is_some_and(|why| why.contains("ScalingActivityInProgress")),
        "{change:?}"
    );
    assert!(!of_count(&ended).contains(&Phase::Failed), "{ended:?}");
}

#[tokio::test]
async fn a_way_back_that_meets_another_change_again_and_again_keeps_nothing_from_growing() {
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_capacity = vec![TWO_TYPES.into()];
    control.request(&to_the_other_type()).await.unwrap();
    world.platform.group().steps = Steps::TypeChangesConflicting;
    under(&world, &control, 9.0, 8).await;
    under(&world, &control, 15.5, 4).await;
    assert!(world.platform.group().desired > 4);
    under(&world, &control, 15.5, 30).await;
    let asked = world.platform.group().calls["apply"];
    let change = stored(&world).await.state.type_change.unwrap();
    assert_eq!(
        (change.attempts, change.valid_for.as_secs()),
        (3, 60),
        "held back for long, it counts as refused"
    );
    world.minutes(&control, 10).await;
    assert_eq!(world.platform.group().calls["apply"], asked);
}

#[tokio::test]
async fn a_step_that_was_taken_after_conflicts_lags_no_longer_than_another() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::Conflicting;
    under(&world, &control, 15.5, 8).await;
    world.platform.group().steps = Steps::Taken;
    world.minute(&control).await;
    let operation = stored(&world).await.state.operation.unwrap();
    assert_eq!((operation.phase, operation.valid_for.as_secs()), (Phase::Accepted, 60));
}

#[tokio::test]
async fn failed_launches_that_may_not_be_read_stop_nothing() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().forbidden = vec!["launch_failures"];
    let ended = under(&world, &control, 15.5, 12).await;
    assert_eq!(of_count(&ended)[0], Phase::Verified);
    assert!(world.platform.group().desired > 4 && stored(&world).await.state.missing_since.is_none());
}

#[tokio::test]
async fn a_replacement_that_may_not_be_read_leaves_the_type_change_as_it_is_and_the_group_grows() {
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    control.request(&to_the_other_type()).await.unwrap();
    world.platform.group().forbidden = vec!["replacement"];
    let ended = under(&world, &control, 15.5, 12).await;
    assert!(of_count(&ended).contains(&Phase::Verified), "{ended:?}");
    assert!(world.platform.group().desired > 4);
    assert_eq!(stored(&world).await.state.type_change.unwrap().phase, Phase::Accepted);
    world.platform.group().forbidden.clear();
    let report = world.minute(&control).await;
    let ended = report.outcomes[0].ended.iter().map(|operation| operation.phase).collect::<Vec<_>>();
    assert_eq!(ended, [Phase::Verified]);
}

#[tokio::test]
async fn a_replacement_that_may_not_be_read_for_an_hour_ends_by_what_the_group_tells() {
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    control.request(&to_the_other_type()).await.unwrap();
    world.platform.group().forbidden = vec!["replacement"];
    let ended = under(&world, &control, 15.5, 60).await;
    let desired = world.platform.group().desired;
    assert_eq!(of_count(&ended).len(), ended.len(), "the change of type waits for an hour: {ended:?}");
    let ended = under(&world, &control, 3.0, 30).await;
    let change = ended.iter().find(|ended| matches!(ended.kind, OperationKind::Retype { .. })).unwrap();
    assert_eq!(change.phase, Phase::Verified, "{change:?}");
    assert!(world.platform.group().desired < desired, "what is too much goes");
}

#[tokio::test]
async fn what_may_still_be_replacing_instances_is_not_scaled_down_though_the_type_change_was_given_up_unread()
{
    let world = two_types();
    let control = world.control();
    world.minutes(&control, 2).await;
    control.request(&to_the_other_type()).await.unwrap();
    world.platform.group().forbidden = vec!["replacement"];
    under(&world, &control, 15.5, 60).await;
    // The refresh has come halfway, and stays there.
    world.platform.group().instances[0].1 = "m7i.xlarge".into();
    let before = world.platform.group().desired;
    let ended = under(&world, &control, 3.0, 60).await;
    let change = ended.iter().find(|ended| matches!(ended.kind, OperationKind::Retype { .. })).unwrap();
    assert_eq!(change.phase, Phase::Failed, "{change:?}");
    assert_eq!(world.platform.group().desired, before);
    // It can be read again, and shows that it still runs.
    world.platform.group().forbidden.clear();
    let launches = world.platform.group().launch_type.clone();
    world.platform.group().no_capacity = vec![launches];
    world.platform.group().replacement.as_mut().unwrap().status = ReplacementStatus::InProgress;
    under(&world, &control, 3.0, 30).await;
    assert_eq!(world.platform.group().desired, before);
    assert!(stored(&world).await.state.type_change.unwrap().unread_since.is_some());
    // Once it can be read that nothing runs any more, it goes on.
    world.platform.group().no_capacity.clear();
    world.platform.group().replacement.as_mut().unwrap().status = ReplacementStatus::Successful;
    under(&world, &control, 3.0, 60).await;
    assert!(world.platform.group().desired < before);
    assert_eq!(stored(&world).await.state.type_change.unwrap().unread_since, None);
}

#[tokio::test]
async fn a_plan_of_before_is_not_asked_for_in_the_place_of_one_that_the_limits_held() {
    let world = World::with(json!({
        "groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", TWO_TYPES]}}],
        "limits": {"max_groups_changed": 0},
    }));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::TypeChangesConflicting;
    let _ = control.request(&to_the_other_type()).await;
    let asked = world.platform.group().calls["apply"];
    let ended = under(&world, &control, 15.5, 1).await;
    assert!(stored(&world).await.state.open_type_change().is_some(), "{ended:?}");
    assert_eq!(world.platform.group().calls["apply"], asked);
}

#[tokio::test]
async fn what_was_learned_and_cannot_be_read_is_learned_anew_and_the_rest_is_kept() {
    let world = World::new();
    world.minutes(&world.control(), 3).await;
    let key = group_key(&"web".into());
    let record = world.store.get(&key).await.unwrap().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    body["learned"]["recent"]["peaks"] = json!([[20_000, null]]);
    let spoilt = NewRecord { key: key.clone(), body: body.to_string(), expires: None };
    world.store.put(spoilt, Expected::Version(record.version)).await.unwrap();
    assert!(from_json::<GroupRecord>(&key, &body.to_string()).is_err());
    let control = world.control();
    let pause = Pause { by: "ops".to_owned(), reason: "release".to_owned(), until: None };
    assert_eq!(control.override_of(&"web".into()).await.unwrap(), None);
    let report = world.minute(&control).await;
    assert!(matches!(report.outcomes[0].result, Outcome::Decided(_)), "{report:?}");
    control.set_pause(&"web".into(), Some(pause), alone).await.unwrap();
    let anew = stored(&world).await;
    assert!(anew.state.taken_over.is_some() && anew.state.pause.is_some());
    assert_eq!(anew.learned.version, Learned::VERSION, "stored with the next evaluation");
}

#[tokio::test]
async fn values_that_cannot_be_true_are_missing_and_spoil_nothing() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 3).await;
    for value in [1e40, 1e300, f64::MAX, f64::INFINITY, f64::NAN] {
        world.platform.group().shown_cpu = Some(value);
        world.clock.advance_seconds(900);
        let report = world.minute(&control).await;
        let readings = report.outcomes[0].evaluation().unwrap().snapshot.readings;
        assert_eq!(readings.cpu_usage, Reading::Missing, "{value}");
        stored(&world).await;
    }
    assert_eq!(world.platform.group().desired, 4);
    world.platform.group().shown_cpu = None;
    let report = world.minute(&control).await;
    assert!(report.outcomes[0].evaluation().unwrap().snapshot.readings.cpu_usage.value().is_some());
}

/// Pauses the group while its step is under way.
struct Interrupted(World);

#[async_trait]
impl GroupWriter for Interrupted {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let pause = Pause { by: "ada".to_owned(), reason: "an incident".to_owned(), until: None };
        let name = GroupName::new("web");
        assert!(self.0.control().set_pause(&name, Some(pause), alone).await.is_ok());
        self.0.ports.writer.apply(group, step).await
    }
}

#[tokio::test]
async fn a_pause_during_a_step_is_kept_and_so_is_what_came_of_the_step() {
    let world = World::new();
    world.minutes(&world.control(), 2).await;
    world.platform.group().busy_vcpu = Some(15.5);
    let mut ports = world.ports.clone();
    let (clock, platform, store) = (world.clock.clone(), world.platform.clone(), world.store.clone());
    let beside = World { clock, platform, store, ports: world.ports.clone(), config: world.config.clone() };
    ports.writer = Arc::new(Interrupted(beside));
    let report = world.minute(&ControlLoop::new(ports, world.config.clone())).await;
    let acted = report.outcomes[0].acted.as_ref().unwrap();
    assert_eq!(acted.phase, Phase::Accepted);
    assert!(report.outcomes[0].evaluation().unwrap().step_error.is_none());
    let record = stored(&world).await;
    assert_eq!(record.lease, None);
    assert_eq!(record.state.operation.unwrap().phase, Phase::Accepted);
    assert_eq!(record.state.pause.unwrap().by, "ada");
}

#[tokio::test]
async fn the_delay_of_scale_downs_is_the_plain_one_a_day_after_one_was_last_undone() {
    let world = World::new();
    world.minutes(&world.control(), 3).await;
    let key = group_key(&"web".into());
    let ago = |hours: i64| Some(world.ports.clock.now() - SignedDuration::from_hours(hours));
    for (undone, down, doublings) in [(ago(25), ago(1), 0), (ago(1), ago(30), 3), (None, ago(1), 0)] {
        let before = world.store.get(&key).await.unwrap().unwrap();
        let mut record: GroupRecord = from_json(&key, &before.body).unwrap();
        (record.state.last_undone, record.state.last_down, record.state.down_delay_doublings) =
            (undone, down, 3);
        let body = to_json("a test", &record).unwrap();
        let written = NewRecord { key: key.clone(), body, expires: None };
        world.store.put(written, Expected::Version(before.version)).await.unwrap();
        let report = world.minute(&world.control()).await;
        let state = &report.outcomes[0].evaluation().unwrap().state;
        assert_eq!(state.down_delay_doublings, doublings, "undone {undone:?}, down {down:?}");
    }
}

#[test]
fn it_is_kept_when_a_scale_down_was_undone() {
    let now = Timestamp::from_second(1_767_571_200).unwrap();
    for (reason, undone) in [(Reason::UndoneScaleDown, Some(now)), (Reason::WithinTarget, None)] {
        let mut operation: Operation = serde_json::from_value(json!({
            "id": "one", "kind": {"kind": "scale", "from": 3, "to": 4}, "phase": "planned",
            "reason": reason, "config_version": 1, "planned_at": now, "attempts": 0,
        }))
        .unwrap();
        let mut state = OperationState::default();
        let step = Step::SetDesired { desired: 4 };
        accepted(&mut operation, &step, Accepted::default(), now).apply(&mut state);
        assert_eq!(state.last_undone, undone);
        assert_eq!(state.down_delay_doublings, u8::from(undone.is_some()));
    }
}

#[tokio::test]
async fn a_type_that_has_capacity_again_is_not_given_up_while_more_of_it_boot() {
    let types = json!({"types": ["m7i.xlarge", TWO_TYPES, "r7i.2xlarge"]});
    let world = World::with(json!({"groups": [{"name": "web", "ladder": types}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_capacity = vec![TWO_TYPES.into()];
    control.request(&to_the_other_type()).await.unwrap();
    let ended = under(&world, &control, 9.0, 20).await;
    assert!(ended.iter().any(|operation| operation.phase == Phase::RolledBack), "{ended:?}");
    assert!(!stored(&world).await.state.type_backoffs.is_empty());

    world.platform.group().no_capacity.clear();
    control.request(&to_the_other_type()).await.unwrap();
    // Past the time in which a worse load would be taken for the new type's.
    let ended = under(&world, &control, 9.0, 25).await;
    assert!(ended.iter().any(|operation| operation.phase == Phase::Verified), "{ended:?}");
    assert_eq!(stored(&world).await.state.type_backoffs, []);
    under(&world, &control, 15.5, 20).await;
    let group = world.platform.group();
    assert!(group.desired > 4, "{}", group.desired);
    assert_eq!(group.launch_type.as_str(), TWO_TYPES, "{:?}", group.accepted);
}

#[tokio::test]
async fn a_shortage_is_over_once_what_was_missing_has_come() {
    let world = World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge"]}}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_capacity = vec!["m7i.xlarge".into()];
    under(&world, &control, 15.5, 8).await;
    assert_eq!(stored(&world).await.state.type_backoffs.len(), 1, "none comes");
    world.platform.group().no_capacity.clear();
    under(&world, &control, 15.5, 20).await;
    assert!(world.platform.group().desired > 4);
    assert_eq!(stored(&world).await.state.type_backoffs, []);
}
