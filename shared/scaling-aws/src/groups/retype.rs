//! Whether the type of a group can be changed, and what its new instances are made from.

use aws_sdk_autoscaling::types::{AutoScalingGroup, LaunchTemplateOverrides, LaunchTemplateSpecification};
use scaling_policy::snapshot::RetypeSupport;

/// The overrides of the mixed-instances policy; empty without one.
pub(super) fn overrides(group: &AutoScalingGroup) -> &[LaunchTemplateOverrides] {
    group
        .mixed_instances_policy()
        .and_then(|policy| policy.launch_template())
        .map_or(&[], |template| template.overrides())
}

/// The launch template of the group, inside a mixed-instances policy or by itself.
pub(super) fn launch_template(group: &AutoScalingGroup) -> Option<&LaunchTemplateSpecification> {
    group
        .mixed_instances_policy()
        .and_then(|policy| policy.launch_template())
        .and_then(|template| template.launch_template_specification())
        .or_else(|| group.launch_template())
}

/// Whether the type can be changed by a refresh that overrides nothing but the type.
pub(super) fn support(group: &AutoScalingGroup) -> RetypeSupport {
    obstacle(group).map_or(RetypeSupport::Supported, |why| RetypeSupport::CountOnly { why: why.to_owned() })
}

fn obstacle(group: &AutoScalingGroup) -> Option<&'static str> {
    let overrides = overrides(group);
    if group.launch_configuration_name().is_some() {
        return Some("the group launches from a launch configuration, which has one fixed type");
    }
    if overrides.iter().any(|entry| entry.instance_requirements().is_some())
        || group.desired_capacity_type().is_some_and(|unit| unit != "units")
    {
        return Some("the group selects its types by attributes");
    }
    if overrides.iter().any(|entry| entry.weighted_capacity().is_some())
        || group.instances().iter().any(|instance| instance.weighted_capacity().is_some())
    {
        return Some("the group's types have weights, so its capacity is not a number of replicas");
    }
    if overrides
        .iter()
        .any(|entry| entry.launch_template_specification().is_some() || entry.image_id().is_some())
    {
        return Some("the group's types have launch templates or images of their own");
    }
    if launch_template(group).is_none() {
        return Some("the group has no launch template");
    }
    None
}
