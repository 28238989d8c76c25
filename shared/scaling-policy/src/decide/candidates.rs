//! Pricing of (type, replicas) pairs: one function values every pair that carries the wanted capacity.

use scaling_fleet::{TypeName, UsdPerHour};

use super::Inputs;
use super::demand::count;
use super::draft::{Draft, Retype};
use super::release;
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

    /// As the explanation shows it.
    pub(crate) fn alternative(&self) -> Alternative {
        Alternative {
            instance_type: self.offer.name.clone(),
            replicas: self.replicas,
            cost: UsdPerHour(self.cost),
            change_cost: UsdPerHour(self.change),
        }
    }
}

/// Values (type, replicas) pairs; what does not depend on the pair is worked out once.
pub(crate) struct Pricing<'a> {
    inputs: &'a Inputs<'a>,
    /// What it costs to run the present fleet beside the new one for a boot time, in USD.
    overlap_usd: f64,
    /// Time between two steps down, in hours.
    step_hours: f64,
    /// vCPU that no type can carry the load with fewer of.
    least_vcpu: f64,
    /// The counts that a release goes through, from the present one down to the least allowed: the same for every type.
    counts_down: Vec<u32>,
}

impl<'a> Pricing<'a> {
    pub(crate) fn of(inputs: &'a Inputs<'a>) -> Self {
        let boot_time = inputs.learned.boot_time();
        let step = release::scale_down_delay(inputs.config, inputs.learned, inputs.state);
        Self {
            inputs,
            overlap_usd: inputs.snapshot.group.cost().0 * boot_time.as_secs_f64() / 3600.0,
            step_hours: step.as_secs_f64() / 3600.0,
            least_vcpu: inputs.demand.least_vcpu(inputs.config),
            counts_down: counts_down(inputs),
        }
    }

    /// Values what `replicas_of` gives of `offer`, if it costs less than `limit`. Most of a long ladder is seen to be
    /// too dear from the price of a vCPU, and nothing else is worked out.
    pub(crate) fn price_below<'b>(
        &self,
        limit: f64,
        offer: &'b TypeOffer,
        replicas_of: impl Fn(&TypeOffer) -> Option<u32>,
    ) -> Option<Candidate<'b>> {
        let running = |replicas: u32| offer.price.0 * f64::from(replicas);
        if running(self.inputs.bounds.min) >= limit || offer.price.0 * self.least_vcpu >= limit * offer.vcpu.0
        {
            return None;
        }
        let replicas = replicas_of(offer).filter(|replicas| running(*replicas) < limit)?;
        if !self.is_present(offer) && running(replicas) + self.overlap_usd / EXPECTED_LIFE_HOURS >= limit {
            return None;
        }
        Some(self.price(offer, replicas)).filter(|candidate| candidate.total() < limit)
    }

    /// Whether it is the type that the group has: then nothing has to be replaced.
    fn is_present(&self, offer: &TypeOffer) -> bool {
        offer.is_same_type(&self.inputs.snapshot.group.launch_type)
    }

    /// Values `replicas` of `offer`. A change of count is nearly free. A change of type is rolling: for a boot time
    /// the present fleet runs beside the new one, which begins with no fewer replicas than there are, and comes down
    /// to `replicas` step by step.
    pub(crate) fn price<'b>(&self, offer: &'b TypeOffer, replicas: u32) -> Candidate<'b> {
        let cost = offer.price.0 * f64::from(replicas);
        if self.is_present(offer) {
            return Candidate { offer, replicas, cost, change: 0.0 };
        }
        let too_many = self.counts_down.iter().take_while(|have| **have > replicas);
        let surplus_steps: f64 = too_many.map(|have| f64::from(have - replicas)).sum();
        let change = self.overlap_usd + surplus_steps * self.step_hours * offer.price.0;
        Candidate { offer, replicas, cost, change: change / EXPECTED_LIFE_HOURS }
    }
}

fn counts_down(inputs: &Inputs<'_>) -> Vec<u32> {
    let step = |have: &u32| Some(release::one_step_down(inputs.config, *have)).filter(|next| next < have);
    let counts = std::iter::successors(Some(inputs.snapshot.group.desired), step);
    counts.take_while(|have| *have > inputs.bounds.min).collect()
}

