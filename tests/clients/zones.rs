//! A type change to a type that one zone of the group does not have: the controller against the emulator.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scaling::{Assembly, StoreChoice};
use scaling_aws::{AwsSettings, Credentials};
use scaling_control::ScaleRequest;
use scaling_control::ports::{Clock, InstanceDescription, Lifecycle};
use scaling_emulator::{Emulator, Fault, GroupSetup, Settings, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use scaling_policy::config::{Config, Layers};
use scaling_policy::operation::{Operation, OperationKind, Phase};
use scaling_tests::environment::REGION;
use serde_json::json;

struct EmulatorClock(Arc<Emulator>);

impl Clock for EmulatorClock {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
}

/// The group `web` of three m7i.large in three zones, and a controller that does with it what people ask for.
fn stage(emulator: &Arc<Emulator>) -> Assembly {
    let load = Load::constant(emulator.now(), 60.0);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (3, 8, 3)).make(region)).unwrap();
    let source = json!({
        "mode": "hybrid", "control": "observe", "groups": [{"name": "web"}],
        "replicas": {"min_replicas": 3, "max_replicas": 8, "target_replicas": 3},
        "resources": {"min_cpu": 1, "max_cpu": 64, "min_memory": 1024, "max_memory": 524_288},
        "policy": {"triggers": ["cpu_usage"]}
    });
    let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
    let aws = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some(REGION.to_owned()),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        ..AwsSettings::default()
    };
    let clock = Arc::new(EmulatorClock(Arc::clone(emulator)));
    Assembly::with_clock(config, aws, &StoreChoice::Memory, clock).unwrap()
}

/// What serves.
async fn serving(assembly: &Assembly) -> Vec<InstanceDescription> {
    let config = assembly.control.config();
    let [group] = &assembly.control.ports().groups.describe(&config.groups).await.unwrap()[..] else {
        panic!("one group")
    };
    let instances = group.instances.iter();
    instances.filter(|instance| instance.lifecycle == Lifecycle::InService).cloned().collect()
}

fn zones(instances: &[InstanceDescription]) -> BTreeSet<String> {
    instances.iter().filter_map(|instance| instance.zone.clone()).collect()
}

/// A minute of the controller, and the type changes that ended in it.
async fn minute(emulator: &Emulator, assembly: &Assembly) -> Vec<Operation> {
    emulator.advance(Duration::from_secs(60)).await.unwrap();
    let report = assembly.control.tick(Duration::from_secs(50)).await.unwrap();
    let ended = report.outcomes[0].ended.iter();
    ended.filter(|done| matches!(done.kind, OperationKind::Retype { .. })).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_does_not_launch_in_a_zone_is_gone_back_from_and_the_zone_is_served_again() {
    let emulator = Arc::new(Emulator::start(Settings::default()).await.unwrap());
    let assembly = stage(&emulator);
    for _ in 0..5 {
        minute(&emulator, &assembly).await;
    }
    let before = zones(&serving(&assembly).await);
    assert_eq!(before.len(), 3, "{before:?}");
    let zone = before.first().unwrap().clone();
    let shortage = Fault::ZoneShortage { instance_type: "m7i.2xlarge".to_owned(), zone: zone.clone() };
    emulator.inject(shortage).unwrap();
    let request = ScaleRequest {
        group: "web".into(),
        replicas: None,
        instance_type: Some("m7i.2xlarge".into()),
        by: "ops".to_owned(),
        until: None,
        dry_run: false,
    };
    assembly.control.request(&request).await.unwrap();

    let (mut ended, mut left) = (Vec::new(), false);
    for _ in 0..180 {
        ended = minute(&emulator, &assembly).await;
        let serving = serving(&assembly).await;
        assert!(serving.len() >= 3);
        left |= !zones(&serving).contains(&zone);
        if !ended.is_empty() {
            break;
        }
    }
    assert!(left, "the platform goes on in the other zones");
    let [change] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(change.phase, Phase::RolledBack, "{change:?}");
    let why = change.failure.as_deref().unwrap_or_default();
    assert!(why.contains("m7i.2xlarge") && why.contains(&zone), "{why}");
    let after = serving(&assembly).await;
    assert_eq!(zones(&after), before);
    assert!(after.iter().all(|instance| instance.instance_type.as_str() == "m7i.large"), "{after:?}");
}
