//! Stages 1 and 2: load, and what it needs.

use scaling_policy::config::Mode;
use scaling_policy::decide::demand::is_wanted_known;
use scaling_policy::operation::Phase;
use scaling_policy::{Reading, Trigger};

use crate::support::case::{Case, type_change};

fn near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{actual} is not {expected}");
}

#[test]
fn load_is_value_over_threshold() {
    let case = Case::of(Mode::Horizontal, 8, 0.4).reading(Trigger::RequestLatency, 0.2);
    let decision = case.decide();
    let expected = [(Trigger::CpuUsage, 0.5), (Trigger::MemoryUsage, 0.25), (Trigger::RequestLatency, 0.8)];
    for (trigger, load) in expected {
        near(decision.loads[trigger].unwrap(), load);
    }
}

#[test]
fn requests_are_counted_for_each_replica_of_the_reference_type() {
    // 16,000 a minute: on four m7i.xlarge, eight of half the size, or two of twice it, exactly at the limit.
    for (name, replicas) in [("m7i.xlarge", 4), ("m7i.large", 8), ("m7i.2xlarge", 2)] {
        let case = Case::fresh(Mode::Horizontal, replicas, 0.5)
            .running(name, replicas)
            .reading(Trigger::RequestCount, 16_000.0)
            .minutes(5);
        near(case.decide().loads.request_count.unwrap(), 1.0);
    }
}

#[test]
fn a_trigger_that_is_not_listed_is_reported_and_never_asks() {
    for trigger in Trigger::ALL {
        let case = Case::of(Mode::Horizontal, 8, 0.56)
            .config(|config| config.triggers[trigger].asks = false)
            .reading(trigger, if trigger == Trigger::RequestCount { 1e6 } else { 0.9 })
            .minutes(5);
        let decision = case.decide();
        assert!(decision.loads[trigger].unwrap() >= 1.0, "{trigger}");
        assert!(decision.action.is_hold(), "{trigger}: {decision:?}");
    }
}

#[test]
fn wanted_capacity_carries_the_load_at_the_target_load() {
    // 32 vCPU at 56 % are 17.92 busy; at 0.75 of the 0.8 limit they need 29.87, which is eight of four vCPU.
    let wanted = Case::of(Mode::Horizontal, 8, 0.56).decide().wanted;
    near(wanted.vcpu.0, 17.92 / 0.6);
    assert_eq!(wanted.replicas, 8);
}

#[test]
fn the_largest_demand_decides_and_names_the_driver() {
    // Requests at 150 % of the limit of eight replicas while CPU is quiet: 8 x 1.5 / 0.75.
    let case = Case::of(Mode::Horizontal, 8, 0.4).reading(Trigger::RequestCount, 48_000.0).next().taken_in();
    let decision = case.decide();
    assert_eq!((decision.wanted.replicas, decision.driver), (16, Some(Trigger::RequestCount)));
}

#[test]
fn what_is_wanted_is_unknown_until_cpu_or_requests_are_read() {
    use Trigger::{CpuUsage, RequestCount};
    let is_known = |case: &Case| is_wanted_known(&case.config, &case.snapshot, &case.decide());
    let silent = || Case::fresh(Mode::Horizontal, 8, 0.4).without(CpuUsage).without(RequestCount);
    let with = |reading: Reading| {
        let mut case = silent();
        case.snapshot.readings.request_count = reading;
        case
    };
    assert!(is_known(&Case::fresh(Mode::Horizontal, 8, 0.4)));
    assert!(is_known(&silent().reading(RequestCount, 0.0)));
    assert!(!is_known(&silent()), "memory alone says nothing of vCPU");
    assert!(!is_known(&with(Reading::AbsentZero)), "no point is no proof that nobody asks");
    let mut requests_only = with(Reading::AbsentZero);
    requests_only.snapshot.readings.cpu_usage = Reading::Unbound;
    assert!(is_known(&requests_only), "nothing is missing");
    let latency_asks =
        silent().reading(CpuUsage, 0.4).config(|config| config.triggers.cpu_usage.asks = false);
    assert!(is_known(&latency_asks), "latency plans by CPU");
}

#[test]
fn latency_is_never_divided_by_its_threshold() {
    // Twenty times the limit, and CPU says that capacity is enough: one replica more, not twenty times as many.
    let case = Case::of(Mode::Horizontal, 8, 0.4).reading(Trigger::RequestLatency, 5.0).minutes(1);
    assert_eq!(case.outcome(), (9, "load_high"));
}

#[test]
fn a_tighter_latency_target_lowers_the_utilisation_that_is_planned() {
    let wanted = |target: f64| {
        let case = Case::fresh(Mode::Horizontal, 8, 0.4)
            .config(|config| config.triggers.request_latency.threshold = target);
        case.minutes(10).decide().wanted.vcpu.0
    };
    near(wanted(0.25), 12.8 / 0.6);
    assert!(wanted(0.16) > 1.2 * wanted(0.25), "{} {}", wanted(0.16), wanted(0.25));
}

