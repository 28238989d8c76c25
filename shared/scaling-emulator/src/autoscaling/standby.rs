//! Standby, attaching and detaching.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::{at_most, check_stays, group};
use crate::region::activity::{Activity, ActivityStatus};
use crate::region::loose::Loose;
use crate::region::{Condition, Group, LifecycleState, Member, Region};
use crate::wire::AwsError;

/// Most instances of one call.
const MOST: usize = 20;

/// Input of EnterStandby, ExitStandby, DetachInstances and AttachInstances.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstancesInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The instances.
    #[serde(default, deserialize_with = "distinct")]
    pub instance_ids: Vec<String>,
    /// Whether nothing replaces them; of entering standby and detaching.
    pub should_decrement_desired_capacity: Option<bool>,
}

/// An instance that is named twice is moved once, and counts once against the bounds.
fn distinct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut seen = BTreeSet::new();
    let ids = Vec::<String>::deserialize(deserializer)?;
    Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).collect())
}

/// The activities that follow.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActivitiesOutput {
    /// One an instance.
    pub activities: Vec<Activity>,
}

/// Puts instances into standby.
pub fn enter(region: &mut Region, input: &InstancesInput) -> Result<ActivitiesOutput, AwsError> {
    at_most(&input.instance_ids, MOST, "instanceIds")?;
    let decrement = decrement(input)?;
    let group = group(region, &input.auto_scaling_group_name)?;
    check_members(group, &input.instance_ids, |state| state == LifecycleState::InService, "InService")?;
    check_minimum(group, &input.instance_ids, decrement, "standby")?;
    Ok(acted(region, input, |group, context, id| group.enter_standby(context, id, decrement)))
}

/// Brings instances back from standby.
pub fn exit(region: &mut Region, input: &InstancesInput) -> Result<ActivitiesOutput, AwsError> {
    at_most(&input.instance_ids, MOST, "instanceIds")?;
    let group = group(region, &input.auto_scaling_group_name)?;
    check_members(group, &input.instance_ids, |state| state == LifecycleState::Standby, "Standby")?;
    let units = weight(group, &input.instance_ids, |_| true);
    check_maximum(group, (input.instance_ids.len(), units), "moved out of standby")?;
    Ok(acted(region, input, Group::exit_standby))
}

/// Takes instances out of a group; they go on running by themselves.
pub fn detach(region: &mut Region, input: &InstancesInput) -> Result<ActivitiesOutput, AwsError> {
    let decrement = decrement(input)?;
    let group = group(region, &input.auto_scaling_group_name)?;
    at_most(&input.instance_ids, MOST, "instanceIds")?;
    let may = |state: LifecycleState| state == LifecycleState::InService || state == LifecycleState::Standby;
    check_members(group, &input.instance_ids, may, "InService or Standby")?;
    check_minimum(group, &input.instance_ids, decrement, "detached")?;
    let mut loose = Vec::new();
    let output = acted(region, input, |group, context, id| {
        let (mut member, activity) = group.detach(context, id, decrement)?;
        member.state = match member.condition {
            Condition::Terminated => LifecycleState::Terminated,
            Condition::Stopped => LifecycleState::WarmedStopped,
            Condition::Sound | Condition::Failed => LifecycleState::InService,
        };
        loose.push(member);
        Some(activity)
    });
    region.loose.extend(loose.into_iter().map(|member| (member.id.clone(), Loose::from(member))));
    // Told as they begin; here they are over at once.
    let begun = |activity: Activity| Activity {
        status_code: ActivityStatus::InProgress,
        progress: 50,
        end_time: None,
        ..activity
    };
    Ok(ActivitiesOutput { activities: output.activities.into_iter().map(begun).collect() })
}

