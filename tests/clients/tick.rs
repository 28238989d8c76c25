//! What one tick over a thousand groups asks of AWS, by the emulator's own log of what reached it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scaling::{Assembly, StoreChoice};
use scaling_aws::{AwsSettings, Credentials};
use scaling_control::ports::Clock;
use scaling_emulator::{Emulator, GroupSetup, Settings};
use scaling_policy::config::{Config, Layers};
use scaling_tests::environment::REGION;
use serde_json::json;

const GROUPS: usize = 1000;

/// Metrics that each group binds: CPU and memory.
const METRICS: usize = 2;

struct EmulatorClock(Arc<Emulator>);

impl Clock for EmulatorClock {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
}

/// The emulator with its groups, and a controller of them.
async fn stage() -> (Arc<Emulator>, Assembly) {
    let emulator = Arc::new(Emulator::start(Settings::default()).await.unwrap());
    let name = |number: usize| format!("web-{number:04}");
    for number in 0..GROUPS {
        let setup = GroupSetup::new(&name(number), "m7i.large", (1, 8, 1));
        emulator.with_region(|region| setup.make(region)).unwrap();
    }
    let groups: Vec<_> = (0..GROUPS).map(|number| json!({"name": name(number)})).collect();
    let source = json!({
        "mode": "hybrid", "control": "act", "groups": groups,
        // What they have: with more, each would begin with a scale-up.
        "replicas": {"min_replicas": 1, "target_replicas": 1},
        "policy": {"triggers": ["cpu_usage", "memory_usage"], "priority_triggers": ["cpu_usage"]}
    });
    let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
    let aws = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some(REGION.to_owned()),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        ..AwsSettings::default()
    };
    let clock = Arc::new(EmulatorClock(Arc::clone(&emulator)));
    let assembly = Assembly::with_clock(config, aws, &StoreChoice::Memory, clock).unwrap();
    (emulator, assembly)
}

/// Requests by operation since `before`.
fn since(before: &BTreeMap<String, u64>, emulator: &Emulator) -> BTreeMap<String, u64> {
    let after = emulator.request_log();
    let made = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    made.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_tick_over_a_thousand_groups_is_ten_descriptions_and_four_metric_calls() {
    let (emulator, assembly) = stage().await;
    // Taking the groups over looks for other controllers, too, five hundred groups a tick; that is counted apart.
    let before = emulator.request_log();
    for _ in 0..2 {
        emulator.advance(Duration::from_secs(60)).await.unwrap();
        let report = assembly.control.tick(Duration::from_secs(600)).await.unwrap();
        assert_eq!((report.outcomes.len(), report.failed()), (GROUPS, 0));
    }
    let taken_over = since(&before, &emulator);
    let looks = BTreeMap::from([
        ("AutoScaling.DescribeAutoScalingGroups", (2 * GROUPS / 100 + GROUPS / 100) as u64),
        ("AutoScaling.DescribePolicies", 2),
        ("AutoScaling.DescribeScheduledActions", 2),
    ]);
    for (call, made) in looks {
        assert_eq!(taken_over.get(call), Some(&made), "{call}");
    }
    emulator.advance(Duration::from_secs(60)).await.unwrap();
    let before = emulator.request_log();
    let report = assembly.control.tick(Duration::from_secs(600)).await.unwrap();
    assert_eq!((report.outcomes.len(), report.failed(), report.changed()), (GROUPS, 0, 0));
    let expected = BTreeMap::from([
        ("AutoScaling.DescribeAutoScalingGroups".to_owned(), (GROUPS / 100) as u64),
        ("CloudWatch.GetMetricData".to_owned(), (GROUPS * METRICS / 500) as u64),
    ]);
    assert_eq!(since(&before, &emulator), expected);
}
