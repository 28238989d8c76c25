//! Changes of count.

use scaling_policy::operation::{LaunchFailure, LaunchFailureKind, Phase, Progress, Step};

use crate::support::{OLD, after, at, ended, failure, group, scale};

#[test]
fn a_fresh_plan_asks_for_the_wanted_value() {
    let progress = after(0, &scale(4, 6, Phase::Planned), &group(4, &[(OLD, 4, 0)]), None, &[]);
    assert_eq!(progress, Progress::Act(Step::SetDesired { desired: 6 }));
}

#[test]
fn a_plan_whose_answer_was_lost_is_seen_in_the_group() {
    let progress = after(300, &scale(4, 6, Phase::Planned), &group(6, &[(OLD, 4, 2)]), None, &[]);
    assert_eq!(progress, Progress::Wait, "asked for already, and booting");
}

#[test]
fn up_is_verified_when_the_wanted_count_serves() {
    let operation = scale(4, 6, Phase::Accepted);
    assert_eq!(after(90, &operation, &group(6, &[(OLD, 5, 1)]), None, &[]), Progress::Wait);
    assert_eq!(ended(&after(90, &operation, &group(6, &[(OLD, 6, 0)]), None, &[])), Some(Phase::Verified));
}

#[test]
fn down_is_verified_when_no_more_than_the_wanted_count_is_left() {
    let operation = scale(6, 4, Phase::Accepted);
    assert_eq!(after(30, &operation, &group(4, &[(OLD, 5, 0)]), None, &[]), Progress::Wait);
    assert_eq!(ended(&after(30, &operation, &group(4, &[(OLD, 4, 0)]), None, &[])), Some(Phase::Verified));
}

#[test]
fn a_plan_older_than_a_period_is_superseded() {
    let progress = after(61, &scale(4, 6, Phase::Planned), &group(4, &[(OLD, 4, 0)]), None, &[]);
    assert_eq!(ended(&progress), Some(Phase::Superseded));
}

#[test]
fn another_hand_supersedes() {
    for phase in [Phase::Planned, Phase::Accepted] {
        let progress = after(10, &scale(4, 6, phase), &group(9, &[(OLD, 4, 5)]), None, &[]);
        assert_eq!(ended(&progress), Some(Phase::Superseded), "{phase:?}");
    }
}

#[test]
fn a_broken_template_or_a_quota_fails_more_but_never_fewer() {
    for kind in [LaunchFailureKind::Template, LaunchFailureKind::Quota] {
        let failures = [failure(kind)];
        let up = after(90, &scale(4, 6, Phase::Accepted), &group(6, &[(OLD, 4, 0)]), None, &failures);
        assert_eq!(ended(&up), Some(Phase::Failed), "{kind:?}");
        let down = after(90, &scale(6, 4, Phase::Accepted), &group(4, &[(OLD, 4, 0)]), None, &failures);
        assert_eq!(ended(&down), Some(Phase::Verified), "{kind:?}");
    }
    let waiting = [failure(LaunchFailureKind::Capacity)];
    let up = after(90, &scale(4, 6, Phase::Accepted), &group(6, &[(OLD, 4, 0)]), None, &waiting);
    assert_eq!(up, Progress::Wait, "capacity may come");
}

#[test]
fn a_refused_plan_waits_for_its_retry_and_fails_after_three() {
    let mut operation = scale(4, 6, Phase::Planned);
    let group = group(4, &[(OLD, 4, 0)]);
    (operation.attempts, operation.not_before) = (1, Some(at(30)));
    assert_eq!(after(10, &operation, &group, None, &[]), Progress::Wait);
    assert!(matches!(after(30, &operation, &group, None, &[]), Progress::Act(_)));
    operation.attempts = 3;
    assert_eq!(ended(&after(30, &operation, &group, None, &[])), Some(Phase::Failed));
}

#[test]
fn a_description_older_than_the_answer_is_no_other_hand_for_one_period() {
    let operation = scale(4, 6, Phase::Accepted);
    let lagging = group(4, &[(OLD, 4, 0)]);
    assert_eq!(after(60, &operation, &lagging, None, &[]), Progress::Wait);
    assert_eq!(ended(&after(61, &operation, &lagging, None, &[])), Some(Phase::Superseded));
}

#[test]
fn launches_that_failed_on_the_way_do_not_fail_what_serves_in_full() {
    let failures = [failure(LaunchFailureKind::Quota)];
    let all = group(6, &[(OLD, 6, 0)]);
    let progress = after(90, &scale(4, 6, Phase::Accepted), &all, None, &failures);
    assert_eq!(ended(&progress), Some(Phase::Verified));
}

#[test]
fn a_third_try_whose_answer_was_lost_is_seen_in_the_group_and_not_given_up() {
    let mut operation = scale(4, 6, Phase::Planned);
    operation.attempts = 3;
    assert_eq!(after(30, &operation, &group(6, &[(OLD, 4, 2)]), None, &[]), Progress::Wait);
}

#[test]
fn one_that_the_group_does_not_come_to_ends_after_an_hour() {
    let up = scale(4, 6, Phase::Accepted);
    let short = group(6, &[(OLD, 5, 0)]);
    assert_eq!(after(3600, &up, &short, None, &[]), Progress::Wait);
    assert_eq!(ended(&after(3601, &up, &short, None, &[])), Some(Phase::Failed));
    let down = scale(6, 4, Phase::Accepted);
    let protected = group(4, &[(OLD, 5, 0)]);
    assert_eq!(ended(&after(3601, &down, &protected, None, &[])), Some(Phase::Verified));
}

#[test]
fn only_failures_since_the_platform_was_asked_and_not_overcome_fail_it() {
    let mut operation = scale(4, 6, Phase::Accepted);
    operation.accepted_at = Some(at(60));
    let waiting = group(6, &[(OLD, 4, 0)]);
    for kind in [LaunchFailureKind::Template, LaunchFailureKind::Quota] {
        let look = |seconds, overcome| {
            let failure = LaunchFailure { at: at(seconds), overcome, ..failure(kind) };
            after(120, &operation, &waiting, None, &[failure])
        };
        assert_eq!(look(30, false), Progress::Wait, "another operation's");
        assert_eq!(look(90, true), Progress::Wait, "a later launch went through");
        assert_eq!(ended(&look(90, false)), Some(Phase::Failed));
    }
}

#[test]
fn a_plan_that_was_not_asked_for_has_launched_nothing_that_could_fail() {
    let planned = scale(4, 6, Phase::Planned);
    let failures = [failure(LaunchFailureKind::Quota)];
    let progress = after(30, &planned, &group(4, &[(OLD, 4, 0)]), None, &failures);
    assert_eq!(progress, Progress::Act(Step::SetDesired { desired: 6 }));
    let asked = after(30, &planned, &group(6, &[(OLD, 4, 0)]), None, &failures);
    assert_eq!(ended(&asked), Some(Phase::Failed), "its answer was lost, and its launches fail");
}

#[test]
fn a_plan_that_is_too_old_says_what_kept_it() {
    let mut planned = scale(4, 6, Phase::Planned);
    planned.failure = Some("an activity is in progress".to_owned());
    let Progress::End { phase: Phase::Superseded, why } =
        after(61, &planned, &group(4, &[(OLD, 4, 0)]), None, &[])
    else {
        panic!("it is too old")
    };
    assert!(why.contains("an activity is in progress"), "{why}");
}
