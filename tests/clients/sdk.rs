//! The SDK for Rust, behind the project's own adapter: the way that the controller itself takes.

use std::sync::Arc;
use std::time::Duration;

use scaling_aws::{AwsClients, AwsPlatform, AwsSettings, Credentials};
use scaling_control::PortError;
use scaling_control::ports::{
    GroupDescription, GroupReader, GroupWriter, Lifecycle, MetricQuery, MetricReader,
};
use scaling_emulator::{Emulator, GroupSetup, Settings, Workload};
use scaling_fleet::TypeName;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use scaling_policy::Trigger;
use scaling_policy::config::GroupConfig;
use scaling_policy::operation::Step;
use scaling_policy::snapshot::ReplacementStatus;
use scaling_tests::environment::REGION;

struct Stage {
    emulator: Emulator,
    platform: AwsPlatform,
    group: Arc<GroupConfig>,
}

impl Stage {
    /// The group `web` of three serving m7i.large, up to eight, under a steady load.
    async fn new() -> Self {
        let emulator = Emulator::start(Settings::default()).await.unwrap();
        let load = Load::constant(emulator.now(), 30.0);
        emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
        emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 8, 3)).make(region)).unwrap();
        let settings = AwsSettings {
            endpoint: Some(emulator.endpoint()),
            region: Some(REGION.to_owned()),
            credentials: Some(Credentials::new("test", "test", None, None, "test")),
            ..AwsSettings::default()
        };
        let platform = AwsPlatform::new(Arc::new(AwsClients::new(settings)));
        Self { emulator, platform, group: Arc::new(GroupConfig::with_defaults("web")) }
    }

    async fn pass(&self, seconds: u64) {
        self.emulator.advance(Duration::from_secs(seconds)).await.unwrap();
    }

    async fn describe(&self) -> GroupDescription {
        let [found] = &self.platform.describe(std::slice::from_ref(&self.group)).await.unwrap()[..] else {
            panic!("one group")
        };
        found.clone()
    }

    /// Types in service.
    async fn serving(&self) -> Vec<String> {
        let instances = self.describe().await.instances;
        let serving = instances.into_iter().filter(|instance| instance.lifecycle == Lifecycle::InService);
        serving.map(|instance| instance.instance_type.to_string()).collect()
    }

    async fn apply(&self, step: Step) -> Result<Option<String>, PortError> {
        self.platform.apply(&self.group, &step).await.map(|accepted| accepted.platform_id)
    }
}

fn replace_by(name: &str) -> Step {
    Step::StartReplacement { types: vec![TypeName::new(name)] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_described_and_its_capacity_set_within_its_bounds() {
    let stage = Stage::new().await;
    let before = stage.describe().await;
    assert_eq!((before.min, before.max, before.desired, before.instances.len()), (1, 8, 3, 3));

    stage.apply(Step::SetDesired { desired: 5 }).await.unwrap();
    assert_eq!(stage.describe().await.desired, 5);
    stage.pass(300).await;
    assert_eq!(stage.serving().await, ["m7i.large"; 5]);

    let refusal = stage.apply(Step::SetDesired { desired: 9 }).await.unwrap_err();
    assert_eq!(refusal.kind(), "invalid", "{refusal}");
    assert_eq!(stage.describe().await.desired, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_of_a_group_are_read_by_complete_periods() {
    let stage = Stage::new().await;
    stage.pass(1_800).await;
    let to = stage.emulator.now();
    let query = |trigger: Trigger| MetricQuery {
        group: stage.group.clone(),
        trigger,
        binding: stage.group.triggers[trigger].binding.clone().unwrap(),
        period_seconds: 60,
        from: to - Duration::from_secs(1_200),
        to: to - Duration::from_secs(600),
    };
    let queries = [query(Trigger::CpuUsage), query(Trigger::MemoryUsage)];
    let answer = stage.platform.read(&queries).await.unwrap();
    for series in &answer {
        assert!(!series.partial);
        assert_eq!(series.points.len(), 10, "{series:?}");
        assert!(series.points.iter().all(|(_, value)| (0.0..100.0).contains(value)), "{series:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_runs_to_its_end_and_serves_throughout() {
    let stage = Stage::new().await;
    let id = stage.apply(replace_by("m7i.xlarge")).await.unwrap().unwrap();
    let again = stage.apply(replace_by("m7i.xlarge")).await.unwrap_err();
    assert_eq!(again.kind(), "conflict", "{again}");

    let mut looks = 0;
    loop {
        let seen = stage.platform.replacement(&stage.group).await.unwrap().unwrap();
        assert_eq!(seen.id, id);
        if seen.status == ReplacementStatus::Successful {
            break;
        }
        assert!(seen.status.is_active() && looks < 400, "{seen:?}");
        stage.pass(15).await;
        assert!(stage.serving().await.len() >= 3);
        looks += 1;
    }
    assert_eq!(stage.serving().await, ["m7i.xlarge"; 3]);
    assert_eq!(stage.describe().await.launch_type, Some(TypeName::new("m7i.xlarge")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_is_rolled_back_leaves_the_former_type() {
    let stage = Stage::new().await;
    stage.apply(replace_by("m7i.xlarge")).await.unwrap();
    stage.pass(240).await;
    stage.apply(Step::RollBackReplacement).await.unwrap();
    for _ in 0..400 {
        if stage.platform.replacement(&stage.group).await.unwrap().unwrap().status
            == ReplacementStatus::RollbackSuccessful
        {
            break;
        }
        stage.pass(15).await;
        assert!(stage.serving().await.len() >= 3);
    }
    assert_eq!(stage.serving().await, ["m7i.large"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_failed_tells_its_type_and_why() {
    let stage = Stage::new().await;
    let since = stage.emulator.now();
    stage
        .emulator
        .inject(scaling_emulator::Fault::CapacityShortage { instance_type: "m7i.large".to_owned() })
        .unwrap();
    stage.apply(Step::SetDesired { desired: 4 }).await.unwrap();
    stage.pass(120).await;
    let failures = stage.platform.launch_failures(&stage.group, since).await.unwrap();
    let failure = failures.first().unwrap();
    assert_eq!(failure.kind, scaling_policy::operation::LaunchFailureKind::Capacity, "{failure:?}");
    assert!(failure.message.contains("m7i.large"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_emulator_received_is_what_the_adapter_counted() {
    let stage = Stage::new().await;
    stage.describe().await;
    stage.apply(Step::SetDesired { desired: 4 }).await.unwrap();
    let counted = stage.platform.clients().counter().snapshot();
    let received = stage.emulator.request_log();
    let received = received.into_iter().map(|(name, count)| {
        let operation = name.rsplit('.').next().unwrap_or_default().to_owned();
        (operation, count)
    });
    assert_eq!(counted, received.collect());
}
