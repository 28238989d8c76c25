//! What a person asks for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use scaling_control::controls::alone;
use scaling_control::fakes::around;
use scaling_control::ports::{Accepted, Expected, GroupWriter, NewRecord, StateStore as _};
use scaling_control::record::{
    GroupRecord, KillSwitch, OPERATIONS_PREFIX, OperationRecord, from_json, group_key, to_json,
};
use scaling_control::{ControlLoop, Obstacle, PortError, Refusal, Requested, ScaleRequest};
use scaling_policy::config::{ConfigVersion, GroupConfig};
use scaling_policy::decision::Reason;
use scaling_policy::operation::{Override, Pause, Phase, Step};
use serde_json::json;

use crate::faults::UnreadableOnce;
use crate::world::{World, config};

fn to(replicas: u32) -> ScaleRequest {
    ScaleRequest {
        group: "web".into(),
        replicas: Some(replicas),
        instance_type: None,
        by: "ops".to_owned(),
        until: None,
        dry_run: false,
    }
}

#[tokio::test]
async fn a_count_is_asked_for_at_once_in_every_control_level() {
    let world = World::with(json!({"control": "observe"}));
    let done = world.control().request(&to(7)).await.unwrap();
    assert_eq!(world.platform.group().desired, 7);
    assert!(done.operation.is_some());
    assert_eq!(done.decision.reason, Reason::Requested { by: "ops".to_owned() });
}

#[tokio::test]
async fn a_dry_run_says_it_and_does_nothing() {
    let world = World::new();
    let said = world.control().request(&ScaleRequest { dry_run: true, ..to(7) }).await.unwrap();
    assert!(said.operation.is_none() && !said.decision.action.is_hold());
    let (before, after) = (said.decision.cost_before.0, said.decision.cost_after.0);
    assert!((after / before - 7.0 / 4.0).abs() < 1e-9, "{before} {after}");
    assert_eq!(world.platform.group().desired, 4);
    assert!(world.store.snapshot().is_empty());
}

#[tokio::test]
async fn bounds_pause_and_kill_switch_refuse() {
    let world = World::new();
    let control = world.control();
    assert!(matches!(control.request(&to(99)).await, Err(Refusal::OutOfBounds { .. })));
    let pause = Pause { by: "ops".to_owned(), reason: "release".to_owned(), until: None };
    control.set_pause(&"web".into(), Some(pause), alone).await.unwrap();
    assert!(matches!(control.request(&to(5)).await, Err(Refusal::Conflict { .. })));
    control.set_pause(&"web".into(), None, alone).await.unwrap();
    let switch = KillSwitch { by: "ops".to_owned(), reason: "incident".to_owned() };
    control.set_kill_switch(Some(switch), alone).await.unwrap();
    assert!(matches!(control.request(&to(5)).await, Err(Refusal::Conflict { .. })));
    control.set_kill_switch(None, alone).await.unwrap();
    assert!(control.request(&to(5)).await.is_ok());
}

#[tokio::test]
async fn what_is_set_says_what_was_before() {
    let world = World::new();
    let control = world.control();
    let pause = Pause { by: "ops".to_owned(), reason: "release".to_owned(), until: None };
    let before = control.set_pause(&"web".into(), Some(pause.clone()), alone).await.unwrap();
    assert_eq!(before.pause, None);
    assert_eq!(control.set_pause(&"web".into(), None, alone).await.unwrap().pause, Some(pause));
    let switch = KillSwitch { by: "ops".to_owned(), reason: "incident".to_owned() };
    assert_eq!(control.set_kill_switch(Some(switch.clone()), alone).await.unwrap(), None);
    assert_eq!(control.kill_switch().await.unwrap(), Some(switch.clone()));
    assert_eq!(control.set_kill_switch(None, alone).await.unwrap(), Some(switch));
}

#[tokio::test]
async fn to_resume_closes_an_open_breaker() {
    let world = World::new();
    let control = world.control();
    let mut record = GroupRecord::default();
    record.state.breaker.failures = 3;
    let body = to_json("test", &record).unwrap();
    let record = NewRecord { key: group_key(&"web".into()), body, expires: None };
    control.ports().store.put(record, Expected::Absent).await.unwrap();
    let before = control.set_pause(&"web".into(), None, alone).await.unwrap();
    assert!(before.breaker.is_open() && before.pause.is_none(), "{before:?}");
    let stored = control.ports().store.get(&group_key(&"web".into())).await.unwrap().unwrap();
    let record: GroupRecord = from_json("web", &stored.body).unwrap();
    assert!(!record.state.breaker.is_open());
}