#[test]
fn a_latency_target_that_an_idle_replica_misses_asks_for_no_fleet() {
    // 50 ms a request have their 95th percentile at 150 ms whatever the capacity.
    let case = Case::fresh(Mode::Horizontal, 8, 0.4)
        .config(|config| config.triggers.request_latency.threshold = 0.1)
        .minutes(30);
    near(case.decide().wanted.vcpu.0, 12.8 / 0.6);
}

#[test]
fn memory_is_a_base_of_each_replica_and_a_part_they_share() {
    let case = Case::of(Mode::Horizontal, 8, 0.56).reading(Trigger::MemoryUsage, 0.3).minutes(3);
    let wanted = case.decide().wanted;
    // Nothing has shown that memory grows with work: all of it is base, needed at 0.75 of the 0.8 limit.
    near(wanted.memory_base.0, 0.3 * 16_384.0 / 0.6);
    near(wanted.memory_shared.0, 0.0);
    near(wanted.memory(4).0, 4.0 * 0.3 * 16_384.0 / 0.6);
}

#[test]
fn memory_that_follows_the_work_is_learned_as_shared() {
    let mut case = Case::fresh(Mode::Horizontal, 8, 0.4);
    for minute in 0..60 {
        let cpu = 0.4 + 0.05 * f64::from(minute % 5);
        // 2,000 MiB, and 500 for each of four vCPU times utilisation.
        let memory = (2_000.0 + 500.0 * 4.0 * cpu) / 16_384.0;
        case = case.cpu(cpu).reading(Trigger::MemoryUsage, memory).next().taken_in();
    }
    let wanted = case.decide().wanted;
    near(wanted.memory_base.0 * 0.6, 2_000.0);
    near(wanted.memory_shared.0 * 0.6, 500.0 * 32.0 * 0.6);
}

/// Eight m7i.xlarge, watched for an hour at changing load. Each holds 2,000 MiB, and 5,000 for each vCPU that it keeps busy:
/// as much as its type has, and more, from 72 % on.
fn hungry(forecast: bool) -> Case {
    let mut case = Case::fresh(Mode::Horizontal, 8, 0.4).config(|config| config.forecast = forecast);
    for minute in 0..60 {
        case = hungry_minute(case, 0.2 + 0.05 * f64::from(minute % 5));
    }
    case
}

fn hungry_minute(case: Case, cpu: f64) -> Case {
    let filled = (2_000.0 + 5_000.0 * 4.0 * cpu) / 16_384.0;
    case.cpu(cpu).reading(Trigger::MemoryUsage, filled.min(1.0)).next().taken_in()
}

#[test]
fn a_full_memory_teaches_nothing_of_what_grows_with_the_work() {
    let mut case = hungry(false);
    for minute in 0..30 {
        case = hungry_minute(case, if minute % 3 == 0 { 0.94 } else { 0.3 });
    }
    near(case.decide().wanted.memory_base.0 * 0.6, 2_000.0);
}

#[test]
fn memory_is_planned_for_the_load_ahead_as_cpu_is() {
    let decision = hungry(true).decide();
    let ahead = decision.wanted.forecast_vcpu.unwrap().0 * 0.8;
    // Up to the limit itself: the forecast holds its error.
    let by_memory = 5_000.0 * ahead / (0.8 * 16_384.0 - 2_000.0);
    assert!(by_memory > 1.4 * decision.wanted.forecast_vcpu.unwrap().0 / 4.0, "memory binds: {decision:?}");
    assert_eq!(f64::from(decision.wanted.replicas), by_memory.ceil(), "{decision:?}");
}

/// Eight m7i.xlarge with a forecast, which hold `base` MiB each and 100 for each vCPU that they keep busy; their limit is
/// 13,107 MiB.
fn full_of(base: f64) -> Case {
    let mut case = Case::fresh(Mode::Horizontal, 8, 0.4);
    for minute in 0..60 {
        let cpu = 0.2 + 0.05 * f64::from(minute % 5);
        let filled = (base + 100.0 * 4.0 * cpu) / 16_384.0;
        case = case.cpu(cpu).reading(Trigger::MemoryUsage, filled.min(1.0)).next().taken_in();
    }
    case
}

#[test]
fn a_base_that_comes_near_the_limit_orders_no_fleet() {
    let small = full_of(2_000.0).decide().wanted.replicas;
    for base in [8_000.0, 9_800.0, 9_825.0, 11_800.0, 12_500.0, 13_000.0, 13_080.0, 13_100.0, 14_000.0] {
        let wanted = full_of(base).decide().wanted;
        assert!(wanted.replicas <= small + 1, "{base} MiB: {wanted:?}, and {small} replicas with little");
    }
}

