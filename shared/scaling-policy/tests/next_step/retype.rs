//! Type changes.

use scaling_policy::operation::{LaunchFailureKind, Phase, Progress, Step};
use scaling_policy::snapshot::ReplacementStatus;

use crate::support::{NEW, OLD, after, ended, failure, group, refresh, retype};

#[test]
fn a_fresh_plan_starts_with_the_wanted_type_and_then_the_fallbacks_never_the_old_one() {
    let progress = after(0, &retype(4, Phase::Planned), &group(4, &[(OLD, 4, 0)]), None, &[]);
    let types = vec![NEW.into(), "r7a.xlarge".into()];
    assert_eq!(progress, Progress::Act(Step::StartReplacement { types }));
}

#[test]
fn more_replicas_are_ordered_before_the_replacement_and_never_more_than_the_group_allows() {
    for (wanted, asked) in [(6, 6), (30, 20)] {
        let progress = after(0, &retype(wanted, Phase::Planned), &group(4, &[(OLD, 4, 0)]), None, &[]);
        assert_eq!(progress, Progress::Act(Step::SetDesired { desired: asked }));
    }
}

#[test]
fn a_start_whose_answer_was_lost_is_adopted() {
    let running = refresh(ReplacementStatus::InProgress);
    let progress = after(600, &retype(4, Phase::Planned), &group(4, &[(OLD, 4, 0)]), Some(&running), &[]);
    assert_eq!(progress, Progress::Adopt { platform_id: "refresh-1".to_owned() });
}

#[test]
fn a_foreign_replacement_supersedes() {
    let mut running = refresh(ReplacementStatus::InProgress);
    running.target_type = None;
    let progress = after(0, &retype(4, Phase::Planned), &group(4, &[(OLD, 4, 0)]), Some(&running), &[]);
    assert_eq!(ended(&progress), Some(Phase::Superseded));
}

#[test]
fn it_is_verified_only_when_every_instance_has_a_wanted_type() {
    let operation = retype(4, Phase::Accepted);
    let done = refresh(ReplacementStatus::Successful);
    let mixed = group(4, &[(OLD, 1, 0), (NEW, 4, 0)]);
    assert_eq!(after(300, &operation, &mixed, Some(&done), &[]), Progress::Wait);
    for kind in [NEW, "r7a.xlarge"] {
        let all = group(4, &[(kind, 4, 0)]);
        assert_eq!(ended(&after(300, &operation, &all, Some(&done), &[])), Some(Phase::Verified), "{kind}");
    }
}

#[test]
fn a_running_one_is_watched() {
    use ReplacementStatus::{Baking, Cancelling, InProgress, Pending, RollbackInProgress};
    for status in [Pending, InProgress, Baking, Cancelling, RollbackInProgress] {
        let running = refresh(status);
        let progress = after(
            120,
            &retype(4, Phase::Accepted),
            &group(4, &[(OLD, 4, 0), (NEW, 0, 4)]),
            Some(&running),
            &[],
        );
        assert_eq!(progress, Progress::Wait, "{status:?}");
    }
}

#[test]
fn launches_that_go_on_failing_are_rolled_back_the_platform_s_way() {
    let running = refresh(ReplacementStatus::InProgress);
    let group = group(4, &[(OLD, 4, 0)]);
    let one = [failure(LaunchFailureKind::Capacity)];
    assert_eq!(after(120, &retype(4, Phase::Accepted), &group, Some(&running), &one), Progress::Wait);
    let three = vec![failure(LaunchFailureKind::Capacity); 3];
    for failures in [&three[..], &[failure(LaunchFailureKind::Template)]] {
        let progress = after(240, &retype(4, Phase::Accepted), &group, Some(&running), failures);
        assert_eq!(progress, Progress::Act(Step::RollBackReplacement));
    }
}

#[test]
fn one_that_failed_half_way_goes_back_by_a_second_replacement() {
    for status in [ReplacementStatus::Failed, ReplacementStatus::Cancelled, ReplacementStatus::RollbackFailed]
    {
        let failed = refresh(status);
        let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
        let progress = after(900, &retype(4, Phase::Accepted), &mixed, Some(&failed), &[]);
        assert_eq!(progress, Progress::Act(Step::StartReplacement { types: vec![OLD.into()] }), "{status:?}");
        let untouched = group(4, &[(OLD, 4, 0)]);
        let progress = after(900, &retype(4, Phase::Accepted), &untouched, Some(&failed), &[]);
        assert_eq!(ended(&progress), Some(Phase::RolledBack), "{status:?}");
    }
}

#[test]
fn a_way_back_ends_when_every_instance_is_back() {
    let operation = retype(4, Phase::RollingBack);
    let running = refresh(ReplacementStatus::RollbackInProgress);
    let done = refresh(ReplacementStatus::RollbackSuccessful);
    let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
    let back = group(4, &[(OLD, 4, 0)]);
    assert_eq!(after(900, &operation, &mixed, Some(&running), &[]), Progress::Wait);
    assert_eq!(ended(&after(900, &operation, &back, Some(&done), &[])), Some(Phase::RolledBack));
    let failed = refresh(ReplacementStatus::RollbackFailed);
    assert_eq!(ended(&after(900, &operation, &mixed, Some(&failed), &[])), Some(Phase::Failed));
}
