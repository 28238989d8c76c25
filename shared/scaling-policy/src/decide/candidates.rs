//! Pricing of (type, replicas) pairs: one function values every pair that carries the wanted capacity.

use scaling_fleet::{TypeName, UsdPerHour};

use super::Inputs;
use super::draft::Draft;
use crate::decision::{Alternative, Decision};
use crate::snapshot::TypeOffer;

/// How long a choice of type is expected to last: what its change costs is spread over this.
const EXPECTED_LIFE_HOURS: f64 = 24.0;

/// A pair with its price.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) offer: &'a TypeOffer,
    pub(crate) replicas: u32,
    pub(crate) cost: f64,
    pub(crate) change: f64,
}

impl Candidate<'_> {
    /// What decides: running cost and the cost of getting there, in USD per hour.
    pub(crate) fn total(&self) -> f64 {
        self.cost + self.change
    }
}

/// Values `replicas` of `offer`. A change of count is nearly free. A change of type is rolling: for a boot time the
/// present fleet runs beside the new one, which begins with no fewer replicas than there are, and comes down to
/// `replicas` step by step.
pub(crate) fn price<'a>(inputs: &Inputs<'_>, offer: &'a TypeOffer, replicas: u32) -> Candidate<'a> {
    let cost = offer.price.0 * f64::from(replicas);
    let same = offer.name == inputs.snapshot.group.launch_type.name;
    let change = if same { 0.0 } else { change_usd(inputs, offer, replicas) / EXPECTED_LIFE_HOURS };
    Candidate { offer, replicas, cost, change }
}

/// What it costs, in USD, to come to `replicas` of another type.
fn change_usd(inputs: &Inputs<'_>, offer: &TypeOffer, replicas: u32) -> f64 {
    let boot_time = inputs.learned.boot_time();
    let hours = |time: std::time::Duration| time.as_secs_f64() / 3600.0;
    let overlap = inputs.snapshot.group.cost().0 * hours(boot_time);
    let step = inputs.config.cooldown_period(boot_time).max(super::draft::down_window(inputs));
    let mut surplus_steps = 0.0;
    let mut have = inputs.snapshot.group.desired;
    while have > replicas {
        surplus_steps += f64::from(have - replicas);
        have = super::draft::one_step_down(inputs.config, have).max(replicas);
    }
    overlap + surplus_steps * hours(step) * offer.price.0
}

/// The fewest replicas of a type, within the bounds, that carry the demand: `None` where none do.
pub(crate) fn fewest(inputs: &Inputs<'_>, offer: &TypeOffer) -> Option<u32> {
    let needed = inputs.demand.replicas_of(inputs.config, offer)?.max(inputs.bounds.min);
    (needed <= inputs.bounds.max).then_some(needed)
}

/// The cheapest candidate over the ladder, each with the replicas that `replicas_of` gives it, by total. Of equals the
/// first in the ladder, which is the smallest: small replicas follow a load more closely.
pub(crate) fn cheapest<'a>(
    inputs: &Inputs<'a>,
    replicas_of: impl Fn(&TypeOffer) -> Option<u32>,
) -> Option<Candidate<'a>> {
    let snapshot: &'a crate::Snapshot = inputs.snapshot;
    snapshot
        .ladder
        .iter()
        .filter_map(|offer| Some(price(inputs, offer, replicas_of(offer)?)))
        .min_by(|a, b| a.total().total_cmp(&b.total()))
}

/// Other types for when the chosen one has no capacity: they carry the load with no more replicas than will run, by
/// price. Never the present type.
pub(crate) fn fallbacks(inputs: &Inputs<'_>, chosen: &TypeOffer, replicas: u32) -> Vec<TypeName> {
    const MOST: usize = 3;
    let present = &inputs.snapshot.group.launch_type.name;
    let mut others: Vec<&TypeOffer> = inputs
        .snapshot
        .ladder
        .iter()
        .filter(|offer| offer.name != chosen.name && offer.name != *present)
        .filter(|offer| fewest(inputs, offer).is_some_and(|fewest| fewest <= replicas))
        .collect();
    others.sort_by(|a, b| a.price.0.total_cmp(&b.price.0));
    others.into_iter().take(MOST).map(|offer| offer.name.clone()).collect()
}

/// The cheapest pairs that were not chosen, for the explanation. Only where a change was drafted: a quiet hold has
/// nothing to explain, and this is most of a decision's time.
pub(crate) fn alternatives(inputs: &Inputs<'_>, draft: &Draft) -> Vec<Alternative> {
    if draft.replicas == inputs.snapshot.group.desired && draft.retype.is_none() {
        return Vec::new();
    }
    let chosen =
        draft.retype.as_ref().map_or(&inputs.snapshot.group.launch_type.name, |retype| &retype.to.name);
    let mut all: Vec<Candidate<'_>> = inputs
        .snapshot
        .ladder
        .iter()
        .filter(|offer| offer.name != *chosen)
        .filter_map(|offer| Some(price(inputs, offer, fewest(inputs, offer)?)))
        .collect();
    all.sort_by(|a, b| a.total().total_cmp(&b.total()));
    all.truncate(Decision::MAX_ALTERNATIVES);
    all.iter()
        .map(|candidate| Alternative {
            instance_type: candidate.offer.name.clone(),
            replicas: candidate.replicas,
            cost: UsdPerHour(candidate.cost),
            change_cost: UsdPerHour(candidate.change),
        })
        .collect()
}
