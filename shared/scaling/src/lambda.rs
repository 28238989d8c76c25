//! What the three Lambda functions share: logs, the parts built at the first event, the time that is left, and what is
//! told about an evaluation.
//!
//! Nothing is read or connected before the first event: a function is ready to be invoked a few milliseconds after
//! its process has started.
//!
//! # Environment
//! | Variable | What it says |
//! |---|---|
//! | `SCALING_CONFIG` | the configuration file; where there is none, the packaged default is used |
//! | `SCALING_ENVIRONMENT` | the environment whose own file lies over it |
//! | `SCALING_GROUPS` | group names with commas between, added to the configuration's; not with `SCALING_ENVIRONMENT` |
//! | `SCALING_TABLE`, `SCALING_STATE` | where state is kept, see [`StoreChoice::from_environment`] |
//! | `SCALING_METRIC_GROUPS` | groups with CloudWatch metrics of their own, commas between; each costs money |
//! | `SCALING_METRIC_NAMESPACE` | CloudWatch namespace of the metrics; `ServiceScaling` where it is not set |
//! | `SCALING_ALARM_FUNCTION` | ARN of the function `alarm`; the schedule then keeps the groups' alarms ([`alarms`]) |
//! | `SCALING_TYPE_CHANGES` | `off` scales every group in count only: the deployment lacks what an instance refresh needs |
//! | `SCALING_ALB` | `authenticated`: requests of a load balancer are let in; only the function `api` reads it |
//! | `SCALING_CLOCK` | an emulator's clock, see [`clock`] |

pub mod alarms;
pub mod clock;
pub mod failure;
pub mod notices;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scaling_aws::{AwsClients, AwsSettings, Surroundings};
use scaling_control::ports::{Clock, SystemClock};
use scaling_control::{ControlLoop, TickReport};
use scaling_policy::config::{GroupName, Layers, Loaded};
use scaling_telemetry::Metrics;
use scaling_telemetry::emf::{EmbeddedMetrics, TickFigures};
use scaling_telemetry::metrics::{Tick, names};
use serde_json::json;
use thiserror::Error;

use crate::assembly::{Assembly, AssemblyError, StoreChoice};
use crate::configuration::{self, ConfigurationError, groups_overlay};
use crate::narrate::narrate;
use alarms::AlarmKeeper;
use clock::{ClockError, FollowingClock};
use notices::{Notice, Standing};

/// The configuration that a function falls back on where its package holds no file.
const PACKAGED: &[u8] = include_bytes!("../../../config/scaling.json");

/// Time-out of the functions in the template.
const TIMEOUT: Duration = Duration::from_secs(50);

/// What an invocation leaves of its time, so that its answer and its last write still get through.
const RESERVE: Duration = Duration::from_secs(5);

/// Why a function cannot work.
#[derive(Debug, Error)]
pub enum StartError {
    /// No usable configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The parts could not be put together.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The emulator's clock cannot be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

/// Sends the logs to standard output as JSON, where CloudWatch Logs picks them up. `RUST_LOG` or `SCALING_LOG` sets
/// what is logged. A second call changes nothing.
pub fn init_logs() {
    let directives = scaling_telemetry::logs::directives(|name| std::env::var(name).ok());
    // Without logs a function still does its work; its runtime reports errors on its own.
    let _ = scaling_telemetry::logs::init_lambda(&directives);
}

/// A function's parts, kept from one invocation to the next.
pub struct Function {
    control: Arc<ControlLoop>,
    metrics: Metrics,
    embedded: EmbeddedMetrics,
    clock: Option<Arc<FollowingClock>>,
    clients: Option<Arc<AwsClients>>,
    alarms: Option<AlarmKeeper>,
    standing: Standing,
}

impl Function {
    /// Puts the parts together from the environment.
    ///
    /// # Errors
    /// Faults of the configuration, all at once; no place for the state; an address of a clock that is none.
    pub fn from_environment() -> Result<Self, StartError> {
        let loaded = load()?;
        for warning in &loaded.warnings {
            tracing::warn!(target: "scaling::validator", %warning, "configuration");
        }
        let following =
            set(clock::VARIABLE).map(|address| FollowingClock::new(&address)).transpose()?.map(Arc::new);
        let clock: Arc<dyn Clock> = match &following {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock),
        };
        let store = StoreChoice::from_environment()?;
        let aws = AwsSettings { surroundings: Surroundings::Variables, ..AwsSettings::default() };
        let assembly = Assembly::with_clock(loaded.config, aws, &store, clock)?;
        let mut function = Self::new(assembly.control);
        function.clients = Some(assembly.clients);
        function.clock = following;
        if let Some(namespace) = set("SCALING_METRIC_NAMESPACE") {
            function.embedded.namespace = namespace;
        }
        let listed = set("SCALING_METRIC_GROUPS").unwrap_or_default();
        function.embedded.groups = names_in(&listed).map(GroupName::new).collect();
        Ok(function)
    }

    /// A function over a loop that the caller has made, on its clock.
    pub fn new(control: Arc<ControlLoop>) -> Self {
        let (metrics, embedded) = (Metrics::new(), EmbeddedMetrics::default());
        Self {
            control,
            metrics,
            embedded,
            clock: None,
            clients: None,
            alarms: None,
            standing: Standing::default(),
        }
    }

    /// The same, keeping the groups' alarms where `SCALING_ALARM_FUNCTION` names the function that they invoke. Only the
    /// schedule does that, so that the other functions carry neither the code nor the permissions.
    #[must_use]
    pub fn keeping_alarms(mut self) -> Self {
        self.alarms = set(alarms::VARIABLE)
            .zip(self.clients.clone())
            .map(|(action, clients)| AlarmKeeper::new(clients, action));
        self
    }

