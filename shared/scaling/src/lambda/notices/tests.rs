use std::sync::Arc;
use std::time::Duration;

use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock, Steps};
use scaling_control::{ControlLoop, Ports};
use scaling_policy::config::{Config, Layers};
use serde_json::Value;

use super::*;

struct Stage {
    clock: Arc<SteppedClock>,
    platform: FakePlatform,
    control: ControlLoop,
}

impl Stage {
    /// Two replicas of the group `web` under a load that needs three, with this much more in the configuration.
    fn new(more: &str) -> Self {
        Self::of("web", more)
    }

    fn of(group: &str, more: &str) -> Self {
        let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
        let platform = FakePlatform::new(group, "m7i.large", 2, clock.clone());
        platform.group().busy_vcpu = Some(3.9);
        let ports = Ports {
            groups: Arc::new(platform.clone()),
            writer: Arc::new(platform.clone()),
            metrics: Arc::new(platform.clone()),
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock: clock.clone(),
        };
        let source = format!(r#"{{"mode": "horizontal", "control": "act", "group": "{group}"{more}}}"#);
        let config = Config::parse(source.as_bytes(), &Layers::none()).unwrap().config;
        Self { clock, platform, control: ControlLoop::new(ports, config) }
    }

    async fn tick(&self) -> Vec<Notice> {
        let report = self.control.tick(Duration::from_secs(50)).await.unwrap();
        self.clock.advance(Duration::from_secs(60));
        notices(&report)
    }
}

fn kinds(notices: &[Notice]) -> Vec<Kind> {
    notices.iter().map(|notice| notice.kind).collect()
}

#[tokio::test]
async fn a_group_that_is_held_as_configured_is_not_worth_a_notice() {
    assert_eq!(Stage::new("").tick().await, []);
}

#[tokio::test]
async fn a_group_at_its_maximum_that_needs_more_is_saturated() {
    let stage = Stage::new(r#", "replicas": {"min_replicas": 1, "max_replicas": 2}"#);
    let notices = stage.tick().await;
    assert_eq!(kinds(&notices), [Kind::Saturated]);
    assert_eq!((notices[0].group.as_str(), notices[0].kind.label()), ("web", "saturated"));
}

#[tokio::test]
async fn a_group_without_data_is_told_each_time() {
    let stage = Stage::new("");
    stage.platform.group().busy_vcpu = None;
    for _ in 0..2 {
        assert_eq!(kinds(&stage.tick().await), [Kind::DataMissing]);
    }
}

#[tokio::test]
async fn others_who_act_on_a_group_are_named_unless_they_are_meant_to() {
    for (more, expected) in
        [("", vec![Kind::ForeignController]), (r#", "policy": {"coexist": true}"#, vec![])]
    {
        let stage = Stage::new(more);
        stage.platform.group().foreign = vec![ForeignController::ScalingPolicy { name: "cpu50".to_owned() }];
        let notices = stage.tick().await;
        assert_eq!(kinds(&notices), expected);
        assert!(notices.iter().all(|notice| notice.message.ends_with("scaling policy cpu50")), "{notices:?}");
    }
}

#[tokio::test]
async fn operations_that_fail_are_told_one_by_one_until_the_group_holds() {
    let stage = Stage::new("");
    stage.platform.group().steps = Steps::Refused;
    let mut told = Vec::new();
    for _ in 0..60 {
        told.extend(stage.tick().await);
    }
    let failed: Vec<_> = told.iter().filter(|notice| notice.kind == Kind::OperationFailed).collect();
    assert_eq!(failed.len(), 3, "{told:?}");
    assert!(failed[0].message.contains("(up) ended failed: "), "{}", failed[0].message);
    assert_eq!(told.last().unwrap().kind, Kind::BreakerOpen);
}

#[tokio::test]
async fn a_group_that_the_platform_does_not_know_is_told() {
    let stage = Stage::of("gone", "");
    assert_eq!(kinds(&stage.tick().await), [Kind::NotFound]);
}

#[test]
fn the_metric_counts_each_group_once_for_each_kind() {
    let notice = |kind, group: &str, message: &str| Notice {
        kind,
        group: GroupName::new(group),
        message: message.to_owned(),
    };
    let told = [
        notice(Kind::OperationFailed, "web", "one"),
        notice(Kind::OperationFailed, "web", "two"),
        notice(Kind::OperationFailed, "worker", "three"),
        notice(Kind::Saturated, "web", "four"),
    ];
    let printed = lines("ServiceScaling", Timestamp::UNIX_EPOCH, &told);
    let values: Vec<Value> = printed.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |value: &Value| (value["kind"].as_str().unwrap().to_owned(), value[METRIC].as_u64().unwrap());
    let counted: Vec<_> = values.iter().map(of).collect();
    assert_eq!(counted, [("saturated".to_owned(), 1), ("operation_failed".to_owned(), 2)]);
    let directive = json!([{
        "Namespace": "ServiceScaling", "Dimensions": [["kind"]],
        "Metrics": [{"Name": "scaling_notices", "Unit": "Count"}],
    }]);
    assert_eq!(values[0]["_aws"], json!({"Timestamp": 0, "CloudWatchMetrics": directive}));
    assert_eq!(values[1]["groups"], json!(["web", "worker"]));
}

#[test]
fn an_event_and_the_metric_have_the_same_word_for_a_kind() {
    for kind in Kind::ALL {
        assert_eq!(json!(kind), kind.label());
    }
}

#[tokio::test]
async fn what_holds_of_a_group_is_told_each_minute_of_its_longer_period() {
    let stage = Stage::new(
        r#", "replicas": {"min_replicas": 1, "max_replicas": 2}, "triggers": {"evaluation_period": 300}"#,
    );
    let standing = Standing::default();
    let mut told = Vec::new();
    for minute in 0..8 {
        if minute == 5 {
            stage.platform.group().busy_vcpu = Some(1.0);
        }
        let report = stage.control.tick(Duration::from_secs(50)).await.unwrap();
        stage.clock.advance(Duration::from_secs(60));
        told.push(kinds(&standing.of_tick(&report)));
    }
    assert!(told[..5].iter().all(|kinds| *kinds == [Kind::Saturated]), "{told:?}");
    assert!(told[5..].iter().all(Vec::is_empty), "until it is evaluated again: {told:?}");
}

#[tokio::test]
async fn what_holds_of_a_group_holds_on_while_it_is_busy_or_cannot_be_read() {
    let stage = Stage::new(r#", "replicas": {"min_replicas": 1, "max_replicas": 2}"#);
    let standing = Standing::default();
    let report = stage.control.tick(Duration::from_secs(50)).await.unwrap();
    assert_eq!(kinds(&standing.of_tick(&report)), [Kind::Saturated]);
    let without = |result| {
        let config = report.outcomes[0].config.clone();
        let outcomes = vec![GroupOutcome { config, result, acted: None, ended: vec![] }];
        TickReport { outcomes, ..TickReport::default() }
    };
    let unreadable = || Outcome::Failed(scaling_control::PortError::Throttled { operation: "describe" });
    assert_eq!(kinds(&standing.of_tick(&without(unreadable()))), [Kind::Unreadable, Kind::Saturated]);
    assert_eq!(kinds(&standing.of_tick(&without(Outcome::Busy))), [Kind::Saturated]);
    let left_over = vec![report.outcomes[0].config.name.clone()];
    let report = TickReport { left_over, ..TickReport::default() };
    assert_eq!(kinds(&standing.of_tick(&report)), [Kind::Saturated]);
}