#[tokio::test]
async fn the_kill_switch_stops_the_loop() {
    let world = World::new();
    let control = world.control();
    let switch = KillSwitch { by: "ops".to_owned(), reason: "incident".to_owned() };
    control.set_kill_switch(Some(switch), alone).await.unwrap();
    world.platform.group().busy_vcpu = Some(15.0);
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes[0].evaluation().unwrap().decision.reason, Reason::KillSwitch);
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn a_configuration_is_replaced_whole_and_only_on_the_version_it_was_based_on() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    source["replicas"]["max_replicas"] = json!(9);
    let version = control.replace_config(source.clone(), ConfigVersion(0), "ops", alone).await.unwrap();
    assert_eq!(version, ConfigVersion(1));
    assert_eq!(control.config().groups[0].replicas.max, 9);
    assert!(control.replace_config(source.clone(), ConfigVersion(0), "ops", alone).await.is_err());
    source["replicas"]["max_replicas"] = json!(0);
    assert!(control.replace_config(source, ConfigVersion(1), "ops", alone).await.is_err());
    // Another process takes it up with its next tick.
    let other = world.control();
    world.minute(&other).await;
    assert_eq!((other.config().version, other.config().groups[0].replicas.max), (ConfigVersion(1), 9));
}

#[tokio::test]
async fn an_earlier_configuration_comes_back_as_a_new_version() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    for (expected, most) in [(0, 9), (1, 12)] {
        source["replicas"]["max_replicas"] = json!(most);
        control.replace_config(source.clone(), ConfigVersion(expected), "ada", alone).await.unwrap();
    }
    let back = control.roll_back_config(ConfigVersion(1), "grace", alone).await.unwrap();
    assert_eq!((back, control.config().groups[0].replicas.max), (ConfigVersion(3), 9));
    let changes = control.config_changes().await.unwrap();
    let told: Vec<_> =
        changes.iter().map(|change| (change.version, change.by.as_str(), change.restored)).collect();
    assert_eq!(told, [(3, "grace", Some(1)), (2, "ada", None), (1, "ada", None)]);
    let missing = control.roll_back_config(ConfigVersion(7), "grace", alone).await.unwrap_err();
    assert!(missing.to_string().contains("version 7"), "{missing}");
}

/// As in a process that has run since then: what was set meanwhile is not forgotten with a restart.
#[tokio::test]
async fn a_process_that_begins_with_a_version_that_it_refuses_takes_the_newest_that_it_does_not() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    for (expected, most) in [(0, 9), (1, 12), (2, 15)] {
        source["replicas"]["max_replicas"] = json!(most);
        control.replace_config(source.clone(), ConfigVersion(expected), "ada", alone).await.unwrap();
    }
    refuse(&world, &control, 3).await;
    let other = world.control();
    world.minute(&other).await;
    assert_eq!((other.config().version, other.config().groups[0].replicas.max), (ConfigVersion(2), 12));
    assert_eq!(other.refused_config().unwrap().version, ConfigVersion(3));
    assert_eq!(other.stored_version(), ConfigVersion(3), "what the next one replaces");
}

/// Makes the stored version one that no program takes.
async fn refuse(world: &World, control: &ControlLoop, version: u64) {
    let changes = control.config_changes().await.unwrap();
    let key = changes.iter().find(|change| change.version == version).unwrap().key.clone();
    let stored = world.store.get(&key).await.unwrap().unwrap();
    let newer = NewRecord { key, body: json!({"of_a_later_version": true}).to_string(), expires: None };
    world.store.put(newer, Expected::Version(stored.version)).await.unwrap();
}

#[tokio::test]
async fn a_version_that_cannot_be_read_for_now_is_looked_for_again() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    for (expected, most) in [(0, 9), (1, 12)] {
        source["replicas"]["max_replicas"] = json!(most);
        control.replace_config(source.clone(), ConfigVersion(expected), "ada", alone).await.unwrap();
    }
    refuse(&world, &control, 2).await;
    let earlier = control.config_changes().await.unwrap()[1].key.clone();
    let ports = around(world.ports.clone(), UnreadableOnce::of(earlier));
    let other = ControlLoop::new(ports, config(json!({})));
    assert!(other.tick(Duration::from_secs(50)).await.is_err(), "nothing is decided by the deployed one");
    other.tick(Duration::from_secs(50)).await.unwrap();
    assert_eq!((other.config().version, other.config().groups[0].replicas.max), (ConfigVersion(1), 9));
    assert_eq!(other.refused_config().unwrap().version, ConfigVersion(2));
}

#[tokio::test]
async fn a_version_that_somebody_went_back_from_does_not_come_back_by_itself() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    for (expected, most) in [(0, 7), (1, 9), (2, 15)] {
        source["replicas"]["max_replicas"] = json!(most);
        control.replace_config(source.clone(), ConfigVersion(expected), "ada", alone).await.unwrap();
    }
    control.roll_back_config(ConfigVersion(2), "grace", alone).await.unwrap();
    refuse(&world, &control, 4).await;
    refuse(&world, &control, 2).await;
    let other = world.control();
    world.minute(&other).await;
    assert_eq!((other.config().version, other.config().groups[0].replicas.max), (ConfigVersion(1), 7));
}

