//! Creating, updating and deleting groups.

use serde::Deserialize;

use super::tags::{self, TagInput};
use super::traffic::{self, TrafficSource};
use super::{group, group_mut, hooks, launch_configurations, options, policies};
use crate::ec2::network;
use crate::region::blueprints::TemplateSpec;
use crate::region::group::{GroupSettings, MaintenancePolicy};
use crate::region::launch::{LaunchSource, MixedInstancesPolicy};
use crate::region::options::{LifecyclePolicy, Options, Reservations, ZoneDistribution, ZoneImpairment};
use crate::region::scaling::second;
use crate::region::{Group, Region, victims};
use crate::wire::AwsError;

/// Input of CreateAutoScalingGroup and UpdateAutoScalingGroup; absent members keep their value or have AWS's default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupInput {
    /// Name.
    pub auto_scaling_group_name: String,
    /// One of three sources of instances.
    pub launch_configuration_name: Option<String>,
    /// One of three sources of instances.
    pub launch_template: Option<TemplateSpec>,
    /// One of three sources of instances.
    pub mixed_instances_policy: Option<MixedInstancesPolicy>,
    /// Least desired capacity; required to create.
    pub min_size: Option<i64>,
    /// Most desired capacity; required to create.
    pub max_size: Option<i64>,
    /// Desired capacity, the least one by default.
    pub desired_capacity: Option<i64>,
    /// Seconds.
    pub default_cooldown: Option<u32>,
    /// Zones.
    #[serde(default)]
    pub availability_zones: Vec<String>,
    /// Classic load balancers.
    #[serde(default)]
    pub load_balancer_names: Vec<String>,
    /// Target groups.
    #[serde(default, rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
    /// Load balancers of any kind; only when creating.
    #[serde(default)]
    pub traffic_sources: Vec<TrafficSource>,
    /// `EC2` or `ELB`.
    pub health_check_type: Option<String>,
    /// Seconds.
    pub health_check_grace_period: Option<u32>,
    /// Subnets, with commas between them.
    #[serde(rename = "VPCZoneIdentifier")]
    pub vpc_zone_identifier: Option<String>,
    /// Termination policies.
    #[serde(default)]
    pub termination_policies: Vec<String>,
    /// Protection of new instances.
    pub new_instances_protected_from_scale_in: Option<bool>,
    /// Kept and shown.
    pub capacity_rebalance: Option<bool>,
    /// Tags; only when creating.
    #[serde(default)]
    pub tags: Vec<TagInput>,
    /// Seconds after which an instance is replaced, a day or more; 0 takes the setting away.
    pub max_instance_lifetime: Option<u32>,
    /// Seconds; -1 takes the setting away.
    pub default_instance_warmup: Option<i64>,
    /// Lifecycle hooks; only when creating.
    #[serde(default)]
    pub lifecycle_hook_specification_list: Vec<hooks::PutInput>,
    /// Bounds of replacement.
    pub instance_maintenance_policy: Option<MaintenancePolicy>,
    /// An instance to launch more of its kind; only when creating.
    pub instance_id: Option<String>,
    /// What desired capacity counts.
    pub desired_capacity_type: Option<String>,
    /// How launches spread over the zones.
    pub availability_zone_distribution: Option<ZoneDistribution>,
    /// What is done about an impaired zone.
    pub availability_zone_impairment_policy: Option<ZoneImpairment>,
    /// Capacity Reservations.
    pub capacity_reservation_specification: Option<Reservations>,
    /// What is kept of instances.
    pub instance_lifecycle_policy: Option<LifecyclePolicy>,
    /// Whether it may be deleted.
    pub deletion_protection: Option<String>,
    /// Kept and shown.
    pub context: Option<String>,
    /// Kept and shown.
    pub placement_group: Option<String>,
    /// The role that the service has.
    #[serde(rename = "ServiceLinkedRoleARN")]
    pub service_linked_role_arn: Option<String>,
}

impl GroupInput {
    /// What it says besides sizes, source and zones, as far as little follows from it.
    fn options(&self) -> Options {
        Options {
            desired_capacity_type: self.desired_capacity_type.clone(),
            availability_zone_distribution: self.availability_zone_distribution.clone(),
            availability_zone_impairment_policy: self.availability_zone_impairment_policy.clone(),
            capacity_reservation_specification: self.capacity_reservation_specification.clone(),
            instance_lifecycle_policy: self.instance_lifecycle_policy.clone(),
            deletion_protection: self.deletion_protection.clone(),
            context: self.context.clone(),
            placement_group: self.placement_group.clone(),
            service_linked_role_arn: self.service_linked_role_arn.clone(),
        }
    }
}

