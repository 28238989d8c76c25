//! The guards: what each lets pass, trims or holds, and the reason it gives.

use std::time::Duration;

use scaling_policy::config::{ControlLevel, Cooldown, GroupConfig, Mode, StabilizationWindow};
use scaling_policy::operation::{Breaker, ManualChange, OperationState, Override, Pause};
use scaling_policy::snapshot::{
    ForeignController, GroupView, ReplacementStatus, ReplacementView, RetypeSupport, SuspendedProcesses,
};
use scaling_policy::{Decision, Trigger};

use crate::support::case::{Case, replicas_after, start, type_after, type_change};

/// Eight replicas of which six would do.
fn low() -> Case {
    Case::of(Mode::Horizontal, 8, 0.2)
}

/// Eight replicas that should be thirteen.
fn high() -> Case {
    Case::of(Mode::Horizontal, 8, 0.56).cpu(0.95).next().taken_in()
}

/// Eight replicas whose memory base outgrew their type.
fn memory_bound() -> Case {
    Case::of(Mode::Hybrid, 8, 0.56).reading(Trigger::MemoryUsage, 0.85).minutes(3)
}

/// Eight replicas of a type that a day has shown to be dearer than another.
fn dear() -> Case {
    Case::of(Mode::Hybrid, 8, 0.56).minutes(1441)
}

#[test]
fn the_cases_are_what_they_say() {
    assert_eq!(low().outcome(), (6, "load_low"));
    assert_eq!(high().outcome(), (13, "load_high"));
    assert_eq!(
        (memory_bound().outcome().1, memory_bound().decide().action.label()),
        ("memory_bound", "retype")
    );
    assert_eq!((dear().outcome().1, dear().decide().action.label()), ("cheaper_type", "retype"));
}

#[test]
fn a_person_or_three_failures_stop_everything() {
    type Change = Box<dyn Fn(&mut OperationState)>;
    let pause = |until| Some(Pause { by: "ada".into(), reason: "a test".into(), until });
    let cases: [(&str, Change); 3] = [
        ("paused", Box::new(move |state| state.pause = pause(None))),
        (
            "paused",
            Box::new(move |state| state.pause = pause(Some(start() + Duration::from_secs(1_000_000)))),
        ),
        ("breaker_open", Box::new(|state| state.breaker = Breaker { failures: 3, ..Breaker::default() })),
    ];
    for (reason, change) in cases {
        for case in [low(), high(), memory_bound()] {
            let case = case.state(&change);
            assert_eq!(case.outcome(), (8, reason));
            assert!(case.decide().action.is_hold());
        }
    }
}

#[test]
fn three_failed_type_changes_leave_the_type_and_let_the_count_go_on() {
    let failed = |case: Case| case.state(|state| state.breaker.type_failures = 3);
    assert_eq!(failed(high()).outcome().0, 13);
    assert_eq!(failed(low()).outcome().0, low().outcome().0);
    let decision = failed(memory_bound()).decide();
    assert_eq!(type_after(&decision), None, "{decision:?}");
    assert_eq!(failed(dear()).decide().action.label(), "hold");
}

#[test]
fn a_pause_that_has_ended_holds_nothing() {
    let ended = Pause { by: "ada".into(), reason: "a test".into(), until: Some(start()) };
    assert_eq!(high().state(|state| state.pause = Some(ended)).outcome().0, 13);
}

#[test]
fn two_failures_do_not_open_the_breaker() {
    assert_eq!(
        high().state(|state| state.breaker = Breaker { failures: 2, ..Breaker::default() }).outcome().0,
        13
    );
}

#[test]
fn a_suspended_process_holds_every_change() {
    let each = [
        SuspendedProcesses { launch: true, ..SuspendedProcesses::default() },
        SuspendedProcesses { terminate: true, ..SuspendedProcesses::default() },
        SuspendedProcesses { alarm_notification: true, ..SuspendedProcesses::default() },
    ];
    for suspended in each {
        for case in [low(), high(), memory_bound()] {
            let case = case.group(|group| group.suspended = suspended);
            assert_eq!(case.outcome(), (8, "process_suspended"));
        }
    }
}

