//! What holds for every group, whatever its state.

use proptest::prelude::*;
use scaling_policy::config::{Mode, ScaleDownRule};
use scaling_policy::{Action, Decision, Reading, Reason, Trigger};

use crate::support::case::{Case, named, replicas_after};

/// A group that was seen for a while under changing load, in any mode and between any bounds.
#[derive(Debug, Clone)]
struct Any {
    mode: Mode,
    replicas: u32,
    loads: Vec<f64>,
    memory: f64,
    latency: f64,
    pending: u32,
    protected: u32,
    bounds: (u32, u32),
    group_bounds: (u32, u32),
    ages: [Option<u64>; 3],
    missing: Vec<usize>,
    forecast: bool,
    threshold_rule: bool,
}

fn any_bounds() -> impl Strategy<Value = (u32, u32)> {
    (1..30_u32, 0..60_u32).prop_map(|(min, more)| (min, min + more))
}

fn any_group() -> impl Strategy<Value = Any> {
    let mode = prop_oneof![Just(Mode::Horizontal), Just(Mode::Vertical), Just(Mode::Hybrid)];
    let shape =
        (mode, 1..40_u32, prop::collection::vec(0.02..1.6, 1..30), 0.05..1.0, 0.05..3.0, any::<bool>());
    let state = (
        prop_oneof![Just(0_u32), 1..20_u32],
        0..5_u32,
        any_bounds(),
        any_bounds(),
        prop::array::uniform3(prop::option::of(1..2_000_u64)),
        prop::collection::vec(0..4_usize, 0..2),
        any::<bool>(),
    );
    (shape, state).prop_map(|(shape, state)| {
        let (mode, replicas, loads, memory, latency, forecast) = shape;
        let (pending, protected, bounds, group_bounds, ages, missing, threshold_rule) = state;
        Any {
            mode,
            replicas,
            loads,
            memory,
            latency,
            pending,
            protected: protected.min(replicas),
            bounds,
            group_bounds,
            ages,
            missing,
            forecast,
            threshold_rule,
        }
    })
}

impl Any {
    fn case(&self) -> Case {
        let mut case = Case::fresh(self.mode, self.replicas, self.loads[0]).config(|config| {
            config.forecast = self.forecast;
            (config.replicas.min, config.replicas.max) = self.bounds;
            if self.threshold_rule {
                config.scale_down = ScaleDownRule::Threshold;
            }
        });
        case = case.group(|group| (group.min, group.max) = self.group_bounds);
        for load in &self.loads {
            case = case.cpu(*load).reading(Trigger::MemoryUsage, self.memory).next().taken_in();
        }
        case = case.reading(Trigger::RequestLatency, self.latency).ordered(self.pending);
        case.snapshot.group.replicas[0].protected = self.protected;
        for trigger in &self.missing {
            case = case.without(Trigger::ALL[*trigger]);
        }
        let [up, down, missing] = self.ages.map(|age| age.map(|seconds| case.ago(seconds)));
        case.state(|state| (state.last_up, state.last_down, state.missing_since) = (up, down, missing))
    }
}

fn desired(case: &Case) -> u32 {
    case.snapshot.group.desired
}

fn after(case: &Case, decision: &Decision) -> u32 {
    replicas_after(decision, desired(case))
}

