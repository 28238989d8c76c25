//! EC2 Auto Scaling: one typed function an operation, and the table of their names.

pub mod activities;
pub mod balancing;
pub mod capacity;
pub mod describe;
pub mod execution;
mod following_rules;
pub mod group_input;
mod group_settings;
pub mod groups;
pub mod hooks;
mod kinds;
pub mod launch_configurations;
pub mod notifications;
mod options;
pub mod page;
pub mod policies;
pub mod processes;
pub mod refreshes;
pub mod scheduled;
pub mod standby;
pub mod tags;
pub mod traffic;
pub mod warm_pools;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::region::{Group, Region};
use crate::wire::AwsError;
use crate::wire::form::Form;

/// XML namespace of the service.
pub const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

/// An operation as the wire sees it.
type Operation = fn(&mut Region, &Form) -> Result<Value, AwsError>;

/// Every operation of this service.
const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateAutoScalingGroup", |region, form| call(region, form, groups::create)),
    ("UpdateAutoScalingGroup", |region, form| call(region, form, groups::update)),
    ("DeleteAutoScalingGroup", |region, form| call(region, form, groups::delete)),
    ("DescribeAutoScalingGroups", |region, form| call(region, form, describe::groups)),
    ("DescribeAutoScalingInstances", |region, form| call(region, form, describe::instances)),
    ("DescribeScalingActivities", |region, form| call(region, form, activities::describe)),
    ("SetDesiredCapacity", |region, form| call(region, form, capacity::set_desired)),
    ("TerminateInstanceInAutoScalingGroup", |region, form| call(region, form, capacity::terminate)),
    ("SetInstanceProtection", |region, form| call(region, form, capacity::protect)),
    ("SetInstanceHealth", |region, form| call(region, form, capacity::set_health)),
    ("StartInstanceRefresh", |region, form| call(region, form, refreshes::start)),
    ("CancelInstanceRefresh", |region, form| call(region, form, refreshes::cancel)),
    ("RollbackInstanceRefresh", |region, form| call(region, form, refreshes::roll_back)),
    ("DescribeInstanceRefreshes", |region, form| call(region, form, refreshes::describe)),
    ("CreateOrUpdateTags", |region, form| call(region, form, tags::put)),
    ("DeleteTags", |region, form| call(region, form, tags::delete)),
    ("DescribeTags", |region, form| call(region, form, tags::describe)),
    ("PutScalingPolicy", |region, form| call(region, form, policies::put)),
    ("DescribePolicies", |region, form| call(region, form, policies::describe)),
    ("DeletePolicy", |region, form| call(region, form, policies::delete)),
    ("PutScheduledUpdateGroupAction", |region, form| call(region, form, scheduled::schedule)),
    ("DescribeScheduledActions", |region, form| call(region, form, scheduled::describe_scheduled)),
    ("DeleteScheduledAction", |region, form| call(region, form, scheduled::unschedule)),
    ("SuspendProcesses", |region, form| call(region, form, processes::suspend)),
    ("ResumeProcesses", |region, form| call(region, form, processes::resume)),
    ("EnableMetricsCollection", |region, form| call(region, form, processes::enable_metrics)),
    ("DisableMetricsCollection", |region, form| call(region, form, processes::disable_metrics)),
    ("CreateLaunchConfiguration", |region, form| call(region, form, launch_configurations::create)),
    ("DescribeLaunchConfigurations", |region, form| call(region, form, launch_configurations::describe)),
    ("DeleteLaunchConfiguration", |region, form| call(region, form, launch_configurations::delete)),
    ("BatchPutScheduledUpdateGroupAction", |region, form| call(region, form, scheduled::batch_put)),
    ("BatchDeleteScheduledAction", |region, form| call(region, form, scheduled::batch_delete)),
    ("ExecutePolicy", |region, form| call(region, form, execution::execute_policy)),
    ("GetPredictiveScalingForecast", |region, form| call(region, form, execution::forecast)),
    ("PutLifecycleHook", |region, form| call(region, form, hooks::put)),
    ("DescribeLifecycleHooks", |region, form| call(region, form, hooks::describe)),
    ("DeleteLifecycleHook", |region, form| call(region, form, hooks::delete)),
    ("CompleteLifecycleAction", |region, form| call(region, form, hooks::complete)),
    ("RecordLifecycleActionHeartbeat", |region, form| call(region, form, hooks::heartbeat)),
    ("EnterStandby", |region, form| call(region, form, standby::enter)),
    ("ExitStandby", |region, form| call(region, form, standby::exit)),
    ("DetachInstances", |region, form| call(region, form, standby::detach)),
    ("AttachInstances", |region, form| call(region, form, standby::attach)),
    ("PutWarmPool", |region, form| call(region, form, warm_pools::put)),
    ("DescribeWarmPool", |region, form| call(region, form, warm_pools::describe)),
    ("DeleteWarmPool", |region, form| call(region, form, warm_pools::delete)),
    ("PutNotificationConfiguration", |region, form| call(region, form, notifications::put)),
    ("DescribeNotificationConfigurations", |region, form| call(region, form, notifications::describe)),
    ("DeleteNotificationConfiguration", |region, form| call(region, form, notifications::delete)),
    ("AttachLoadBalancerTargetGroups", |region, form| call(region, form, balancing::attach_targets)),
    ("DetachLoadBalancerTargetGroups", |region, form| call(region, form, balancing::detach_targets)),
    ("DescribeLoadBalancerTargetGroups", |region, form| call(region, form, balancing::describe_targets)),
    ("AttachLoadBalancers", |region, form| call(region, form, balancing::attach_balancers)),
    ("DetachLoadBalancers", |region, form| call(region, form, balancing::detach_balancers)),
    ("DescribeLoadBalancers", |region, form| call(region, form, balancing::describe_balancers)),
    ("AttachTrafficSources", |region, form| call(region, form, traffic::attach)),
    ("DetachTrafficSources", |region, form| call(region, form, traffic::detach)),
    ("DescribeTrafficSources", |region, form| call(region, form, traffic::describe)),
    ("DescribeAccountLimits", |region, _| Ok(kinds::limits(region))),
    ("DescribeAdjustmentTypes", |_, _| Ok(kinds::adjustments())),
    ("DescribeTerminationPolicyTypes", |_, _| Ok(kinds::terminations())),
    ("DescribeScalingProcessTypes", |_, _| Ok(kinds::processes())),
    ("DescribeMetricCollectionTypes", |_, _| Ok(kinds::metrics())),
    ("DescribeAutoScalingNotificationTypes", |_, _| Ok(kinds::notifications())),
    ("DescribeLifecycleHookTypes", |_, _| Ok(kinds::hooks())),
];

