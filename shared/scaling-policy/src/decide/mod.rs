//! The decision: a fixed list of small pure stages. The order here is the order of the documentation.
//!
//! loads and demand ([`demand`]) -> bounds ([`bounds`]) -> type candidates ([`candidates`]) -> draft (`draft`) ->
//! guards (`guards`) -> limits.

pub mod bounds;
pub mod candidates;
pub mod demand;
mod draft;
mod guards;
pub mod in_force;
mod release;
mod undo;

pub use guards::may_still_run;
pub use release::scale_down_delay;

use jiff::Timestamp;
use scaling_fleet::{Mebibytes, UsdPerHour, Vcpu};

use crate::config::GroupConfig;
use crate::decision::{Action, Decision, Reason, Wanted};
use crate::learned::Learned;
use crate::operation::OperationState;
use crate::snapshot::Snapshot;
use bounds::Bounds;
use demand::Demand;
use draft::Draft;

/// Everything the stages look at.
pub(crate) struct Inputs<'a> {
    pub(crate) config: &'a GroupConfig,
    pub(crate) learned: &'a Learned,
    pub(crate) state: &'a OperationState,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) now: Timestamp,
    pub(crate) bounds: Bounds,
    pub(crate) demand: Demand,
    /// The demand of those triggers that may ask, where it is another.
    pub(crate) asking: Option<Demand>,
}

impl Inputs<'_> {
    /// What capacity is added for.
    pub(crate) fn asked(&self) -> &Demand {
        self.asking.as_ref().unwrap_or(&self.demand)
    }
}

/// Decides what a group should be. Pure: the same input gives the same decision, and nothing is changed by asking.
///
/// `learned` has already taken `snapshot` in (see [`learn`](crate::learn)).
pub fn decide(
    config: &GroupConfig,
    learned: &Learned,
    state: &OperationState,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Decision {
    let demand = Demand::of(config, learned, state, snapshot);
    let asking = Demand::asking(config, learned, state, snapshot);
    let bounds = Bounds::of(config, state, snapshot, now);
    let inputs = Inputs { config, learned, state, snapshot, now, bounds, demand, asking };
    let wanted = wanted(&inputs);
    let draft = draft::draft(&inputs);
    let (draft, notes) = guards::guard(&inputs, draft);
    let action = action(&inputs, &draft);
    let cost_before = snapshot.group.cost();
    let cost_after = cost_after(&inputs, &draft, cost_before);
    let alternatives = candidates::alternatives(&inputs, &draft);
    Decision {
        group: config.name.clone(),
        at: now,
        config_version: config.version,
        action,
        reason: draft.reason,
        loads: inputs.demand.loads,
        driver: draft.driver.or_else(|| inputs.demand.highest_load().map(|(trigger, _)| trigger)),
        wanted,
        guards: notes,
        in_force: in_force::in_force(config, state, now),
        alternatives,
        cost_before,
        cost_after,
    }
}

fn wanted(inputs: &Inputs<'_>) -> Wanted {
    let (config, demand, offer) = (inputs.config, &inputs.demand, &inputs.snapshot.group.launch_type);
    let vcpu = demand.vcpu_on(config, offer.vcpu.0);
    let level = config.triggers.memory_usage.threshold * config.target_load;
    Wanted {
        vcpu: Vcpu(vcpu),
        memory_base: Mebibytes(demand.memory_base / level),
        memory_shared: Mebibytes(demand.memory_shared / level),
        forecast_vcpu: demand.ahead_vcpu_on(config, offer.vcpu.0).map(Vcpu),
        replicas: draft::needed(inputs, demand, offer),
    }
}

fn action(inputs: &Inputs<'_>, draft: &Draft) -> Action {
    let group = &inputs.snapshot.group;
    match &draft.retype {
        Some(retype) => Action::Retype {
            from: group.launch_type.name.clone(),
            to: retype.to.name.clone(),
            fallbacks: retype.fallbacks.clone(),
            from_replicas: group.desired,
            to_replicas: draft.replicas.max(group.desired),
        },
        None if draft.replicas != group.desired => Action::Scale { from: group.desired, to: draft.replicas },
        None => Action::Hold,
    }
}

fn cost_after(inputs: &Inputs<'_>, draft: &Draft, before: UsdPerHour) -> UsdPerHour {
    let group = &inputs.snapshot.group;
    match &draft.retype {
        Some(retype) => retype.to.price * f64::from(draft.replicas.max(group.desired)),
        None if draft.replicas == group.desired => before,
        None => {
            let change = f64::from(draft.replicas) - f64::from(group.desired);
            UsdPerHour((before.0 + change * group.launch_type.price.0).max(0.0))
        }
    }
}

/// Seconds of a span that has begun, rounded up; for the reasons.
fn seconds_left(until: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(until.duration_since(now).as_secs()).unwrap_or_default().saturating_add(1)
}

/// A hold that changes nothing, for the reasons that forbid everything.
fn stand_still(inputs: &Inputs<'_>, reason: Reason) -> Draft {
    Draft { replicas: inputs.snapshot.group.desired, retype: None, reason, driver: None, urgent: false }
}
