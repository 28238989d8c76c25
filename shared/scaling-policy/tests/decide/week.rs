//! The demo's week: the latency target held, at less cost than plain target tracking.

use jiff::Timestamp;
use scaling_fleet::load::WeekProfile;
use scaling_fleet::service::ServiceModel;
use scaling_policy::config::{GroupConfig, ReplicaBounds};
use scaling_simulator::Figures;
use scaling_simulator::rivals::Rival;

use crate::support::closed_loop::{ClosedLoop, Scenario};
use crate::support::offers::demo_types;

/// The demo's group: all four triggers, 250 ms, c, m and r from large to 4xlarge.
pub(crate) fn demo_config() -> GroupConfig {
    let mut config = GroupConfig::with_defaults("demo");
    config.replicas = ReplicaBounds { min: 2, max: 60, target: 8 };
    config.triggers.request_count.threshold = 4000.0;
    config.triggers.request_latency.threshold = 0.25;
    config
}

pub(crate) fn demo_scenario(seed: u64) -> Scenario {
    // Monday, 5 January 2026.
    let start = Timestamp::from_second(1_767_571_200).unwrap();
    Scenario {
        load: WeekProfile { mean_rate: 300.0, seed }.draw(start),
        service: ServiceModel::demo(),
        seed,
        replicas: 8,
        lag: 0,
    }
}

struct Week {
    ours: Figures,
    /// Whether every instance has the type that was last changed to.
    settled: bool,
    target_tracking: Figures,
}

/// 50 % CPU, seen without delay, which is kinder than CloudWatch is.
fn target_tracking(scenario: &Scenario) -> Figures {
    Scenario { lag: 0, ..scenario.clone() }.play(Rival::TargetTracking, 0.5)
}

fn week(seed: u64) -> Week {
    let scenario = demo_scenario(seed);
    let mut group = ClosedLoop::new(demo_config(), &scenario, &demo_types());
    let ours = group.run_until(scenario.load.end(), |_, _| {});
    Week { ours, settled: !group.group().is_replacing(), target_tracking: target_tracking(&scenario) }
}

/// `cargo test -p scaling-policy --test decide week -- --nocapture` prints the table.
#[test]
fn the_week_holds_the_target_for_less_than_target_tracking_costs() {
    for seed in 1..=5 {
        let Week { ours, settled, target_tracking } = week(seed);
        let saving = 1.0 - ours.cost_usd / target_tracking.cost_usd;
        println!(
            "seed {seed}: psi {:.3} % {:.2} USD {} operations {} type changes | target tracking psi {:.3} % {:.2} USD {} \
             operations | saving {:.1} %",
            ours.violation_requests_share * 100.0,
            ours.cost_usd,
            ours.operations,
            ours.type_changes,
            target_tracking.violation_requests_share * 100.0,
            target_tracking.cost_usd,
            target_tracking.operations,
            saving * 100.0,
        );
        assert!((ours.requests - target_tracking.requests).abs() < 1e-6, "seed {seed}: other arrivals");
        assert!(ours.violation_requests_share <= 0.003, "seed {seed}: {ours:?}");
        assert!(saving >= 0.1, "seed {seed}: {ours:?} {target_tracking:?}");
        assert!(ours.type_changes >= 1 && settled, "seed {seed}: {ours:?}");
        assert!(ours.operations <= 7 * 150, "seed {seed}: {ours:?}");
    }
}

#[test]
fn the_week_holds_the_target_with_metrics_that_are_two_minutes_late() {
    for seed in [1, 4] {
        let scenario = Scenario { lag: 2, ..demo_scenario(seed) };
        let mut group = ClosedLoop::new(demo_config(), &scenario, &demo_types());
        let ours = group.run_until(scenario.load.end(), |_, _| {});
        // Target tracking is not late here.
        let target_tracking = target_tracking(&scenario);
        assert!(ours.violation_requests_share <= 0.005, "seed {seed}: {ours:?}");
        assert!(ours.cost_usd <= 0.9 * target_tracking.cost_usd, "seed {seed}: {ours:?} {target_tracking:?}");
        assert!(!group.group().is_replacing(), "seed {seed}");
    }
}

#[test]
fn the_same_week_gives_the_same_totals() {
    assert_eq!(week(3).ours, week(3).ours);
}