#[test]
fn another_controller_holds_every_change_unless_it_is_tolerated() {
    let policy = || vec![ForeignController::ScalingPolicy { name: "cpu50".into() }];
    for case in [low(), high(), memory_bound()] {
        let case = case.group(|group| group.foreign = policy());
        assert_eq!(case.outcome(), (8, "foreign_controller"));
    }
    assert_eq!(high().state(|state| state.foreign = policy()).outcome().1, "foreign_controller");
    let tolerated = high().group(|group| group.foreign = policy()).config(|config| config.coexist = true);
    assert_eq!(tolerated.outcome().0, 13);
}

#[test]
fn a_quiet_group_does_not_complain_of_what_would_hold_it() {
    let quiet = Case::of(Mode::Horizontal, 8, 0.56)
        .group(|group| group.suspended.launch = true)
        .group(|group| group.foreign = vec![ForeignController::Tag { key: "spotinst".into() }]);
    assert_eq!(quiet.outcome(), (8, "within_target"));
}

/// Of 20 desired replicas `serving` serve; the others have been missing for `seconds`.
fn missing(serving: u32, seconds: u64) -> Case {
    let case = Case::of(Mode::Horizontal, serving, 0.9).group(|group| group.desired = 20);
    let since = case.ago(seconds);
    case.state(|state| state.missing_since = Some(since))
}

#[test]
fn desired_goes_back_to_what_runs_plus_one_step_when_nothing_launches() {
    for (serving, expected) in [(6, 9), (8, 12), (2, 3), (1, 2), (16, 24)] {
        assert_eq!(missing(serving, 601).outcome().0, expected, "{serving} serve");
    }
    assert_eq!(missing(8, 601).decide().reason.label(), "nothing_launches");
}

#[test]
fn what_is_on_its_way_gets_its_time() {
    assert_eq!(missing(8, 599).outcome().0, 20);
    assert_eq!(
        missing(8, 599).config(|config| config.launch_timeout = Duration::from_secs(300)).outcome().0,
        12
    );
}

#[test]
fn desired_stays_there_while_nothing_launches() {
    let case = missing(8, 3600).group(|group| group.desired = 12);
    assert_eq!(case.outcome().0, 12);
}

#[test]
fn a_group_that_is_scaled_in_count_only_changes_no_type() {
    let count_only = |group: &mut GroupView| {
        group.retype = RetypeSupport::CountOnly { why: "it has weights".into() };
    };
    for case in [memory_bound(), dear()] {
        let decision = case.group(count_only).decide();
        assert_ne!(decision.action.label(), "retype", "{decision:?}");
        assert_eq!(decision.guards[0].reason.label(), "count_only");
    }
}

#[test]
fn the_count_goes_on_while_the_type_must_stay() {
    // The preference would otherwise be proposed, and held, every minute.
    let young = |case: Case| {
        let changed = case.ago(3600);
        case.state(|state| state.last_type_change = Some(changed))
    };
    for (cpu, expected) in [(0.2, "down"), (0.56, "hold"), (0.9, "up")] {
        let decision = young(dear()).cpu(cpu).minutes(3).decide();
        assert_eq!(decision.action.label(), expected, "{cpu}: {decision:?}");
    }
}

fn held_back(case: &Case) -> Option<&'static str> {
    let decision = case.decide();
    (decision.action.label() != "retype").then(|| decision.guards[0].reason.label())
}

#[test]
fn a_type_change_for_cost_waits_until_the_last_one_has_aged() {
    for (hours, expected) in [(1, Some("type_change_not_now")), (23, Some("type_change_not_now")), (24, None)]
    {
        let case = dear();
        let changed = case.ago(hours * 3600);
        let case = case.state(|state| state.last_type_change = Some(changed));
        assert_eq!(held_back(&case), expected, "{hours} h");
    }
}

#[test]
fn an_emergency_waits_for_nothing() {
    let case = memory_bound();
    let changed = case.ago(600);
    let case = case.state(|state| state.last_type_change = Some(changed));
    assert_eq!(held_back(&case), None);
}

