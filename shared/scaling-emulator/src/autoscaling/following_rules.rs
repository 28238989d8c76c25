//! What a group refuses of a policy that follows a metric, by what else it has: other policies, and target groups.

use crate::region::Group;
use crate::region::policy::{PredefinedMetric, ScalingPolicy, TargetTracking};
use crate::wire::AwsError;

/// Checks a policy against its group.
pub(super) fn check(group: &Group, policy: &ScalingPolicy) -> Result<(), AwsError> {
    if let Some(tracking) = &policy.target_tracking_configuration {
        check_alone(group, policy, tracking)?;
        check_label(group, tracking.predefined_metric_specification.as_ref())?;
    }
    let predictive = policy.predictive_scaling_configuration.iter();
    for metric in predictive.flat_map(|predictive| &predictive.metric_specifications) {
        check_label(group, metric.predefined_metric_pair_specification.as_ref())?;
        check_label(group, metric.predefined_scaling_metric_specification.as_ref())?;
    }
    Ok(())
}

/// Refuses a policy that tracks what another one tracks: their alarms would pull at the group from the same metric.
fn check_alone(group: &Group, policy: &ScalingPolicy, tracking: &TargetTracking) -> Result<(), AwsError> {
    let mut others = group.policies.values().filter(|other| other.policy_name != policy.policy_name);
    let is_same = |other: &TargetTracking| {
        other.predefined_metric_specification == tracking.predefined_metric_specification
            && other.customized_metric_specification == tracking.customized_metric_specification
    };
    if others.any(|other| other.target_tracking_configuration.as_ref().is_some_and(is_same)) {
        return Err(AwsError::validation(
            "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
        ));
    }
    Ok(())
}

/// Refuses the resource label of a metric of requests that is none, or that names a target group which the group does not
/// have: *API Reference*, PredefinedMetricSpecification.
fn check_label(group: &Group, metric: Option<&PredefinedMetric>) -> Result<(), AwsError> {
    let of_requests = ["ALBRequestCountPerTarget", "ALBRequestCount"];
    let Some(metric) = metric.filter(|one| of_requests.contains(&one.predefined_metric_type.as_str())) else {
        return Ok(());
    };
    let label = metric.resource_label.as_deref().unwrap_or_default();
    let parts: Vec<&str> = label.split('/').collect();
    let is_label = matches!(parts.as_slice(), ["app", _, _, "targetgroup", _, _])
        && parts.iter().all(|part| !part.is_empty());
    let Some((_, targets)) = label.split_once("/targetgroup/").filter(|_| is_label) else {
        return Err(AwsError::validation(format!(
            "The resource label '{label}' is not of the form app/NAME/ID/targetgroup/NAME/ID."
        )));
    };
    let is_named =
        |arn: &String| arn.split_once(":targetgroup/").is_some_and(|(_, attached)| attached == targets);
    if group.settings.target_group_arns.iter().any(is_named) {
        return Ok(());
    }
    Err(AwsError::validation("Target group not attached to the Auto Scaling group"))
}
