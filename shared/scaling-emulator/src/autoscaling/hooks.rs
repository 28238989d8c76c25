//! Lifecycle hooks: stored, shown, completed.

use serde::{Deserialize, Serialize};

use super::{check_stays, group, group_mut};
use crate::region::Region;
use crate::region::hooks::{HookResult, LifecycleHook, Transition};
use crate::wire::AwsError;

/// Most hooks of one group.
const MOST: usize = 50;

/// Input of PutLifecycleHook.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutInput {
    /// Its name.
    pub lifecycle_hook_name: String,
    /// The group; implied where the group is being created.
    #[serde(default)]
    pub auto_scaling_group_name: String,
    /// What it holds; needed for a new one.
    pub lifecycle_transition: Option<Transition>,
    /// Handed on.
    pub notification_metadata: Option<String>,
    /// Where it goes.
    #[serde(rename = "NotificationTargetARN")]
    pub notification_target_arn: Option<String>,
    /// Role for that.
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    /// Seconds; an hour when absent.
    pub heartbeat_timeout: Option<i64>,
    /// `ABANDON` when absent.
    pub default_result: Option<HookResult>,
}

/// Stores a hook; absent members keep their value.
pub fn put(region: &mut Region, input: &PutInput) -> Result<(), AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    let name = &input.lifecycle_hook_name;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value '{name}' at 'lifecycleHookName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [A-Za-z0-9\\-_\\/]+"
        )));
    }
    let heartbeat = match input.heartbeat_timeout {
        None => None,
        Some(seconds) => {
            Some(u32::try_from(seconds).ok().filter(|seconds| (30..=7200).contains(seconds)).ok_or_else(
                || AwsError::validation("The HeartbeatTimeout must be between 30 and 7200 seconds."),
            )?)
        }
    };
    let target = input.notification_target_arn.as_deref().filter(|arn| !arn.is_empty());
    let is_target = |arn: &str| {
        let parts: Vec<&str> = arn.split(':').collect();
        matches!(parts.as_slice(), ["arn", _, "sns" | "sqs", ..]) && parts.len() == 6
    };
    if let Some(arn) = target.filter(|arn| !is_target(arn)) {
        return Err(AwsError::validation(format!(
            "Unable to publish test message to notification target {arn}: it is no Amazon SNS topic or Amazon SQS queue."
        )));
    }
    let before = group.hooks.get(name);
    if target.is_some() && input.role_arn.is_none() && before.is_none_or(|hook| hook.role.is_none()) {
        return Err(AwsError::validation("RoleARN is required for a notification target."));
    }
    if before.is_none() && group.hooks.len() >= MOST {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A group must not have more than {MOST} lifecycle hooks."),
        ));
    }
    let transition = input
        .lifecycle_transition
        .or(before.map(|hook| hook.transition))
        .ok_or_else(|| AwsError::validation("LifecycleTransition is required for a new lifecycle hook."))?;
    let kept = |given: &Option<String>, of: fn(&LifecycleHook) -> &Option<String>| {
        given.clone().or_else(|| before.and_then(|hook| of(hook).clone()))
    };
    let hook = LifecycleHook {
        name: name.clone(),
        transition,
        heartbeat: heartbeat.or(before.map(|hook| hook.heartbeat)).unwrap_or(3600),
        default_result: input
            .default_result
            .or(before.map(|hook| hook.default_result))
            .unwrap_or(HookResult::Abandon),
        metadata: kept(&input.notification_metadata, |hook| &hook.metadata),
        target: kept(&input.notification_target_arn, |hook| &hook.target).filter(|arn| !arn.is_empty()),
        role: kept(&input.role_arn, |hook| &hook.role),
    };
    group.hooks.insert(name.clone(), hook);
    Ok(())
}

/// Input of DescribeLifecycleHooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// All when empty.
    #[serde(default)]
    pub lifecycle_hook_names: Vec<String>,
}

/// Output of DescribeLifecycleHooks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The hooks by name.
    pub lifecycle_hooks: Vec<HookDescription>,
}

/// A hook as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct HookDescription {
    pub lifecycle_hook_name: String,
    pub auto_scaling_group_name: String,
    pub lifecycle_transition: Transition,
    #[serde(rename = "NotificationTargetARN")]
    pub notification_target_arn: Option<String>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub notification_metadata: Option<String>,
    pub heartbeat_timeout: u32,
    pub global_timeout: i64,
    pub default_result: HookResult,
}

