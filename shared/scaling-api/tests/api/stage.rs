//! A loop over groups in memory, and requests to the router over it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use scaling_api::{Access, ApiState, EventLog, router};
use scaling_control::fakes::{MemoryStore, SteppedClock};
use scaling_control::ports::{
    Accepted, Clock, GroupDescription, GroupReader, GroupWriter, InstanceDescription, Lifecycle, MetricQuery,
    MetricReader, MetricSeries, NewRecord, Purchase, Quota, StateStore,
};
use scaling_control::{ControlLoop, PortError, Ports};
use scaling_fleet::TypeName;
use scaling_policy::config::{Config, GroupConfig, GroupName, Layers, ProgramSet};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView, RetypeSupport, SuspendedProcesses};
use scaling_policy::trigger::Trigger;
use scaling_telemetry::Metrics;
use serde_json::{Value, json};
use tower::ServiceExt;

/// When every test begins: Monday, 2 March 2026, 08:00 UTC.
pub(crate) const START: &str = "2026-03-02T08:00:00Z";

/// Everything a test holds in its hands.
pub(crate) struct Stage {
    pub(crate) clock: Arc<SteppedClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) control: Arc<ControlLoop>,
    pub(crate) metrics: Metrics,
    pub(crate) router: Router,
}

impl Stage {
    /// One group, `web`, that is acted on: four m7i.large of one to ten.
    pub(crate) fn new() -> Self {
        Self::with(&config_of("web"))
    }

    /// The same interface, which checks roles itself.
    pub(crate) fn guarded() -> Self {
        let mut stage = Self::new();
        let of_api = ApiState::new(Arc::clone(&stage.control), stage.metrics.clone());
        stage.router = router(of_api.with_access(Access::ByGrant));
        stage
    }

    /// The same interface where connections may stay open.
    pub(crate) fn streaming() -> Self {
        let mut stage = Self::new();
        stage.router = router(ApiState::new(Arc::clone(&stage.control), stage.metrics.clone()).streaming());
        stage
    }

    /// Two groups, `web` and `batch`.
    pub(crate) fn with_two_groups() -> Self {
        Self::with(&json!({"mode": "hybrid", "groups": [
            {"name": "web", "control": "act"}, {"name": "batch", "control": "act"},
        ]}))
    }

    pub(crate) fn with(source: &Value) -> Self {
        let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
        let clock = Arc::new(SteppedClock::at(START.parse().unwrap()));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let platform = Arc::new(Platform::of(&config));
        let ports = Ports {
            groups: Arc::clone(&platform) as Arc<dyn GroupReader>,
            writer: Arc::clone(&platform) as Arc<dyn GroupWriter>,
            metrics: Arc::clone(&platform) as Arc<dyn MetricReader>,
            store: Arc::new(EventLog::new(store.clone(), clock.clone())),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let control = Arc::new(ControlLoop::new(ports, config));
        let metrics = Metrics::new();
        let router = router(ApiState::new(Arc::clone(&control), metrics.clone()));
        Self { clock, store, platform, control, metrics, router }
    }

    /// The same store and platform under a process that begins anew.
    pub(crate) fn restarted(self) -> Self {
        let control = Arc::new(ControlLoop::new(
            self.control.ports().clone(),
            Config::parse(config_of("web").to_string().as_bytes(), &Layers::none()).unwrap().config,
        ));
        let router = router(ApiState::new(Arc::clone(&control), self.metrics.clone()));
        Self { control, router, ..self }
    }

    /// History, as the loop has written it long ago.
    pub(crate) async fn store_directly(&self, records: Vec<NewRecord>) {
        self.store.append(records).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Reply {
        self.send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(path, &[], &body.to_string()).await
    }

    /// A write with further headers.
    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request =
            Request::builder().method(Method::POST).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Any method, with a JSON body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }

    /// One tick, recorded.
    pub(crate) async fn tick(&self) {
        let report = self.control.tick(Duration::from_secs(50)).await.unwrap();
        let ended = self.clock.now();
        let config_version = self.control.config().version;
        let tick =
            scaling_telemetry::metrics::Tick { ended, took: Duration::from_millis(20), config_version };
        self.metrics.record_tick(&report, tick);
    }
}

/// A configuration with one group that is acted on.
pub(crate) fn config_of(group: &str) -> Value {
    json!({"mode": "hybrid", "group": group, "control": "act"})
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// Checks everything that all problems have in common, and returns the body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["type"], format!("urn:scaling:problem:{name}"), "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["instance"], self.header("x-request-id"));
        assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
        body
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }
}

