//! Starting, cancelling, rolling back and describing instance refreshes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::describe::{shown, shown_policy};
use super::page::{Sizes, listed};
use super::{check_stays, group, group_mut, warm_pools};
use crate::region::blueprints::Blueprints;
use crate::region::group::MaintenancePolicy;
use crate::region::launch::LaunchSource;
use crate::region::refresh::{
    DesiredConfiguration, Pool, Preferences, ProgressDetails, Refresh, RefreshStatus, RollbackDetails,
};
use crate::region::{Group, Member, Region};
use crate::wire::AwsError;

/// Input of StartInstanceRefresh.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// `Rolling`.
    pub strategy: Option<String>,
    /// What the group is to launch from afterwards.
    pub desired_configuration: Option<DesiredConfiguration>,
    /// How to go about it.
    #[serde(default)]
    pub preferences: Preferences,
}

/// Output of the operations that name one refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RefreshOutput {
    /// The refresh.
    pub instance_refresh_id: String,
}

/// The group, where a refresh of it can start: it stays, and none is on the way.
fn refreshable<'a>(region: &'a Region, name: &str) -> Result<&'a Group, AwsError> {
    let group = group(region, name)?;
    check_stays(group)?;
    if group.active_refresh().is_some() {
        return Err(AwsError::new(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        ));
    }
    Ok(group)
}

/// Starts a refresh; it begins with the next step of time.
pub fn start(region: &mut Region, input: &StartInput) -> Result<RefreshOutput, AwsError> {
    let group = refreshable(region, &input.auto_scaling_group_name)?;
    if input.strategy.as_deref().is_some_and(|strategy| strategy != "Rolling") {
        return Err(AwsError::validation("The only supported strategy of this emulator is Rolling."));
    }
    let preferences = with_defaults(input.preferences.clone(), group)?;
    let origin = group.settings.source.clone();
    if preferences.skip_matching == Some(true) && matches!(origin, LaunchSource::Configuration(_)) {
        // *User Guide*, "Use an instance refresh with skip matching".
        return Err(AwsError::validation(
            "SkipMatching is not supported for an Auto Scaling group with a launch configuration.",
        ));
    }
    let target = target(&origin, input.desired_configuration.as_ref())?;
    let options = target.options(&region.blueprints, region.machines)?;
    if input.desired_configuration.is_some() {
        warm_pools::check_source(region, group, &target)?;
    }
    let rollback_allowed =
        input.desired_configuration.is_some() && can_come_back(&origin, &region.blueprints);
    if preferences.auto_rollback == Some(true) && !rollback_allowed {
        return Err(AwsError::validation(
            "AutoRollback requires a desired configuration, and a launch template version of the Auto Scaling group \
             that is a number, not $Latest or $Default, and whose image is not an SSM parameter.",
        ));
    }
    let stays = |member: &Member| preferences.skip_matching == Some(true) && Group::matches(member, &options);
    let ignore = preferences.scale_in_protected_instances.as_deref() == Some("Ignore");
    let replaced = group.alive().filter(|member| !(stays(member) || ignore && member.protected));
    let old: BTreeSet<String> = replaced.map(|member| member.id.clone()).collect();
    let count = u32::try_from(old.len()).unwrap_or(u32::MAX);
    let pool = group.warm_pool.map(|_| pool(group, stays));
    let name = group.name.clone();
    let refresh = Refresh {
        id: region.ids.uuid(),
        status: RefreshStatus::Pending,
        reason: None,
        started: region.now,
        ended: None,
        preferences,
        desired: input.desired_configuration.clone(),
        target,
        origin,
        old,
        launched: BTreeSet::new(),
        total: count,
        left: count,
        pool,
        rollback: None,
        replaced_since: None,
        moved: region.now,
        passed: 0,
        paused: None,
        told: None,
    };
    let id = refresh.id.clone();
    let group = group_mut(region, &name)?;
    group.trouble = crate::region::group::LaunchTrouble::default();
    group.refreshes.push(refresh);
    Ok(RefreshOutput { instance_refresh_id: id })
}

/// What is to be replaced in the group's warm pool.
fn pool(group: &Group, stays: impl Fn(&Member) -> bool) -> Pool {
    let pooled = |member: &&Member| member.state.is_warm_pool() && !member.state.is_ending();
    let replaced = group.members.iter().filter(pooled).filter(|member| !stays(member));
    let old: BTreeSet<String> = replaced.map(|member| member.id.clone()).collect();
    let total = u32::try_from(old.len()).unwrap_or(u32::MAX);
    Pool { old, launched: BTreeSet::new(), total, left: total }
}