/// The fewest replicas of a type, within the bounds, that carry the demand: `None` where none do. Without a reading of a
/// bound metric the demand is only a part of it: then another type has to take nothing away.
pub(crate) fn fewest(inputs: &Inputs<'_>, offer: &TypeOffer) -> Option<u32> {
    let mut needed = inputs.demand.replicas_of(inputs.config, offer)?.max(inputs.bounds.min);
    if inputs.demand.missing.is_some() {
        needed = needed.max(without_loss(inputs, offer)?);
    }
    (needed <= inputs.bounds.max).then_some(needed)
}

/// Replicas of a type that have together as many vCPU as what the group has ordered; `None` where each would have less
/// memory. What every replica holds does not get less with more of them.
fn without_loss(inputs: &Inputs<'_>, offer: &TypeOffer) -> Option<u32> {
    let group = &inputs.snapshot.group;
    let present = &group.launch_type;
    if offer.is_same_type(present) {
        return Some(0);
    }
    let vcpu = present.vcpu.0 * f64::from(group.desired);
    (offer.memory >= present.memory).then(|| count(vcpu / offer.vcpu.0))
}

/// Whether a change to `replicas` of a type may be made: with every reading yes, otherwise where it takes nothing away.
pub(crate) fn may_replace(inputs: &Inputs<'_>, offer: &TypeOffer, replicas: u32) -> bool {
    inputs.demand.missing.is_none() || without_loss(inputs, offer).is_some_and(|least| least <= replicas)
}

/// The cheapest candidates over the ladder, at most `most`, each with the replicas that `replicas_of` gives it, by total. Of
/// equals the first in the ladder comes first, which is the smallest: small replicas follow a load more closely.
/// `replicas_of` gives at least what carries the load.
pub(crate) fn cheapest<'a>(
    inputs: &Inputs<'a>,
    most: usize,
    is_asked: impl Fn(&TypeOffer) -> bool,
    replicas_of: impl Fn(&TypeOffer) -> Option<u32>,
) -> Vec<Candidate<'a>> {
    let snapshot: &'a crate::Snapshot = inputs.snapshot;
    let pricing = Pricing::of(inputs);
    let mut best: Vec<Candidate<'a>> = Vec::with_capacity(most + 1);
    for offer in snapshot.ladder.iter().filter(|offer| is_asked(offer)) {
        let limit = best.last().filter(|_| best.len() == most).map_or(f64::INFINITY, Candidate::total);
        let Some(candidate) = pricing.price_below(limit, offer, &replicas_of) else { continue };
        let position = best.partition_point(|better| better.total() <= candidate.total());
        best.insert(position, candidate);
        best.truncate(most);
    }
    best
}

/// Other types for when the chosen one has no capacity: they carry the load with no more replicas than will run, by
/// price. Never the present type.
pub(crate) fn fallbacks(inputs: &Inputs<'_>, chosen: &TypeOffer, replicas: u32) -> Vec<TypeName> {
    const MOST: usize = 3;
    let present = &inputs.snapshot.group.launch_type;
    let least_vcpu = inputs.demand.least_vcpu(inputs.config);
    let mut cheapest: Vec<&TypeOffer> = Vec::with_capacity(MOST + 1);
    for offer in inputs.snapshot.ladder.iter() {
        let dear = cheapest.len() == MOST && cheapest.last().is_some_and(|last| offer.price >= last.price);
        if dear || offer.is_same_type(chosen) || offer.is_same_type(present) {
            continue;
        }
        let may_carry = offer.vcpu.0 * f64::from(replicas) >= least_vcpu;
        if may_carry && fewest(inputs, offer).is_some_and(|fewest| fewest <= replicas) {
            let position = cheapest.partition_point(|better| better.price <= offer.price);
            cheapest.insert(position, offer);
            cheapest.truncate(MOST);
        }
    }
    cheapest.into_iter().map(|offer| offer.name.clone()).collect()
}

/// The cheapest pairs that were not chosen, for the explanation. Only where a change was drafted: a quiet hold has
/// nothing to explain, and this is most of a decision's time.
pub(crate) fn alternatives(inputs: &Inputs<'_>, draft: &Draft) -> Vec<Alternative> {
    let chosen = match &draft.retype {
        Some(Retype { alternatives: Some(known), .. }) => return known.clone(),
        Some(retype) => &retype.to,
        None if draft.replicas == inputs.snapshot.group.desired => return Vec::new(),
        None => &inputs.snapshot.group.launch_type,
    };
    let is_other = |offer: &TypeOffer| !offer.is_same_type(chosen);
    let others = cheapest(inputs, Decision::MAX_ALTERNATIVES, is_other, |offer| fewest(inputs, offer));
    others.iter().map(Candidate::alternative).collect()
}
