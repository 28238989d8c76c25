//! What a decision leaves in a group's state once it is followed.

use std::time::Duration;

use scaling_policy::config::Mode;
use scaling_policy::decision::{Action, Decision, Reason};
use scaling_policy::operation::OperationState;

use crate::support::case::Case;

const PERIOD: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn decided(action: Action, reason: Reason) -> Decision {
    Decision { action, reason, ..Case::of(Mode::Hybrid, 4, 0.5).decide() }
}

fn followed(decision: &Decision) -> OperationState {
    let mut state = OperationState::default();
    state.follow(decision, PERIOD, "refresh");
    state
}

#[test]
fn a_decision_that_is_followed_leaves_the_moments_that_the_guards_count_from() {
    let scale = |from, to| Action::Scale { from, to };
    let retype = |from_replicas, to_replicas| Action::Retype {
        from: "m7i.large".into(),
        to: "m7i.xlarge".into(),
        fallbacks: Vec::new(),
        from_replicas,
        to_replicas,
    };
    for (action, desired, is_up, is_down) in [
        (Action::Hold, None, false, false),
        (scale(2, 5), Some(5), true, false),
        (scale(5, 2), Some(2), false, true),
        (retype(4, 4), None, false, false),
        (retype(4, 6), Some(6), true, false),
    ] {
        let decision = decided(action.clone(), Reason::WithinTarget);
        let state = followed(&decision);
        assert_eq!(state.known_desired, desired, "{action:?}");
        assert_eq!(state.last_up, is_up.then_some(decision.at), "{action:?}");
        assert_eq!(state.last_down, is_down.then_some(decision.at), "{action:?}");
        assert_eq!(state.open_operation().is_some(), matches!(action, Action::Scale { .. }));
        assert_eq!(state.open_type_change().is_some(), matches!(action, Action::Retype { .. }));
    }
}

#[test]
fn a_scale_down_that_had_to_be_undone_doubles_the_delay_of_the_next_ones_for_a_day() {
    let decision = decided(Action::Scale { from: 2, to: 5 }, Reason::UndoneScaleDown);
    let mut state = followed(&decision);
    assert_eq!((state.down_delay_doublings, state.last_undone), (1, Some(decision.at)));
    state.forget_undone(decision.at + DAY);
    assert_eq!(state.down_delay_doublings, 1);
    state.forget_undone(decision.at + DAY + PERIOD);
    assert_eq!(state.down_delay_doublings, 0);
}
