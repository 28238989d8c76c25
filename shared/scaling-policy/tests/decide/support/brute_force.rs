//! The best pair of type and count, by trying them all.

use std::ops::RangeInclusive;

use scaling_policy::Decision;
use scaling_policy::snapshot::TypeOffer;

use super::case::Case;

/// Every count that the configuration allows.
pub(crate) fn every_count(case: &Case) -> RangeInclusive<u32> {
    case.config.replicas.min..=case.config.replicas.max
}

/// The pair that costs least over every type of the ladder and these counts; `None` where none carries the load.
pub(crate) fn brute_force(
    case: &Case,
    decision: &Decision,
    counts: RangeInclusive<u32>,
) -> Option<(String, u32, f64)> {
    let mut best: Option<(String, u32, f64)> = None;
    for offer in case.snapshot.ladder.iter() {
        for replicas in counts.clone() {
            if !carries(case, decision, offer, replicas) {
                continue;
            }
            let total = offer.price.0 * f64::from(replicas) + change_cost(case, offer, replicas);
            if best.as_ref().is_none_or(|(.., least)| total < *least) {
                best = Some((offer.name.to_string(), replicas, total));
            }
        }
    }
    best
}

/// Busy vCPU at 60 % and memory at 60 % of the type, from the case's own readings.
fn carries(case: &Case, decision: &Decision, offer: &TypeOffer, replicas: u32) -> bool {
    let wanted = decision.wanted;
    // Planning by CPU alone is the same for every size; the latency curve lets small types do less.
    let usable =
        case.learned.response.usable(offer.vcpu.0).map_or(0.6, |usable| (usable * 0.95 * 0.9).min(0.6));
    let vcpu = wanted.vcpu.0 * 0.6 / usable;
    f64::from(replicas) * offer.vcpu.0 >= vcpu - 1e-6
        && wanted.memory_per_replica(replicas).0 <= offer.memory.0
}

/// The present fleet for a boot time beside the new one, and what is too much of the new one until it is let go, a
/// quarter a step; over a day.
fn change_cost(case: &Case, offer: &TypeOffer, replicas: u32) -> f64 {
    let group = &case.snapshot.group;
    if offer.name == group.launch_type.name {
        return 0.0;
    }
    let hours = case.learned.boot_time().as_secs_f64() / 3600.0;
    let mut surplus = 0.0;
    let mut have = group.desired;
    while have > replicas {
        surplus += f64::from(have - replicas);
        have = (have * 3).div_ceil(4).min(have - 1).max(replicas);
    }
    (group.cost().0 + surplus * offer.price.0) * hours / 24.0
}