/// Groups that become at once what they are asked to be.
pub(crate) struct Platform {
    pub(crate) groups: Mutex<BTreeMap<GroupName, GroupDescription>>,
    /// Steps that were accepted.
    pub(crate) accepted: Mutex<Vec<Step>>,
    /// Nothing is answered any more.
    pub(crate) is_down: Mutex<bool>,
    /// Descriptions are waited for without end.
    pub(crate) hangs: Mutex<bool>,
    /// Nothing is permitted any more.
    pub(crate) refuses: Mutex<bool>,
    /// No step is permitted; everything may be read.
    pub(crate) refuses_steps: Mutex<bool>,
    /// A fault of the program shows.
    pub(crate) is_broken: Mutex<bool>,
    /// Launches that failed.
    pub(crate) failures: Mutex<Vec<LaunchFailure>>,
    pub(crate) replacement: Mutex<Option<ReplacementView>>,
    pub(crate) foreign: Mutex<Vec<ForeignController>>,
    /// The account's quota for every type.
    pub(crate) quota: Mutex<Option<Quota>>,
    /// CPU utilisation in percent; without it there is no data.
    pub(crate) cpu: Mutex<Option<f64>>,
    pub(crate) described: Mutex<usize>,
    /// Whether a question for quotas is never answered.
    pub(crate) hides_quotas: Mutex<bool>,
    /// Metrics may not be read.
    pub(crate) hides_metrics: Mutex<bool>,
    /// Scaling activities never come.
    pub(crate) hides_activities: Mutex<bool>,
    /// Programs that are run: those of the configuration of the start.
    programs: HashSet<Vec<String>>,
    /// The group whose metrics program fails.
    pub(crate) fails_metrics: Mutex<Option<GroupName>>,
    /// How long reading metrics takes.
    pub(crate) metrics_take: Mutex<Duration>,
    /// How long a look for other controllers takes.
    pub(crate) look_takes: Mutex<Duration>,
    /// How often other controllers were looked for.
    pub(crate) looks: Mutex<usize>,
}

impl Platform {
    fn of(config: &Config) -> Self {
        let groups = config.groups.iter().map(|group| (group.name.clone(), description(&group.name, 4)));
        let programs = config.groups.iter().flat_map(|group| &group.programs).flat_map(ProgramSet::lists);
        Self {
            groups: Mutex::new(groups.collect()),
            accepted: Mutex::default(),
            is_down: Mutex::default(),
            hangs: Mutex::default(),
            refuses: Mutex::default(),
            refuses_steps: Mutex::default(),
            is_broken: Mutex::default(),
            failures: Mutex::default(),
            replacement: Mutex::default(),
            foreign: Mutex::default(),
            quota: Mutex::default(),
            cpu: Mutex::new(Some(60.0)),
            described: Mutex::default(),
            hides_quotas: Mutex::default(),
            hides_metrics: Mutex::default(),
            hides_activities: Mutex::default(),
            programs: programs.cloned().collect(),
            fails_metrics: Mutex::default(),
            metrics_take: Mutex::default(),
            look_takes: Mutex::default(),
            looks: Mutex::default(),
        }
    }

    pub(crate) fn change(&self, group: &str, change: impl FnOnce(&mut GroupDescription)) {
        change(self.groups.lock().unwrap().get_mut(&GroupName::new(group)).unwrap());
    }

    fn answer<T>(&self, value: T) -> Result<T, PortError> {
        assert!(!*self.is_broken.lock().unwrap(), "this fault was asked for");
        if *self.refuses.lock().unwrap() {
            let message = "not authorized".to_owned();
            return Err(PortError::Denied { operation: "describe", message });
        }
        if *self.is_down.lock().unwrap() {
            let message = "no route to the platform".to_owned();
            return Err(PortError::Unavailable { operation: "describe", message, source: None });
        }
        Ok(value)
    }
}

