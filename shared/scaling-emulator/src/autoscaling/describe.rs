//! Describing groups and instances.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::page::{Page, Sizes, not_too_many, sorted};
use super::tags::{Filter, TagDescription};
use super::{traffic, warm_pools};
use crate::ec2::zones;
use crate::region::blueprints::TemplateSpec;
use crate::region::group::MaintenancePolicy;
use crate::region::launch::{LaunchSource, MixedInstancesPolicy};
use crate::region::options::Options;
use crate::region::{Group, LifecycleState, Member, Region};
use crate::wire::AwsError;

/// Input of DescribeAutoScalingGroups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupsInput {
    /// All groups when empty.
    pub auto_scaling_group_names: Vec<String>,
    /// 50 by default, at most 100; as many names may be given.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
    /// By tag.
    pub filters: Vec<Filter>,
    /// Whether instances are listed; they are unless said otherwise.
    pub include_instances: Option<bool>,
}

/// Output of DescribeAutoScalingGroups.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupsOutput {
    /// The page.
    pub auto_scaling_groups: Vec<GroupDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A group as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct GroupDescription {
    pub auto_scaling_group_name: String,
    #[serde(rename = "AutoScalingGroupARN")]
    pub auto_scaling_group_arn: String,
    pub launch_configuration_name: Option<String>,
    pub launch_template: Option<TemplateSpec>,
    pub mixed_instances_policy: Option<MixedInstancesPolicy>,
    pub min_size: u32,
    pub max_size: u32,
    pub desired_capacity: u32,
    pub default_cooldown: u32,
    pub availability_zones: Vec<String>,
    pub availability_zone_ids: Vec<String>,
    pub load_balancer_names: Vec<String>,
    #[serde(rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
    pub traffic_sources: Vec<traffic::TrafficSource>,
    pub health_check_type: String,
    pub health_check_grace_period: u32,
    pub instances: Vec<InstanceDescription>,
    pub created_time: Timestamp,
    pub suspended_processes: Vec<BTreeMap<&'static str, String>>,
    #[serde(rename = "VPCZoneIdentifier")]
    pub vpc_zone_identifier: String,
    pub enabled_metrics: Vec<BTreeMap<&'static str, String>>,
    pub status: Option<&'static str>,
    pub tags: Vec<TagDescription>,
    pub termination_policies: Vec<String>,
    pub new_instances_protected_from_scale_in: bool,
    #[serde(flatten)]
    pub options: Options,
    pub max_instance_lifetime: Option<u32>,
    pub capacity_rebalance: bool,
    pub default_instance_warmup: Option<u32>,
    pub instance_maintenance_policy: Option<MaintenancePolicy>,
    pub warm_pool_configuration: Option<warm_pools::Description>,
    pub warm_pool_size: Option<u32>,
    pub predicted_capacity: Option<u32>,
}

/// An instance as a group shows it; with the group's name where it is shown by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct InstanceDescription {
    pub instance_id: String,
    pub instance_type: String,
    pub auto_scaling_group_name: Option<String>,
    pub availability_zone: String,
    pub availability_zone_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    pub lifecycle_state: LifecycleState,
    pub health_status: &'static str,
    pub launch_configuration_name: Option<String>,
    pub launch_template: Option<TemplateSpec>,
    pub protected_from_scale_in: bool,
    pub weighted_capacity: Option<String>,
}

/// Describes groups by name, or all of them, in the order of their names. Unknown names are left out.
pub fn groups(region: &mut Region, input: &GroupsInput) -> Result<GroupsOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let names = &input.auto_scaling_group_names;
    if names.len() > size {
        return Err(AwsError::validation(format!(
            "The number of Auto Scaling group names specified ({}) is greater than the maximum of {size}.",
            names.len()
        )));
    }
    let mut found: Vec<&Group> = if names.is_empty() {
        region.groups().collect()
    } else {
        names.iter().filter_map(|name| region.group(name)).collect()
    };
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    for filter in &input.filters {
        filter.check_for_groups()?;
        found.retain(|group| filter.takes_group(group));
    }
    let page = sorted(found, |group| group.name.clone(), input.next_token.as_deref(), size)?;
    let with_instances = input.include_instances.unwrap_or(true);
    Ok(GroupsOutput {
        auto_scaling_groups: page
            .items
            .into_iter()
            .map(|group| describe(region, group, with_instances))
            .collect(),
        next_token: page.next_token,
    })
}

