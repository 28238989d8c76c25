//! CloudWatch: metrics of the fleet and of callers, and alarms over them.
//!
//! - [`operations`]: the table of operations
//! - [`put_data`], [`get_data`], [`get_statistics`], [`list_metrics`]: operations on metrics; [`alarm`]: those on alarms
//! - [`series`]: a metric by period, from [`custom`] metrics and the [`fleet`]'s
//! - [`usage`]: what the region uses, beside its quotas
//! - [`queries`]: metrics and expressions over a span of time; [`expression`] and [`math`] for the expressions,
//!   with `arrays`, `calendar` and `transform` for groups of functions; `machine` for what EC2 tells beside the processor; `labels` for what results are called
//! - [`metric`], [`statistic`], [`trimmed`], [`members`], [`paging`]: what these are made of
//! - [`query`]: the older protocol; the newer ones are in [`crate::wire`]

pub mod alarm;
mod arrays;
mod calendar;
pub mod custom;
mod dashboard_body;
pub mod dashboards;
pub mod expression;
pub mod fleet;
pub mod get_data;
pub mod get_statistics;
mod labels;
pub mod list_metrics;
mod machine;
pub mod math;
pub mod members;
pub mod metric;
pub mod operations;
pub mod paging;
pub mod put_data;
pub mod queries;
pub mod query;
pub mod series;
pub mod statistic;
mod transform;
pub mod trimmed;
pub mod usage;

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::lambda::Invocation;
use crate::region::Region;

pub use alarm::due::evaluate_alarms;
pub use operations::dispatch;

/// What CloudWatch holds of its own: metrics that were put, and alarms.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CloudWatch {
    /// Metrics that callers put.
    pub custom: custom::CustomMetrics,
    /// Alarms with their history and tags.
    pub alarms: alarm::Alarms,
    /// Dashboards by name.
    pub dashboards: dashboards::Dashboards,
    /// How long after its end a minute of the fleet is published.
    pub metric_delay: SignedDuration,
    /// What `SetAlarmState` set off and nobody has carried out yet.
    pub(crate) pending: Vec<Invocation>,
}

impl CloudWatch {
    /// Without metrics and alarms.
    pub fn new(metric_delay: Duration) -> Self {
        let metric_delay = SignedDuration::try_from(metric_delay).unwrap_or(SignedDuration::MAX);
        Self { metric_delay, ..Self::default() }
    }
}

/// An input or output without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// Takes what `SetAlarmState` set off since the last call of this or of [`evaluate_alarms`].
pub fn take_invocations(region: &mut Region) -> Vec<Invocation> {
    std::mem::take(&mut region.cloudwatch.pending)
}
