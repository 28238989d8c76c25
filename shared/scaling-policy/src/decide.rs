//! The fixed list of stages.

use jiff::Timestamp;

use crate::config::GroupConfig;
use crate::decision::{Action, Decision, Reason, Wanted};
use crate::learned::Learned;
use crate::operation::OperationState;
use crate::snapshot::Snapshot;
use crate::trigger::PerTrigger;

/// Decides what a group should be.
pub fn decide(
    config: &GroupConfig,
    _learned: &Learned,
    _state: &OperationState,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Decision {
    Decision {
        group: config.name.clone(),
        at: now,
        config_version: config.version,
        action: Action::Hold,
        reason: Reason::WithinTarget,
        loads: PerTrigger::default(),
        driver: None,
        wanted: Wanted::default(),
        guards: Vec::new(),
        alternatives: Vec::new(),
        cost_before: snapshot.group.cost(),
        cost_after: snapshot.group.cost(),
    }
}