#[test]
fn a_type_change_for_cost_waits_while_a_peak_is_near() {
    // Every day at the same time twice the load; one boot before it the type stays.
    let mut case = Case::fresh(Mode::Hybrid, 8, 0.4).config(|config| config.forecast = true);
    for minute in 0..1_441 {
        let peak = (5..60).contains(&minute);
        case = case.cpu(if peak { 0.7 } else { 0.4 }).next().taken_in();
    }
    assert_eq!(held_back(&case), Some("type_change_not_now"));
    assert_eq!(held_back(&case.cpu(0.4).minutes(120)), None);
}

fn replacement(status: ReplacementStatus) -> ReplacementView {
    ReplacementView {
        id: "replacement".into(),
        status,
        percent_complete: 40,
        reason: None,
        target_type: Some("c7i.xlarge".into()),
        ended: None,
    }
}

#[test]
fn during_a_type_change_capacity_is_only_added_and_no_other_type_proposed() {
    let changing = |case: Case| {
        let operation = type_change("c7i.xlarge", case.ago(120));
        case.state(|state| state.type_change = Some(operation))
            .group(|group| group.replacement = Some(replacement(ReplacementStatus::InProgress)))
    };
    assert_eq!(changing(low()).outcome(), (8, "type_change_running"));
    assert_eq!(changing(high()).outcome(), (13, "load_high"));
    assert_eq!(held_back(&changing(memory_bound())), Some("type_change_running"));
    assert_eq!(held_back(&changing(dear())), Some("type_change_running"));
}

#[test]
fn a_replacement_of_somebody_else_suspends_type_changes() {
    let foreign =
        |case: Case| case.group(|group| group.replacement = Some(replacement(ReplacementStatus::InProgress)));
    assert_eq!(held_back(&foreign(memory_bound())), Some("foreign_replacement"));
    assert_eq!(foreign(low()).outcome(), (8, "foreign_replacement"));
    assert_eq!(foreign(high()).outcome(), (13, "load_high"));
    let ended = memory_bound().group(|group| {
        group.replacement = Some(replacement(ReplacementStatus::Successful));
    });
    assert_eq!(held_back(&ended), None);
}

#[test]
fn the_control_level_forbids_what_it_says() {
    let with = |case: Case, level| case.config(|config: &mut GroupConfig| config.control = level);
    assert_eq!(with(low(), ControlLevel::UpOnly).outcome(), (8, "control_level"));
    assert_eq!(with(high(), ControlLevel::UpOnly).outcome(), (13, "load_high"));
    assert_eq!(held_back(&with(memory_bound(), ControlLevel::UpOnly)), Some("control_level"));
    // Observing decides in full; not acting on it is the loop's part.
    assert_eq!(with(low(), ControlLevel::Observe).outcome(), (6, "load_low"));
}

#[test]
fn nothing_is_taken_away_while_a_reading_is_missing() {
    for trigger in Trigger::ALL {
        assert_eq!(low().without(trigger).outcome(), (8, "data_missing"), "{trigger}");
    }
    assert_eq!(held_back(&dear().without(Trigger::RequestCount)), Some("data_missing"));
}

#[test]
fn any_trigger_that_is_present_may_still_scale_up() {
    for trigger in [Trigger::MemoryUsage, Trigger::RequestCount, Trigger::RequestLatency] {
        assert_eq!(high().without(trigger).decide().action.label(), "up", "{trigger}");
    }
    let requests = high().without(Trigger::CpuUsage).reading(Trigger::RequestCount, 60_000.0);
    assert_eq!(requests.decide().action.label(), "up");
}

#[test]
fn a_missing_reading_of_a_trigger_that_is_not_listed_holds_nothing() {
    let case = low().config(|config| config.triggers.memory_usage.asks = false);
    assert_eq!(case.without(Trigger::MemoryUsage).outcome(), (6, "load_low"));
}

