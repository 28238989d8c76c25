//! What the loop does when something is wrong.

use std::sync::Arc;
use std::time::Duration;

use scaling_control::fakes::{Steps, around};
use scaling_control::{ControlLoop, Outcome};
use scaling_fleet::TypeName;
use scaling_policy::Action;
use scaling_policy::config::GroupName;
use scaling_policy::decision::Reason;
use scaling_policy::operation::{OperationKind, Phase, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementStatus, SuspendedProcesses};
use serde_json::json;

use crate::faults::FullAfterOnePut;
use crate::world::{World, config};

#[tokio::test]
async fn one_missing_group_never_stops_the_others() {
    let mut world = World::new();
    world.config = config(json!({"groups": [{"name": "gone"}, {"name": "web"}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    let report = world.minute(&control).await;
    assert_eq!(report.changed(), 1);
    assert!(report.outcomes.iter().any(|outcome| matches!(outcome.result, Outcome::NotFound)));
}

#[tokio::test]
async fn without_metrics_nothing_is_taken_away() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = None;
    world.minutes(&control, 60).await;
    assert_eq!(world.platform.group().desired, 4);
}

#[tokio::test]
async fn a_suspended_process_holds_every_change_and_no_longer_than_it_is_suspended() {
    let none = SuspendedProcesses::default();
    for suspended in [
        SuspendedProcesses { launch: true, ..none },
        SuspendedProcesses { terminate: true, ..none },
        SuspendedProcesses { alarm_notification: true, ..none },
    ] {
        for busy_vcpu in [15.0, 2.0] {
            let world = World::new();
            let control = world.control();
            world.platform.group().suspended = suspended;
            world.platform.group().busy_vcpu = Some(busy_vcpu);
            let mut reasons = Vec::new();
            for _ in 0..20 {
                let report = world.minute(&control).await;
                reasons.push(report.outcomes[0].evaluation().unwrap().decision.reason.clone());
            }
            assert!(reasons.contains(&Reason::ProcessSuspended), "{suspended:?} at {busy_vcpu}: {reasons:?}");
            assert!(world.platform.group().accepted.is_empty(), "{suspended:?} at {busy_vcpu}");
            world.platform.group().suspended = none;
            world.minute(&control).await;
            assert_eq!(world.platform.group().accepted.len(), 1, "{suspended:?} at {busy_vcpu}");
        }
    }
}

#[tokio::test]
async fn a_foreign_scaling_policy_holds_every_change() {
    let world = World::new();
    world.platform.group().foreign = vec![ForeignController::ScalingPolicy { name: "cpu-50".to_owned() }];
    world.platform.group().busy_vcpu = Some(15.0);
    let control = world.control();
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes[0].evaluation().unwrap().decision.reason, Reason::ForeignController);
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn observing_decides_and_never_acts() {
    let world = World::with(json!({"control": "observe"}));
    world.platform.group().busy_vcpu = Some(15.0);
    let control = world.control();
    let report = world.minute(&control).await;
    assert!(matches!(report.outcomes[0].evaluation().unwrap().decision.action, Action::Scale { .. }));
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn desired_does_not_ratchet_while_nothing_launches() {
    let world = World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge"]}}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_capacity = vec!["m7i.xlarge".into()];
    world.platform.group().busy_vcpu = Some(15.5);
    world.minutes(&control, 60).await;
    let group = world.platform.group();
    assert!(group.desired <= 6, "four run, so at most one step more: {}", group.desired);
}

#[tokio::test]
async fn a_type_without_capacity_for_more_replicas_gives_way_to_another() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().no_capacity = vec!["m7i.xlarge".into()];
    world.platform.group().busy_vcpu = Some(15.5);
    world.minutes(&control, 60).await;
    let group = world.platform.group();
    assert_ne!(group.launch_type.as_str(), "m7i.xlarge");
    assert!(group.instances.iter().all(|(_, kind, _)| *kind == group.launch_type));
    assert!(group.fewest_serving >= 4);
}

#[tokio::test]
async fn a_broken_template_fails_the_operation_and_nothing_loops() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().broken_template = true;
    world.platform.group().busy_vcpu = Some(15.5);
    let mut phases = Vec::new();
    for _ in 0..90 {
        let report = world.minute(&control).await;
        phases.extend(report.outcomes[0].ended.iter().map(|operation| operation.phase));
    }
    assert_eq!(phases.iter().filter(|phase| **phase == Phase::Failed).count(), 1, "{phases:?}");
    // Up once, and back to what runs plus one step.
    let accepted = world.platform.group().accepted.clone();
    assert_eq!(accepted.len(), 2, "{accepted:?}");
}

#[tokio::test]
async fn a_step_refused_again_and_again_fails_and_opens_the_breaker_after_three_operations() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    // The group's own maximum was lowered between the description and the call: each call is refused.
    world.platform.group().steps = Steps::Refused;
    world.platform.group().busy_vcpu = Some(15.5);
    let mut reasons = Vec::new();
    for _ in 0..60 {
        let report = world.minute(&control).await;
        reasons.push(report.outcomes[0].evaluation().unwrap().decision.reason.clone());
    }
    assert!(reasons.contains(&Reason::BreakerOpen), "{reasons:?}");
    let asked = world.platform.group().calls["apply"];
    assert!(asked <= 12, "three operations of at most four calls: {asked}");
    world.minutes(&control, 30).await;
    assert_eq!(world.platform.group().calls["apply"], asked, "an open breaker asks for nothing");
}

#[tokio::test]
async fn type_changes_that_are_refused_again_and_again_do_not_keep_the_count_from_growing() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    // A memory-bound group, and a role that may not begin an instance refresh.
    world.platform.group().used_memory = 14_000.0;
    world.platform.group().steps = Steps::NoTypeChanges;
    let mut failed = 0;
    for _ in 0..240 {
        let report = world.minute(&control).await;
        let ended = report.outcomes[0].ended.iter();
        failed += ended.filter(|ended| ended.phase == Phase::Failed).count();
    }
    assert_eq!(failed, 3, "then types are left as they are");
    let before = world.platform.group().desired;
    world.platform.group().used_memory = 2_000.0;
    world.platform.group().busy_vcpu = Some(f64::from(before) * 4.0 * 0.95);
    world.minutes(&control, 10).await;
    assert!(world.platform.group().desired > before, "{before}");
}

