//! What a group's state keeps of changes that the platform has accepted.

use std::time::Duration;

use jiff::Timestamp;

use super::{Operation, OperationId, OperationKind, OperationState, Phase};
use crate::decision::{Action, Decision, Reason};

/// After this long without an undone scale-down its delay is the plain one again.
const DOUBLINGS_KEPT: Duration = Duration::from_secs(86_400);

/// What an accepted change of desired capacity changes beside the operation itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    known_desired: Option<u32>,
    last_up: Option<Timestamp>,
    last_down: Option<Timestamp>,
    undone: Option<Timestamp>,
}

impl Changes {
    /// A change of the count, accepted at `now`.
    pub fn scaled(from: u32, to: u32, reason: &Reason, now: Timestamp) -> Self {
        Self {
            known_desired: Some(to),
            last_up: (to > from).then_some(now),
            last_down: (to <= from).then_some(now),
            undone: (*reason == Reason::UndoneScaleDown).then_some(now),
        }
    }

    /// More replicas before a replacement, accepted at `now`.
    pub fn raised(desired: u32, now: Timestamp) -> Self {
        Self { known_desired: Some(desired), last_up: Some(now), ..Self::default() }
    }

    /// Writes them into the state.
    pub fn apply(self, state: &mut OperationState) {
        state.known_desired = self.known_desired.or(state.known_desired);
        state.last_up = self.last_up.or(state.last_up);
        state.last_down = self.last_down.or(state.last_down);
        if self.undone.is_some() {
            state.last_undone = self.undone;
            state.down_delay_doublings = state.down_delay_doublings.saturating_add(1);
        }
    }
}

impl OperationState {
    /// Makes the delay of scale-downs the plain one again, a day after one was last undone.
    pub fn forget_undone(&mut self, now: Timestamp) {
        let is_old = |undone| now.duration_since(undone).as_secs_f64() > DOUBLINGS_KEPT.as_secs_f64();
        if self.down_delay_doublings > 0 && self.last_undone.is_none_or(is_old) {
            self.down_delay_doublings = 0;
        }
    }

    /// Takes a decision as asked for and accepted at its own moment, as `platform_id` where it is a replacement: for
    /// simulations and replays, which have no platform that could refuse.
    pub fn follow(&mut self, decision: &Decision, valid_for: Duration, platform_id: &str) {
        let Some(mut operation) = Operation::planned(decision, OperationId(String::new()), valid_for) else {
            return;
        };
        operation.phase = Phase::Accepted;
        operation.accepted_at = Some(decision.at);
        match (&operation.kind, &decision.action) {
            (OperationKind::Scale { from, to }, _) => {
                Changes::scaled(*from, *to, &decision.reason, decision.at).apply(self);
                self.operation = Some(operation);
            }
            (OperationKind::Retype { replicas, .. }, Action::Retype { from_replicas, .. }) => {
                if replicas > from_replicas {
                    Changes::raised(*replicas, decision.at).apply(self);
                }
                operation.platform_id = Some(platform_id.to_owned());
                self.type_change = Some(operation);
            }
            (OperationKind::Retype { .. }, Action::Hold | Action::Scale { .. }) => {}
        }
    }
}
