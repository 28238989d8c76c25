//! Type changes.

use scaling_policy::decision::Reason;
use scaling_policy::operation::{LaunchFailure, LaunchFailureKind, Phase, Progress, Step};
use scaling_policy::snapshot::ReplacementStatus;

use crate::support::{NEW, OLD, after, at, ended, failure, group, refresh, retype, without_zones};

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
    assert_eq!(progress, Progress::Adopt { platform_id: "refresh-1".to_owned(), phase: Phase::Accepted });
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
fn failures_that_a_later_launch_has_overcome_end_nothing() {
    let running = refresh(ReplacementStatus::InProgress);
    let group = group(4, &[(OLD, 3, 0), (NEW, 1, 0)]);
    let mut failures = vec![LaunchFailure { overcome: true, ..failure(LaunchFailureKind::Capacity) }; 9];
    let next = |failures: &[LaunchFailure]| {
        after(240, &retype(4, Phase::Accepted), &group, Some(&running), failures)
    };
    assert_eq!(next(&failures), Progress::Wait);
    failures.extend(vec![failure(LaunchFailureKind::Capacity); 3]);
    assert_eq!(next(&failures), Progress::Act(Step::RollBackReplacement));
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
fn a_zone_that_the_wanted_type_has_left_is_gone_back_for_once_the_group_has_settled() {
    let mut operation = retype(4, Phase::Accepted);
    operation.zones.served = vec!["a".to_owned(), "b".to_owned()];
    let mut done = refresh(ReplacementStatus::Successful);
    done.ended = Some(at(900));
    let there = group(4, &[(NEW, 4, 0)]);
    let look = |unserved, seconds| without_zones(unserved, seconds, &operation, &there, &done);
    assert_eq!(look(&["b"], 960), Progress::Wait, "the platform may still bring it into balance");
    assert_eq!(look(&["b"], 1081), Progress::Act(Step::StartReplacement { types: vec![OLD.into()] }));
    for others in [&[][..], &["c"]] {
        assert_eq!(ended(&look(others, 960)), Some(Phase::Verified), "{others:?} had served nothing before");
    }
}

#[test]
fn a_change_that_went_back_for_a_zone_says_for_which() {
    let mut operation = retype(4, Phase::RollingBack);
    operation.zones.lost = vec!["b".to_owned()];
    let mut done = refresh(ReplacementStatus::Successful);
    done.target_type = Some(OLD.into());
    let back = group(4, &[(OLD, 4, 0)]);
    let Progress::End { phase: Phase::RolledBack, why } = after(2000, &operation, &back, Some(&done), &[])
    else {
        panic!("it is back")
    };
    assert!(why.contains(NEW) && why.contains(" b,"), "{why}");
}

#[test]
fn a_zone_is_told_of_where_there_is_no_way_back() {
    let mut refused = retype(4, Phase::Accepted);
    refused.zones.served = vec!["b".to_owned()];
    let mut undone = refused.clone();
    undone.reason = Reason::UndoneTypeChange;
    (refused.attempts, refused.failure) = (3, Some("no permission".to_owned()));
    let mut done = refresh(ReplacementStatus::Successful);
    done.ended = Some(at(900));
    let there = group(4, &[(NEW, 4, 0)]);
    for (operation, phase, word) in
        [(refused, Phase::Failed, "no permission"), (undone, Phase::Verified, "had served before")]
    {
        let progress = without_zones(&["b"], 1081, &operation, &there, &done);
        let Progress::End { phase: last, why } = progress else { panic!("{progress:?}") };
        assert_eq!(last, phase, "{why}");
        assert!(why.contains(" b,") && why.contains(word), "{why}");
    }
}

#[test]
fn a_way_back_ends_when_nothing_of_the_change_is_left() {
    let operation = retype(4, Phase::RollingBack);
    let running = refresh(ReplacementStatus::RollbackInProgress);
    let done = refresh(ReplacementStatus::RollbackSuccessful);
    let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
    let back = group(4, &[(OLD, 4, 0)]);
    assert_eq!(after(900, &operation, &mixed, Some(&running), &[]), Progress::Wait);
    assert_eq!(ended(&after(900, &operation, &back, Some(&done), &[])), Some(Phase::RolledBack));
    let third = group(4, &[(OLD, 3, 0), ("m6i.xlarge", 1, 0)]);
    let progress = after(900, &operation, &third, Some(&done), &[]);
    assert_eq!(ended(&progress), Some(Phase::RolledBack), "a type that was there before stays");
}

#[test]
fn a_way_back_of_the_platform_that_fails_is_followed_by_ours() {
    let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
    let mut operation = retype(4, Phase::RollingBack);
    for status in [ReplacementStatus::RollbackFailed, ReplacementStatus::Cancelled] {
        let progress = after(900, &operation, &mixed, Some(&refresh(status)), &[]);
        assert_eq!(progress, Progress::Act(Step::StartReplacement { types: vec![OLD.into()] }), "{status:?}");
    }
    operation.attempts = 3;
    let failed = refresh(ReplacementStatus::RollbackFailed);
    assert_eq!(ended(&after(900, &operation, &mixed, Some(&failed), &[])), Some(Phase::Failed));
}

#[test]
fn our_way_back_that_fails_is_the_end() {
    let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
    for status in [ReplacementStatus::Failed, ReplacementStatus::Cancelled] {
        let mut back = refresh(status);
        back.target_type = Some(OLD.into());
        let progress = after(900, &retype(4, Phase::RollingBack), &mixed, Some(&back), &[]);
        assert_eq!(ended(&progress), Some(Phase::Failed), "{status:?}");
    }
}

#[test]
fn a_way_back_whose_answer_was_lost_is_adopted() {
    let mut back = refresh(ReplacementStatus::InProgress);
    back.id = "refresh-2".to_owned();
    back.target_type = Some(OLD.into());
    let mixed = group(4, &[(OLD, 2, 0), (NEW, 2, 0)]);
    let progress = after(900, &retype(4, Phase::Accepted), &mixed, Some(&back), &[]);
    let adopted = Progress::Adopt { platform_id: "refresh-2".to_owned(), phase: Phase::RollingBack };
    assert_eq!(progress, adopted);
}

#[test]
fn an_older_replacement_is_not_taken_for_a_newer_one_right_after_the_request() {
    for target in [OLD, NEW, "c7i.xlarge"] {
        let mut older = refresh(ReplacementStatus::Successful);
        older.id = "refresh-0".to_owned();
        older.target_type = Some(target.into());
        let old = group(4, &[(OLD, 4, 0)]);
        let progress = after(30, &retype(4, Phase::Accepted), &old, Some(&older), &[]);
        assert_eq!(progress, Progress::Wait, "{target}");
    }
}

#[test]
fn another_replacement_that_follows_supersedes() {
    for phase in [Phase::Accepted, Phase::RollingBack] {
        let mut other = refresh(ReplacementStatus::InProgress);
        other.id = "another".to_owned();
        other.target_type = Some("c7i.xlarge".into());
        let mixed = group(4, &[(NEW, 2, 0), (OLD, 2, 0)]);
        let progress = after(900, &retype(4, phase), &mixed, Some(&other), &[]);
        assert_eq!(ended(&progress), Some(Phase::Superseded), "{phase:?}");
    }
}

#[test]
fn an_instance_that_was_left_out_for_its_protection_does_not_keep_it_open() {
    let done = refresh(ReplacementStatus::Successful);
    let mut left = group(4, &[(NEW, 3, 0), (OLD, 1, 0)]);
    left.replicas[1].protected = 1;
    let progress = after(900, &retype(4, Phase::Accepted), &left, Some(&done), &[]);
    assert_eq!(ended(&progress), Some(Phase::Verified));
}

#[test]
fn an_instance_that_was_left_out_for_no_visible_reason_fails_it_once_the_group_has_settled() {
    let mut done = refresh(ReplacementStatus::Successful);
    done.ended = Some(at(900));
    let left = group(4, &[(NEW, 3, 0), (OLD, 1, 0)]);
    let operation = retype(4, Phase::Accepted);
    assert_eq!(after(960, &operation, &left, Some(&done), &[]), Progress::Wait, "about to terminate");
    assert_eq!(ended(&after(1081, &operation, &left, Some(&done), &[])), Some(Phase::Failed));
    done.ended = None;
    assert_eq!(ended(&after(3601, &operation, &left, Some(&done), &[])), Some(Phase::Failed));
}

#[test]
fn a_way_back_that_the_platform_refuses_becomes_a_stop_and_then_our_own_way_back() {
    let mut operation = retype(4, Phase::Accepted);
    let running = refresh(ReplacementStatus::InProgress);
    let hopeless = [failure(LaunchFailureKind::Quota)];
    let old = group(4, &[(OLD, 4, 1)]);
    for (attempts, asked) in
        [(0, Step::RollBackReplacement), (1, Step::CancelReplacement), (2, Step::CancelReplacement)]
    {
        operation.attempts = attempts;
        assert_eq!(after(900, &operation, &old, Some(&running), &hopeless), Progress::Act(asked));
    }
    operation.attempts = 3;
    let progress = after(900, &operation, &old, Some(&running), &hopeless);
    assert_eq!(progress, Progress::Wait, "watched while it runs: nothing is taken away meanwhile");
    let ended_so = refresh(ReplacementStatus::Failed);
    let mixed = group(4, &[(OLD, 3, 0), (NEW, 1, 0)]);
    assert_eq!(ended(&after(900, &operation, &mixed, Some(&ended_so), &hopeless)), Some(Phase::Failed));
}

#[test]
fn a_third_start_whose_answer_was_lost_is_adopted_and_not_given_up() {
    let mut operation = retype(4, Phase::Planned);
    operation.attempts = 3;
    let running = refresh(ReplacementStatus::InProgress);
    let progress = after(30, &operation, &group(4, &[(OLD, 4, 0)]), Some(&running), &[]);
    assert_eq!(progress, Progress::Adopt { platform_id: "refresh-1".to_owned(), phase: Phase::Accepted });
    assert_eq!(ended(&after(30, &operation, &group(4, &[(OLD, 4, 0)]), None, &[])), Some(Phase::Failed));
}

#[test]
fn one_that_the_platform_does_not_show_is_told_by_the_group_and_watched_for_an_hour() {
    let mixed = group(4, &[(NEW, 3, 0), (OLD, 1, 0)]);
    let operation = retype(4, Phase::Accepted);
    assert_eq!(after(600, &operation, &mixed, None, &[]), Progress::Wait);
    assert_eq!(ended(&after(3601, &operation, &mixed, None, &[])), Some(Phase::Failed));
    let there = group(4, &[(NEW, 4, 0)]);
    assert_eq!(ended(&after(600, &operation, &there, None, &[])), Some(Phase::Verified));
}

#[test]
fn an_old_plan_that_has_come_true_is_verified() {
    let there = group(4, &[(NEW, 4, 0)]);
    let progress = after(600, &retype(4, Phase::Planned), &there, None, &[]);
    assert_eq!(
        ended(&progress),
        Some(Phase::Verified),
        "the answer was lost, and so was every look meanwhile"
    );
}

#[test]
fn launches_of_the_former_type_that_failed_before_or_go_on_failing_are_no_reason_to_go_back() {
    let operation = retype(4, Phase::Accepted);
    let running = refresh(ReplacementStatus::InProgress);
    let mut failures = vec![failure(LaunchFailureKind::Capacity); 3];
    for (seconds, kind) in [(0, Some(NEW)), (0, None), (60, Some(OLD))] {
        for failure in &mut failures {
            (failure.at, failure.instance_type) = (at(seconds), kind.map(Into::into));
        }
        let progress = after(120, &operation, &group(7, &[(OLD, 4, 0)]), Some(&running), &failures);
        assert_eq!(progress, Progress::Wait, "{kind:?} at {seconds}");
    }
}
