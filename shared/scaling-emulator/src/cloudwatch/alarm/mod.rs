//! Alarms over metrics: what they watch, what state they are in, and what their changes set off.
//!
//! - [`put`], [`describe`], [`change`], [`tags`]: the operations; [`relatives`]: what composite alarms and others are to each other;
//!   [`shown`]: what is shown of all of them
//! - [`rule`]: what state follows from points; [`due`]: reads the points and applies the rule as time passes
//! - [`reason`], [`event`], [`history`], `told`: how a change is told

pub mod change;
pub mod composite;
pub mod composite_rule;
pub mod describe;
pub mod due;
pub mod event;
pub mod history;
pub mod put;
pub mod reason;
pub mod relatives;
pub mod rule;
pub mod shown;
pub mod suppression;
pub mod tags;
mod told;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::queries::{MetricDataQuery, Queries, Stat};
use rule::Treatment;

/// State of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StateValue {
    /// Within the threshold.
    Ok,
    /// Outside of it.
    Alarm,
    /// Not known.
    InsufficientData,
}

impl StateValue {
    /// As the service writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.name() == name)
    }
}

/// How a point is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// At or above it.
    GreaterThanOrEqualToThreshold,
    /// Above it.
    GreaterThanThreshold,
    /// Below it.
    LessThanThreshold,
    /// At or below it.
    LessThanOrEqualToThreshold,
}

impl Comparison {
    const TABLE: [(&'static str, Self); 4] = [
        ("GreaterThanOrEqualToThreshold", Self::GreaterThanOrEqualToThreshold),
        ("GreaterThanThreshold", Self::GreaterThanThreshold),
        ("LessThanThreshold", Self::LessThanThreshold),
        ("LessThanOrEqualToThreshold", Self::LessThanOrEqualToThreshold),
    ];

    /// The comparison of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(known, _)| *known == name).map(|(_, comparison)| *comparison)
    }

    /// Whether a value breaches the threshold.
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// In words, behind "was" or "was not".
    pub fn words(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
}

/// What an alarm watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Watch {
    /// One metric.
    Metric(Stat),
    /// The one query of several that returns data, with the queries as they were given.
    Math {
        /// As given.
        members: Vec<MetricDataQuery>,
        /// Checked.
        queries: Queries,
        /// Period of all of them, in seconds.
        period: i64,
    },
    /// The states of other alarms.
    Composite(composite::Composite),
}

impl Watch {
    /// Seconds from one point to the next.
    pub fn period(&self) -> i64 {
        match self {
            Self::Metric(stat) => stat.period,
            Self::Math { period, .. } => *period,
            Self::Composite(_) => 60,
        }
    }
}

/// What an alarm is set to do; replaced as a whole when it is put again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// For people.
    pub description: Option<String>,
    /// Whether a change sets off actions.
    pub actions_enabled: bool,
    /// ARNs for changes to `OK`.
    pub ok_actions: Vec<String>,
    /// ARNs for changes to `ALARM`.
    pub alarm_actions: Vec<String>,
    /// ARNs for changes to `INSUFFICIENT_DATA`.
    pub insufficient_data_actions: Vec<String>,
    /// What it watches.
    pub watch: Watch,
    /// How many points are looked at (N).
    pub evaluation_periods: usize,
    /// How many of them must breach (M); all when absent.
    pub datapoints_to_alarm: Option<usize>,
    /// The limit.
    pub threshold: f64,
    /// How points are compared with it.
    pub comparison: Comparison,
    /// What missing points count as; `missing` when absent.
    pub treat_missing_data: Option<Treatment>,
    /// Whether percentiles of too few samples change nothing; as given.
    pub low_sample_percentile: Option<String>,
}

impl Configuration {
    /// Whether it watches other alarms.
    pub fn is_composite(&self) -> bool {
        matches!(self.watch, Watch::Composite(_))
    }

    /// How many of the points must breach (M).
    pub fn needed(&self) -> usize {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods)
    }

    /// The ARNs for changes to `state`.
    pub fn actions(&self, state: StateValue) -> &[String] {
        match state {
            StateValue::Ok => &self.ok_actions,
            StateValue::Alarm => &self.alarm_actions,
            StateValue::InsufficientData => &self.insufficient_data_actions,
        }
    }
}

/// What state an alarm is in, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The state.
    pub value: StateValue,
    /// Why, for people.
    pub reason: String,
    /// Why, as JSON.
    pub reason_data: Option<String>,
    /// Since when.
    pub updated: Timestamp,
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it is set to do.
    pub configuration: Configuration,
    /// When that was last changed.
    pub configured: Timestamp,
    /// What state it is in.
    pub state: State,
    /// Id of its metric in events.
    pub metric_id: String,
    /// When it last went out of `ALARM`.
    #[serde(default)]
    pub(crate) calmed: Option<Timestamp>,
    /// What keeps the actions of its last change back.
    #[serde(default)]
    pub(crate) suppression: Option<suppression::Suppression>,
    /// The last slot of time in which it was evaluated.
    pub(crate) evaluated: Option<i64>,
}

/// All alarms by name, with their history and tags.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Alarms {
    /// Alarms by name.
    pub by_name: BTreeMap<String, Alarm>,
    /// What happened to them.
    pub history: history::History,
    /// Tags by ARN, then by key.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}
