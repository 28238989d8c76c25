//! What others do to a group, and what only looks like it.

use scaling_control::fakes::Steps;
use scaling_policy::decision::{Action, Reason};
use scaling_policy::operation::{LaunchTemplate, OperationKind, Phase};
use scaling_policy::snapshot::{ReplacementStatus, ReplacementView, RetypeSupport};

use crate::world::World;

#[tokio::test]
async fn a_description_that_lags_behind_our_own_change_is_no_manual_change() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.minute(&control).await;
    // The platform has accepted the change and goes on showing the old value for another look.
    world.platform.group().shown_desired = Some(4);
    let report = world.minute(&control).await;
    let state = report.outcomes[0].evaluation().unwrap().state.clone();
    assert!(state.manual.is_none(), "{:?}", state.manual);
    assert!(report.outcomes[0].ended.is_empty(), "{:?}", report.outcomes[0].ended);
    assert_eq!(world.platform.group().accepted.len(), 1);
}

#[tokio::test]
async fn a_type_that_somebody_else_has_changed_is_left_alone_for_as_long_as_one_of_ours() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes[0].evaluation().unwrap().state.last_type_change, None);
    {
        let mut group = world.platform.group();
        group.launch_type = "c7i.xlarge".into();
        for instance in &mut group.instances {
            instance.1 = "c7i.xlarge".into();
        }
    }
    let report = world.minute(&control).await;
    assert!(report.outcomes[0].evaluation().unwrap().state.last_type_change.is_some());
}

#[tokio::test]
async fn another_template_by_another_hand_is_a_new_starting_point_for_type_changes() {
    let world = World::new();
    let control = world.control();
    let version = |version, is_resolved| Some(LaunchTemplate { id: "lt-1".to_owned(), version, is_resolved });
    world.platform.group().template = version(1, false);
    world.minutes(&control, 2).await;
    let report = world.minute(&control).await;
    assert_eq!(report.outcomes[0].evaluation().unwrap().state.began_launching(), None);
    // Not told for a moment is no change.
    world.platform.group().template = None;
    world.minute(&control).await;
    world.platform.group().template = version(2, false);
    let report = world.minute(&control).await;
    let state = &report.outcomes[0].evaluation().unwrap().state;
    assert_eq!(state.began_launching(), state.last_template_change);
    assert!(state.last_template_change.is_some());
    // What is known of the load of a type stays known.
    assert_eq!(state.last_type_change, None);
}

/// The newest instance is the first to leave where the termination policy says so.
#[tokio::test]
async fn an_older_version_of_a_template_that_the_platform_resolves_is_no_other_template() {
    let world = World::new();
    let control = world.control();
    let mut changes = Vec::new();
    for version in [7, 8, 7, 8, 9] {
        world.platform.group().template =
            Some(LaunchTemplate { id: "lt-1".to_owned(), version, is_resolved: true });
        let report = world.minute(&control).await;
        let state = &report.outcomes[0].evaluation().unwrap().state;
        changes.push(
            state.last_template_change == Some(report.outcomes[0].evaluation().unwrap().snapshot.taken_at),
        );
    }
    assert_eq!(changes, [false, true, false, false, true]);
}

#[tokio::test]
async fn a_foreign_refresh_supersedes_our_type_change_and_suspends_the_next() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    let report = world.minute(&control).await;
    let decision = &report.outcomes[0].evaluation().unwrap().decision;
    assert!(matches!(decision.action, Action::Retype { .. }), "{:?}", decision.action);
    world.platform.group().replacement = Some(ReplacementView {
        id: "somebody-else-s".to_owned(),
        status: ReplacementStatus::InProgress,
        percent_complete: 0,
        reason: None,
        target_type: Some("m6i.xlarge".into()),
        ended: None,
    });
    // The first look is too close to our own request: the platform's list could lag.
    let mut ended = Vec::new();
    for _ in 0..3 {
        ended.extend(world.minute(&control).await.outcomes.remove(0).ended);
    }
    let retypes = ended.iter().filter(|ended| matches!(ended.kind, OperationKind::Retype { .. }));
    let phases: Vec<Phase> = retypes.map(|ended| ended.phase).collect();
    assert_eq!(phases, [Phase::Superseded]);
    let report = world.minute(&control).await;
    assert!(report.outcomes[0].evaluation().unwrap().state.last_type_change.is_some());
}

#[tokio::test]
async fn a_type_change_waits_while_a_foreign_refresh_runs() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().replacement = Some(ReplacementView {
        id: "somebody-else-s".to_owned(),
        status: ReplacementStatus::InProgress,
        percent_complete: 0,
        reason: None,
        target_type: None,
        ended: None,
    });
    world.platform.group().steps = Steps::Conflicting;
    world.platform.group().used_memory = 14_000.0;
    let mut reasons = Vec::new();
    for _ in 0..4 {
        let report = world.minute(&control).await;
        reasons.push(report.outcomes[0].evaluation().unwrap().decision.reason.clone());
    }
    assert!(world.platform.group().accepted.is_empty());
    assert!(!reasons.contains(&Reason::BreakerOpen), "{reasons:?}");
}

/// Nobody knows what such a type has, nor of which architecture it is: what runs it is left as it is, whatever the load says.
#[tokio::test]
async fn a_type_that_is_in_no_catalogue_is_never_changed() {
    let world = World::new();
    {
        let mut group = world.platform.group();
        group.launch_type = "m9x.4xlarge".into();
        for instance in &mut group.instances {
            instance.1 = "m9x.4xlarge".into();
        }
        group.used_memory = 14_000.0;
    }
    let control = world.control();
    for _ in 0..10 {
        let report = world.minute(&control).await;
        let evaluation = report.outcomes[0].evaluation().unwrap();
        assert!(!matches!(evaluation.decision.action, Action::Retype { .. }), "{:?}", evaluation.decision);
        let support = &evaluation.snapshot.group.retype;
        assert!(
            matches!(support, RetypeSupport::CountOnly { why } if why.contains("m9x.4xlarge")),
            "{support:?}"
        );
    }
}