/// Describes a group's hooks.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let group = group(region, &input.auto_scaling_group_name)?;
    let names = &input.lifecycle_hook_names;
    let hooks = group.hooks.values().filter(|hook| names.is_empty() || names.contains(&hook.name));
    let shown = |hook: &LifecycleHook| HookDescription {
        lifecycle_hook_name: hook.name.clone(),
        auto_scaling_group_name: group.name.clone(),
        lifecycle_transition: hook.transition,
        notification_target_arn: hook.target.clone(),
        role_arn: hook.role.clone(),
        notification_metadata: hook.metadata.clone(),
        heartbeat_timeout: hook.heartbeat,
        global_timeout: hook.longest().as_secs(),
        default_result: hook.default_result,
    };
    Ok(DescribeOutput { lifecycle_hooks: hooks.map(shown).collect() })
}

/// Input of DeleteLifecycleHook.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// The hook.
    pub lifecycle_hook_name: String,
    /// The group.
    pub auto_scaling_group_name: String,
}

/// Deletes a hook; the instances that it holds go on, booting ones are given up.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<(), AwsError> {
    let DeleteInput { lifecycle_hook_name: hook, auto_scaling_group_name: name } = input;
    let group = group_mut(region, name)?;
    if group.hooks.remove(hook).is_none() {
        return Err(AwsError::validation(format!("No Lifecycle Hook found with name: {hook}")));
    }
    let held = |member: &&crate::region::Member| member.hooks.iter().any(|waiting| waiting.hook == *hook);
    let held: Vec<String> = group.members.iter().filter(held).map(|member| member.id.clone()).collect();
    region.with_group(name, |group, context| {
        for id in held {
            group.complete_hook(context, &id, (hook, None), HookResult::Abandon);
        }
    });
    Ok(())
}

/// Input of CompleteLifecycleAction and RecordLifecycleActionHeartbeat.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionInput {
    /// The hook.
    pub lifecycle_hook_name: String,
    /// The group.
    pub auto_scaling_group_name: String,
    /// The action's token,
    pub lifecycle_action_token: Option<String>,
    /// or its instance.
    pub instance_id: Option<String>,
    /// `CONTINUE` or `ABANDON`; of the completion only.
    pub lifecycle_action_result: Option<HookResult>,
}

/// Completes an action: the instance goes on, or is given up.
pub fn complete(region: &mut Region, input: &ActionInput) -> Result<(), AwsError> {
    let result = input.lifecycle_action_result.ok_or_else(|| {
        AwsError::validation(
            "1 validation error detected: Value null at 'lifecycleActionResult' failed to satisfy constraint: Member must \
             not be null",
        )
    })?;
    let id = held(region, input)?;
    let token = input.lifecycle_action_token.as_deref();
    let done = region.with_group(&input.auto_scaling_group_name, |group, context| {
        group.complete_hook(context, &id, (&input.lifecycle_hook_name, token), result)
    });
    if done == Some(true) { Ok(()) } else { Err(not_active(&id)) }
}

/// Holds an instance for another time-out.
pub fn heartbeat(region: &mut Region, input: &ActionInput) -> Result<(), AwsError> {
    let id = held(region, input)?;
    let now = region.now;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    let token = input.lifecycle_action_token.as_deref();
    if group.heartbeat(&id, &input.lifecycle_hook_name, token, now) { Ok(()) } else { Err(not_active(&id)) }
}

/// The instance that an action is about.
fn held(region: &Region, input: &ActionInput) -> Result<String, AwsError> {
    let group = group(region, &input.auto_scaling_group_name)?;
    if !group.hooks.contains_key(&input.lifecycle_hook_name) {
        return Err(AwsError::validation(format!(
            "No Lifecycle Hook found with name: {}",
            input.lifecycle_hook_name
        )));
    }
    if let Some(id) = &input.instance_id {
        return Ok(id.clone());
    }
    let token = input.lifecycle_action_token.as_deref().ok_or_else(|| {
        AwsError::validation("Either LifecycleActionToken or InstanceId must be specified.")
    })?;
    let holder =
        group.members.iter().find(|member| member.hooks.iter().any(|waiting| waiting.token == token));
    holder
        .map(|member| member.id.clone())
        .ok_or_else(|| AwsError::validation(format!("No active Lifecycle Action found with token {token}")))
}

fn not_active(id: &str) -> AwsError {
    AwsError::validation(format!("No active Lifecycle Action found with instance ID {id}"))
}
