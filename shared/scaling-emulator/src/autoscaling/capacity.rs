//! Desired capacity, and single instances: ending, protecting, marking.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{at_most, group, group_mut, pending_delete};
use crate::region::activity::Activity;
use crate::region::scaling::second;
use crate::region::{Group, Member, Region};
use crate::wire::AwsError;

/// Input of SetDesiredCapacity.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetDesiredCapacityInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The wanted capacity.
    pub desired_capacity: i64,
    /// Whether to refuse while the group cools down.
    #[serde(default)]
    pub honor_cooldown: bool,
}

/// Sets the desired capacity; instances follow with the next step of time.
pub fn set_desired(region: &mut Region, input: &SetDesiredCapacityInput) -> Result<(), AwsError> {
    let now = region.now;
    let wanted = input.desired_capacity;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    if group.deleting {
        return Err(AwsError::new("ScalingActivityInProgress", pending_delete(group)));
    }
    let (min, max) = (group.settings.min, group.settings.max);
    if wanted > i64::from(max) {
        return Err(AwsError::validation(format!(
            "New SetDesiredCapacity value {wanted} is above max value {max} for the AutoScalingGroup."
        )));
    }
    let Some(wanted) = u32::try_from(wanted).ok().filter(|wanted| *wanted >= min) else {
        return Err(AwsError::validation(format!(
            "New SetDesiredCapacity value {wanted} is below min value {min} for the AutoScalingGroup."
        )));
    };
    let cooldown = SignedDuration::from_secs(i64::from(group.settings.default_cooldown));
    let cooling = group.last_activity.is_some_and(|last| last + cooldown > now);
    if input.honor_cooldown && (cooling || group.is_about_to_scale() || group.activities.any_running()) {
        return Err(AwsError::new(
            "ScalingActivityInProgress",
            "Scaling activity is in progress or in cooldown and blocks this action",
        ));
    }
    if wanted != group.desired {
        group.cause = format!(
            "At {} a user request explicitly set group desired capacity changing the desired capacity from {} to \
             {wanted}.  ",
            second(now),
            group.desired
        );
        group.desired = wanted;
        group.trouble.next_try = None;
    }
    Ok(())
}

/// Input of TerminateInstanceInAutoScalingGroup.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminateInput {
    /// The instance.
    pub instance_id: String,
    /// Whether it is not replaced.
    pub should_decrement_desired_capacity: bool,
}

/// Output of TerminateInstanceInAutoScalingGroup.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminateOutput {
    /// The activity that ends the instance.
    pub activity: Option<Activity>,
}

/// Ends one instance, protected or not.
pub fn terminate(region: &mut Region, input: &TerminateInput) -> Result<TerminateOutput, AwsError> {
    let id = &input.instance_id;
    let group = owner(region, id)?;
    let (name, desired, min) = (group.name.clone(), group.desired, group.settings.min);
    let Some(member) = group.member(id) else { return Err(unmanaged(id)) };
    if member.state.is_ending() {
        return Err(AwsError::new(
            "ScalingActivityInProgress",
            format!("Instance {id} is already being terminated by a scaling activity."),
        ));
    }
    if member.state.is_warm_pool() {
        return Err(AwsError::validation(format!(
            "Instance {id} is in a warm pool. This operation cannot be called on instances in a warm pool."
        )));
    }
    let decrement = input.should_decrement_desired_capacity;
    // An instance in standby is no part of the desired capacity.
    let weight = if member.is_alive() { member.weight } else { 0 };
    let left = desired.saturating_sub(weight);
    if decrement && weight > 0 && left < min {
        return Err(AwsError::validation(format!(
            "Currently, desiredSize equals minSize ({min}). Terminating instance without replacement will violate \
             group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's \
             min size."
        )));
    }
    let shrinking = format!(", shrinking the capacity from {desired} to {left}");
    let cause = format!(
        "At {} instance {id} was taken out of service in response to a user request{}.",
        second(region.now),
        if decrement && weight > 0 { shrinking.as_str() } else { "" }
    );
    let activity = region.with_group(&name, |group, context| {
        if decrement {
            group.desired = left;
        }
        group.end(context, id, &cause);
        group.activities.iter().next().cloned()
    });
    Ok(TerminateOutput { activity: activity.flatten() })
}

/// Most instances of one SetInstanceProtection.
const MOST_PROTECTED: usize = 50;

/// Input of SetInstanceProtection.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProtectInput {
    /// The instances, at most 50.
    pub instance_ids: Vec<String>,
    /// The group.
    pub auto_scaling_group_name: String,
    /// Whether scaling in leaves them alone.
    pub protected_from_scale_in: bool,
}

/// Protects instances from scaling in, or no longer.
pub fn protect(region: &mut Region, input: &ProtectInput) -> Result<(), AwsError> {
    at_most(&input.instance_ids, MOST_PROTECTED, "instanceIds")?;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    if let Some(id) = input.instance_ids.iter().find(|id| group.member(id).is_none()) {
        return Err(AwsError::validation(format!(
            "The instance {id} is not part of Auto Scaling group {}.",
            group.name
        )));
    }
    let meant = |member: &&Member| input.instance_ids.contains(&member.id);
    let may = |member: &Member| member.is_in_service() || member.state.is_standby();
    if let Some(member) = group.members.iter().filter(meant).find(|member| !may(member)) {
        return Err(AwsError::validation(format!(
            "The instance {} is not in InService or EnteringStandby or Standby.",
            member.id
        )));
    }
    for member in &mut group.members {
        if input.instance_ids.contains(&member.id) {
            member.protected = input.protected_from_scale_in;
        }
    }
    Ok(())
}

/// Input of SetInstanceHealth.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthInput {
    /// The instance.
    pub instance_id: String,
    /// `Healthy` or `Unhealthy`.
    pub health_status: String,
    /// Whether one in its grace period stays healthy; it does unless said otherwise.
    pub should_respect_grace_period: Option<bool>,
}

/// Marks an instance; an unhealthy one is replaced with the next step of time.
pub fn set_health(region: &mut Region, input: &HealthInput) -> Result<(), AwsError> {
    let healthy = match input.health_status.as_str() {
        "Healthy" => true,
        "Unhealthy" => false,
        other => {
            return Err(AwsError::validation(format!(
                "Valid instance health states are: [Healthy, Unhealthy]. {other} is not one of them."
            )));
        }
    };
    let name = owner(region, &input.instance_id)?.name.clone();
    let (now, respects) = (region.now, input.should_respect_grace_period.unwrap_or(true));
    let group = group_mut(region, &name)?;
    let grace = group.grace();
    if let Some(member) = group.members.iter_mut().find(|member| member.id == input.instance_id) {
        member.healthy = healthy || (respects && member.healthy && member.has_grace(grace, now));
    }
    Ok(())
}

/// The group of an instance that is not gone, or the service's error.
fn owner<'a>(region: &'a Region, id: &str) -> Result<&'a Group, AwsError> {
    let owner = region.groups().find(|group| group.member(id).is_some());
    let name = owner.map(|group| group.name.as_str()).ok_or_else(|| unmanaged(id))?;
    group(region, name)
}

fn unmanaged(id: &str) -> AwsError {
    AwsError::validation(format!("Instance Id not found - No managed instance found for instance ID: {id}"))
}