/// Creates a group. Its instances are launched in the next step of time.
pub fn create(region: &mut Region, input: &GroupInput) -> Result<(), AwsError> {
    let name = input.auto_scaling_group_name.as_str();
    check_new(region, name)?;
    let (min, max) = (required(input.min_size, "minSize")?, required(input.max_size, "maxSize")?);
    let desired = size(input.desired_capacity, "desiredCapacity")?.unwrap_or(min);
    check_sizes(min, max, desired)?;
    let source = source(input)?.ok_or_else(|| {
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
    let zones = zones(region, input)?
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
        let message = format!("AutoScalingGroup {name} is pending delete");
        return Err(AwsError::new("ScalingActivityInProgress", message));
    }
    let source = source(input)?;
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
        settings.source = source;
    }
    if let Some(zones) = zones(region, input)? {
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

fn defaults(source: LaunchSource, min: u32, max: u32, zones: Vec<String>) -> GroupSettings {
    GroupSettings {
        source,
        min,
        max,
        zones,
        subnets: None,
        default_cooldown: 300,
        default_instance_warmup: None,
        health_check_type: "EC2".to_owned(),
        health_check_grace_period: 0,
        target_group_arns: Vec::new(),
        lattice_target_groups: Vec::new(),
        load_balancer_names: Vec::new(),
        termination_policies: vec!["Default".to_owned()],
        new_instances_protected: false,
        maintenance: None,
        max_instance_lifetime: None,
        capacity_rebalance: false,
        options: Options::default(),
    }
}

/// Takes over what the input says besides sizes, source and zones.
fn apply(settings: &mut GroupSettings, input: &GroupInput) -> Result<(), AwsError> {
    let lists = [
        (&mut settings.load_balancer_names, &input.load_balancer_names),
        (&mut settings.target_group_arns, &input.target_group_arns),
        (&mut settings.termination_policies, &input.termination_policies),
    ];
    for (list, given) in lists {
        if !given.is_empty() {
            list.clone_from(given);
        }
    }
    if let Some(warmup) = input.default_instance_warmup {
        if !(-1..=3600).contains(&warmup) {
            return Err(AwsError::validation(
                "DefaultInstanceWarmup must be between 0 and 3600 seconds, or -1.",
            ));
        }
        settings.default_instance_warmup = u32::try_from(warmup).ok();
    }
    if let Some(unknown) = settings.termination_policies.iter().find(|name| !is_termination_policy(name)) {
        return Err(AwsError::validation(format!("Termination policy {unknown} is not valid.")));
    }
    if input.max_instance_lifetime.is_some_and(|life| life != 0 && !LIFETIMES.contains(&life)) {
        return Err(AwsError::validation(
            "MaxInstanceLifetime must be between 86400 seconds (1 day) and 31536000 seconds (365 days), or 0.",
        ));
    }
    if let Some(kinds) = &input.health_check_type {
        if let Some(unknown) = kinds.split(',').map(str::trim).find(|kind| !HEALTH_CHECKS.contains(kind)) {
            return Err(AwsError::validation(format!(
                "Invalid HealthCheckType: {unknown}. The valid values are EC2, EBS, ELB and VPC_LATTICE."
            )));
        }
        settings.health_check_type.clone_from(kinds);
    }
    if let Some(policy) = input.instance_maintenance_policy {
        settings.maintenance = maintenance(policy)?;
    }
    let options = input.options();
    options::check(&options)?;
    settings.options = std::mem::take(&mut settings.options).overlaid(options);
    settings.subnets = input.vpc_zone_identifier.clone().or(settings.subnets.take());
    settings.default_cooldown = input.default_cooldown.unwrap_or(settings.default_cooldown);
    settings.health_check_grace_period =
        input.health_check_grace_period.unwrap_or(settings.health_check_grace_period);
    settings.new_instances_protected =
        input.new_instances_protected_from_scale_in.unwrap_or(settings.new_instances_protected);
    settings.capacity_rebalance = input.capacity_rebalance.unwrap_or(settings.capacity_rebalance);
    settings.max_instance_lifetime =
        input.max_instance_lifetime.or(settings.max_instance_lifetime).filter(|lifetime| *lifetime > 0);
    Ok(())
}

/// Seconds that an instance may live: *Amazon EC2 Auto Scaling User Guide*, "Replace Auto Scaling instances based on
/// maximum instance lifetime", a day to a year.
const LIFETIMES: std::ops::RangeInclusive<u32> = 86_400..=31_536_000;

/// The kinds of health checks; several have commas between them.
const HEALTH_CHECKS: [&str; 4] = ["EC2", "EBS", "ELB", "VPC_LATTICE"];

/// The bounds of replacement that are asked for; -1 clears them.
fn maintenance(policy: MaintenancePolicy) -> Result<Option<MaintenancePolicy>, AwsError> {
    let (min, max) = (policy.min_healthy_percentage, policy.max_healthy_percentage);
    if (min, max) == (-1, -1) {
        return Ok(None);
    }
    if !(0..=100).contains(&min) || !(100..=200).contains(&max) {
        return Err(AwsError::validation(
            "MinHealthyPercentage must be from 0 to 100 and MaxHealthyPercentage from 100 to 200, or both -1.",
        ));
    }
    policy.check_difference()?;
    Ok(Some(policy))
}

/// One of the service's, or a function of the caller's.
fn is_termination_policy(name: &str) -> bool {
    victims::POLICIES.contains(&name) || name.starts_with("arn:aws:lambda:")
}

fn source(input: &GroupInput) -> Result<Option<LaunchSource>, AwsError> {
    let template = input.launch_template.clone().map(LaunchSource::Template);
    if let Some(policy) = &input.mixed_instances_policy {
        policy.check()?;
    }
    let mixed =
        input.mixed_instances_policy.clone().map(|policy| LaunchSource::Mixed(policy.with_defaults()));
    let configuration = input.launch_configuration_name.clone().map(LaunchSource::Configuration);
    // A launch configuration of the group's name is made of the instance.
    let instance = input
        .instance_id
        .as_ref()
        .map(|_| LaunchSource::Configuration(input.auto_scaling_group_name.clone()));
    let mut given = [template, mixed, configuration, instance].into_iter().flatten();
    let first = given.next();
    if given.next().is_some() {
        return Err(AwsError::validation(
            "Valid requests must contain only one of LaunchTemplate, LaunchConfigurationName or \
             MixedInstancesPolicy.",
        ));
    }
    Ok(first)
}

/// The zones asked for, by name or by the subnet that each zone has.
fn zones(region: &Region, input: &GroupInput) -> Result<Option<Vec<String>>, AwsError> {
    let known = region.zones();
    if let Some(zone) = input.availability_zones.iter().find(|zone| !known.contains(zone)) {
        return Err(AwsError::validation(format!("Invalid Availability Zone: {zone}.")));
    }
    let subnets = input.vpc_zone_identifier.as_deref().unwrap_or_default();
    let subnets = subnets.split(',').map(str::trim).filter(|subnet| !subnet.is_empty());
    let mut zones: Vec<String> = Vec::new();
    for subnet in subnets {
        let own = (0..known.len()).find(|place| network::subnet(*place) == subnet);
        let zone = own
            .and_then(|place| known.get(place))
            .ok_or_else(|| AwsError::validation(format!("The subnet ID '{subnet}' does not exist.")))?;
        if !zones.contains(zone) {
            zones.push(zone.clone());
        }
    }
    if !input.availability_zones.is_empty() {
        return Ok(Some(input.availability_zones.clone()));
    }
    Ok((!zones.is_empty()).then_some(zones))
}

fn required(value: Option<i64>, member: &str) -> Result<u32, AwsError> {
    size(value, member)?.ok_or_else(|| {
        AwsError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be \
             null"
        ))
    })
}

fn size(value: Option<i64>, member: &str) -> Result<Option<u32>, AwsError> {
    let Some(value) = value else { return Ok(None) };
    u32::try_from(value).map(Some).map_err(|_| {
        AwsError::validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
             have value greater than or equal to 0"
        ))
    })
}

fn check_sizes(min: u32, max: u32, desired: u32) -> Result<(), AwsError> {
    if max < min {
        return Err(AwsError::validation(format!(
            "Max bound, {max}, must be greater than or equal to min bound, {min}"
        )));
    }
    if !(min..=max).contains(&desired) {
        return Err(AwsError::validation(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    Ok(())
}