#[test]
fn what_is_on_order_counts_in_full_and_is_never_ordered_twice() {
    // Thirteen are wanted. Eight serve; the rest is on order.
    for (pending, expected) in [(0, (13, "load_high")), (3, (13, "load_high")), (5, (13, "capacity_pending"))]
    {
        assert_eq!(high().ordered(pending).outcome(), expected, "{pending} on order");
    }
    let warming = high().ordered(5).group(|group| {
        (group.replicas[0].warming, group.replicas[0].pending) = (5, 0);
    });
    assert_eq!(warming.outcome(), (13, "capacity_pending"));
}

#[test]
fn nothing_is_taken_away_while_capacity_is_on_its_way() {
    assert_eq!(low().ordered(1).outcome(), (9, "capacity_pending"));
}

fn changed(case: Case, up: Option<u64>, down: Option<u64>) -> Case {
    let (up, down) = (up.map(|seconds| case.ago(seconds)), down.map(|seconds| case.ago(seconds)));
    case.config(|config| config.cooldown = Cooldown::Fixed(Duration::from_secs(300)))
        .state(|state| (state.last_up, state.last_down) = (up, down))
}

#[test]
fn a_scale_down_waits_for_the_last_scale_down_only() {
    assert_eq!(changed(low(), None, Some(299)).outcome(), (8, "cooldown"));
    assert_eq!(changed(low(), None, Some(300)).outcome(), (6, "load_low"));
    assert_eq!(changed(low(), Some(130), None).outcome(), (6, "load_low"));
}

#[test]
fn a_scale_up_waits_for_the_last_scale_up_unless_it_is_urgent() {
    let slow =
        || Case::of(Mode::Horizontal, 8, 0.4).reading(Trigger::RequestCount, 38_400.0).next().taken_in();
    assert_eq!(changed(slow(), Some(299), None).outcome(), (8, "cooldown"));
    assert_eq!(changed(slow(), Some(300), None).outcome(), (12, "load_high"));
    assert_eq!(changed(high(), Some(10), None).outcome(), (13, "load_high"));
}

#[test]
fn a_scale_up_never_waits_for_a_scale_down() {
    let slow = Case::of(Mode::Horizontal, 8, 0.4).reading(Trigger::RequestCount, 38_400.0).next().taken_in();
    assert_eq!(changed(slow, Some(3_600), Some(200)).outcome().0, 12);
}

#[test]
fn a_manual_change_is_kept_against_scale_down_for_a_while() {
    let manual = |case: Case, seconds: u64| {
        let at = case.ago(seconds);
        case.state(|state| state.manual = Some(ManualChange { at, desired: 8 }))
    };
    assert_eq!(manual(low(), 1_799).outcome(), (8, "manual_hold"));
    assert_eq!(manual(low(), 1_800).outcome(), (6, "load_low"));
    assert_eq!(manual(high(), 10).outcome(), (13, "load_high"));
}

#[test]
fn protected_replicas_stay() {
    for (protected, expected) in [(0, (6, "load_low")), (6, (6, "load_low")), (7, (7, "protected"))] {
        let case = low().group(|group| group.replicas[0].protected = protected);
        assert_eq!(case.outcome(), expected, "{protected} protected");
    }
    assert_eq!(low().group(|group| group.replicas[0].protected = 8).outcome().0, 8);
    let above = low().group(|group| group.replicas[0].protected = 8).config(|config| config.replicas.max = 5);
    assert_eq!(above.outcome(), (5, "outside_bounds"), "the bounds come last");
}

fn bounded(case: Case, config: (u32, u32), group: (u32, u32)) -> Decision {
    case.config(|c| (c.replicas.min, c.replicas.max) = config)
        .group(|view| (view.min, view.max) = group)
        .decide()
}

#[test]
fn the_bounds_of_configuration_and_group_meet() {
    // Wanted from high: 13, from low: 6.
    let after = |case, config, group| replicas_after(&bounded(case, config, group), 8);
    assert_eq!(after(high(), (2, 60), (1, 100)), 13);
    assert_eq!(after(high(), (2, 12), (1, 100)), 12);
    assert_eq!(after(high(), (2, 60), (1, 10)), 10);
    assert_eq!(after(low(), (7, 60), (1, 100)), 7);
    assert_eq!(after(low(), (2, 60), (8, 100)), 8);
}

