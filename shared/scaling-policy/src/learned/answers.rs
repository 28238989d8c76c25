//! Whether a trigger falls when it gets the capacity it asked for.
//!
//! A load that grows as fast as capacity does not fall either, and that is no reason to stop asking. So a scale-up
//! counts as unanswered only where each vCPU is seen to have less to do than before it, and the trigger stays where it
//! was.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::usage::SATURATED;
use crate::config::GroupConfig;
use crate::decision::Reason;
use crate::operation::{Operation, OperationKind, Phase};
use crate::trigger::Trigger;

/// Scale-ups without an answer after which a trigger stops asking.
const LIMIT: u8 = 2;

/// A value that fell by less than this share did not fall.
const FELL: f64 = 0.05;

/// How a trigger has answered to the scale-ups that it asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Scale-ups in a row after which it did not fall.
    pub unanswered: u8,
    /// The scale-up that is waited for.
    waiting: Option<Waiting>,
    /// The last scale-up that was judged.
    judged: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Waiting {
    planned: Timestamp,
    before: Seen,
    served_from: Option<Timestamp>,
}

/// What is compared before and after a scale-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The trigger's load.
    pub(super) load: f64,
    /// What each vCPU has to do, in any unit; `None` where nothing but the trigger itself would tell.
    pub(super) pressure: Option<f64>,
    /// The trigger's reading is at its ceiling, where it cannot tell more from less.
    pub(super) at_ceiling: bool,
    /// When the period of the reading ended.
    pub(super) ended: Timestamp,
}

impl Answer {
    /// It asked twice for capacity, got it, and did not fall: it is reported and no longer asks.
    pub fn is_muted(&self) -> bool {
        self.unanswered >= LIMIT
    }

    pub(super) fn observe(&mut self, config: &GroupConfig, seen: Option<Seen>, asked: Option<&Operation>) {
        let Some(seen) = seen else { return };
        // Below its limit it has nothing to ask for, and starts afresh.
        if seen.load < 1.0 {
            *self = Self::default();
            return;
        }
        if let Some(operation) = asked {
            self.follow(operation, seen);
        }
        // A full period after the new replicas began to serve.
        let period = SignedDuration::try_from(config.evaluation_period).unwrap_or_default();
        if let Some(waiting) = self.waiting
            && waiting.served_from.is_some_and(|served| seen.ended >= served + period)
        {
            self.unanswered = match fell(waiting.before, seen) {
                Some(true) => 0,
                Some(false) => self.unanswered.saturating_add(1),
                None => self.unanswered,
            };
            self.judged = Some(waiting.planned);
            self.waiting = None;
        }
    }

    fn follow(&mut self, operation: &Operation, seen: Seen) {
        if self.waiting.is_none() && Some(operation.planned_at) > self.judged {
            self.waiting = Some(Waiting { planned: operation.planned_at, before: seen, served_from: None });
        }
        let served = operation.ended_at.filter(|_| operation.phase == Phase::Verified);
        if let Some(waiting) = self.waiting.as_mut().filter(|waiting| waiting.planned == operation.planned_at)
        {
            waiting.served_from = waiting.served_from.or(served);
        } else if operation.phase.is_open()
            && self.waiting.is_some_and(|waiting| waiting.served_from.is_none())
        {
            // The scale-up that was waited for has made way for this one.
            self.waiting = Some(Waiting { planned: operation.planned_at, before: seen, served_from: None });
        }
    }
}

/// Whether the trigger fell; `None` where the comparison tells nothing.
fn fell(before: Seen, after: Seen) -> Option<bool> {
    let kept = 1.0 - FELL;
    if after.load <= before.load * kept {
        return Some(true);
    }
    match (before.pressure, after.pressure) {
        (Some(before), Some(after)) => (after <= before * kept).then_some(false),
        // Only the trigger tells. That the load grew exactly as capacity did is unlikely, unless it is at its ceiling.
        _ => (!after.at_ceiling && after.load * kept <= before.load).then_some(false),
    }
}

/// Whether a CPU reading is at its ceiling.
pub(super) fn is_at_ceiling(trigger: Trigger, value: f64) -> bool {
    trigger == Trigger::CpuUsage && value >= SATURATED
}

impl Operation {
    /// Whether it adds replicas because that trigger was over its limit.
    pub(super) fn is_scale_up_for(&self, asked_by: Trigger) -> bool {
        matches!(self.kind, OperationKind::Scale { from, to } if to > from)
            && matches!(self.reason, Reason::LoadHigh { trigger, .. } if trigger == asked_by)
    }
}