/// The names of all operations.
pub(crate) fn names() -> Vec<&'static str> {
    OPERATIONS.iter().map(|(name, _)| *name).collect()
}

/// Carries out one operation.
pub fn dispatch(region: &mut Region, operation: &str, form: &Form) -> Result<Value, AwsError> {
    let Some((_, act)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        let message = format!("Could not find operation {operation} for version 2011-01-01");
        return Err(AwsError::new("InvalidAction", message));
    };
    act(region, form)
}

fn call<I: DeserializeOwned, O: Serialize>(
    region: &mut Region,
    form: &Form,
    act: fn(&mut Region, &I) -> Result<O, AwsError>,
) -> Result<Value, AwsError> {
    let output = act(region, &form.read()?)?;
    serde_json::to_value(output)
        .map_err(|error| AwsError::new("InternalFailure", error.to_string()).with_status(500))
}

/// Refuses a list with more items than a call may have, as the service refuses any other breach of its model.
fn at_most<T>(list: &[T], most: usize, member: &str) -> Result<(), AwsError> {
    if list.len() <= most {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less \
         than or equal to {most}"
    )))
}

/// Refuses a text that is empty or longer than the service's model lets it be.
fn fits(text: &str, most: usize, member: &str) -> Result<(), AwsError> {
    let bound = match text.chars().count() {
        0 => "greater than or equal to 1".to_owned(),
        length if length > most => format!("less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(AwsError::validation(format!(
        "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must have length \
         {bound}"
    )))
}

/// The group with this name, or the service's error.
fn group<'a>(region: &'a Region, name: &str) -> Result<&'a Group, AwsError> {
    region.group(name).ok_or_else(|| no_such_group(name))
}

/// The group with this name, to be changed, or the service's error.
fn group_mut<'a>(region: &'a mut Region, name: &str) -> Result<&'a mut Group, AwsError> {
    region.groups.get_mut(name).ok_or_else(|| no_such_group(name))
}

/// Refuses a group that is being deleted, to which nothing can be added any more.
fn check_stays(group: &Group) -> Result<(), AwsError> {
    if group.deleting { Err(AwsError::validation(pending_delete(group))) } else { Ok(()) }
}

/// What is said of a group that is being deleted.
fn pending_delete(group: &Group) -> String {
    format!("AutoScalingGroup {} is pending delete", group.name)
}

pub(crate) fn no_such_group(name: &str) -> AwsError {
    AwsError::validation(format!("AutoScalingGroup name not found - AutoScalingGroup {name} not found"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn an_unknown_operation_is_the_services_own_error() {
        let mut region = Region::new(&Settings::default());
        let error = dispatch(&mut region, "LaunchInstances", &Form::default()).unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("InvalidAction", 400));
    }

    #[test]
    fn every_operation_answers_an_empty_form_with_a_fault_of_the_caller_or_an_answer() {
        for (name, _) in OPERATIONS {
            let mut region = Region::new(&Settings::default());
            if let Err(error) = dispatch(&mut region, name, &Form::default()) {
                assert_eq!((error.status, error.sender), (400, true), "{name}: {error}");
            }
        }
    }
}
