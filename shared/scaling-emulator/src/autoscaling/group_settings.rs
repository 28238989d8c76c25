//! The settings of a group: what they are when nothing is said, and what an input makes of them.

use super::group_input::GroupInput;
use super::{balancing, options};
use crate::region::group::{GroupSettings, MaintenancePolicy};
use crate::region::launch::LaunchSource;
use crate::region::options::Options;
use crate::region::victims;
use crate::wire::AwsError;

/// Seconds that an instance may live: *Amazon EC2 Auto Scaling User Guide*, "Replace Auto Scaling instances based on
/// maximum instance lifetime", a day to a year.
const LIFETIMES: std::ops::RangeInclusive<u32> = 86_400..=31_536_000;

/// The kinds of health checks; several have commas between them.
const HEALTH_CHECKS: [&str; 4] = ["EC2", "EBS", "ELB", "VPC_LATTICE"];

/// The settings of a group that is told nothing but sizes, source and zones.
pub(super) fn defaults(source: LaunchSource, min: u32, max: u32, zones: Vec<String>) -> GroupSettings {
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
pub(super) fn apply(settings: &mut GroupSettings, input: &GroupInput) -> Result<(), AwsError> {
    balancing::check_targets(&input.target_group_arns)?;
    balancing::check_total(input.target_group_arns.len(), "targetGroupARNs")?;
    balancing::check_total(input.load_balancer_names.len(), "loadBalancerNames")?;
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
    settings.termination_policies.iter().try_for_each(|name| check_termination_policy(name))?;
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

/// Takes the service's own; a function of the caller's, which the service takes too, would never be invoked here.
fn check_termination_policy(name: &str) -> Result<(), AwsError> {
    if victims::POLICIES.contains(&name) {
        return Ok(());
    }
    Err(AwsError::validation(if name.starts_with("arn:aws:lambda:") {
        format!("This emulator does not invoke {name} as a termination policy.")
    } else {
        format!("Termination policy {name} is not valid.")
    }))
}