#[tokio::test]
async fn a_plan_that_the_platform_has_not_taken_ends_when_the_present_count_is_asked_for() {
    let world = World::new();
    let control = world.control();
    world.platform.group().steps = scaling_control::fakes::Steps::Conflicting;
    let _ = control.request(&to(9)).await;
    let said = control.request(&ScaleRequest { dry_run: true, ..to(4) }).await.unwrap();
    assert_eq!(said.decision.reason, Reason::AlreadySo { by: "ops".to_owned() });
    let done = control.request(&to(4)).await.unwrap();
    assert!(done.operation.is_none() && done.decision.action.is_hold());
    assert_eq!((said.withdrawn, done.withdrawn), (false, true));
    world.platform.group().steps = scaling_control::fakes::Steps::Taken;
    world.minutes(&control, 3).await;
    assert_eq!(world.platform.group().accepted, []);
}

#[tokio::test]
async fn what_goes_along_is_written_with_the_plan_or_not_at_all() {
    let world = World::new();
    let noted = |world: &World| world.store.snapshot().iter().any(|record| record.key == "note/of/it");
    let note = |Requested { decision, operation, .. }: &Requested| {
        let body = format!("\"{} {}\"", decision.action.label(), operation.is_some());
        Ok(vec![NewRecord { key: "note/of/it".to_owned(), body, expires: None }])
    };
    let control = world.control();
    for nothing in [to(4), ScaleRequest { dry_run: true, ..to(7) }] {
        control.request_with(&nothing, note).await.unwrap();
        assert!(!noted(&world), "{nothing:?}");
    }
    // The plan is stored although the platform refuses it for now, and so is the note.
    world.platform.group().steps = scaling_control::fakes::Steps::Refused;
    control.request_with(&to(7), note).await.unwrap_err();
    assert!(noted(&world));
    let cannot = |_: &Requested| Err(PortError::Invalid { operation: "note", message: "no".to_owned() });
    let before = world.store.snapshot();
    control.request_with(&to(8), cannot).await.unwrap_err();
    assert_eq!(world.store.snapshot(), before);
}

#[tokio::test]
async fn an_expiry_ends_no_override_but_that_of_an_earlier_request() {
    let world = World::new();
    let control = world.control();
    let hours = |hours: i64| world.ports.clock.now() + SignedDuration::from_hours(hours);
    let first = ScaleRequest { until: Some(hours(1)), ..to(5) };
    assert_eq!(control.request(&first).await.unwrap().replaced, None);
    let second = control.request(&ScaleRequest { until: Some(hours(2)), ..to(6) }).await.unwrap();
    assert_eq!(second.replaced.and_then(|replaced| replaced.min), Some(5));
    let adas = Override {
        by: "ada".to_owned(),
        reason: "the launch".to_owned(),
        until: hours(200),
        min: Some(2),
        max: Some(20),
        instance_type: None,
    };
    control.set_override(&"web".into(), Some(adas.clone()), alone).await.unwrap();
    for dry_run in [true, false] {
        let wanted = ScaleRequest { until: Some(hours(20)), dry_run, ..to(9) };
        let refused = control.request(&wanted).await.unwrap_err();
        assert!(matches!(refused, Refusal::Conflict { cause: Obstacle::Overridden, .. }), "{refused:?}");
        assert!(refused.to_string().contains("by ada") && refused.to_string().contains("end it first"));
    }
    control.request(&to(9)).await.unwrap();
    assert_eq!(control.override_of(&"web".into()).await.unwrap(), Some(adas), "it holds on");
    world.clock.advance_seconds(201 * 3600);
    control.request(&ScaleRequest { until: Some(hours(20)), ..to(8) }).await.unwrap();
}

#[tokio::test]
async fn an_expiry_is_one_write_with_the_plan_and_holds_for_what_is_so_already() {
    let until = Some("2026-01-05T06:00:00Z".parse().unwrap());
    for (replicas, has_operation) in [(4, false), (7, true)] {
        let world = World::new();
        let done = world.control().request(&ScaleRequest { until, ..to(replicas) }).await.unwrap();
        assert_eq!(done.operation.is_some(), has_operation);
        let key = group_key(&"web".into());
        let stored = world.store.snapshot().into_iter().find(|record| record.key == key).unwrap();
        let kept = from_json::<GroupRecord>(&key, &stored.body).unwrap().state.temporary.unwrap();
        assert_eq!((kept.min, kept.max, Some(kept.until)), (Some(replicas), Some(replicas), until));
        assert_eq!(stored.version > 1, has_operation, "the first write holds both");
    }
}

