//! From a decision to the operation that carries it out.

use std::time::Duration;

use super::{Operation, OperationId, OperationKind, Phase, Zones};
use crate::decision::{Action, Decision};

impl OperationKind {
    /// What carries an action out; `None` for a hold.
    pub fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Hold => None,
            Action::Scale { from, to } => Some(Self::Scale { from: *from, to: *to }),
            Action::Retype { from, to, fallbacks, to_replicas, .. } => Some(Self::Retype {
                from: from.clone(),
                to: to.clone(),
                fallbacks: fallbacks.clone(),
                replicas: *to_replicas,
            }),
        }
    }
}

impl Operation {
    /// The operation that a decision calls for, written and not asked for yet; `None` for a hold. Unasked it is good for
    /// `valid_for`: the group's evaluation period.
    pub fn planned(decision: &Decision, id: OperationId, valid_for: Duration) -> Option<Self> {
        Some(Self {
            id,
            kind: OperationKind::of(&decision.action)?,
            phase: Phase::Planned,
            reason: decision.reason.clone(),
            config_version: decision.config_version,
            planned_at: decision.at,
            valid_for,
            accepted_at: None,
            ended_at: None,
            platform_id: None,
            attempts: 0,
            not_before: None,
            conflicting_since: None,
            unread_since: None,
            failure: None,
            before: None,
            zones: Zones::default(),
        })
    }
}