#[test]
fn replicas_that_a_base_near_the_limit_needs_are_not_given_back() {
    // 13,107 MiB may be filled. With 11,900 in each and 6,000 shared, five hold it; three would do for CPU.
    let filled = |replicas: f64| (11_900.0 + 6_000.0 / replicas) / 16_384.0;
    let mut case = Case::fresh(Mode::Horizontal, 8, 0.2);
    for minute in 0..60 {
        let part = 0.8 + 0.1 * f64::from(minute % 5);
        let memory = (11_900.0 + 6_000.0 * part / 8.0) / 16_384.0;
        case = case.cpu(0.2 * part).reading(Trigger::MemoryUsage, memory).next().taken_in();
    }
    for expected in [6, 5, 5] {
        let desired = case.snapshot.group.desired;
        let (replicas, _) = case.outcome();
        assert_eq!(replicas, expected, "of {desired}: {:?}", case.decide());
        case = case
            .running("m7i.xlarge", replicas)
            .group(|group| group.desired = replicas)
            .cpu(1.6 / f64::from(replicas));
        case = case.reading(Trigger::MemoryUsage, filled(f64::from(replicas))).minutes(60);
    }
}

#[test]
fn a_cpu_that_does_not_answer_leaves_memory_its_shared_part() {
    let muted = |is_muted: bool| {
        let mut case = hungry(false).config(|config| {
            config.triggers.request_count.asks = false;
            config.triggers.request_latency.asks = false;
        });
        if is_muted {
            case.learned.answers.cpu_usage.unanswered = 2;
        }
        case.cpu(0.4).reading(Trigger::MemoryUsage, 0.95).outcome()
    };
    assert_eq!(muted(true), muted(false));
    assert!(muted(true).0 > 9, "{:?}", muted(true));
}

#[test]
fn a_type_change_that_waits_or_goes_back_brings_no_memory() {
    let case = hungry(true).ladder(&["m7i.xlarge", "r7i.xlarge"]);
    let by_memory = case.decide().wanted.replicas;
    let planned = case.ago(60);
    for phase in [Phase::Planned, Phase::RollingBack] {
        let mut change = type_change("r7i.xlarge", planned);
        change.phase = phase;
        let case = hungry(true).ladder(&["m7i.xlarge", "r7i.xlarge"]);
        let during = case.state(|state| state.type_change = Some(change)).decide();
        assert_eq!(during.wanted.replicas, by_memory, "{phase:?}");
    }
}

#[test]
fn what_a_type_change_is_about_to_bring_is_not_ordered_of_the_former_type() {
    let case = hungry(true).ladder(&["m7i.xlarge", "r7i.xlarge", "c7i.xlarge"]);
    let by_memory = case.decide().wanted.replicas;
    let during = |to: &str| {
        let planned = case.ago(60);
        let changing = hungry(true).ladder(&["m7i.xlarge", "r7i.xlarge", "c7i.xlarge"]);
        changing.state(|state| state.type_change = Some(type_change(to, planned))).decide().wanted.replicas
    };
    assert!(during("r7i.xlarge") < by_memory, "it has twice the memory");
    assert_eq!(during("c7i.xlarge"), by_memory, "it has less, and the former still has to do");
}

#[test]
fn an_absence_that_means_zero_is_a_load_of_zero() {
    let mut case = Case::of(Mode::Horizontal, 8, 0.56);
    case.snapshot.readings.request_count = Reading::AbsentZero;
    case.snapshot.readings.request_latency = Reading::AbsentZero;
    let decision = case.decide();
    assert_eq!((decision.loads.request_count, decision.loads.request_latency), (Some(0.0), Some(0.0)));
    assert_eq!(decision.reason.label(), "within_target");
}

#[test]
fn arrivals_tell_the_load_while_cpu_is_at_its_ceiling() {
    // CPU cannot say more than 100 %; the requests say 1.5 times as much.
    let case = Case::of(Mode::Horizontal, 8, 0.56).cpu(1.5).next().taken_in();
    near(case.decide().wanted.vcpu.0, 1.5 * 32.0 / 0.6);
}

#[test]
fn a_replica_that_came_within_the_period_does_not_make_the_load_look_larger() {
    let before = Case::of(Mode::Horizontal, 8, 0.56);
    let wanted = before.decide().wanted.vcpu.0;
    // Four more from the last seconds of the minute on: CPU is still that of eight.
    let mut case = before.next();
    case.snapshot.group.desired = 12;
    case.snapshot.group.replicas[0].serving = 12;
    near(case.taken_in().decide().wanted.vcpu.0, wanted);
}

#[test]
fn a_late_reading_is_held_against_what_served_in_its_own_period() {
    // Twelve serve by now; the reading is of three minutes ago, when eight did.
    let mut case = Case::of(Mode::Horizontal, 8, 0.56).without(Trigger::RequestCount);
    let wanted = case.decide().wanted.vcpu.0;
    let ended = case.now();
    case.snapshot.group.desired = 12;
    case.snapshot.group.replicas[0].serving = 12;
    for _ in 0..3 {
        case = case.next();
        for trigger in [Trigger::CpuUsage, Trigger::MemoryUsage, Trigger::RequestLatency] {
            if let Reading::Fresh { ended: of, .. } = &mut case.snapshot.readings[trigger] {
                *of = ended;
            }
        }
        case = case.taken_in();
    }
    near(case.decide().wanted.vcpu.0, wanted);
}
