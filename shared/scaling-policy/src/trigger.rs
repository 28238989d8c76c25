//! The four triggers, a value for each of them, and what a metric reading can be.

use std::fmt;
use std::ops::{Index, IndexMut};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A metric that can ask for capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Mean CPU utilisation of the serving replicas, 0 to 1.
    CpuUsage,
    /// Mean memory utilisation of the serving replicas, 0 to 1.
    MemoryUsage,
    /// Requests in one evaluation period over the whole group, scaled to requests per minute.
    RequestCount,
    /// Response time in seconds, 95th percentile unless the binding says otherwise.
    RequestLatency,
}

impl Trigger {
    /// Every trigger, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::CpuUsage, Self::MemoryUsage, Self::RequestCount, Self::RequestLatency];

    /// The name in configuration, metrics and alarm names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuUsage => "cpu_usage",
            Self::MemoryUsage => "memory_usage",
            Self::RequestCount => "request_count",
            Self::RequestLatency => "request_latency",
        }
    }

    /// The trigger of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One value for each [`Trigger`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerTrigger<T> {
    /// Value for [`Trigger::CpuUsage`].
    pub cpu_usage: T,
    /// Value for [`Trigger::MemoryUsage`].
    pub memory_usage: T,
    /// Value for [`Trigger::RequestCount`].
    pub request_count: T,
    /// Value for [`Trigger::RequestLatency`].
    pub request_latency: T,
}

impl<T> PerTrigger<T> {
    /// Builds the value of every trigger from its name.
    pub fn from_fn(mut value: impl FnMut(Trigger) -> T) -> Self {
        Self {
            cpu_usage: value(Trigger::CpuUsage),
            memory_usage: value(Trigger::MemoryUsage),
            request_count: value(Trigger::RequestCount),
            request_latency: value(Trigger::RequestLatency),
        }
    }

    /// The triggers with their values, in the order of [`Trigger::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Trigger, &T)> {
        Trigger::ALL.into_iter().map(|trigger| (trigger, &self[trigger]))
    }
}

impl<T> Index<Trigger> for PerTrigger<T> {
    type Output = T;
    fn index(&self, trigger: Trigger) -> &T {
        match trigger {
            Trigger::CpuUsage => &self.cpu_usage,
            Trigger::MemoryUsage => &self.memory_usage,
            Trigger::RequestCount => &self.request_count,
            Trigger::RequestLatency => &self.request_latency,
        }
    }
}

impl<T> IndexMut<Trigger> for PerTrigger<T> {
    fn index_mut(&mut self, trigger: Trigger) -> &mut T {
        match trigger {
            Trigger::CpuUsage => &mut self.cpu_usage,
            Trigger::MemoryUsage => &mut self.memory_usage,
            Trigger::RequestCount => &mut self.request_count,
            Trigger::RequestLatency => &mut self.request_latency,
        }
    }
}

/// The newest complete period of one trigger's metric.
///
/// An open period is never a reading. The reader classifies age by [`stale_after`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Reading {
    /// No metric is bound to this trigger.
    #[default]
    Unbound,
    /// A complete, recent period.
    Fresh {
        /// The value in the trigger's own unit (see [`Trigger`]), finite and not negative.
        value: f64,
        /// When the period ended.
        ended: Timestamp,
    },
    /// The newest complete period is too old to act on.
    Stale {
        /// When that period ended.
        ended: Timestamp,
    },
    /// The metric is bound and has no complete period in the window that was asked for.
    Missing,
    /// No point, and the binding says that absence means zero (a load balancer without traffic).
    AbsentZero,
}

impl Reading {
    /// The value to act on: a fresh one, or zero where absence means zero.
    pub fn value(&self) -> Option<f64> {
        match *self {
            Self::Fresh { value, .. } => Some(value),
            Self::AbsentZero => Some(0.0),
            Self::Unbound | Self::Stale { .. } | Self::Missing => None,
        }
    }

    /// When the period of a fresh reading ended.
    pub fn ended(&self) -> Option<Timestamp> {
        match *self {
            Self::Fresh { ended, .. } => Some(ended),
            _ => None,
        }
    }

    /// Bound, but without a usable value: such a group is never scaled down.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::Missing)
    }
}

/// Whether a measured value can be true. What is beyond is a fault of whoever publishes it, and counts as not published:
/// one absurd value must not spoil what was learned for days.
pub fn is_plausible(value: f64) -> bool {
    value.abs() <= 1e12
}

/// How old the end of the newest complete period may be before the reading is stale:
/// three periods, but at least 180 s.
pub fn stale_after(period: std::time::Duration) -> std::time::Duration {
    (period * 3).max(std::time::Duration::from_secs(180))
}
