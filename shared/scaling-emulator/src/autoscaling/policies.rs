//! Scaling policies and scheduled actions: stored and shown, so that a controller can find other hands at work. They
//! do not act.

use serde::{Deserialize, Serialize};

use super::page::{Sizes, sorted};
use super::{group, group_mut};
use crate::region::policy::{ScalingPolicy, ScheduledAction};
use crate::region::{Group, Region};
use crate::wire::AwsError;

/// Output of PutScalingPolicy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutOutput {
    /// ARN of the policy.
    #[serde(rename = "PolicyARN")]
    pub policy_arn: String,
    /// Alarms made for it; none.
    pub alarms: Vec<String>,
}

/// Stores a scaling policy.
pub fn put(region: &mut Region, policy: &ScalingPolicy) -> Result<PutOutput, AwsError> {
    let mut policy = policy.clone();
    let kind = policy.policy_type.get_or_insert_with(|| "SimpleScaling".to_owned()).clone();
    let missing = match kind.as_str() {
        "SimpleScaling" if policy.scaling_adjustment.is_none() => Some("ScalingAdjustment"),
        "StepScaling" if policy.step_adjustments.is_empty() => Some("StepAdjustments"),
        "TargetTrackingScaling" if policy.target_tracking_configuration.is_none() => {
            Some("TargetTrackingConfiguration")
        }
        "SimpleScaling" | "StepScaling" | "TargetTrackingScaling" | "PredictiveScaling" => None,
        other => return Err(AwsError::validation(format!("Invalid PolicyType: {other}"))),
    };
    if let Some(member) = missing {
        return Err(AwsError::validation(format!("{member} is required for policy type {kind}.")));
    }
    policy.enabled.get_or_insert(true);
    let group = group_mut(region, &policy.auto_scaling_group_name)?;
    let arn = arn(group, "scalingPolicy", &format!("policyName/{}", policy.policy_name));
    group.policies.insert(policy.policy_name.clone(), policy);
    Ok(PutOutput { policy_arn: arn, alarms: Vec::new() })
}

/// Input of DescribePolicies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// One group; all when absent.
    pub auto_scaling_group_name: Option<String>,
    /// All when empty.
    pub policy_names: Vec<String>,
    /// All when empty.
    pub policy_types: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribePolicies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page.
    pub scaling_policies: Vec<PolicyDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A policy as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyDescription {
    /// As it was stored.
    #[serde(flatten)]
    pub policy: ScalingPolicy,
    /// ARN.
    #[serde(rename = "PolicyARN")]
    pub policy_arn: String,
}

/// Describes scaling policies by group and name.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let mut found = Vec::new();
    for group in selected(region, input.auto_scaling_group_name.as_deref())? {
        for policy in group.policies.values() {
            let listed =
                |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
            let by_name = listed(&input.policy_names, &policy.policy_name);
            if by_name && listed(&input.policy_types, policy.policy_type.as_deref().unwrap_or_default()) {
                let arn = arn(group, "scalingPolicy", &format!("policyName/{}", policy.policy_name));
                found.push(PolicyDescription { policy: policy.clone(), policy_arn: arn });
            }
        }
    }
    let key = |one: &PolicyDescription| {
        format!("{}\t{}", one.policy.auto_scaling_group_name, one.policy.policy_name)
    };
    found.sort_by_key(key);
    let page = sorted(found, key, input.next_token.as_deref(), size);
    Ok(DescribeOutput { scaling_policies: page.items, next_token: page.next_token })
}

/// Input of DeletePolicy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// The group.
    pub auto_scaling_group_name: Option<String>,
    /// Name or ARN.
    pub policy_name: String,
}

/// Deletes a scaling policy.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<(), AwsError> {
    let (group, name) = match input.policy_name.split_once(":autoScalingGroupName/") {
        Some((_, rest)) => rest.split_once(":policyName/").unwrap_or((rest, "")),
        None => (input.auto_scaling_group_name.as_deref().unwrap_or_default(), input.policy_name.as_str()),
    };
    match group_mut(region, group)?.policies.remove(name) {
        Some(_) => Ok(()),
        None => Err(AwsError::validation(format!("No such policy: {name}"))),
    }
}

/// Stores a scheduled action.
pub fn schedule(region: &mut Region, action: &ScheduledAction) -> Result<(), AwsError> {
    let group = group_mut(region, &action.auto_scaling_group_name)?;
    if action.start_time.is_none() && action.recurrence.is_none() {
        return Err(AwsError::validation("Start time or recurrence must be specified."));
    }
    if action.min_size.is_none() && action.max_size.is_none() && action.desired_capacity.is_none() {
        return Err(AwsError::validation(
            "At least one of the following must be specified: MinSize, MaxSize, DesiredCapacity.",
        ));
    }
    group.scheduled.insert(action.scheduled_action_name.clone(), action.clone());
    Ok(())
}

/// Input of DescribeScheduledActions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ScheduledInput {
    /// One group; all when absent.
    pub auto_scaling_group_name: Option<String>,
    /// All when empty.
    pub scheduled_action_names: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeScheduledActions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledOutput {
    /// The page.
    pub scheduled_update_group_actions: Vec<ScheduledDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A scheduled action as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduledDescription {
    /// As it was stored.
    #[serde(flatten)]
    pub action: ScheduledAction,
    /// ARN.
    #[serde(rename = "ScheduledActionARN")]
    pub scheduled_action_arn: String,
}

/// Describes scheduled actions by group and name.
pub fn describe_scheduled(region: &mut Region, input: &ScheduledInput) -> Result<ScheduledOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let names = &input.scheduled_action_names;
    let mut found = Vec::new();
    for group in selected(region, input.auto_scaling_group_name.as_deref())? {
        let wanted =
            |action: &&ScheduledAction| names.is_empty() || names.contains(&action.scheduled_action_name);
        for action in group.scheduled.values().filter(wanted) {
            let name = format!("scheduledActionName/{}", action.scheduled_action_name);
            let scheduled_action_arn = arn(group, "scheduledUpdateGroupAction", &name);
            found.push(ScheduledDescription { action: action.clone(), scheduled_action_arn });
        }
    }
    let key = |one: &ScheduledDescription| {
        format!("{}\t{}", one.action.auto_scaling_group_name, one.action.scheduled_action_name)
    };
    found.sort_by_key(key);
    let page = sorted(found, key, input.next_token.as_deref(), size);
    Ok(ScheduledOutput { scheduled_update_group_actions: page.items, next_token: page.next_token })
}

/// Input of DeleteScheduledAction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnscheduleInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The action.
    pub scheduled_action_name: String,
}

/// Deletes a scheduled action.
pub fn unschedule(region: &mut Region, input: &UnscheduleInput) -> Result<(), AwsError> {
    let name = &input.scheduled_action_name;
    match group_mut(region, &input.auto_scaling_group_name)?.scheduled.remove(name) {
        Some(_) => Ok(()),
        None => Err(AwsError::validation(format!("Scheduled action name not found - {name}"))),
    }
}

fn selected<'a>(region: &'a Region, name: Option<&str>) -> Result<Vec<&'a Group>, AwsError> {
    match name {
        Some(name) => Ok(vec![group(region, name)?]),
        None => Ok(region.groups().collect()),
    }
}

/// ARN of something that belongs to a group, after the group's own.
fn arn(group: &Group, kind: &str, name: &str) -> String {
    group.arn.replacen(":autoScalingGroup:", &format!(":{kind}:"), 1) + ":" + name
}