/// Takes instances that run by themselves into a group.
pub fn attach(region: &mut Region, input: &InstancesInput) -> Result<(), AwsError> {
    let group = group(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    at_most(&input.instance_ids, MOST, "instanceIds")?;
    let units = |id: &String| region.loose.get(id).map_or(1, |loose| i64::from(loose.member.weight));
    let units = input.instance_ids.iter().map(units).sum();
    check_maximum(group, (input.instance_ids.len(), units), "attached")?;
    let zones = group.settings.zones.clone();
    for id in &input.instance_ids {
        if let Some((owner, _)) = region.instance(id) {
            return Err(AwsError::validation(format!(
                "Instance {id} is already part of Auto Scaling group {}.",
                owner.name
            )));
        }
        let member = region.loose.get(id).map(|loose| &loose.member);
        let member = member.filter(|member| member.state == LifecycleState::InService);
        let Some(member) = member else {
            return Err(AwsError::validation(format!("Invalid Instance ID(s): {id} is not running.")));
        };
        if !zones.contains(&member.zone) {
            return Err(AwsError::validation(format!(
                "The availability zones of instance {id} and the Auto Scaling group do not match."
            )));
        }
    }
    for id in &input.instance_ids {
        let Some(member) = region.loose.remove(id).map(Member::from) else { continue };
        let machine = region.machines.machine(member.instance_type.as_str());
        region.with_group(&input.auto_scaling_group_name, |group, context| {
            if let Some(machine) = machine {
                group.attach(context, member, machine);
            }
        });
    }
    Ok(())
}

fn acted(
    region: &mut Region,
    input: &InstancesInput,
    mut act: impl FnMut(&mut Group, &mut crate::region::scaling::Context<'_>, &str) -> Option<String>,
) -> ActivitiesOutput {
    let activities = region.with_group(&input.auto_scaling_group_name, |group, context| {
        let ids: Vec<String> = input.instance_ids.iter().filter_map(|id| act(group, context, id)).collect();
        let of = |id: &String| group.activities.iter().find(|activity| activity.activity_id == *id).cloned();
        ids.iter().filter_map(of).collect()
    });
    ActivitiesOutput { activities: activities.unwrap_or_default() }
}

fn decrement(input: &InstancesInput) -> Result<bool, AwsError> {
    input.should_decrement_desired_capacity.ok_or_else(|| {
        AwsError::validation(
            "1 validation error detected: Value null at 'shouldDecrementDesiredCapacity' failed to satisfy constraint: \
             Member must not be null",
        )
    })
}

fn check_members(
    group: &Group,
    ids: &[String],
    may: impl Fn(LifecycleState) -> bool,
    wanted: &str,
) -> Result<(), AwsError> {
    for id in ids {
        let member = group.member(id).ok_or_else(|| {
            AwsError::validation(format!(
                "The instance {id} is not part of Auto Scaling group {}.",
                group.name
            ))
        })?;
        if !may(member.state) {
            return Err(AwsError::validation(format!("The instance {id} is not in {wanted}.")));
        }
    }
    Ok(())
}

/// Capacity of those of the instances that `counts` takes.
fn weight(group: &Group, ids: &[String], counts: impl Fn(&Member) -> bool) -> i64 {
    let members = ids.iter().filter_map(|id| group.member(id));
    members.filter(|member| counts(member)).map(|member| i64::from(member.weight)).sum()
}

fn check_minimum(group: &Group, ids: &[String], decrement: bool, what: &str) -> Result<(), AwsError> {
    let count = ids.len();
    let left = i64::from(group.desired) - weight(group, ids, Member::is_alive);
    if decrement && left < i64::from(group.settings.min) {
        return Err(AwsError::validation(format!(
            "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. To place into {what} {count} \
             instance{}, please update the AutoScalingGroup sizes appropriately.",
            group.name,
            group.settings.min,
            group.settings.max,
            group.desired,
            if count == 1 { "" } else { "s" }
        )));
    }
    Ok(())
}

/// Refuses instances that would take the group over its maximum: so many, of so much capacity.
fn check_maximum(group: &Group, (count, units): (usize, i64), what: &str) -> Result<(), AwsError> {
    let grown = i64::from(group.desired) + units;
    if grown > i64::from(group.settings.max) {
        return Err(AwsError::validation(format!(
            "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. {count} instance(s) cannot be {what}, \
             because the capacity would be {grown}.",
            group.name, group.settings.min, group.settings.max, group.desired
        )));
    }
    Ok(())
}
