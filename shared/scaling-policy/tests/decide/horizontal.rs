//! Stages 3 and 4 with a fixed type: when the count grows, when it shrinks, and by how much.

use scaling_policy::config::{Mode, ScaleDownRule};
use scaling_policy::operation::{OperationKind, Phase};
use scaling_policy::{Reading, Reason, Trigger};

use crate::support::case::{Case, operation};

const MODE: Mode = Mode::Horizontal;

#[test]
fn holds_between_the_limit_and_the_target_load() {
    for cpu in [0.54, 0.6, 0.65, 0.7, 0.74, 0.79] {
        assert_eq!(Case::of(MODE, 8, cpu).outcome(), (8, "within_target"), "{cpu}");
    }
}

#[test]
fn a_priority_trigger_goes_straight_to_what_is_wanted() {
    // Wanted: replicas x cpu / 0.6, rounded up.
    for (replicas, cpu, expected) in [(8, 0.81, 11), (8, 0.95, 13), (2, 0.85, 3), (8, 1.8, 24)] {
        let case = Case::of(MODE, replicas, 0.56).cpu(cpu).next().taken_in();
        assert_eq!(case.outcome(), (expected, "load_high"), "{replicas} at {cpu}");
    }
}

#[test]
fn another_trigger_grows_by_a_factor_at_most_and_by_one_at_least() {
    // Requests over the limit of 4000 a replica while CPU is quiet. Wanted: replicas x load / 0.75.
    for (replicas, load, expected) in [(8, 1.0, 11), (8, 1.2, 12), (3, 1.2, 5), (2, 1.0, 3)] {
        let requests = f64::from(replicas) * load * 4000.0;
        let case = Case::of(MODE, replicas, 0.4).reading(Trigger::RequestCount, requests).next().taken_in();
        assert_eq!(case.outcome(), (expected, "load_high"), "{replicas} at {load}");
    }
}

#[test]
fn a_load_of_one_and_a_half_is_urgent_whatever_the_trigger() {
    let case = Case::of(MODE, 8, 0.4).reading(Trigger::RequestCount, 8.0 * 1.8 * 4000.0).next().taken_in();
    assert_eq!(case.outcome(), (20, "load_high"));
}

#[test]
fn the_forecast_alone_may_ask() {
    // A steady climb: the replica is ordered while every trigger is still under its limit.
    let mut case = Case::fresh(MODE, 8, 0.4).config(|config| config.forecast = true);
    while case.decide().action.label() != "up" {
        let cpu = case.snapshot.readings.cpu_usage.value().unwrap();
        case = case.cpu(cpu + 0.01).next().taken_in();
    }
    let decision = case.decide();
    assert_eq!(decision.reason.label(), "forecast_high", "{decision:?}");
    assert!(Trigger::ALL.iter().all(|trigger| decision.loads[*trigger].unwrap() < 1.0), "{decision:?}");
}

#[test]
fn the_forecast_alone_never_lowers_capacity() {
    // A steep fall: what is ahead needs less than what is here.
    let mut case = Case::fresh(MODE, 8, 0.7).config(|config| config.forecast = true);
    for minute in 0..12 {
        case = case.cpu(0.7 - 0.01 * f64::from(minute)).next().taken_in();
    }
    let wanted = case.decide().wanted;
    assert!(wanted.forecast_vcpu.unwrap().0 < wanted.vcpu.0, "{wanted:?}");
    assert_eq!(case.outcome().0, 8);
}

#[test]
fn without_history_there_is_no_forecast() {
    let case = Case::fresh(MODE, 8, 0.5).config(|config| config.forecast = true).minutes(2);
    assert_eq!(case.decide().wanted.forecast_vcpu, None);
    assert!(case.minutes(1).decide().wanted.forecast_vcpu.is_some());
}

#[test]
fn goes_down_to_what_the_window_allows_and_a_quarter_at_most() {
    // Wanted: replicas x cpu / 0.6, rounded up; the least of a step: replicas x 0.75, rounded up, and one fewer.
    for (replicas, cpu, expected) in [(8, 0.52, 7), (8, 0.2, 6), (20, 0.1, 15), (5, 0.1, 4), (3, 0.1, 2)] {
        assert_eq!(Case::of(MODE, replicas, cpu).outcome(), (expected, "load_low"), "{replicas} at {cpu}");
    }
}

#[test]
fn never_goes_below_the_minimum() {
    assert_eq!(Case::of(MODE, 2, 0.01).outcome(), (2, "within_target"));
}

#[test]
fn waits_until_fewer_were_enough_for_the_whole_window() {
    // 120 s: readings of a minute ago and of two minutes ago count.
    let busy = Case::of(MODE, 8, 0.59);
    let after = |minutes: u32| {
        let case = Case::of(MODE, 8, 0.59).cpu(0.3).minutes(minutes);
        case.outcome()
    };
    assert_eq!(busy.outcome(), (8, "within_target"));
    assert_eq!([after(1), after(2)], [(8, "within_target"); 2]);
    assert_eq!(after(3), (6, "load_low"));
}

