//! Instance refreshes: how the newest one stands, and what a type change asks for.
//!
//! A type change is an instance refresh with a desired configuration: the group's launch template and version as
//! they are, and other types. The rules of the service that this file keeps:
//! - A desired configuration is a launch template or a mixed-instances policy; only the latter names types.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DesiredConfiguration.html>
//! - A maximum healthy percentage (100 to 200) needs a minimum, at most 100 below it. With 100 as the minimum,
//!   replacements serve before anything ends. Where the group has an instance maintenance policy, leaving both
//!   out applies it.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html>
//! - No rollback without a desired configuration, with `$Latest` or `$Default` as the template's version, or
//!   with an image named by a Systems Manager parameter. (The last cannot be seen from here; the service then
//!   refuses the refresh, and says so.)
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html>
//! - Protected and standby instances are waited for an hour by default, and then the refresh fails. Here they
//!   are left as they are: whoever protected them has said so.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-instance-refresh-default-values.html>
//! - The warm-up is left out, so that the group's default instance warm-up applies.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{
    AutoScalingGroup, DesiredConfiguration, InstanceRefresh, InstanceRefreshStatus, InstancesDistribution,
    LaunchTemplate, LaunchTemplateOverrides, LaunchTemplateSpecification, MixedInstancesPolicy,
    RefreshPreferences, ScaleInProtectedInstances, StandbyInstances,
};
use scaling_control::PortError;
use scaling_fleet::TypeName;
use scaling_policy::config::GroupName;
use scaling_policy::snapshot::{ReplacementStatus, ReplacementView, RetypeSupport};

use super::{describe, retype};
use crate::error::Call;
use crate::moment::timestamp;

const DESCRIBE: Call = Call::autoscaling("DescribeInstanceRefreshes");
pub(super) const START: Call = Call::autoscaling("StartInstanceRefresh");

/// Refreshes to look at; the newest come first.
const NEWEST: i32 = 10;

/// The newest refresh of the group.
pub(crate) async fn newest(client: &Client, group: &GroupName) -> Result<Option<ReplacementView>, PortError> {
    let answer = client
        .describe_instance_refreshes()
        .auto_scaling_group_name(group.as_str())
        .max_records(NEWEST)
        .send()
        .await
        .map_err(|error| DESCRIBE.error(&format!("group {group}"), error))?;
    // The first of those that started last: one that is still pending has not started.
    let started = |refresh: &&InstanceRefresh| {
        let start = refresh.start_time().map(|start| (start.secs(), start.subsec_nanos()));
        (start.is_none(), start)
    };
    answer.instance_refreshes().iter().rev().max_by_key(started).map(view).transpose()
}

fn view(refresh: &InstanceRefresh) -> Result<ReplacementView, PortError> {
    let id = refresh.instance_refresh_id().ok_or_else(|| DESCRIBE.malformed("a refresh without an id"))?;
    Ok(ReplacementView {
        id: id.to_owned(),
        status: status(refresh.status()),
        percent_complete: refresh
            .percentage_complete()
            .map_or(0, |percent| u8::try_from(percent.clamp(0, 100)).unwrap_or(0)),
        reason: refresh.status_reason().map(str::to_owned),
        target_type: refresh
            .desired_configuration()
            .and_then(|wanted| wanted.mixed_instances_policy())
            .and_then(|policy| policy.launch_template())
            .and_then(|template| template.overrides().first())
            .and_then(|entry| entry.instance_type())
            .map(TypeName::new),
        ended: refresh.end_time().and_then(timestamp),
    })
}

/// A status that is not known here holds the group like a running refresh.
fn status(status: Option<&InstanceRefreshStatus>) -> ReplacementStatus {
    use InstanceRefreshStatus as S;
    match status {
        Some(S::Pending) => ReplacementStatus::Pending,
        Some(S::InProgress) => ReplacementStatus::InProgress,
        Some(S::Successful) => ReplacementStatus::Successful,
        Some(S::Failed) => ReplacementStatus::Failed,
        Some(S::Cancelling) => ReplacementStatus::Cancelling,
        Some(S::Cancelled) => ReplacementStatus::Cancelled,
        Some(S::RollbackInProgress) => ReplacementStatus::RollbackInProgress,
        Some(S::RollbackFailed) => ReplacementStatus::RollbackFailed,
        Some(S::RollbackSuccessful) => ReplacementStatus::RollbackSuccessful,
        Some(S::Baking) => ReplacementStatus::Baking,
        other => {
            tracing::warn!(status = ?other, "an unknown refresh status is taken as in progress");
            ReplacementStatus::InProgress
        }
    }
}

