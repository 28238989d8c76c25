//! The count stays, the type follows.

use proptest::prelude::*;
use scaling_policy::Trigger;
use scaling_policy::config::Mode;

use crate::support::brute_force::brute_force;
use crate::support::case::{Case, replicas_after, type_after};

fn of(replicas: u32, cpu: f64) -> Case {
    Case::fresh(Mode::Vertical, replicas, cpu).ladder(&[
        "m7i.large",
        "m7i.xlarge",
        "m7i.2xlarge",
        "m7i.4xlarge",
    ])
}

#[test]
fn the_cheapest_type_that_carries_the_load_at_the_same_count() {
    // At 60 % planned: 4 x 4 vCPU carry 9.6 busy, twice the size twice as much.
    for (cpu, expected) in
        [(0.2, Some("m7i.large")), (0.56, None), (0.9, Some("m7i.2xlarge")), (1.3, Some("m7i.4xlarge"))]
    {
        let decision = of(4, cpu).minutes(10).decide();
        assert_eq!(type_after(&decision).as_deref(), expected, "{cpu}: {decision:?}");
        assert_eq!(replicas_after(&decision, 4), 4, "{cpu}");
    }
}

#[test]
fn a_moment_over_the_limit_replaces_nothing() {
    let after = |minutes: u32| of(4, 0.56).minutes(10).cpu(0.9).minutes(minutes).decide().action.label();
    assert_eq!([after(1), after(2), after(3)], ["hold", "hold", "retype"]);
}

#[test]
fn a_smaller_type_must_have_been_enough_for_the_window() {
    let after = |minutes: u32| of(4, 0.56).minutes(10).cpu(0.2).minutes(minutes).decide();
    assert_eq!(after(2).action.label(), "hold");
    assert_eq!((after(3).action.label(), after(3).reason.label()), ("retype", "cheaper_type"));
}

#[test]
fn memory_decides_where_it_is_what_is_short() {
    // Half of 16 GiB each: 8 GiB cannot hold it, however little CPU is used.
    let decision = of(4, 0.1).reading(Trigger::MemoryUsage, 0.5).minutes(10).decide();
    assert!(decision.action.is_hold(), "{decision:?}");
    let decision = of(4, 0.3).reading(Trigger::MemoryUsage, 0.85).minutes(10).decide();
    assert_eq!(type_after(&decision).as_deref(), Some("m7i.2xlarge"));
}

#[test]
fn the_largest_type_is_taken_when_none_is_large_enough() {
    assert_eq!(type_after(&of(4, 4.0).minutes(10).decide()).as_deref(), Some("m7i.4xlarge"));
}

#[test]
fn on_the_largest_type_nothing_is_left_to_do() {
    let case = of(4, 0.5).running("m7i.4xlarge", 4).cpu(0.95).minutes(10);
    assert!(case.decide().action.is_hold());
}

#[test]
fn the_count_is_changed_by_the_bounds_only() {
    let case = of(4, 0.9).minutes(10).config(|config| config.replicas.min = 6);
    assert_eq!(case.outcome(), (6, "outside_bounds"));
}

#[test]
fn age_and_window_of_type_changes_do_not_delay_it() {
    let case = of(4, 0.9).minutes(10);
    let changed = case.ago(600);
    let case = case.state(|state| state.last_type_change = Some(changed));
    assert_eq!(case.decide().action.label(), "retype");
}

#[test]
fn a_missing_metric_takes_nothing_away_and_keeps_nothing_from_growing() {
    let blind = |cpu: f64| of(4, cpu).without(Trigger::MemoryUsage).minutes(10);
    assert_eq!(type_after(&blind(0.9).decide()).as_deref(), Some("m7i.2xlarge"));
    let decision = blind(0.2).decide();
    assert_eq!((decision.action.label(), decision.reason.label()), ("hold", "data_missing"), "{decision:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_chosen_type_is_the_one_that_trying_all_of_them_at_the_same_count_finds(
        replicas in 2..48_u32,
        cpu in 0.81..2.0_f64,
        memory in 0.1..0.95_f64,
    ) {
        let case = Case::of(Mode::Vertical, replicas, 0.56);
        let case = case.cpu(cpu).reading(Trigger::MemoryUsage, memory).minutes(10);
        let decision = case.decide();
        let largest = case.snapshot.ladder.last().map(|offer| offer.name.to_string());
        let best = brute_force(&case, &decision, replicas..=replicas).map(|(name, ..)| name);
        let present = case.snapshot.group.launch_type.name.to_string();
        let expected = best.or(largest).filter(|name| *name != present);
        prop_assert_eq!(type_after(&decision), expected, "{} at {}, {}", replicas, cpu, memory);
        prop_assert_eq!(replicas_after(&decision, replicas), replicas);
    }
}