#[test]
fn the_note_says_whose_limit_it_is() {
    let note = |decision: Decision| decision.guards.last().unwrap().reason.label();
    assert_eq!(note(bounded(high(), (2, 12), (1, 100))), "clamped_by_config");
    assert_eq!(note(bounded(high(), (2, 60), (1, 10))), "clamped_by_group");
}

#[test]
fn at_the_maximum_the_group_is_saturated() {
    let decision = bounded(high(), (2, 8), (1, 100));
    assert_eq!((decision.action.label(), decision.reason.label()), ("hold", "saturated_at_max"));
}

#[test]
fn a_capacity_outside_the_bounds_is_brought_inside_at_once() {
    for (config, expected) in [((10, 60), 10), ((2, 5), 5)] {
        let decision = bounded(Case::of(Mode::Horizontal, 8, 0.56), config, (1, 100));
        assert_eq!((replicas_after(&decision, 8), decision.reason.label()), (expected, "outside_bounds"));
        let blind = Case::of(Mode::Horizontal, 8, 0.56).without(Trigger::CpuUsage);
        assert_eq!(replicas_after(&bounded(blind, config, (1, 100)), 8), expected);
    }
}

#[test]
fn a_temporary_bound_holds_until_it_expires() {
    let temporary = |case: Case, seconds: u64| {
        let until = case.now() + Duration::from_secs(seconds);
        let bounds = Override {
            by: "ada".into(),
            reason: "a launch".into(),
            until,
            min: Some(12),
            max: None,
            instance_type: None,
        };
        case.state(|state| state.temporary = Some(bounds))
    };
    assert_eq!(temporary(low(), 60).outcome().0, 12);
    assert_eq!(temporary(low(), 0).outcome().0, 6);
}

#[test]
fn a_temporary_type_is_changed_to_and_kept_until_it_expires() {
    let temporary = |case: Case, name: &str, seconds: u64| {
        let until = case.now() + Duration::from_secs(seconds);
        let instance_type = Some(name.into());
        let (by, reason) = ("ada".into(), "a benchmark".into());
        case.state(|state| {
            state.temporary = Some(Override { by, reason, until, min: None, max: None, instance_type });
        })
    };
    for mode in [Mode::Horizontal, Mode::Vertical, Mode::Hybrid] {
        let case = || Case::of(mode, 8, 0.56);
        let decision = temporary(case(), "r7i.xlarge", 60).decide();
        assert_eq!((decision.action.label(), decision.reason.label()), ("retype", "override"), "{mode:?}");
        assert_ne!(temporary(case(), "r7i.xlarge", 0).decide().reason.label(), "override", "expired");
        assert!(temporary(case(), "m7i.xlarge", 60).decide().action.is_hold());
        assert!(temporary(case(), "p5.48xlarge", 60).decide().action.is_hold(), "not in the ladder");
    }
    // What would otherwise be changed to waits; the count does not.
    assert_eq!(temporary(dear(), "m7i.xlarge", 60).outcome(), (8, "within_target"));
    assert_eq!(temporary(dear().cpu(0.9).minutes(1), "m7i.xlarge", 60).decide().action.label(), "up");
}

#[test]
fn a_longer_window_than_the_cooldown_delays_as_long_as_the_window() {
    let case = low().minutes(20).config(|config| {
        config.stabilization = StabilizationWindow::Fixed(Duration::from_secs(600));
        config.cooldown = Cooldown::Fixed(Duration::from_secs(60));
    });
    let down = case.ago(500);
    assert_eq!(case.state(|state| state.last_down = Some(down)).outcome(), (8, "cooldown"));
}

#[test]
fn a_type_change_for_cost_waits_while_instances_are_protected_and_one_for_need_does_not() {
    let protect = |group: &mut GroupView| group.replicas[0].protected = 1;
    assert_eq!(dear().group(protect).decide().action.label(), "hold");
    assert_eq!(memory_bound().group(protect).decide().action.label(), "retype");
}
