//! Creating, updating and deleting groups.

use serde::Deserialize;

use super::group_input::{GroupInput, check_sizes, required, size};
use super::group_settings::{apply, defaults};
use super::tags::{self, TagInput};
use super::{group, group_mut, hooks, launch_configurations, policies, traffic, warm_pools};
use crate::region::group::GroupSettings;
use crate::region::scaling::second;
use crate::region::{Group, Region};
use crate::wire::AwsError;

/// Creates a group. Its instances are launched in the next step of time.
pub fn create(region: &mut Region, input: &GroupInput) -> Result<(), AwsError> {
    let name = input.auto_scaling_group_name.as_str();
    check_new(region, name)?;
    let (min, max) = (required(input.min_size, "minSize")?, required(input.max_size, "maxSize")?);
    let desired = size(input.desired_capacity, "desiredCapacity")?.unwrap_or(min);
    check_sizes(min, max, desired)?;
    let source = input.source()?.ok_or_else(|| {
        AwsError::validation(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or \
             MixedInstancesPolicy parameter.",
        )
    })?;
    let instance = input.instance_id.as_deref();
    let like = instance.map(|id| launch_configurations::like(region, name, id)).transpose()?;
    if like.is_none() {
        source.options(&region.blueprints, region.machines)?;
    }
    let own = like.as_ref().map(|(_, zone)| vec![zone.clone()]);
    let zones = input
        .zones(region)?
        .or(own)
        .ok_or_else(|| AwsError::validation("At least one Availability Zone or VPC Subnet is required."))?;
    input.tags.iter().try_for_each(TagInput::check)?;
    tags::check_unique(&input.tags)?;
    tags::check_count(input.tags.len())?;
    let mut settings = defaults(source, min, max, zones);
    apply(&mut settings, input)?;
    traffic::attached(&mut settings, &input.traffic_sources)?;
    let group = made(region, input, settings, desired);
    region.insert_group(group);
    for hook in &input.lifecycle_hook_specification_list {
        let hook = hooks::PutInput { auto_scaling_group_name: name.to_owned(), ..hook.clone() };
        if let Err(error) = hooks::put(region, &hook) {
            region.groups.remove(name);
            return Err(error);
        }
    }
    if let Some((configuration, _)) = like {
        region.blueprints.configurations.insert(name.to_owned(), configuration);
    }
    Ok(())
}

/// Refuses a name that no group can have, or that one has, and more groups than there may be.
fn check_new(region: &Region, name: &str) -> Result<(), AwsError> {
    check_name(name)?;
    if region.group(name).is_some() {
        let message = format!(
            "AutoScalingGroup by this name already exists - A group with the name {name} already exists"
        );
        return Err(AwsError::new("AlreadyExists", message));
    }
    if region.groups.len() >= region.group_limit {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("You've reached the limit of {} Auto Scaling groups.", region.group_limit),
        ));
    }
    Ok(())
}

/// The group that a checked call asks for.
fn made(region: &mut Region, input: &GroupInput, settings: GroupSettings, desired: u32) -> Group {
    let name = input.auto_scaling_group_name.as_str();
    let id = region.ids.uuid();
    let arn = format!(
        "arn:aws:autoscaling:{}:{}:autoScalingGroup:{id}:autoScalingGroupName/{name}",
        region.name, region.account_id
    );
    let mut group = Group::new(name, arn, settings, region.now, region.group_seed(name));
    for tag in &input.tags {
        group.tags.insert(tag.key.clone(), tag.into());
    }
    group.desired = desired;
    group.cause = format!(
        "At {} a user request created an AutoScalingGroup changing the desired capacity from 0 to {desired}.  ",
        second(region.now)
    );
    group
}

/// What a group may be called.
fn check_name(name: &str) -> Result<(), AwsError> {
    if name.is_empty() || name.len() > 255 {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value '{name}' at 'autoScalingGroupName' failed to satisfy constraint: \
             Member must have length between 1 and 255"
        )));
    }
    if !name.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c) && c != ':') {
        return Err(AwsError::validation(
            "AutoScalingGroupName may have the ASCII characters 33 to 126 but no colon (:).",
        ));
    }
    Ok(())
}

