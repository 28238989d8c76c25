//! Limits over all groups of a tick together.

use crate::config::FleetLimits;
use crate::decision::{Action, Decision};

/// Says of each decision whether it may be carried out now. The decisions' order is their precedence: the caller puts
/// those held last time first. Holds and decisions that take capacity away cost nothing of the money limit; every
/// change counts for the number of groups.
pub fn admit(decisions: &[&Decision], limits: FleetLimits) -> Vec<bool> {
    let mut changed = 0_u32;
    let mut added = 0.0_f64;
    decisions
        .iter()
        .map(|decision| {
            if matches!(decision.action, Action::Hold) {
                return true;
            }
            let cost = (decision.cost_after.0 - decision.cost_before.0).max(0.0);
            let room = limits.max_groups_changed.is_none_or(|most| changed < most);
            // A first change is let through whatever it costs: a limit below one machine must not stop everything.
            let money = limits.max_added_cost.is_none_or(|most| added <= 0.0 || added + cost <= most.0);
            if room && (money || cost <= 0.0) {
                changed += 1;
                added += cost;
                true
            } else {
                false
            }
        })
        .collect()
}