fn with_defaults(mut preferences: Preferences, group: &Group) -> Result<Preferences, AwsError> {
    let own = group.settings.maintenance;
    let min = own.map_or(90, |own| own.min_healthy_percentage);
    let max = own.map_or(100, |own| own.max_healthy_percentage);
    check_details(&preferences)?;
    let given = |value: Option<i32>| value.is_some();
    if given(preferences.max_healthy_percentage) && !given(preferences.min_healthy_percentage) {
        return Err(AwsError::validation(
            "You must specify MinHealthyPercentage when you specify MaxHealthyPercentage.",
        ));
    }
    let min = *preferences.min_healthy_percentage.get_or_insert(min);
    let max = *preferences.max_healthy_percentage.get_or_insert(max);
    for (value, member, range) in
        [(min, "minHealthyPercentage", 0..=100), (max, "maxHealthyPercentage", 100..=200)]
    {
        if !range.contains(&value) {
            let (bound, side) =
                if value < *range.start() { (range.start(), "greater") } else { (range.end(), "less") };
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value '{value}' at 'preferences.{member}' failed to satisfy \
                 constraint: Member must have value {side} than or equal to {bound}"
            )));
        }
    }
    MaintenancePolicy { min_healthy_percentage: min, max_healthy_percentage: max }.check_difference()?;
    preferences.skip_matching.get_or_insert(false);
    preferences.auto_rollback.get_or_insert(false);
    preferences.scale_in_protected_instances.get_or_insert_with(|| "Wait".to_owned());
    preferences.standby_instances.get_or_insert_with(|| "Wait".to_owned());
    if !preferences.checkpoint_percentages.is_empty() {
        preferences.checkpoint_delay.get_or_insert(3600);
    }
    Ok(preferences)
}

/// Checkpoints, times and words.
fn check_details(preferences: &Preferences) -> Result<(), AwsError> {
    let checkpoints = &preferences.checkpoint_percentages;
    let rising = checkpoints.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if !rising || checkpoints.iter().any(|percent| !(1..=100).contains(percent)) {
        return Err(AwsError::validation(
            "CheckpointPercentages must be unique, in ascending order, and from 1 to 100.",
        ));
    }
    if preferences.checkpoint_delay.is_some() && checkpoints.is_empty() {
        return Err(AwsError::validation("CheckpointDelay requires CheckpointPercentages."));
    }
    for (member, value) in
        [("CheckpointDelay", preferences.checkpoint_delay), ("BakeTime", preferences.bake_time)]
    {
        if value.is_some_and(|seconds| !(0..=172_800).contains(&seconds)) {
            return Err(AwsError::validation(format!("{member} must be from 0 to 172800 seconds.")));
        }
    }
    for (member, value, allowed) in [
        (
            "ScaleInProtectedInstances",
            &preferences.scale_in_protected_instances,
            ["Refresh", "Ignore", "Wait"],
        ),
        ("StandbyInstances", &preferences.standby_instances, ["Terminate", "Ignore", "Wait"]),
    ] {
        if let Some(word) = value.as_deref().filter(|word| !allowed.contains(word)) {
            return Err(AwsError::invalid_value(word, member));
        }
    }
    let alarms = preferences.alarm_specification.as_ref().map_or(0, |alarms| alarms.alarms.len());
    if alarms > 10 {
        return Err(AwsError::validation("A maximum of 10 alarms can be specified."));
    }
    Ok(())
}

/// What a refresh launches from: the desired configuration, with the group's own template where it names none.
fn target(origin: &LaunchSource, desired: Option<&DesiredConfiguration>) -> Result<LaunchSource, AwsError> {
    let Some(desired) = desired else { return Ok(origin.clone()) };
    match (&desired.launch_template, &desired.mixed_instances_policy, origin) {
        (Some(_), Some(_), _) => Err(AwsError::validation(
            "DesiredConfiguration must contain either LaunchTemplate or MixedInstancesPolicy, not both.",
        )),
        (_, _, LaunchSource::Configuration(_)) => Err(AwsError::validation(
            "A desired configuration is not supported for an Auto Scaling group with a launch configuration.",
        )),
        (Some(_), None, LaunchSource::Mixed(_)) => Err(AwsError::validation(
            "The Auto Scaling group uses a MixedInstancesPolicy, so DesiredConfiguration must specify one.",
        )),
        (Some(template), None, _) => Ok(LaunchSource::Template(template.clone())),
        (None, Some(policy), _) => {
            let mut policy = policy.clone();
            let mixed = policy.launch_template.get_or_insert_default();
            if mixed.launch_template_specification.is_none() {
                mixed.launch_template_specification = origin.template().cloned();
            }
            if let LaunchSource::Mixed(own) = origin {
                policy.instances_distribution =
                    policy.instances_distribution.or_else(|| own.instances_distribution.clone());
            }
            policy.check()?;
            Ok(LaunchSource::Mixed(policy.with_defaults()))
        }
        (None, None, _) => Ok(origin.clone()),
    }
}

/// Input of CancelInstanceRefresh and RollbackInstanceRefresh.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedInput {
    /// The group.
    pub auto_scaling_group_name: String,
}