/// Changes what is said about a group and nothing else.
pub fn update(region: &mut Region, input: &GroupInput) -> Result<(), AwsError> {
    let name = input.auto_scaling_group_name.clone();
    let existing = group(region, &name)?;
    if existing.deleting {
        return Err(AwsError::validation(
            "The AutoScaling group may not be modified while it is pending delete",
        ));
    }
    let source = input.source()?;
    let fixed = existing.active_refresh().is_some_and(|refresh| refresh.desired.is_some());
    if fixed && source.is_some() {
        return Err(AwsError::validation(
            "An active instance refresh with a desired configuration exists. All configuration options derived from \
             the desired configuration are not available for update while the instance refresh is active.",
        ));
    }
    let (old, mut desired) = (existing.desired, existing.desired);
    let mut settings = existing.settings.clone();
    settings.min = size(input.min_size, "minSize")?.unwrap_or(settings.min);
    settings.max = size(input.max_size, "maxSize")?.unwrap_or(settings.max);
    if settings.min <= settings.max {
        // Bounds that move past the desired capacity take it along; an explicit one must fit.
        desired = desired.clamp(settings.min, settings.max);
    }
    desired = size(input.desired_capacity, "desiredCapacity")?.unwrap_or(desired);
    check_sizes(settings.min, settings.max, desired)?;
    if let Some(source) = source {
        source.options(&region.blueprints, region.machines)?;
        warm_pools::check_source(region, existing, &source)?;
        settings.source = source;
    }
    if let Some(zones) = input.zones(region)? {
        settings.zones = zones;
    }
    apply(&mut settings, input)?;
    let now = region.now;
    let group = group_mut(region, &name)?;
    if desired != old {
        group.cause = format!(
            "At {} a user request update of AutoScalingGroup constraints to min: {}, max: {}, desired: {desired} \
             changing the desired capacity from {old} to {desired}.  ",
            second(now),
            settings.min,
            settings.max
        );
        group.trouble.next_try = None;
    }
    group.settings = settings;
    group.desired = desired;
    Ok(())
}

/// Input of DeleteAutoScalingGroup.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// Name.
    pub auto_scaling_group_name: String,
    /// Whether its instances end with it.
    #[serde(default)]
    pub force_delete: bool,
}

/// Deletes a group; with instances only when forced, and then as soon as they have ended.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<(), AwsError> {
    let DeleteInput { auto_scaling_group_name: name, force_delete } = input;
    let existing = group(region, name)?;
    if existing.settings.options.is_protected(*force_delete) {
        return Err(AwsError::validation(format!(
            "AutoScalingGroup {name} cannot be deleted: its deletion protection is {}.",
            existing.settings.options.deletion_protection.as_deref().unwrap_or_default()
        )));
    }
    if !*force_delete && !existing.members.is_empty() {
        return Err(AwsError::new(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) \
             still in the group.",
        ));
    }
    let cause = format!(
        "At {} a user request force deleted AutoScalingGroup changing the desired capacity from {} to 0.",
        second(region.now),
        existing.desired
    );
    policies::forget_all(region, name);
    region.with_group(name, |group, context| {
        group.deleting = true;
        group.hooks.clear();
        // It goes with the group.
        if let Some(pool) = &mut group.warm_pool {
            pool.deleting = true;
        }
        (group.settings.min, group.settings.max, group.desired) = (0, 0, 0);
        group.refreshes.retain(|refresh| !refresh.status.is_active());
        // What ends already is held by nothing any more.
        for member in &mut group.members {
            member.hooks.clear();
        }
        let ids: Vec<String> = group.members.iter().map(|member| member.id.clone()).collect();
        for id in ids {
            group.end(context, &id, &cause);
        }
    });
    region.forget_deleted();
    Ok(())
}