    /// Keeps the groups' alarms, where that is asked for and due, in at most `budget`.
    pub async fn keep_alarms(&self, budget: Duration) {
        if let Some(keeper) = &self.alarms {
            keeper.keep(&self.control.config(), self.control.ports().clock.now(), budget).await;
        }
    }

    /// The loop.
    pub fn control(&self) -> &Arc<ControlLoop> {
        &self.control
    }

    /// The figures of this process.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where time is an emulator's, brings it up to date; due at the start of each invocation and evaluation.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn follow_clock(&self) -> Result<(), ClockError> {
        match &self.clock {
            Some(clock) => clock.follow().await,
            None => Ok(()),
        }
    }

    /// Tells of a tick over all groups: log lines, and the figures as CloudWatch metrics. What a person must know is
    /// returned, too, for the invocation's answer.
    pub fn tell_tick(&self, report: &TickReport, took: Duration) -> Vec<Notice> {
        narrate(report);
        let ended = self.control.ports().clock.now();
        let config_version = self.control.config().version;
        let recorded = self.metrics.record_tick(report, Tick { ended, took, config_version });
        let (left_over, not_due) = (report.left_over.len(), report.not_due.len());
        let figures = TickFigures { ended, seconds: took.as_secs_f64(), left_over, not_due };
        print(self.embedded.lines(figures, &recorded, &self.metrics.standing(&report.not_due)));
        self.give(self.standing.of_tick(report))
    }

    /// Tells of an evaluation of some groups, and returns what a person must know.
    pub fn tell(&self, report: &TickReport) -> Vec<Notice> {
        narrate(report);
        self.metrics.record(report);
        self.give(notices::notices(report))
    }

    fn give(&self, notices: Vec<Notice>) -> Vec<Notice> {
        print(notices::lines(&self.embedded.namespace, self.control.ports().clock.now(), &notices));
        notices
    }

    /// Logs and counts an alarm that belongs to no group.
    pub fn tell_unknown_alarm(&self, alarm: &str) {
        tracing::warn!(
            target: "scaling::validator",
            alarm,
            "no group belongs to this alarm: name it scaling/GROUP/TRIGGER, or list it in the group's `alarms`"
        );
        self.metrics.record_unknown_alarm();
        let name = names::UNKNOWN_ALARMS_TOTAL.name;
        let directive = json!({
            "Namespace": self.embedded.namespace, "Dimensions": [[]], "Metrics": [{"Name": name, "Unit": "Count"}],
        });
        let at = self.control.ports().clock.now().as_millisecond();
        let line = json!({"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, name: 1});
        print([line.to_string()]);
    }
}

/// Time that an evaluation may take, given the invocation's deadline in milliseconds since 1970. A runtime on one's own
/// machine names none that is still to come (`cargo lambda watch` gives the same number with every event): the template's
/// time-out holds there.
pub fn budget(deadline_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = Duration::from_millis(deadline_ms).checked_sub(now).unwrap_or(TIMEOUT);
    left.saturating_sub(RESERVE)
}

/// Writes lines to standard output, where CloudWatch makes metrics of them.
fn print(lines: impl IntoIterator<Item = String>) {
    let mut out = std::io::stdout().lock();
    for line in lines {
        // A closed standard output loses figures; no evaluation may fail for that.
        let _ = writeln!(out, "{line}");
    }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn load() -> Result<Loaded, ConfigurationError> {
    let path = PathBuf::from(set("SCALING_CONFIG").unwrap_or_else(|| "config/scaling.json".to_owned()));
    let environment = set("SCALING_ENVIRONMENT").filter(|_| path.exists());
    if environment.is_some() {
        return configuration::load(&path, environment.as_deref());
    }
    let groups = set("SCALING_GROUPS").unwrap_or_default();
    match std::fs::read(&path) {
        Ok(file) => with_groups(&path, &file, &groups),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            with_groups(Path::new("(packaged) config/scaling.json"), PACKAGED, &groups)
        }
        Err(source) => Err(ConfigurationError::File { path, source }),
    }
}

fn with_groups(name: &Path, base: &[u8], groups: &str) -> Result<Loaded, ConfigurationError> {
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let overlay = groups_overlay(groups).map(|overlay| overlay.to_string());
    let mut layers = Layers::none().with_variables(variables);
    if let Some(overlay) = &overlay {
        layers = layers.with_file(overlay.as_bytes());
    }
    configuration::parse(name, base, &layers)
}

fn names_in(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(base: &[u8], groups: &str) -> Vec<String> {
        let loaded = with_groups(Path::new("scaling.json"), base, groups).unwrap();
        loaded.config.groups.iter().map(|group| group.name.to_string()).collect()
    }

    #[test]
    fn group_names_become_groups_of_the_packaged_configuration() {
        assert_eq!(names(PACKAGED, "web, worker,"), ["web", "worker"]);
        assert_eq!(groups_overlay(" , "), None);
    }

    #[test]
    fn group_names_are_added_to_a_file_s_own_groups() {
        let file = br#"{"mode": "hybrid", "groups": [{"name": "web", "control": "act"}]}"#;
        assert_eq!(names(file, "web,worker"), ["web", "worker"]);
        assert_eq!(names(file, ""), ["web"]);
    }

    #[test]
    fn the_budget_ends_before_the_deadline_and_is_never_negative() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let from_now = |ms: u64| u64::try_from(now.as_millis()).unwrap() + ms;
        assert!(budget(from_now(60_000)) <= Duration::from_secs(55));
        assert_eq!(budget(from_now(4_000)), Duration::ZERO);
    }

    #[test]
    fn without_a_deadline_to_come_the_template_s_time_out_holds() {
        for no_moment in [0, 600_000] {
            assert_eq!(budget(no_moment), Duration::from_secs(45));
        }
    }
}
