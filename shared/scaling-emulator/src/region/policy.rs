//! Scaling policies and scheduled actions: stored and shown, so that a controller can find other hands at work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A scaling policy. It does not act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScalingPolicy {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Its name.
    pub policy_name: String,
    /// `SimpleScaling` (the default), `StepScaling`, `TargetTrackingScaling` or `PredictiveScaling`.
    pub policy_type: Option<String>,
    /// `ChangeInCapacity` and so on.
    pub adjustment_type: Option<String>,
    /// Least change of a percentage.
    pub min_adjustment_magnitude: Option<i32>,
    /// Change of a simple policy.
    pub scaling_adjustment: Option<i32>,
    /// Cooldown in seconds.
    pub cooldown: Option<i32>,
    /// Warm-up in seconds.
    pub estimated_instance_warmup: Option<i32>,
    /// Which statistic a step policy reads.
    pub metric_aggregation_type: Option<String>,
    /// Steps of a step policy.
    #[serde(default)]
    pub step_adjustments: Vec<StepAdjustment>,
    /// What a target tracking policy tracks.
    pub target_tracking_configuration: Option<TargetTracking>,
    /// Whether it is on; it is unless said otherwise.
    pub enabled: Option<bool>,
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
    /// A metric by its short name.
    pub predefined_metric_specification: Option<PredefinedMetric>,
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

/// A scheduled action. It does not act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledAction {
    /// The group.
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