#[tokio::test]
async fn a_request_that_the_platform_refuses_is_told_as_refused() {
    let world = World::new();
    world.platform.group().steps = scaling_control::fakes::Steps::Refused;
    let error = world.control().request(&to(7)).await.unwrap_err();
    assert!(matches!(error, Refusal::Port(_)), "{error}");
    assert!(error.to_string().contains("tried again"), "{error}");
}

#[tokio::test]
async fn a_type_of_another_architecture_and_fewer_replicas_with_a_type_are_refused() {
    let world = World::new();
    let control = world.control();
    let of_type = |name: &str, replicas: Option<u32>| ScaleRequest {
        replicas,
        instance_type: Some(name.into()),
        dry_run: true,
        ..to(0)
    };
    for (name, replicas) in [("m7g.xlarge", None), ("r7i.xlarge", Some(2))] {
        let refused = control.request(&of_type(name, replicas)).await;
        assert!(matches!(refused, Err(Refusal::OutOfBounds { .. })), "{name} {replicas:?}");
    }
    assert!(control.request(&of_type("r7i.xlarge", Some(5))).await.is_ok());
}

#[tokio::test]
async fn prices_of_a_pushed_configuration_are_used_at_once() {
    let world = World::new();
    let control = world.control();
    let mut source = config(json!({})).source().clone();
    source["prices"] = json!({"m7i.xlarge": 10.0});
    control.replace_config(source, ConfigVersion(0), "ops", alone).await.unwrap();
    for control in [control, world.control()] {
        let report = world.minute(&control).await;
        let cost = report.outcomes[0].evaluation().unwrap().decision.cost_before.0;
        assert!((cost - 40.0).abs() < 1e-9, "{cost}");
    }
}

#[tokio::test]
async fn a_count_outside_the_bounds_is_refused_with_who_has_set_them() {
    let world = World::new();
    let control = world.control();
    let until = world.ports.clock.now() + SignedDuration::from_hours(1);
    control.request(&ScaleRequest { until: Some(until), ..to(9) }).await.unwrap();
    let refusal = control.request(&to(10)).await.unwrap_err().to_string();
    assert!(
        refusal
            .starts_with("a count of 10 is outside the bounds: 9 to 9 replicas; in force: override by ops"),
        "{refusal}"
    );
    let free = World::new();
    let refusal = free.control().request(&to(99)).await.unwrap_err().to_string();
    assert_eq!(refusal, "a count of 99 is outside the bounds: 1 to 40 replicas");
}

#[tokio::test]
async fn a_type_beside_that_of_an_override_is_refused_until_the_override_ends_or_is_replaced() {
    let world = World::new();
    let control = world.control();
    let until = Some(world.ports.clock.now() + SignedDuration::from_hours(1));
    let of_type = |name: &str, until| {
        let (replicas, instance_type) = (None, Some(name.into()));
        ScaleRequest { replicas, instance_type, until, dry_run: true, ..to(0) }
    };
    let first = ScaleRequest { dry_run: false, ..of_type("m7i.xlarge", until) };
    control.request(&first).await.unwrap();
    let refusal = control.request(&of_type("m7i.2xlarge", None)).await.unwrap_err().to_string();
    let expected = "the type m7i.2xlarge is outside the bounds: m7i.xlarge alone; in force: override by ops";
    assert!(refusal.starts_with(expected), "{refusal}");
    assert!(control.request(&of_type("m7i.2xlarge", until)).await.is_ok(), "it takes the place of the first");
    assert!(control.request(&of_type("m7i.xlarge", None)).await.is_ok());
    control.set_override(&"web".into(), None, alone).await.unwrap();
    assert!(control.request(&of_type("m7i.2xlarge", None)).await.is_ok());
}

/// Looks, while the platform is asked, whether the operation can be found.
struct Looking(World);

#[async_trait]
impl GroupWriter for Looking {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let records = self.0.store.snapshot();
        let listed = records.iter().filter(|record| record.key.starts_with(OPERATIONS_PREFIX));
        let phases: Vec<Phase> = listed
            .map(|record| from_json::<OperationRecord>(&record.key, &record.body).unwrap().operation.phase)
            .collect();
        assert_eq!(phases, [Phase::Planned]);
        self.0.ports.writer.apply(group, step).await
    }
}

#[tokio::test]
async fn an_operation_that_was_asked_for_can_be_found_while_the_platform_answers() {
    let world = World::new();
    let mut ports = world.ports.clone();
    let (clock, platform, store) = (world.clock.clone(), world.platform.clone(), world.store.clone());
    let beside = World { clock, platform, store, ports: world.ports.clone(), config: world.config.clone() };
    ports.writer = Arc::new(Looking(beside));
    let requested = ControlLoop::new(ports, world.config.clone()).request(&to(7)).await.unwrap();
    assert_eq!(requested.operation.unwrap().phase, Phase::Accepted);
}