#[tokio::test]
async fn a_type_change_reaches_its_end_and_serving_never_falls() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    let mut verified = false;
    for _ in 0..20 {
        let report = world.minute(&control).await;
        verified = report.outcomes[0].ended.iter().any(|operation| {
            operation.phase == Phase::Verified && matches!(operation.kind, OperationKind::Retype { .. })
        });
        if verified {
            break;
        }
    }
    assert!(verified);
    let group = world.platform.group();
    assert_ne!(group.launch_type.as_str(), "m7i.xlarge");
    assert!(group.instances.iter().all(|(_, kind, _)| *kind == group.launch_type));
    // Fewer of the larger type may be enough afterwards; during the change none was taken away.
    assert!(group.fewest_serving >= 4);
}

#[tokio::test]
async fn a_type_without_capacity_is_rolled_back_and_left_out() {
    let world =
        World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    world.platform.group().no_capacity = vec!["r7i.xlarge".into()];
    let mut phases = Vec::new();
    for _ in 0..20 {
        let report = world.minute(&control).await;
        phases.extend(report.outcomes[0].ended.iter().map(|operation| operation.phase));
    }
    assert!(phases.contains(&Phase::RolledBack), "{phases:?}");
    let group = world.platform.group();
    assert_eq!(group.launch_type.as_str(), "m7i.xlarge");
    assert!(group.fewest_serving >= 4);
    let starts = group.accepted.iter().filter(|step| matches!(step, Step::StartReplacement { .. })).count();
    assert_eq!(starts, 1, "the type is left out for an hour: {:?}", group.accepted);
}

