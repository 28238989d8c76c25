//! What holds for every operation and every group.

use proptest::prelude::*;
use scaling_policy::operation::{LaunchFailureKind, OperationKind, Phase, Progress, Step};
use scaling_policy::snapshot::ReplacementStatus;

use crate::support::{NEW, OLD, after, failure, group, refresh, retype, scale};

fn status() -> impl Strategy<Value = ReplacementStatus> {
    use ReplacementStatus::{
        Baking, Cancelled, Cancelling, Failed, InProgress, Pending, RollbackFailed, RollbackInProgress,
        RollbackSuccessful, Successful,
    };
    prop::sample::select(vec![
        Pending,
        InProgress,
        Successful,
        Failed,
        Cancelling,
        Cancelled,
        RollbackInProgress,
        RollbackFailed,
        RollbackSuccessful,
        Baking,
    ])
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![Phase::Planned, Phase::Accepted, Phase::RollingBack])
}

fn failures() -> impl Strategy<Value = Vec<LaunchFailureKind>> {
    use LaunchFailureKind::{Capacity, Other, Quota, Template};
    prop::collection::vec(prop::sample::select(vec![Capacity, Quota, Template, Other]), 0..4)
}

proptest! {
    /// The same question has the same answer, an end is never an open phase, and a step states a wanted value that
    /// never takes capacity away from a group whose type is being changed.
    #[test]
    fn every_answer_is_sound(
        is_scale in any::<bool>(), phase in phase(), from in 1..20_u32, to in 1..20_u32, desired in 1..20_u32,
        old in 0..20_u32, new in 0..20_u32, pending in 0..5_u32, seconds in 0..4000_i64,
        status in prop::option::of(status()), failures in failures(),
    ) {
        let operation = if is_scale { scale(from, to, phase) } else { retype(from, phase) };
        let group = group(desired, &[(OLD, old, 0), (NEW, new, pending)]);
        let replacement = status.map(refresh);
        let failures: Vec<_> = failures.into_iter().map(failure).collect();
        let answer = after(seconds, &operation, &group, replacement.as_ref(), &failures);
        prop_assert_eq!(&answer, &after(seconds, &operation, &group, replacement.as_ref(), &failures));
        match (&answer, &operation.kind) {
            (Progress::End { phase, .. }, _) => prop_assert!(!phase.is_open()),
            (Progress::Act(Step::SetDesired { desired: asked }), OperationKind::Retype { .. }) => {
                prop_assert!(*asked > desired);
            }
            (Progress::Act(Step::SetDesired { desired: asked }), OperationKind::Scale { to, .. }) => {
                prop_assert_eq!(asked, to);
            }
            (Progress::Act(Step::StartReplacement { types }), _) => prop_assert!(!types.is_empty()),
            _ => {}
        }
    }
}

proptest! {
    /// Nothing waits for ever: whatever the platform shows, an operation that nobody touches for two hours has ended,
    /// has something to ask for, or watches a replacement that runs.
    #[test]
    fn nothing_waits_for_ever(
        phase in phase(), old in 0..20_u32, new in 0..20_u32, third in 0..3_u32, protected in 0..3_u32,
        status in prop::option::of(status()), id in prop::sample::select(vec!["refresh-1", "refresh-2"]),
        target in prop::sample::select(vec![None, Some(OLD), Some(NEW), Some("c7i.xlarge")]),
        failures in failures(), attempts in 0..5_u8,
    ) {
        let mut operation = retype(4, phase);
        operation.attempts = attempts;
        let mut group = group(4, &[(OLD, old, 0), (NEW, new, 0), ("c7i.xlarge", third, 0)]);
        group.replicas[0].protected = protected.min(old);
        let replacement = status.map(|status| {
            let mut seen = refresh(status);
            (seen.id, seen.target_type) = (id.to_owned(), target.map(Into::into));
            seen
        });
        let failures: Vec<_> = failures.into_iter().map(failure).collect();
        let answer = after(7200, &operation, &group, replacement.as_ref(), &failures);
        let runs = replacement.is_some_and(|seen| seen.status.is_active());
        prop_assert!(answer != Progress::Wait || runs, "{:?}", answer);
    }
}
