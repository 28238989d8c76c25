//! What the service has of each kind, and the account's limits.

use serde_json::{Value, json};

use super::notifications;
use super::processes::METRICS;
use crate::region::group::PROCESSES;
use crate::region::{Region, adjustment, victims};

/// Most launch configurations of an account and region, by default.
pub(super) const MOST_CONFIGURATIONS: usize = 200;

fn named<'a>(member: &str, names: impl IntoIterator<Item = &'a str>) -> Value {
    names.into_iter().map(|name| json!({ member: name })).collect()
}

/// `DescribeAccountLimits`. A region may hold more than the limit only where a test or scenario made it directly.
pub(super) fn limits(region: &Region) -> Value {
    json!({
        "MaxNumberOfAutoScalingGroups": region.group_limit,
        "MaxNumberOfLaunchConfigurations": MOST_CONFIGURATIONS,
        "NumberOfAutoScalingGroups": region.groups.len(),
        "NumberOfLaunchConfigurations": region.blueprints.configurations.len(),
    })
}

/// `DescribeAdjustmentTypes`.
pub(super) fn adjustments() -> Value {
    json!({ "AdjustmentTypes": named("AdjustmentType", adjustment::KINDS) })
}

/// `DescribeTerminationPolicyTypes`.
pub(super) fn terminations() -> Value {
    json!({ "TerminationPolicyTypes": victims::POLICIES })
}

/// `DescribeScalingProcessTypes`.
pub(super) fn processes() -> Value {
    json!({ "Processes": named("ProcessName", PROCESSES) })
}

/// `DescribeMetricCollectionTypes`.
pub(super) fn metrics() -> Value {
    let granularities = named("Granularity", ["1Minute"]);
    json!({ "Metrics": named("Metric", METRICS), "Granularities": granularities })
}

/// `DescribeAutoScalingNotificationTypes`.
pub(super) fn notifications() -> Value {
    json!({ "AutoScalingNotificationTypes": notifications::KINDS })
}

/// `DescribeLifecycleHookTypes`.
pub(super) fn hooks() -> Value {
    let kinds = ["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"];
    json!({ "LifecycleHookTypes": kinds })
}
