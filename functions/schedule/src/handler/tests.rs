use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
use scaling_control::ports::{GroupDescription, GroupReader};
use scaling_control::{ControlLoop, Ports};
use scaling_policy::config::{Config, GroupConfig, GroupName, Layers};
use scaling_policy::operation::LaunchFailure;
use scaling_policy::snapshot::{ForeignController, ReplacementView};

use super::*;

const BUDGET: Duration = Duration::from_secs(45);

fn function(period: u32, reader: Option<Arc<dyn GroupReader>>) -> (Function, FakePlatform) {
    let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
    let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
    platform.group().busy_vcpu = Some(3.9);
    let ports = Ports {
        groups: reader.unwrap_or_else(|| Arc::new(platform.clone())),
        writer: Arc::new(platform.clone()),
        metrics: Arc::new(platform.clone()),
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock,
    };
    let source = format!(
        r#"{{"mode": "horizontal", "control": "act", "group": "web", "triggers": {{"evaluation_period": {period}}}}}"#
    );
    let config = Config::parse(source.as_bytes(), &Layers::none()).unwrap().config;
    (Function::new(Arc::new(ControlLoop::new(ports, config))), platform)
}

/// A platform that does not answer.
struct Silent;

/// A platform that takes six seconds to say nothing.
struct Slow;

#[async_trait]
impl GroupReader for Slow {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        tokio::time::sleep(Duration::from_secs(6)).await;
        Silent.describe(groups).await
    }

    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        Silent.replacement(group).await
    }

    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        Silent.launch_failures(group, since).await
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        Silent.foreign_controllers(groups).await
    }
}

fn silent<T>(operation: &'static str) -> Result<T, PortError> {
    Err(PortError::Unavailable { operation, message: "no answer".to_owned(), source: None })
}

#[async_trait]
impl GroupReader for Silent {
    async fn describe(&self, _groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        silent("describe")
    }

    async fn replacement(&self, _group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        silent("replacement")
    }

    async fn launch_failures(
        &self,
        _group: &GroupConfig,
        _since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        silent("launch_failures")
    }

    async fn foreign_controllers(
        &self,
        _groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        silent("foreign_controllers")
    }
}

#[tokio::test(start_paused = true)]
async fn one_invocation_is_one_tick_where_the_period_is_a_minute() {
    let (function, platform) = function(60, None);
    let summary = handle(&function, BUDGET).await.unwrap();
    assert_eq!(summary, Summary { ticks: 1, evaluated: 1, changed: 1, ..Summary::default() });
    assert!(platform.group().desired > 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_must_know_is_in_the_answer_once() {
    let (function, platform) = function(10, None);
    platform.group().max = 2;
    let answer = serde_json::to_value(handle(&function, BUDGET).await.unwrap()).unwrap();
    assert_eq!(answer["ticks"], 5);
    let notices = answer["notices"].as_array().unwrap();
    assert_eq!(notices.len(), 1, "{answer}");
    assert_eq!((&notices[0]["kind"], &notices[0]["group"]), (&"saturated".into(), &"web".into()));
}

#[tokio::test(start_paused = true)]
async fn shorter_periods_are_evaluated_within_one_invocation_and_end_before_its_deadline() {
    let (function, _) = function(10, None);
    let began = Instant::now();
    assert_eq!(handle(&function, BUDGET).await.unwrap().ticks, 5);
    assert_eq!(began.elapsed(), Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_long_deadline_is_no_reason_to_overlap_the_next_invocation() {
    let (function, _) = function(20, None);
    assert_eq!(handle(&function, Duration::from_secs(600)).await.unwrap().ticks, 3);
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_fails_as_a_whole_is_an_error_and_the_others_are_still_made() {
    let (function, _) = function(20, Some(Arc::new(Silent)));
    let began = Instant::now();
    let error = handle(&function, BUDGET).await.unwrap_err();
    assert!(error.to_string().contains("no answer"), "{error}");
    let failure = Failure::from(error);
    assert_eq!(failure.name, "Unavailable");
    assert!(failure.message.starts_with("no group could be evaluated: "), "{failure}");
    assert_eq!(began.elapsed(), Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn ticks_that_are_slower_than_the_period_end_before_the_deadline() {
    let (function, _) = function(5, Some(Arc::new(Slow)));
    let began = Instant::now();
    handle(&function, BUDGET).await.unwrap_err();
    assert!(began.elapsed() <= BUDGET, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_tick_in_which_every_group_fails_is_an_error() {
    let (function, _) = function(60, None);
    let control = function.control();
    let failed = |message: &str| scaling_control::GroupOutcome {
        config: control.config().groups[0].clone(),
        result: Outcome::Failed(PortError::NotFound { what: message.to_owned() }),
        acted: None,
        ended: vec![],
    };
    let report = TickReport { outcomes: vec![failed("one"), failed("two")], ..TickReport::default() };
    let failure = Failure::from(every_group_failed(&report).unwrap());
    assert_eq!(failure.name, "NoGroupEvaluated");
    let error = failure.message;
    assert!(error.contains("none of the 2 groups") && error.contains("one"), "{error}");
    assert!(every_group_failed(&TickReport::default()).is_none());
}