#[tokio::test]
async fn a_type_that_leaves_a_zone_is_rolled_back_and_left_out_and_the_operation_says_so() {
    let world =
        World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]}));
    let in_zones = || {
        let instances = world.platform.group().described_zones();
        instances.into_iter().collect::<std::collections::BTreeSet<_>>()
    };
    world.platform.group().spread_over(&["a", "b", "c"]);
    let control = world.control();
    world.minutes(&control, 2).await;
    assert_eq!(in_zones().len(), 3);
    world.platform.group().used_memory = 14_000.0;
    world.platform.group().zone_shortages = vec![("r7i.xlarge".into(), "a".to_owned())];
    let mut ended = Vec::new();
    for _ in 0..30 {
        let report = world.minute(&control).await;
        let changes = report.outcomes[0].ended.iter();
        ended.extend(changes.filter(|done| matches!(done.kind, OperationKind::Retype { .. })).cloned());
    }
    let [change] = &ended[..] else { panic!("one change, as the type is left out: {ended:?}") };
    assert_eq!(change.phase, Phase::RolledBack);
    let why = change.failure.as_deref().unwrap_or_default();
    assert!(why.contains("r7i.xlarge") && why.contains(" a,"), "{why}");
    assert_eq!(in_zones().len(), 3, "the former type serves in every zone again");
    let group = world.platform.group();
    assert_eq!(group.launch_type.as_str(), "m7i.xlarge");
    assert!(group.fewest_serving >= 4);
}

#[tokio::test]
async fn fewer_replicas_than_zones_may_change_their_zone_with_their_type() {
    let world =
        World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]}));
    world.platform.group().spread_over(&["a", "b", "c", "d", "e"]);
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    world.platform.group().zone_shortages = vec![("r7i.xlarge".into(), "a".to_owned())];
    let mut phases = Vec::new();
    for _ in 0..20 {
        let report = world.minute(&control).await;
        let changes = report.outcomes[0].ended.iter();
        let changes = changes.filter(|done| matches!(done.kind, OperationKind::Retype { .. }));
        phases.extend(changes.map(|done| done.phase));
    }
    assert_eq!(phases, [Phase::Verified]);
}

#[tokio::test]
async fn a_replacement_that_fails_half_way_is_rolled_back_and_no_serving_replica_is_lost() {
    let world =
        World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    world.minutes(&control, 2).await;
    {
        // One of four was replaced; the next did not become healthy, and the platform gave up.
        let now = world.ports.clock.now();
        let mut group = world.platform.group();
        assert_eq!(group.launch_type.as_str(), "r7i.xlarge", "the replacement has begun");
        group.instances.retain(|(_, kind, _)| kind.as_str() == "m7i.xlarge");
        group.instances[0] = ("i-new".to_owned(), "r7i.xlarge".into(), now);
        let replacement = group.replacement.as_mut().unwrap();
        replacement.status = ReplacementStatus::Failed;
        replacement.reason = Some("instances did not become healthy".to_owned());
    }
    let (mut phases, mut fewest) = (Vec::new(), u32::MAX);
    for _ in 0..20 {
        let report = world.minute(&control).await;
        phases.extend(report.outcomes[0].ended.iter().map(|operation| operation.phase));
        let evaluation = report.outcomes[0].evaluation().unwrap();
        fewest = fewest.min(evaluation.snapshot.group.serving());
    }
    // What follows is more replicas of the former type, for the memory.
    assert_eq!(phases[0], Phase::RolledBack);
    assert!(phases[1..].iter().all(|phase| *phase == Phase::Verified), "{phases:?}");
    assert!(fewest >= 4, "{fewest}");
    let group = world.platform.group();
    assert!(group.fewest_serving >= 4, "{}", group.fewest_serving);
    assert!(group.instances.iter().all(|(_, kind, _)| kind.as_str() == "m7i.xlarge"));
    let replacements = group.accepted.iter().filter_map(|step| match step {
        Step::StartReplacement { types } => Some(types.iter().map(TypeName::as_str).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(replacements.collect::<Vec<_>>(), [["r7i.xlarge"], ["m7i.xlarge"]]);
}

#[tokio::test]
async fn another_running_change_is_a_hold_and_never_a_failure() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::Conflicting;
    world.platform.group().busy_vcpu = Some(15.5);
    world.minutes(&control, 30).await;
    world.platform.group().steps = Steps::Taken;
    world.minutes(&control, 3).await;
    assert!(world.platform.group().desired > 4, "no breaker opened meanwhile");
}

#[tokio::test]
async fn a_manual_change_is_the_new_starting_point() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 3).await;
    world.platform.group().desired = 12;
    world.minutes(&control, 20).await;
    assert_eq!(world.platform.group().desired, 12, "held against scale-down for half an hour");
    world.minutes(&control, 60).await;
    assert!(world.platform.group().desired < 12);
}