/// What the refresh to `types` asks for, given the group as it is.
pub(super) struct Wanted {
    pub(super) configuration: DesiredConfiguration,
    pub(super) preferences: RefreshPreferences,
}

/// Builds the request for a change to the first of `types` that launches.
///
/// # Errors
/// `Invalid` where the group's type cannot be changed.
pub(super) fn wanted(group: &AutoScalingGroup, types: &[TypeName]) -> Result<Wanted, PortError> {
    let refused = |why: &str| PortError::Invalid { operation: START.operation, message: why.to_owned() };
    if let RetypeSupport::CountOnly { why } = retype::support(group) {
        return Err(refused(&why));
    }
    if types.is_empty() {
        return Err(refused("no type was asked for"));
    }
    let template =
        retype::launch_template(group).ok_or_else(|| refused("the group has no launch template"))?;
    let overrides =
        types.iter().map(|name| LaunchTemplateOverrides::builder().instance_type(name.as_str()).build());
    let launch = LaunchTemplate::builder()
        .launch_template_specification(specification(template))
        .set_overrides(Some(overrides.collect()))
        .build();
    let policy = MixedInstancesPolicy::builder()
        .launch_template(launch)
        .instances_distribution(distribution(group))
        .build();
    Ok(Wanted {
        configuration: DesiredConfiguration::builder().mixed_instances_policy(policy).build(),
        preferences: preferences(group, template),
    })
}

/// The template as the group names it. An answer gives id and name, a request may give only one of them.
fn specification(template: &LaunchTemplateSpecification) -> LaunchTemplateSpecification {
    let name = template.launch_template_name().filter(|_| template.launch_template_id().is_none());
    LaunchTemplateSpecification::builder()
        .set_launch_template_id(template.launch_template_id().map(str::to_owned))
        .set_launch_template_name(name.map(str::to_owned))
        .set_version(template.version().map(str::to_owned))
        .build()
}

/// The group's own split between on-demand and spot. A group without a mixed-instances policy is all on-demand,
/// and takes the types in the order given.
fn distribution(group: &AutoScalingGroup) -> InstancesDistribution {
    group.mixed_instances_policy().and_then(|policy| policy.instances_distribution()).cloned().unwrap_or_else(
        || {
            InstancesDistribution::builder()
                .on_demand_allocation_strategy("prioritized")
                .on_demand_percentage_above_base_capacity(100)
                .build()
        },
    )
}

fn preferences(group: &AutoScalingGroup, template: &LaunchTemplateSpecification) -> RefreshPreferences {
    let fixed_version = template.version().is_some_and(|version| !version.starts_with('$'));
    let builder = RefreshPreferences::builder()
        .skip_matching(true)
        .set_auto_rollback(fixed_version.then_some(true))
        .scale_in_protected_instances(ScaleInProtectedInstances::Ignore)
        .standby_instances(StandbyInstances::Ignore);
    if describe::maintenance(group).is_some() {
        return builder.build();
    }
    builder
        .min_healthy_percentage(100)
        .max_healthy_percentage(room_for_one_more(group.desired_capacity().unwrap_or(1)))
        .build()
}

/// The smallest share from 110 to 200 % that lets at least one instance more than `desired` exist.
const fn room_for_one_more(desired: i32) -> i32 {
    match desired {
        ..=1 => 200,
        2..10 => 100 + (100 + desired - 1) / desired,
        _ => 110,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_always_has_room_for_one_more_instance() {
        for desired in 1..=100 {
            let share = room_for_one_more(desired);
            assert!((110..=200).contains(&share), "{desired}: {share}");
            assert!(desired * share / 100 > desired, "{desired}: {share}");
        }
        assert_eq!([0, 1, 2, 3, 9, 10, 500].map(room_for_one_more), [200, 200, 150, 134, 112, 110, 110]);
    }

    #[test]
    fn every_status_of_the_service_is_known() {
        let known: Vec<_> = InstanceRefreshStatus::values()
            .iter()
            .filter(|name| **name != "InProgress")
            .map(|name| status(Some(&InstanceRefreshStatus::from(*name))))
            .collect();
        assert!(!known.contains(&ReplacementStatus::InProgress));
        assert_eq!(status(Some(&InstanceRefreshStatus::from("Hovering"))), ReplacementStatus::InProgress);
    }
}
