//! Limits over all groups of a tick together.

use crate::config::FleetLimits;
use crate::decision::{Action, Decision};

/// What was let through in the present window already.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Groups changed.
    pub changed: u32,
    /// Cost added, USD per hour.
    pub added: f64,
}

/// Says of each decision whether it may be carried out now. The decisions' order is their precedence: the caller puts
/// those held last time first. Holds and decisions that take capacity away cost nothing of the money limit; every
/// change counts for the number of groups. `spent` goes on from what the window has let through before.
pub fn admit(decisions: &[&Decision], limits: FleetLimits, spent: &mut Spent) -> Vec<bool> {
    decisions
        .iter()
        .map(|decision| {
            if matches!(decision.action, Action::Hold) {
                return true;
            }
            let cost = (decision.cost_after.0 - decision.cost_before.0).max(0.0);
            let room = limits.max_groups_changed.is_none_or(|most| spent.changed < most);
            // A first change is let through whatever it costs: a limit below one machine must not stop everything. Only 0
            // means none at all.
            let is_first = |most: f64| most > 0.0 && spent.added <= 0.0;
            let fits = |most: f64| is_first(most) || spent.added + cost <= most;
            let money = limits.max_added_cost.is_none_or(|most| fits(most.0));
            if room && (money || cost <= 0.0) {
                spent.changed += 1;
                spent.added += cost;
                true
            } else {
                false
            }
        })
        .collect()
}