fn is_up(case: &Case, decision: &Decision) -> bool {
    after(case, decision) > desired(case)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_are_never_left(any in any_group()) {
        let case = any.case();
        let decision = case.decide();
        if !decision.action.is_hold() {
            let count = after(&case, &decision);
            let group = any.group_bounds;
            prop_assert!((group.0..=group.1).contains(&count), "{decision:?}");
            let (min, max) = (any.bounds.0.max(group.0), any.bounds.1.min(group.1));
            if min <= max {
                prop_assert!((min..=max).contains(&count), "{decision:?}");
            }
        }
        if let Action::Retype { to, fallbacks, .. } = &decision.action {
            for name in fallbacks.iter().chain([to]) {
                prop_assert!(case.snapshot.ladder.iter().any(|offer| offer.name == *name));
            }
        }
    }

    #[test]
    fn nothing_is_ever_taken_away_on_missing_data(any in any_group(), trigger in 0..4_usize) {
        let case = any.case().without(Trigger::ALL[trigger]);
        let decision = case.decide();
        let settled = matches!(decision.reason, Reason::OutsideBounds | Reason::NothingLaunches { .. });
        prop_assert!(settled || after(&case, &decision) >= desired(&case), "{decision:?}");
        prop_assert!(!matches!(decision.reason, Reason::CheaperType { .. }), "{decision:?}");
        let Action::Retype { to, fallbacks, to_replicas, .. } = &decision.action else { return Ok(()) };
        let present = &case.snapshot.group.launch_type;
        for to in fallbacks.iter().chain([to]).map(|name| named(&case.snapshot.ladder, name.as_str())) {
            let vcpu = to.vcpu.0 * f64::from(*to_replicas);
            prop_assert!(settled || vcpu >= present.vcpu.0 * f64::from(desired(&case)), "{decision:?}");
            prop_assert!(to.memory >= present.memory, "{decision:?}");
        }
    }

    #[test]
    fn the_same_input_gives_the_same_output(any in any_group()) {
        prop_assert_eq!(any.case().decide(), any.case().decide());
        let case = any.case();
        prop_assert_eq!(case.decide(), case.decide());
        prop_assert_eq!(any.case().learned, case.learned);
    }

    #[test]
    fn a_scale_up_never_waits_for_a_scale_down(any in any_group(), seconds in 0..600_u64) {
        let without = any.case().state(|state| state.last_down = None);
        let decision = without.decide();
        if is_up(&without, &decision) {
            let down = without.ago(seconds);
            let with = any.case().state(|state| state.last_down = Some(down));
            prop_assert!(after(&with, &with.decide()) >= after(&without, &decision), "{:?}", with.decide());
        }
    }

    #[test]
    fn capacity_on_order_is_never_ordered_twice(any in any_group(), pending in 1..30_u32) {
        let case = any.case().ordered(pending);
        let decision = case.decide();
        let bounds = matches!(decision.reason, Reason::OutsideBounds);
        if matches!(decision.action, Action::Scale { .. }) && is_up(&case, &decision) && !bounds {
            // All that is desired, on order or serving, is counted before more is asked for.
            prop_assert!(after(&case, &decision) <= decision.wanted.replicas, "{decision:?}");
        }
    }

    #[test]
    fn nothing_is_taken_away_while_capacity_is_on_its_way(any in any_group(), pending in 1..30_u32) {
        let case = any.case().ordered(pending);
        let decision = case.decide();
        let settled = matches!(decision.reason, Reason::OutsideBounds | Reason::NothingLaunches { .. });
        prop_assert!(settled || after(&case, &decision) >= desired(&case), "{decision:?}");
    }

    #[test]
    fn protected_replicas_are_never_taken_away(any in any_group()) {
        let case = any.case();
        let decision = case.decide();
        let least = any.protected.min(any.bounds.1).min(any.group_bounds.1);
        prop_assert!(decision.action.is_hold() || after(&case, &decision) >= least, "{decision:?}");
    }

    #[test]
    fn wanted_capacity_grows_with_the_load(any in any_group(), cpu in 0.02..0.9_f64, more in 1.0..2.0_f64) {
        // Of the present load. A forecast speaks of another moment, and which of its predictors is trusted depends on
        // how they have done; the property after this one says what it may do to the present need.
        let wanted = |cpu: f64| {
            let case = Case { learned: any.case().learned, ..any.case() }.config(|config| config.forecast = false);
            case.cpu(cpu).reading(Trigger::MemoryUsage, any.memory).next().taken_in().decide().wanted
        };
        let (low, high) = (wanted(cpu), wanted((cpu * more).min(0.94)));
        prop_assert!(high.vcpu.0 >= low.vcpu.0 * (1.0 - 1e-9), "{low:?} {high:?}");
        prop_assert!(high.replicas >= low.replicas, "{low:?} {high:?}");
    }

    #[test]
    fn a_forecast_never_lowers_what_the_present_load_needs(any in any_group(), cpu in 0.02..0.9_f64) {
        let wanted = |forecast: bool| {
            let case = Case { learned: any.case().learned, ..any.case() };
            let case = case.config(|config| config.forecast = forecast);
            case.cpu(cpu).reading(Trigger::MemoryUsage, any.memory).next().taken_in().decide().wanted
        };
        let (present, ahead) = (wanted(false), wanted(true));
        prop_assert!(ahead.vcpu.0 >= present.vcpu.0 * (1.0 - 1e-9), "{present:?} {ahead:?}");
        prop_assert!(ahead.replicas >= present.replicas, "{present:?} {ahead:?}");
    }

    #[test]
    fn wanted_memory_grows_with_memory(any in any_group(), filled in 0.05..0.5_f64, more in 1.0..2.0_f64) {
        let case = any.case();
        let replicas = case.snapshot.group.serving();
        let wanted = |filled: f64| {
            let case = Case { learned: case.learned.clone(), ..any.case() };
            case.reading(Trigger::MemoryUsage, filled).decide().wanted.memory(replicas)
        };
        prop_assert!(wanted(filled * more).0 >= wanted(filled).0 * (1.0 - 1e-9));
    }

    #[test]
    fn a_decision_is_finite_and_says_why(any in any_group()) {
        let decision = any.case().decide();
        prop_assert!(decision.wanted.vcpu.0.is_finite() && decision.cost_after.0.is_finite());
        prop_assert!(!decision.reason.to_string().is_empty());
        prop_assert!(decision.alternatives.len() <= Decision::MAX_ALTERNATIVES);
        if decision.action.is_hold() {
            prop_assert_eq!(decision.cost_before, decision.cost_after);
        }
    }
}

#[test]
fn readings_at_their_extremes_break_nothing() {
    for value in [0.0, f64::MIN_POSITIVE, 1e-300, 1e300, f64::MAX] {
        for trigger in Trigger::ALL {
            let case = Case::of(Mode::Hybrid, 8, 0.5).reading(trigger, value).minutes(5);
            let decision = case.decide();
            assert!((2..=60).contains(&after(&case, &decision)), "{trigger} {value}: {decision:?}");
        }
    }
}

#[test]
fn a_group_without_replicas_or_readings_is_left_alone() {
    let mut case = Case::of(Mode::Hybrid, 8, 0.5);
    case.snapshot.group.replicas.clear();
    for trigger in Trigger::ALL {
        case.snapshot.readings[trigger] = Reading::Unbound;
    }
    assert!(case.next().taken_in().decide().action.is_hold());
}
