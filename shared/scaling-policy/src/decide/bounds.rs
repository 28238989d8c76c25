//! The bounds on the count: the configuration's, by its calendar, a person's temporary ones, and the group's own, which win because
//! the platform would refuse anything else.

use jiff::Timestamp;

use crate::config::GroupConfig;
use crate::decision::Reason;
use crate::operation::OperationState;
use crate::snapshot::Snapshot;

/// Fewest and most replicas that may be asked for. `min <= max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
    configured: (u32, u32),
}

impl Bounds {
    /// The intersection that holds at `now`. Where the configuration and the group have nothing in common, the
    /// group's nearest bound is both.
    pub fn of(config: &GroupConfig, state: &OperationState, snapshot: &Snapshot, now: Timestamp) -> Self {
        let (min, max) = Self::without_group(config, state, now);
        let group = &snapshot.group;
        let limit = |value: u32| value.max(group.min).min(group.max);
        Self { min: limit(min), max: limit(max), configured: (min, max) }
    }

    /// Fewest and most replicas by configuration, calendar and override, whatever the group's own bounds are.
    pub fn without_group(config: &GroupConfig, state: &OperationState, now: Timestamp) -> (u32, u32) {
        let configured = config.replicas_at(now);
        let temporary = state.temporary.as_ref().filter(|temporary| temporary.until > now);
        let min = temporary.and_then(|temporary| temporary.min).unwrap_or(configured.min);
        let max = temporary.and_then(|temporary| temporary.max).unwrap_or(configured.max);
        (min, if temporary.is_some() { max.max(min) } else { max })
    }

    /// The nearest count inside, and the reason where that is another.
    pub fn clamp(&self, replicas: u32) -> (u32, Option<Reason>) {
        let inside = replicas.clamp(self.min, self.max);
        if inside == replicas {
            return (inside, None);
        }
        let by_config = replicas.clamp(self.configured.0, self.configured.1) == inside;
        (inside, Some(if by_config { Reason::ClampedByConfig } else { Reason::ClampedByGroup }))
    }
}
