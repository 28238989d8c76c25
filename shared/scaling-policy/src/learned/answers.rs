//! Whether a trigger falls when it gets the capacity it asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Reason;
use crate::operation::{Operation, OperationKind, Phase};
use crate::trigger::Trigger;

/// Scale-ups without an answer after which a trigger stops asking.
const LIMIT: u8 = 2;

/// A load that fell by less than this share did not answer.
const FELL: f64 = 0.05;

/// How a trigger has answered to the scale-ups that it asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Scale-ups in a row after which it did not fall.
    pub unanswered: u8,
    /// The scale-up that is waited for: when it was planned, and the load then.
    waiting: Option<(Timestamp, f64)>,
    /// The last scale-up that was judged.
    judged: Option<Timestamp>,
}

impl Answer {
    /// It asked twice for capacity, got it, and did not fall: it is reported and no longer asks.
    pub fn is_muted(&self) -> bool {
        self.unanswered >= LIMIT
    }

    pub(super) fn observe(&mut self, load: Option<f64>, asked: Option<&Operation>) {
        let Some(load) = load else { return };
        // Below its limit it has nothing to ask for, and starts afresh.
        if load < 1.0 {
            *self = Self::default();
            return;
        }
        let Some(operation) = asked.filter(|operation| Some(operation.planned_at) > self.judged) else {
            return;
        };
        let before = match self.waiting {
            Some((planned, before)) if planned == operation.planned_at => before,
            _ => {
                self.waiting = Some((operation.planned_at, load));
                return;
            }
        };
        if operation.phase == Phase::Verified {
            let fell = load <= before * (1.0 - FELL);
            self.unanswered = if fell { 0 } else { self.unanswered.saturating_add(1) };
            self.judged = Some(operation.planned_at);
            self.waiting = None;
        }
    }
}

impl Operation {
    /// Whether it adds replicas because that trigger was over its limit.
    pub(super) fn is_scale_up_for(&self, asked_by: Trigger) -> bool {
        matches!(self.kind, OperationKind::Scale { from, to } if to > from)
            && matches!(self.reason, Reason::LoadHigh { trigger, .. } if trigger == asked_by)
    }
}