#[tokio::test]
async fn an_unknown_group_wakes_nobody() {
    let world = World::new();
    let report = world.control().evaluate(&[GroupName::new("elsewhere")]).await.unwrap();
    assert!(report.outcomes.is_empty());
}

#[tokio::test]
async fn a_plan_writes_nothing() {
    let world = World::new();
    world.platform.group().busy_vcpu = Some(15.0);
    let control = world.control();
    let report = control.plan().await.unwrap();
    assert!(matches!(report.outcomes[0].evaluation().unwrap().decision.action, Action::Scale { .. }));
    assert!(world.platform.group().accepted.is_empty() && world.store.snapshot().is_empty());
    control.tick(Duration::from_secs(50)).await.unwrap();
}

#[tokio::test]
async fn an_adapter_that_panics_fails_its_group_and_the_group_stays_in_the_report() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::Panicking;
    world.platform.group().busy_vcpu = Some(15.0);
    let report = world.minute(&control).await;
    assert!(
        matches!(report.outcomes[..], [ref one] if matches!(one.result, Outcome::Failed(_))),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_described_takes_no_other_page_with_it() {
    let mut world = World::new();
    let groups = (0..100).map(|number| json!({"name": format!("web-{number}")}));
    let last = [json!({"name": "night"}), json!({"name": "beside-it"})];
    world.config = config(json!({"groups": groups.chain(last).collect::<Vec<_>>()}));
    let control = world.control();
    let report = world.minute(&control).await;
    let failed: Vec<&str> = (report.outcomes.iter())
        .filter(|outcome| matches!(outcome.result, Outcome::Failed(_)))
        .map(|outcome| outcome.config.name.as_str())
        .collect();
    assert_eq!(failed, ["night", "beside-it"]);
    assert_eq!(report.outcomes.iter().filter(|outcome| outcome.evaluation().is_some()).count(), 100);
}

#[tokio::test]
async fn a_group_that_cannot_be_described_fails_alone_and_says_why() {
    let mut world = World::new();
    let groups = ["web", "dark", "beside-it"].map(|name| json!({"name": name}));
    world.config = config(json!({"groups": groups}));
    let report = world.minute(&world.control()).await;
    let failed: Vec<(&str, String)> = (report.outcomes.iter())
        .filter_map(|outcome| match &outcome.result {
            Outcome::Failed(error) => Some((outcome.config.name.as_str(), error.to_string())),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [("dark", "describe failed: dark has no usable maximum".to_owned())]);
    assert_eq!(report.outcomes.iter().filter(|outcome| outcome.evaluation().is_some()).count(), 2);
}

#[tokio::test]
async fn a_change_that_could_not_be_recorded_is_reported_as_made() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.clock.advance_seconds(60);
    let ports = around(world.ports.clone(), Arc::new(FullAfterOnePut::default()));
    let report = ControlLoop::new(ports, world.config.clone()).tick(Duration::from_secs(50)).await.unwrap();
    assert_eq!(report.changed(), 1);
    let error = report.outcomes[0].evaluation().unwrap().step_error.clone();
    assert!(error.is_some_and(|error| error.to_string().contains("recording what was done failed")));
}

#[tokio::test]
async fn a_group_deleted_between_description_and_call_fails_its_operation_once() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.5);
    world.platform.group().steps = Steps::Gone;
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes[0].acted.as_ref().map(|operation| operation.phase), Some(Phase::Failed));
    assert!(
        report.outcomes[0]
            .evaluation()
            .unwrap()
            .step_error
            .as_ref()
            .is_some_and(|error| error.to_string().contains("not found"))
    );
}

#[tokio::test]
async fn a_group_that_vanishes_with_an_open_operation_is_reported_and_goes_on_when_it_is_back() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.5);
    world.minute(&control).await;
    let asked = world.platform.group().calls["apply"];
    world.platform.group().deleted = true;
    for _ in 0..5 {
        let report = world.minute(&control).await;
        assert!(matches!(report.outcomes[0].result, Outcome::NotFound));
    }
    assert_eq!(world.platform.group().calls["apply"], asked, "nothing is asked of what is not there");
    world.platform.group().deleted = false;
    let report = world.minute(&control).await;
    let ended: Vec<Phase> = report.outcomes[0].ended.iter().map(|operation| operation.phase).collect();
    assert_eq!(ended, [Phase::Verified]);
}
