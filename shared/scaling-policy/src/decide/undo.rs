//! The guard after a type change: a load that got worse than the change explains takes it back.
//!
//! What the change explains: load is inversely proportional to the capacity that serves, and proportional to the
//! requests where those are bound. A type whose vCPU do less than the former's shows as more load than that.

use super::Inputs;
use super::candidates::{fewest, may_replace};
use super::draft::{Draft, retype_draft};
use crate::decision::Reason;
use crate::operation::{Before, Operation, OperationKind, Phase};
use crate::snapshot::{Snapshot, TypeOffer};
use crate::trigger::PerTrigger;

/// How much more load than explained is worse, and no noise: a quarter.
const WORSE: f64 = 1.25;

/// The way back from a type change that ended within the last window, where the load is at its limit and worse than
/// the change explains.
pub(super) fn worse_after_type_change(inputs: &Inputs<'_>) -> Option<Draft> {
    let (state, group) = (inputs.state, &inputs.snapshot.group);
    let done = state.type_change.as_ref().filter(|done| is_recent(inputs, done))?;
    let OperationKind::Retype { from, .. } = &done.kind else { return None };
    let (_, load) = inputs.demand.highest_load().filter(|(_, load)| *load >= 1.0)?;
    let expected = expected_load(done.before.as_ref()?, inputs.snapshot)?;
    if load <= expected * WORSE || group.arriving() > 0 || group.launch_type.name == *from {
        return None;
    }
    let offer = inputs.snapshot.ladder.iter().find(|offer| offer.name == *from)?;
    let replicas = fewest(inputs, offer).or_else(|| as_many(inputs, offer))?;
    Some(retype_draft(inputs, offer, replicas, Reason::UndoneTypeChange, true))
}

/// The present count of the former type, where that takes nothing away of what the load needs. The demand is what a
/// worse type makes of it, so that it may be too much for every count of the former one, which carried the same load; but a
/// load that has grown since would meet a smaller type than the one that does not carry it.
fn as_many(inputs: &Inputs<'_>, former: &TypeOffer) -> Option<u32> {
    let group = &inputs.snapshot.group;
    let memory = inputs.demand.replicas_for_memory(inputs.config, former, 1.0);
    let holds = former.vcpu >= group.launch_type.vcpu && memory.is_some_and(|least| least <= group.desired);
    (holds && may_replace(inputs, former, group.desired)).then_some(group.desired)
}

/// Whether it ended well within one window, and the readings of one period more; and is not itself a way back.
fn is_recent(inputs: &Inputs<'_>, done: &Operation) -> bool {
    let window = inputs.config.stabilization_window(inputs.learned.boot_time());
    let long = window + inputs.config.evaluation_period;
    done.phase == Phase::Verified
        && done.reason != Reason::UndoneTypeChange
        && done.ended_at.is_some_and(|end| inputs.now.duration_since(end).as_secs_f64() <= long.as_secs_f64())
}

fn expected_load(before: &Before, now: &Snapshot) -> Option<f64> {
    let vcpu = now.group.serving_vcpu().0;
    let more = match (before.requests, requests(now)) {
        (Some(then), Some(now)) if then > 0.0 => now / then,
        _ => 1.0,
    };
    (vcpu > 0.0).then(|| before.load * before.serving_vcpu / vcpu * more)
}

/// Requests per minute of the whole group, where they are bound and known.
fn requests(snapshot: &Snapshot) -> Option<f64> {
    snapshot.readings.request_count.value()
}

impl Before {
    /// What a type change starts from; `None` where no trigger has a reading.
    pub fn of(loads: &PerTrigger<Option<f64>>, snapshot: &Snapshot) -> Option<Self> {
        let known = crate::trigger::Trigger::ALL.into_iter().filter_map(|trigger| loads[trigger]);
        let load = known.reduce(f64::max)?;
        let serving_vcpu = snapshot.group.serving_vcpu().0;
        Some(Self { load, serving_vcpu, requests: requests(snapshot) })
    }
}
