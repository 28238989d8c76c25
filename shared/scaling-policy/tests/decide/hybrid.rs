//! Count and type: emergencies, and the slow axis for cost.

use proptest::prelude::*;
use scaling_policy::config::Mode;
use scaling_policy::{Action, Trigger};

use crate::support::brute_force::{brute_force, every_count};
use crate::support::case::{Case, named, replicas_after, type_after};

fn of(replicas: u32, cpu: f64) -> Case {
    Case::of(Mode::Hybrid, replicas, cpu)
}

#[test]
fn the_count_follows_the_load_as_with_a_fixed_type() {
    for (cpu, expected) in [(0.2, 6), (0.56, 8), (0.9, 12)] {
        let decision = of(8, cpu).decide();
        assert_eq!((replicas_after(&decision, 8), type_after(&decision)), (expected, None), "{cpu}");
    }
}

#[test]
fn a_base_that_outgrew_its_type_asks_for_another_type() {
    // 13.6 GiB in each replica need 22.7 GiB at the target load.
    let decision = of(8, 0.56).reading(Trigger::MemoryUsage, 0.85).minutes(3).decide();
    assert_eq!(decision.reason.label(), "memory_bound");
    let to = type_after(&decision).unwrap();
    let memory = |name: &str| named(&of(8, 0.56).snapshot.ladder, name).memory.0;
    assert!(memory(&to) >= 0.85 * 16_384.0 / 0.6, "{to}");
}

#[test]
fn memory_under_its_limit_is_no_emergency() {
    let decision = of(8, 0.56).reading(Trigger::MemoryUsage, 0.79).minutes(3).decide();
    assert!(decision.action.is_hold(), "{decision:?}");
}

#[test]
fn a_group_at_its_maximum_that_needs_more_asks_for_a_larger_type() {
    let case = of(8, 0.56).config(|config| config.replicas.max = 8).cpu(0.9).minutes(1);
    let decision = case.decide();
    assert_eq!(decision.reason.label(), "saturated_at_max");
    let to = type_after(&decision).unwrap();
    assert!(named(&case.snapshot.ladder, &to).vcpu.0 > 4.0, "{to}");
    assert_eq!(replicas_after(&decision, 8), 8);
}

#[test]
fn with_no_better_type_the_count_goes_as_far_as_it_may() {
    let case = of(6, 0.56).ladder(&["m7i.large", "m7i.xlarge"]).config(|config| config.replicas.max = 8);
    let decision = case.cpu(1.2).minutes(1).decide();
    assert_eq!((replicas_after(&decision, 6), type_after(&decision)), (8, None));
}

#[test]
fn a_replacement_begins_with_no_fewer_replicas_than_there_are() {
    let decision = of(20, 0.56).reading(Trigger::MemoryUsage, 0.9).minutes(3).decide();
    assert!(
        matches!(decision.action, Action::Retype { from_replicas: 20, to_replicas: 20.., .. }),
        "{decision:?}"
    );
}

#[test]
fn a_smaller_type_begins_with_as_many_replicas_as_it_needs() {
    // Only r7i.large (16 GiB, 2 vCPU) can hold the memory that c7i.xlarge (8 GiB, 4 vCPU) cannot.
    let case = Case::fresh(Mode::Hybrid, 8, 0.5)
        .ladder(&["c7i.xlarge", "r7i.large"])
        .running("c7i.xlarge", 8)
        .cpu(0.5)
        .reading(Trigger::MemoryUsage, 0.85)
        .minutes(10);
    let decision = case.decide();
    assert_eq!(type_after(&decision).as_deref(), Some("r7i.large"));
    let (to, from) = (replicas_after(&decision, 8), 8);
    assert!(to * 2 >= from * 3, "{to} of half the size");
}

#[test]
fn fallbacks_carry_the_load_too_and_are_never_the_present_type() {
    let case = of(8, 0.56).reading(Trigger::MemoryUsage, 0.85).minutes(3);
    let Action::Retype { from, to, fallbacks, .. } = case.decide().action else { unreachable!() };
    assert_eq!(fallbacks.len(), 3);
    assert!(!fallbacks.contains(&from) && !fallbacks.contains(&to));
    for name in fallbacks {
        assert!(named(&case.snapshot.ladder, name.as_str()).memory.0 >= 0.85 * 16_384.0 / 0.6, "{name}");
    }
}

#[test]
fn the_slow_axis_needs_a_day() {
    assert!(type_after(&of(8, 0.56).minutes(1_400).decide()).is_none());
    let decision = of(8, 0.56).minutes(1_441).decide();
    assert_eq!(
        (type_after(&decision).as_deref(), decision.reason.label()),
        (Some("c7i.xlarge"), "cheaper_type")
    );
}

#[test]
fn the_slow_axis_changes_nothing_for_a_small_gain() {
    // c6i is 5 % cheaper than c7i.
    let case =
        Case::fresh(Mode::Hybrid, 8, 0.56).ladder(&["c7i.xlarge", "c6i.xlarge"]).running("c7i.xlarge", 8);
    assert!(case.cpu(0.56).minutes(1_500).decide().action.is_hold());
}

#[test]
fn the_slow_axis_waits_while_the_load_is_high_or_capacity_on_its_way() {
    let dear = || of(8, 0.56).minutes(1_441);
    assert_eq!(type_after(&dear().cpu(0.9).minutes(1).decide()), None);
    assert_eq!(type_after(&dear().ordered(1).decide()), None);
}

