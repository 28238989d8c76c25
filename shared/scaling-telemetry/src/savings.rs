//! What a fleet of fixed size would cost: the figure that savings are against.

use scaling_fleet::{TypeName, UsdPerHour};
use scaling_policy::snapshot::TypeOffer;
use scaling_policy::{Learned, OperationState, Snapshot};

/// The cost of a fixed fleet of the reference type (the type at take-over), large enough for the highest wanted
/// capacity of the trailing 14 days, in whole replicas; at least what the group cost when it was taken over.
///
/// `reference` is the reference type with its price. Without it only the take-over cost is known, so that savings
/// are rather understated than invented; with neither there is no baseline. `discount` is what a savings plan takes off
/// the group now, 0 up to but not 1: the fleet at take-over would be bought on the same terms.
pub fn baseline(
    learned: &Learned,
    state: &OperationState,
    reference: Option<&TypeOffer>,
    discount: f64,
) -> Option<UsdPerHour> {
    let fixed = reference.filter(|offer| offer.vcpu.0 > 0.0 && offer.price.0 > 0.0).map(|offer| {
        let replicas = (learned.recent.peak() / offer.vcpu.0).ceil();
        replicas * offer.price.0
    });
    let now = (1.0 - discount) / (1.0 - state.take_over_discount);
    match (fixed, state.take_over_cost.map(|cost| cost.0 * now)) {
        (Some(fixed), Some(found)) => Some(UsdPerHour(fixed.max(found))),
        (Some(cost), None) | (None, Some(cost)) => Some(UsdPerHour(cost)),
        (None, None) => None,
    }
}

/// The offer of a type, where the snapshot holds it: as launch type, as a running type, or in the ladder.
pub fn offer_in<'a>(snapshot: &'a Snapshot, name: &TypeName) -> Option<&'a TypeOffer> {
    std::iter::once(&snapshot.group.launch_type)
        .chain(snapshot.group.replicas.iter().map(|count| &count.offer))
        .chain(snapshot.ladder.iter())
        .find(|offer| offer.name == *name)
}

#[cfg(test)]
mod tests {
    use scaling_fleet::{Mebibytes, Vcpu};
    use serde_json::json;

    use super::*;

    fn offer(price: f64) -> TypeOffer {
        TypeOffer {
            name: "m7i.large".into(),
            vcpu: Vcpu(2.0),
            memory: Mebibytes(8192.0),
            price: UsdPerHour(price),
        }
    }

    fn learned(peak: f64) -> Learned {
        serde_json::from_value(json!({"recent": {"peaks": [[100, 3.0], [101, peak], [102, 1.0]]}})).unwrap()
    }

    fn found(cost: Option<f64>) -> OperationState {
        OperationState { take_over_cost: cost.map(UsdPerHour), ..OperationState::default() }
    }

    #[test]
    fn the_peak_is_carried_by_whole_replicas_of_the_reference_type() {
        let cost = baseline(&learned(9.1), &found(None), Some(&offer(0.1)), 0.0).unwrap();
        assert!((cost.0 - 0.5).abs() < 1e-12, "{cost}");
    }

    #[test]
    fn the_fleet_that_was_found_is_the_least() {
        assert_eq!(baseline(&learned(2.0), &found(Some(0.8)), Some(&offer(0.1)), 0.0), Some(UsdPerHour(0.8)));
    }

    #[test]
    fn a_savings_plan_that_came_later_is_taken_off_the_fleet_that_was_found() {
        let at = |then: f64, now: f64| {
            let found = OperationState { take_over_discount: then, ..found(Some(0.8)) };
            baseline(&learned(2.0), &found, None, now).unwrap().0
        };
        for (then, now, expected) in [(0.0, 0.25, 0.6), (0.2, 0.2, 0.8), (0.2, 0.0, 1.0)] {
            assert!((at(then, now) - expected).abs() < 1e-12, "{then} {now}");
        }
    }

    #[test]
    fn without_a_price_only_the_fleet_that_was_found_counts() {
        assert_eq!(baseline(&learned(40.0), &found(Some(0.8)), None, 0.0), Some(UsdPerHour(0.8)));
        assert_eq!(
            baseline(&learned(40.0), &found(Some(0.8)), Some(&offer(0.0)), 0.0),
            Some(UsdPerHour(0.8))
        );
        assert_eq!(baseline(&learned(40.0), &found(None), None, 0.0), None);
    }
}
