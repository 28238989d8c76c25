//! A group of instances under a load in virtual time, minute by minute, without any network: what a policy needs to be
//! tried on.
//!
//! [`ReplayedGroup`] does what an Auto Scaling group would: it launches and ends instances until it has what is
//! desired, and replaces them by another type with a surplus. [`track`] runs target tracking on one.

mod group;
mod minute;
mod totals;

pub use group::{ReplayedGroup, Scenario};
pub use minute::Minute;
pub use totals::Totals;

use crate::target_tracking::{self, Settings, TargetTracking};

/// Runs target tracking on mean CPU from the start of the scenario's load to its end.
///
/// The policy sees each minute as soon as it is complete, which is kinder than CloudWatch is.
pub fn track(scenario: &Scenario, settings: Settings) -> Totals {
    let mut group = ReplayedGroup::new(scenario);
    let mut policy = TargetTracking::new(settings);
    while group.now() < scenario.load.end() {
        let minute = group.advance_minute();
        let seen = target_tracking::Minute {
            metric: minute.cpu,
            in_service: group.serving(),
            pending: group.pending(),
        };
        if let Some(desired) = policy.observe(seen) {
            group.set_desired(desired);
        }
    }
    *group.totals()
}