fn describe(region: &Region, group: &Group, with_instances: bool) -> GroupDescription {
    let settings = &group.settings;
    let (mut template, mut mixed, mut configuration) = (None, None, None);
    match &settings.source {
        LaunchSource::Template(spec) => template = Some(shown(region, spec)),
        LaunchSource::Mixed(policy) => mixed = Some(shown_policy(region, policy)),
        LaunchSource::Configuration(name) => configuration = Some(name.clone()),
    }
    let members = if with_instances { group.members.as_slice() } else { &[] };
    let pair = |first: (&'static str, &str), second: (&'static str, &str)| {
        BTreeMap::from([(first.0, first.1.to_owned()), (second.0, second.1.to_owned())])
    };
    let suspended = group.suspended.iter();
    let metrics = group.enabled_metrics.iter();
    GroupDescription {
        auto_scaling_group_name: group.name.clone(),
        auto_scaling_group_arn: group.arn.clone(),
        launch_configuration_name: configuration,
        launch_template: template,
        mixed_instances_policy: mixed,
        min_size: settings.min,
        max_size: settings.max,
        desired_capacity: group.desired,
        default_cooldown: settings.default_cooldown,
        availability_zones: settings.zones.clone(),
        availability_zone_ids: settings.zones.iter().map(|zone| zones::id_of(zone)).collect(),
        load_balancer_names: settings.load_balancer_names.clone(),
        target_group_arns: settings.target_group_arns.clone(),
        traffic_sources: traffic::shown(group),
        health_check_type: settings.health_check_type.clone(),
        health_check_grace_period: settings.health_check_grace_period,
        instances: members
            .iter()
            .filter(|member| !member.state.is_warm_pool())
            .map(|member| describe_member(group, member, false))
            .collect(),
        created_time: group.created,
        suspended_processes: suspended
            .map(|(name, reason)| pair(("ProcessName", name), ("SuspensionReason", reason)))
            .collect(),
        vpc_zone_identifier: settings.subnets.clone().unwrap_or_default(),
        enabled_metrics: metrics.map(|name| pair(("Metric", name), ("Granularity", "1Minute"))).collect(),
        status: group.deleting.then_some("Delete in progress"),
        tags: TagDescription::all_of(group),
        termination_policies: settings.termination_policies.clone(),
        new_instances_protected_from_scale_in: settings.new_instances_protected,
        options: shown_options(region, &settings.options),
        max_instance_lifetime: settings.max_instance_lifetime,
        capacity_rebalance: settings.capacity_rebalance,
        default_instance_warmup: settings.default_instance_warmup,
        instance_maintenance_policy: settings.maintenance,
        warm_pool_configuration: group.warm_pool.as_ref().map(warm_pools::Description::from),
        warm_pool_size: group.warm_pool.is_some().then(|| group.sizes().warm),
        predicted_capacity: group
            .followers
            .values()
            .find_map(|follower| follower.forecast(region.now))
            .map(|(_, capacity)| capacity),
    }
}

/// Options with the role that the service has where a group names none.
fn shown_options(region: &Region, options: &Options) -> Options {
    let mut options = options.clone();
    options.service_linked_role_arn.get_or_insert_with(|| {
        format!(
            "arn:aws:iam::{}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
            region.account_id
        )
    });
    options
}

/// A reference with both id and name, as the service shows it, and the version as it was given.
pub(super) fn shown(region: &Region, spec: &TemplateSpec) -> TemplateSpec {
    let (id, name) = (spec.launch_template_id.as_deref(), spec.launch_template_name.as_deref());
    match region.blueprints.template(id, name) {
        Ok(template) => TemplateSpec {
            launch_template_id: Some(template.id.clone()),
            launch_template_name: Some(template.name.clone()),
            version: spec.version.clone(),
        },
        Err(_) => spec.clone(),
    }
}

pub(super) fn shown_policy(region: &Region, policy: &MixedInstancesPolicy) -> MixedInstancesPolicy {
    let mut policy = policy.clone();
    if let Some(spec) =
        policy.launch_template.as_mut().and_then(|mixed| mixed.launch_template_specification.as_mut())
    {
        *spec = shown(region, spec);
    }
    // States of before have pools whatever their strategy is.
    policy.with_defaults()
}

pub(super) fn describe_member(group: &Group, member: &Member, alone: bool) -> InstanceDescription {
    InstanceDescription {
        instance_id: member.id.clone(),
        instance_type: member.instance_type.to_string(),
        auto_scaling_group_name: alone.then(|| group.name.clone()),
        availability_zone: member.zone.clone(),
        availability_zone_id: zones::id_of(&member.zone),
        image_id: member.image.clone(),
        lifecycle_state: member.state,
        health_status: match (member.healthy, alone) {
            (true, false) => "Healthy",
            (false, false) => "Unhealthy",
            (true, true) => "HEALTHY",
            (false, true) => "UNHEALTHY",
        },
        launch_configuration_name: member.configuration.clone(),
        launch_template: member.template.clone(),
        protected_from_scale_in: member.protected,
        weighted_capacity: (member.weight != 1).then(|| member.weight.to_string()),
    }
}

/// Input of DescribeAutoScalingInstances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstancesInput {
    /// All instances when empty.
    pub instance_ids: Vec<String>,
    /// 50 by default and at most.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeAutoScalingInstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstancesOutput {
    /// The page.
    pub auto_scaling_instances: Vec<InstanceDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// Describes instances by id, or all of them.
pub fn instances(region: &mut Region, input: &InstancesInput) -> Result<InstancesOutput, AwsError> {
    let size = Sizes(50, 50).choose(input.max_records)?;
    not_too_many(&input.instance_ids, "instance IDs")?;
    let wanted = |member: &Member| input.instance_ids.is_empty() || input.instance_ids.contains(&member.id);
    let mut found: Vec<(&Group, &Member)> = region
        .groups()
        .flat_map(|group| group.members.iter().map(move |member| (group, member)))
        .filter(|(_, member)| wanted(member))
        .collect();
    found.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    let Page { items, next_token } =
        sorted(found, |(_, member)| member.id.clone(), input.next_token.as_deref(), size)?;
    Ok(InstancesOutput {
        auto_scaling_instances: items
            .into_iter()
            .map(|(group, member)| describe_member(group, member, true))
            .collect(),
        next_token,
    })
}