/// Whether the instances of before can be launched again: by a template whose version is a number, and whose image is not
/// looked up in a parameter (*API Reference*, RollbackInstanceRefresh).
fn can_come_back(origin: &LaunchSource, blueprints: &Blueprints) -> bool {
    let version = origin.template().and_then(|spec| blueprints.resolve(spec).ok());
    let image = version.and_then(|(_, version)| version.data.image_id.as_deref());
    origin.is_repeatable() && !image.is_some_and(|image| image.starts_with("resolve:ssm:"))
}

/// Stops the active refresh; what it has replaced stays so.
pub fn cancel(region: &mut Region, input: &NamedInput) -> Result<RefreshOutput, AwsError> {
    let refresh = active(region, &input.auto_scaling_group_name)?;
    refresh.status = RefreshStatus::Cancelling;
    Ok(RefreshOutput { instance_refresh_id: refresh.id.clone() })
}

/// Turns the active refresh back.
pub fn roll_back(region: &mut Region, input: &NamedInput) -> Result<RefreshOutput, AwsError> {
    let now = region.now;
    let origin = active(region, &input.auto_scaling_group_name)?.origin.clone();
    let can_come_back = can_come_back(&origin, &region.blueprints);
    let refresh = active(region, &input.auto_scaling_group_name)?;
    if refresh.status == RefreshStatus::RollbackInProgress {
        return Err(AwsError::new(
            "IrreversibleInstanceRefresh",
            "The instance refresh is already being rolled back.",
        ));
    }
    if refresh.desired.is_none() || !can_come_back {
        return Err(AwsError::new(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: it has no desired configuration, or the launch template \
             version of the Auto Scaling group is $Latest or $Default, or its image is an SSM parameter.",
        ));
    }
    refresh.turn_back("Rolled back due to user request.".to_owned(), now);
    let id = refresh.id.clone();
    group_mut(region, &input.auto_scaling_group_name)?.trouble =
        crate::region::group::LaunchTrouble::default();
    Ok(RefreshOutput { instance_refresh_id: id })
}

fn active<'a>(region: &'a mut Region, name: &str) -> Result<&'a mut Refresh, AwsError> {
    let refreshes = &mut group_mut(region, name)?.refreshes;
    refreshes.last_mut().filter(|refresh| refresh.status.is_active()).ok_or_else(|| {
        AwsError::new(
            "ActiveInstanceRefreshNotFound",
            format!("No in progress or pending Instance Refresh found for Auto Scaling group {name}"),
        )
    })
}

/// Input of DescribeInstanceRefreshes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// All when empty.
    #[serde(default)]
    pub instance_refresh_ids: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeInstanceRefreshes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page, newest first.
    pub instance_refreshes: Vec<RefreshDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A refresh as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct RefreshDescription {
    pub instance_refresh_id: String,
    pub auto_scaling_group_name: String,
    pub status: RefreshStatus,
    pub status_reason: Option<String>,
    pub start_time: Timestamp,
    pub end_time: Option<Timestamp>,
    pub percentage_complete: u32,
    pub instances_to_update: u32,
    pub progress_details: Option<ProgressDetails>,
    pub preferences: Preferences,
    pub desired_configuration: Option<DesiredConfiguration>,
    pub rollback_details: Option<RollbackDetails>,
    pub strategy: &'static str,
}

/// Describes a group's refreshes, newest first.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let group = group(region, &input.auto_scaling_group_name)?;
    let ids = &input.instance_refresh_ids;
    let wanted = |refresh: &&Refresh| ids.is_empty() || ids.contains(&refresh.id);
    let found = group.refreshes.iter().rev().filter(wanted).collect();
    let page = listed(found, |refresh| refresh.id.clone(), input.next_token.as_deref(), size)?;
    let describe = |refresh: &Refresh| RefreshDescription {
        instance_refresh_id: refresh.id.clone(),
        auto_scaling_group_name: group.name.clone(),
        status: refresh.status,
        status_reason: refresh.reason.clone(),
        start_time: refresh.started,
        end_time: refresh.ended,
        percentage_complete: refresh.progress().percentage_complete,
        instances_to_update: refresh.progress().instances_to_update,
        progress_details: refresh.details(),
        preferences: refresh.preferences.clone(),
        desired_configuration: refresh.desired.as_ref().map(|desired| DesiredConfiguration {
            launch_template: desired.launch_template.as_ref().map(|spec| shown(region, spec)),
            mixed_instances_policy: desired
                .mixed_instances_policy
                .as_ref()
                .map(|policy| shown_policy(region, policy)),
        }),
        rollback_details: refresh.rollback.clone(),
        strategy: "Rolling",
    };
    Ok(DescribeOutput {
        instance_refreshes: page.items.into_iter().map(describe).collect(),
        next_token: page.next_token,
    })
}
