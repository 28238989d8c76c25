//! Scaling policies and scheduled actions, as callers write them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloudwatch::metric::Dimension;
use crate::cloudwatch::queries::MetricDataQuery;

/// A scaling policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScalingPolicy {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Its name.
    pub policy_name: String,
    /// `SimpleScaling` (the default), `StepScaling`, `TargetTrackingScaling` or `PredictiveScaling`.
    pub policy_type: Option<String>,
    /// `ChangeInCapacity`, `ExactCapacity` or `PercentChangeInCapacity`.
    pub adjustment_type: Option<String>,
    /// Least change of a percentage.
    pub min_adjustment_magnitude: Option<i32>,
    /// Change of a simple policy.
    pub scaling_adjustment: Option<i32>,
    /// Cooldown in seconds.
    pub cooldown: Option<i32>,
    /// Warm-up in seconds.
    pub estimated_instance_warmup: Option<i32>,
    /// Which statistic a step policy reads: kept and shown, the alarm's own is read.
    pub metric_aggregation_type: Option<String>,
    /// Steps of a step policy.
    #[serde(default)]
    pub step_adjustments: Vec<StepAdjustment>,
    /// What a target tracking policy tracks.
    pub target_tracking_configuration: Option<TargetTracking>,
    /// What a predictive policy forecasts.
    pub predictive_scaling_configuration: Option<PredictiveScaling>,
    /// Whether it is on; it is unless said otherwise.
    pub enabled: Option<bool>,
}

impl ScalingPolicy {
    /// Whether it may act.
    pub fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }
}

/// One step of a step policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepAdjustment {
    /// From this distance to the threshold.
    pub metric_interval_lower_bound: Option<f64>,
    /// To this distance.
    pub metric_interval_upper_bound: Option<f64>,
    /// Change.
    pub scaling_adjustment: i32,
}

/// What a target tracking policy tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetTracking {
    /// A metric by its short name,
    pub predefined_metric_specification: Option<PredefinedMetric>,
    /// or any other.
    pub customized_metric_specification: Option<CustomMetric>,
    /// The wanted value.
    pub target_value: f64,
    /// Whether it never scales in.
    pub disable_scale_in: Option<bool>,
}

/// A metric by its short name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PredefinedMetric {
    /// Such as `ASGAverageCPUUtilization`.
    pub predefined_metric_type: String,
    /// Load balancer and target group.
    pub resource_label: Option<String>,
}

/// Any metric, or an expression over several.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CustomMetric {
    /// Name.
    pub metric_name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Dimensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// Statistic.
    pub statistic: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Seconds from one point to the next: 10, 30 or 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    /// Queries, one of which returns data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricDataQuery>,
}

/// What a predictive policy forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PredictiveScaling {
    /// The one metric and its target.
    #[serde(default)]
    pub metric_specifications: Vec<PredictiveMetric>,
    /// `ForecastOnly`, the default, or `ForecastAndScale`.
    pub mode: Option<String>,
    /// Seconds by which capacity is there before its hour; five minutes when absent.
    pub scheduling_buffer_time: Option<i32>,
    /// Kept and shown: the group's maximum holds.
    pub max_capacity_breach_behavior: Option<String>,
    /// Kept and shown.
    pub max_capacity_buffer: Option<i32>,
}

/// The metric that a predictive policy forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PredictiveMetric {
    /// The wanted value.
    pub target_value: f64,
    /// Load and utilisation by one short name.
    pub predefined_metric_pair_specification: Option<PredefinedMetric>,
    /// Utilisation by a short name.
    pub predefined_scaling_metric_specification: Option<PredefinedMetric>,
    /// Load by a short name; kept and shown.
    pub predefined_load_metric_specification: Option<PredefinedMetric>,
}

/// A scheduled action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledAction {
    /// The group.
    #[serde(default)]
    pub auto_scaling_group_name: String,
    /// Its name.
    pub scheduled_action_name: String,
    /// First time.
    pub start_time: Option<Timestamp>,
    /// Last time.
    pub end_time: Option<Timestamp>,
    /// Cron expression.
    pub recurrence: Option<String>,
    /// Least capacity that it sets.
    pub min_size: Option<i32>,
    /// Most capacity that it sets.
    pub max_size: Option<i32>,
    /// Desired capacity that it sets.
    pub desired_capacity: Option<i32>,
    /// Time zone of the cron expression.
    pub time_zone: Option<String>,
}