#[test]
fn a_window_that_was_not_seen_allows_nothing() {
    assert_eq!(Case::fresh(MODE, 8, 0.2).minutes(2).outcome(), (8, "within_target"));
    assert_eq!(Case::fresh(MODE, 8, 0.2).minutes(3).outcome().0, 6);
}

#[test]
fn a_scale_down_that_was_undone_doubles_the_window() {
    let case = |doublings: u8, minutes: u32| {
        let case = Case::of(MODE, 8, 0.59).state(|state| state.down_delay_doublings = doublings);
        case.cpu(0.3).minutes(minutes).outcome().0
    };
    assert_eq!([case(0, 3), case(1, 3), case(1, 5), case(2, 8), case(2, 9)], [6, 8, 6, 8, 6]);
}

#[test]
fn a_replica_that_came_and_went_lately_goes_only_after_three_windows() {
    // 8 x 0.52 / 0.6 = 6.9: one replica of eight, which is a small release.
    let after = |up_ago: Option<u64>, minutes: u32| {
        let case = Case::of(MODE, 8, 0.59).cpu(0.52).minutes(minutes);
        let up = up_ago.map(|seconds| case.ago(seconds));
        case.state(|state| state.last_up = up).outcome().0
    };
    assert_eq!([after(None, 3), after(Some(1801), 3), after(Some(600), 3)], [7, 7, 8]);
    assert_eq!([after(Some(600), 6), after(Some(600), 7)], [8, 7]);
}

#[test]
fn a_large_release_waits_for_one_window_whatever_came_before() {
    let case = Case::of(MODE, 8, 0.59).cpu(0.3).minutes(3);
    let up = case.ago(600);
    assert_eq!(case.state(|state| state.last_up = Some(up)).outcome(), (6, "load_low"));
}

/// Taken over a moment ago, and seen for `minutes` since.
fn taken_over(replicas: u32, minutes: u32) -> Case {
    let case = Case::fresh(MODE, replicas, 0.3);
    let at = case.now();
    case.state(|state| state.taken_over = Some(at)).minutes(minutes)
}

#[test]
fn a_group_taken_over_with_less_begins_with_the_target_capacity() {
    assert_eq!(taken_over(4, 0).outcome(), (8, "taken_over"));
    assert_eq!(taken_over(4, 1).outcome(), (8, "taken_over"));
    assert_eq!(taken_over(4, 0).without(Trigger::CpuUsage).outcome(), (8, "taken_over"));
}

#[test]
fn the_target_capacity_is_enforced_at_no_other_time() {
    assert_eq!(Case::of(MODE, 4, 0.59).outcome(), (4, "within_target"));
    assert_eq!(taken_over(4, 3).outcome().0, 3, "a window has shown what is needed");
    assert_eq!(taken_over(12, 0).outcome(), (12, "within_target"), "nothing is taken away for it");
    let case = taken_over(4, 1);
    let down = case.ago(30);
    assert_eq!(case.state(|state| state.last_down = Some(down)).outcome().0, 4);
}

#[test]
fn load_right_after_a_scale_down_undoes_it() {
    let case = Case::of(MODE, 8, 0.56).cpu(0.9).next().taken_in();
    let down = case.ago(60);
    let case = case.state(|state| (state.last_down, state.last_up) = (Some(down), None));
    assert_eq!(case.outcome(), (12, "undone_scale_down"));
}

#[test]
fn the_plain_rule_holds_between_its_thresholds() {
    let case = |cpu: f64| {
        let config = |config: &mut scaling_policy::config::GroupConfig| {
            config.scale_down = ScaleDownRule::Threshold;
            // The latency of an idle replica is 60 % of its limit.
            config.triggers.request_latency.asks = false;
        };
        Case::fresh(MODE, 8, cpu).config(config).reading(Trigger::MemoryUsage, 0.1).minutes(3).outcome()
    };
    assert_eq!([case(0.21), case(0.5), case(0.79)], [(8, "within_target"); 3]);
    assert_eq!(case(0.16), (6, "load_low"));
    assert_eq!(case(0.81).1, "load_high");
}

#[test]
fn the_plain_rule_asks_every_listed_trigger() {
    let case = Case::of(MODE, 8, 0.1)
        .config(|config| config.scale_down = ScaleDownRule::Threshold)
        .reading(Trigger::MemoryUsage, 0.5);
    assert_eq!(case.outcome(), (8, "within_target"));
}

