//! What CreateAutoScalingGroup and UpdateAutoScalingGroup are told: how it is read, and what of it cannot be.

use serde::Deserialize;

use super::hooks;
use super::tags::TagInput;
use super::traffic::TrafficSource;
use crate::ec2::{network, zones};
use crate::region::Region;
use crate::region::blueprints::TemplateSpec;
use crate::region::group::MaintenancePolicy;
use crate::region::launch::{LaunchSource, MixedInstancesPolicy};
use crate::region::options::{LifecyclePolicy, Options, Reservations, ZoneDistribution, ZoneImpairment};
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
    /// Or zones by their ids.
    #[serde(default)]
    pub availability_zone_ids: Vec<String>,
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
    pub(super) fn options(&self) -> Options {
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

    /// What it launches from, where it says one; two are refused.
    pub(super) fn source(&self) -> Result<Option<LaunchSource>, AwsError> {
        let template = self.launch_template.clone().map(LaunchSource::Template);
        if let Some(policy) = &self.mixed_instances_policy {
            policy.check()?;
        }
        let mixed =
            self.mixed_instances_policy.clone().map(|policy| LaunchSource::Mixed(policy.with_defaults()));
        let configuration = self.launch_configuration_name.clone().map(LaunchSource::Configuration);
        // A launch configuration of the group's name is made of the instance.
        let instance = self
            .instance_id
            .as_ref()
            .map(|_| LaunchSource::Configuration(self.auto_scaling_group_name.clone()));
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

    /// The zones asked for by name or by id.
    fn named_zones(&self, known: &[String]) -> Result<Vec<String>, AwsError> {
        if !self.availability_zones.is_empty() && !self.availability_zone_ids.is_empty() {
            return Err(AwsError::validation(
                "You cannot specify both AvailabilityZones and AvailabilityZoneIds in the same request.",
            ));
        }
        let invalid = |what: &str, given: &str| AwsError::validation(format!("Invalid {what}: {given}."));
        if let Some(zone) = self.availability_zones.iter().find(|zone| !known.contains(zone)) {
            return Err(invalid("Availability Zone", zone));
        }
        let of_id = |id: &String| {
            let zone = known.iter().find(|zone| zones::id_of(zone) == *id);
            zone.cloned().ok_or_else(|| invalid("Availability Zone ID", id))
        };
        let by_id: Vec<String> = self.availability_zone_ids.iter().map(of_id).collect::<Result<_, _>>()?;
        Ok(if by_id.is_empty() { self.availability_zones.clone() } else { by_id })
    }

    /// The zones asked for, by name, by id, or by the subnet that each zone has.
    pub(super) fn zones(&self, region: &Region) -> Result<Option<Vec<String>>, AwsError> {
        let known = region.zones();
        let named = self.named_zones(&known)?;
        let subnets = self.vpc_zone_identifier.as_deref().unwrap_or_default();
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
        if !named.is_empty() {
            // *API Reference*, CreateAutoScalingGroup: the subnets must reside in the zones that are given beside them.
            if zones.iter().any(|zone| !named.contains(zone)) {
                return Err(AwsError::validation(
                    "The availability zones of the specified subnets and the Auto Scaling group do not match.",
                ));
            }
            return Ok(Some(named));
        }
        Ok((!zones.is_empty()).then_some(zones))
    }
}

/// A size that has to be given.
pub(super) fn required(value: Option<i64>, member: &str) -> Result<u32, AwsError> {
    size(value, member)?.ok_or_else(|| {
        AwsError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be \
             null"
        ))
    })
}

/// A size as it is given, which is not below 0.
pub(super) fn size(value: Option<i64>, member: &str) -> Result<Option<u32>, AwsError> {
    let Some(value) = value else { return Ok(None) };
    u32::try_from(value).map(Some).map_err(|_| {
        AwsError::validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
             have value greater than or equal to 0"
        ))
    })
}

/// Refuses bounds that cross, and a desired capacity outside of them.
pub(super) fn check_sizes(min: u32, max: u32, desired: u32) -> Result<(), AwsError> {
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