fn description(name: &GroupName, replicas: u32) -> GroupDescription {
    GroupDescription {
        name: name.clone(),
        min: 1,
        max: 20,
        desired: replicas,
        launch_type: Some("m7i.large".into()),
        instances: (0..replicas).map(instance).collect(),
        zones: vec!["a".to_owned()],
        suspended: SuspendedProcesses::default(),
        retype: RetypeSupport::Supported,
        maintenance: None,
        warm_up_seconds: 0,
        template: None,
        purchase: Purchase::default(),
        missing_tag: None,
    }
}

fn instance(index: u32) -> InstanceDescription {
    InstanceDescription {
        id: format!("i-{index:04}"),
        instance_type: "m7i.large".into(),
        lifecycle: Lifecycle::InService,
        healthy: true,
        protected: false,
        zone: Some("a".to_owned()),
    }
}

#[async_trait]
impl GroupReader for Platform {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        *self.described.lock().unwrap() += 1;
        let hangs = *self.hangs.lock().unwrap();
        if hangs {
            std::future::pending::<()>().await;
        }
        let known = self.groups.lock().unwrap();
        self.answer(groups.iter().filter_map(|group| known.get(&group.name).cloned()).collect())
    }

    async fn replacement(&self, _group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        self.answer(self.replacement.lock().unwrap().clone())
    }

    async fn launch_failures(
        &self,
        _group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        let hides = *self.hides_activities.lock().unwrap();
        if hides {
            std::future::pending::<()>().await;
        }
        let failures = self.failures.lock().unwrap();
        self.answer(failures.iter().filter(|failure| failure.at >= since).cloned().collect())
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        *self.looks.lock().unwrap() += 1;
        let takes = *self.look_takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        let found = self.foreign.lock().unwrap().clone();
        self.answer(groups.iter().map(|group| (group.name.clone(), found.clone())).collect())
    }

    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        let hides = *self.hides_quotas.lock().unwrap();
        if hides {
            std::future::pending::<()>().await;
        }
        let quota = self.quota.lock().unwrap().clone();
        self.answer(types.iter().filter_map(|name| Some((name.clone(), quota.clone()?))).collect())
    }

    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        let is_run = |list| self.programs.contains(list);
        let refused = groups.iter().filter(|group| {
            let mut lists = group.programs.iter().flat_map(ProgramSet::lists);
            lists.any(|list| !is_run(list))
        });
        refused.map(|group| group.name.clone()).collect()
    }
}

#[async_trait]
impl GroupWriter for Platform {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        if *self.refuses_steps.lock().unwrap() {
            let message = "not authorized".to_owned();
            return Err(PortError::Denied { operation: "set desired capacity", message });
        }
        self.accepted.lock().unwrap().push(step.clone());
        if let Step::SetDesired { desired } = step {
            self.change(group.name.as_str(), |group| {
                group.desired = *desired;
                group.instances = (0..*desired).map(instance).collect();
            });
        }
        self.answer(Accepted { platform_id: Some("refresh-1".to_owned()) })
    }
}

#[async_trait]
impl MetricReader for Platform {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        let takes = *self.metrics_take.lock().unwrap();
        tokio::time::sleep(takes).await;
        let cpu = *self.cpu.lock().unwrap();
        if *self.hides_metrics.lock().unwrap() {
            let message = "not authorized".to_owned();
            return Err(PortError::Denied { operation: "GetMetricData", message });
        }
        let points = |query: &MetricQuery| {
            let newest = query.to - jiff::SignedDuration::from_secs(i64::from(query.period_seconds));
            let value = cpu.filter(|_| query.trigger == Trigger::CpuUsage);
            value.map(|value| (newest, value)).into_iter().collect()
        };
        let fails = self.fails_metrics.lock().unwrap().clone();
        let series = queries.iter().map(|query| {
            if fails.as_ref() == Some(&query.group.name) && query.trigger == Trigger::CpuUsage {
                let message = "it ended with code 3".to_owned();
                let error = PortError::Unavailable { operation: "metrics", message, source: None };
                return MetricSeries::unread(error.into());
            }
            MetricSeries { points: points(query), ..MetricSeries::default() }
        });
        self.answer(series.collect())
    }
}