/// A latency over its limit that no capacity helps: the scale-ups it asked for, each seen to serve for two minutes.
fn unanswered(scale_ups: u32) -> Case {
    let slow = |case: Case, cpu: f64| case.cpu(cpu).reading(Trigger::RequestLatency, 0.4);
    let mut case = Case::of(MODE, 8, 0.4);
    for _ in 0..scale_ups {
        let replicas = case.snapshot.group.desired;
        let cpu = 3.2 / f64::from(replicas);
        case = slow(case, cpu).next().taken_in();
        let reason = Reason::LoadHigh { trigger: Trigger::RequestLatency, load: 1.6 };
        let kind = OperationKind::Scale { from: replicas, to: replicas + 1 };
        let planned = case.now();
        case.state.operation = Some(operation(&kind, Phase::Accepted, &reason, planned));
        case = case.ordered(1);
        case = slow(case, cpu).minutes(2);
        case.snapshot.group.replicas[0].pending -= 1;
        case.snapshot.group.replicas[0].serving += 1;
        let cpu = 3.2 / f64::from(replicas + 1);
        case = slow(case, cpu).next();
        let ended = case.now();
        let operation = case.state.operation.as_mut().unwrap();
        (operation.phase, operation.ended_at) = (Phase::Verified, Some(ended));
        case = case.taken_in().minutes(2);
    }
    case
}

#[test]
fn a_trigger_that_did_not_fall_after_two_scale_ups_stops_asking_and_is_reported() {
    assert_eq!(unanswered(1).outcome().1, "load_high");
    let case = unanswered(2);
    assert!(case.learned.answers.request_latency.is_muted());
    let decision = case.decide();
    assert!(decision.loads.request_latency.unwrap() > 1.0);
    assert_ne!(decision.action.label(), "up", "{decision:?}");
}

#[test]
fn a_trigger_under_its_limit_may_ask_again() {
    let case = unanswered(2).cpu(0.4).next().taken_in();
    assert!(!case.learned.answers.request_latency.is_muted());
}

#[test]
fn a_load_that_outgrows_capacity_is_no_silence() {
    // CPU stays at 90 % through two scale-ups, because arrivals grow as fast as capacity.
    let mut case = Case::of(MODE, 8, 0.56).cpu(0.9).next().taken_in();
    for _ in 0..3 {
        let replicas = case.snapshot.group.desired;
        let reason = Reason::LoadHigh { trigger: Trigger::CpuUsage, load: 1.1 };
        let kind = OperationKind::Scale { from: replicas, to: replicas * 3 / 2 };
        let planned = case.now();
        case.state.operation = Some(operation(&kind, Phase::Accepted, &reason, planned));
        case = case.cpu(0.9).minutes(2);
        case.snapshot.group.desired = replicas * 3 / 2;
        case.snapshot.group.replicas[0].serving = replicas * 3 / 2;
        case = case.cpu(0.9).next();
        let ended = case.now();
        let operation = case.state.operation.as_mut().unwrap();
        (operation.phase, operation.ended_at) = (Phase::Verified, Some(ended));
        case = case.taken_in().minutes(3);
    }
    assert!(!case.learned.answers.cpu_usage.is_muted());
    assert_eq!(case.outcome().1, "load_high");
}

/// CPU stands at its limit whatever is added, beside requests that rise: what they need is added, and not what CPU says.
#[test]
fn what_does_not_answer_to_capacity_says_nothing_of_how_much_is_added() {
    let mut case = Case::of(MODE, 8, 0.56).config(|config| config.triggers.request_latency.asks = false);
    let with_requests = |case: Case| {
        let value = f64::from(case.snapshot.group.desired) * 1.02;
        let threshold = case.config.triggers.request_count.threshold;
        case.reading(Trigger::RequestCount, value * threshold)
    };
    case.learned.answers.cpu_usage.unanswered = 2;
    let case = with_requests(case.cpu(0.95).minutes(30));
    assert!(case.learned.answers.cpu_usage.is_muted());
    let by_requests = case.decide();
    assert_eq!(by_requests.driver, Some(Trigger::RequestCount));
    let (replicas, reason) = case.outcome();
    assert_eq!((replicas, reason), (11, "load_high"), "{by_requests:?}");
}

/// A trigger that does not ask for more any more has not become no load.
#[test]
fn a_load_over_its_limit_is_never_scaled_down_whether_or_not_it_may_ask() {
    let mut case = Case::of(MODE, 13, 0.56).config(|config| {
        for trigger in [Trigger::RequestLatency, Trigger::RequestCount] {
            config.triggers[trigger].asks = false;
        }
    });
    case.snapshot.readings.request_count = Reading::Unbound;
    case.learned.answers.cpu_usage.unanswered = 2;
    let case = case.cpu(0.9).minutes(30);
    assert!(case.learned.answers.cpu_usage.is_muted());
    let decision = case.decide();
    assert!(decision.loads.cpu_usage.unwrap() > 1.0);
    assert_eq!(decision.action.label(), "hold", "{decision:?}");
    assert!(decision.wanted.vcpu.0 > 0.0, "{decision:?}");
}