#[test]
fn a_type_that_was_chosen_for_its_cost_stays_for_five_days() {
    let chosen = of(8, 0.56).ladder(&["m7i.xlarge", "c7i.xlarge"]).minutes(1_441);
    assert_eq!(type_after(&chosen.decide()).as_deref(), Some("c7i.xlarge"));
    // A fifth cheaper still.
    let case = chosen.running("c7i.xlarge", 8).ladder(&["m7i.xlarge", "c7i.xlarge", "c7g.xlarge"]);
    let case = case.minutes(5 * 1_440 - 10);
    assert_eq!(type_after(&case.decide()), None);
    assert_eq!(type_after(&case.minutes(1_460).decide()).as_deref(), Some("c7g.xlarge"));
}

#[test]
fn a_type_that_could_not_carry_the_week_s_peak_is_not_chosen_for_its_cost() {
    let ladder = &["m7i.xlarge", "c7i.xlarge"];
    // For ten minutes each replica holds more than a c7i.xlarge has.
    let case = of(8, 0.56).ladder(ladder).reading(Trigger::MemoryUsage, 0.55).minutes(10);
    let case = case.reading(Trigger::MemoryUsage, 0.2).minutes(6 * 1_440);
    assert_eq!(type_after(&case.decide()), None);
    assert_eq!(type_after(&case.minutes(2 * 1_440).decide()).as_deref(), Some("c7i.xlarge"));
}

#[test]
fn how_much_of_memory_is_base_is_judged_when_what_is_on_order_serves() {
    let filled = || of(8, 0.56).reading(Trigger::MemoryUsage, 0.85).minutes(3);
    assert_eq!(filled().decide().reason.label(), "memory_bound");
    assert_eq!(type_after(&filled().ordered(2).decide()), None);
}

#[test]
fn a_preference_is_forgotten_once_another_type_runs() {
    let case = of(8, 0.56).minutes(1_441).running("r7i.xlarge", 8);
    assert_eq!(type_after(&case.minutes(3).decide()), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_chosen_pair_is_the_one_that_trying_all_of_them_finds(
        replicas in 2..48_u32,
        cpu in 0.2..0.97_f64,
        memory in 0.801..0.999_f64,
    ) {
        let case = of(replicas, 0.56).cpu(cpu).reading(Trigger::MemoryUsage, memory).minutes(3);
        let decision = case.decide();
        let (name, fewest, total) = brute_force(&case, &decision, every_count(&case)).unwrap();
        prop_assert_eq!(type_after(&decision), Some(name.clone()), "{} at {}, {}: {}", replicas, cpu, memory, total);
        // No fewer than there are: the surplus is let go afterwards.
        let expected = fewest.max(case.snapshot.group.desired);
        prop_assert_eq!(replicas_after(&decision, replicas), expected, "{} {} {} {}", replicas, cpu, memory, name);
    }
}

#[test]
fn the_alternatives_are_the_cheapest_that_were_not_chosen() {
    let case = of(8, 0.56).reading(Trigger::MemoryUsage, 0.9).minutes(3);
    let decision = case.decide();
    let totals: Vec<f64> =
        decision.alternatives.iter().map(|other| other.cost.0 + other.change_cost.0).collect();
    assert_eq!(totals.len(), 4);
    assert!(totals.is_sorted(), "{totals:?}");
    assert!(totals[0] >= brute_force(&case, &decision, every_count(&case)).unwrap().2);
    assert!(of(8, 0.56).decide().alternatives.is_empty(), "a quiet hold explains nothing");
}

#[test]
fn cost_before_and_after_are_those_of_the_fleets() {
    let decision = of(8, 0.9).decide();
    assert!((decision.cost_before.0 - 8.0 * 0.2016).abs() < 1e-9);
    assert!((decision.cost_after.0 - 12.0 * 0.2016).abs() < 1e-9);
}

#[test]
fn without_a_reading_another_type_takes_nothing_away() {
    // Four of 16 vCPU and 32 GiB whose memory is full: half as many vCPU would do, if zero were the load of a CPU that
    // nobody has read.
    let case = of(4, 0.5).running("c7i.4xlarge", 4).cpu(0.9).reading(Trigger::MemoryUsage, 0.95);
    let mut case = [Trigger::CpuUsage, Trigger::RequestCount, Trigger::RequestLatency]
        .into_iter()
        .fold(case, Case::without)
        .minutes(10);
    for mode in [Mode::Hybrid, Mode::Vertical] {
        case.config.mode = mode;
        let decision = case.decide();
        assert_eq!(type_after(&decision).as_deref(), Some("m7i.4xlarge"), "{mode:?}: {decision:?}");
        let Action::Retype { fallbacks, .. } = &decision.action else { panic!("{decision:?}") };
        assert_eq!(fallbacks, &["r7i.4xlarge".into()], "{mode:?}");
    }
    // Four of 4 vCPU and 32 GiB at their maximum with their CPU full and their memory unread: c7i.2xlarge would do for the
    // CPU, with half the memory.
    let case = of(4, 0.5).running("r7i.xlarge", 4).cpu(1.2).without(Trigger::MemoryUsage).minutes(10);
    let case = case.ladder(&["c7i.2xlarge", "m7i.2xlarge", "r7i.xlarge", "r7i.2xlarge"]);
    let decision = case.config(|config| config.replicas.max = 4).decide();
    assert_eq!(type_after(&decision).as_deref(), Some("m7i.2xlarge"), "{decision:?}");
}
