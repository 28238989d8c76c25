//! Groups by name, and what an answer says of them.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{
    AutoScalingGroup, Filter, Instance, InstancesDistribution, LaunchTemplateSpecification,
};
use scaling_control::PortError;
use scaling_control::ports::{GroupDescription, InstanceDescription, Purchase};
use scaling_fleet::TypeName;
use scaling_policy::config::GroupName;
use scaling_policy::operation::LaunchTemplate;
use scaling_policy::snapshot::SuspendedProcesses;

use super::{Pages, lifecycle, retype};
use crate::bounded::in_order;
use crate::error::Call;

pub(super) const DESCRIBE: Call = Call::autoscaling("DescribeAutoScalingGroups");

/// Names that one call may ask for.
const NAMES_PER_CALL: usize = 100;

/// The groups of these names that exist, a hundred to a call.
pub(crate) async fn by_name(client: &Client, names: &[String]) -> Result<Vec<AutoScalingGroup>, PortError> {
    let calls: Vec<_> = names
        .chunks(NAMES_PER_CALL)
        .map(|names| page(client.clone(), Asked::Names(names.to_vec())))
        .collect();
    Ok(in_order(DESCRIBE.operation, calls).await?.into_iter().flatten().collect())
}

/// Every group that a filter takes.
pub(crate) async fn by_filter(client: &Client, filter: Filter) -> Result<Vec<AutoScalingGroup>, PortError> {
    page(client.clone(), Asked::Filter(filter)).await
}

/// The group of this name as it is now.
///
/// # Errors
/// `NotFound` where it does not exist.
pub(crate) async fn one(client: &Client, name: &GroupName) -> Result<AutoScalingGroup, PortError> {
    let mut groups = page(client.clone(), Asked::Names(vec![name.to_string()])).await?;
    groups.pop().ok_or_else(|| PortError::NotFound { what: format!("group {name}") })
}

/// Which groups a listing is of.
enum Asked {
    Names(Vec<String>),
    Filter(Filter),
}

async fn page(client: Client, asked: Asked) -> Result<Vec<AutoScalingGroup>, PortError> {
    let mut pages = Pages::of(DESCRIBE);
    let mut groups = Vec::new();
    let (names, filters) = match asked {
        Asked::Names(names) => (Some(names), None),
        Asked::Filter(filter) => (None, Some(vec![filter])),
    };
    let mut token: Option<String> = None;
    loop {
        let answer = client
            .describe_auto_scaling_groups()
            .set_auto_scaling_group_names(names.clone())
            .set_filters(filters.clone())
            .max_records(100)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| DESCRIBE.error("the groups", error))?;
        groups.extend(answer.auto_scaling_groups.unwrap_or_default());
        token = pages.next(token.as_deref(), answer.next_token)?;
        if token.is_none() {
            return Ok(groups);
        }
    }
}

/// What the platform says of the group, in the port's terms.
///
/// # Errors
/// `Unavailable` where a figure that a decision needs is missing or makes no sense.
pub(crate) fn description(group: &AutoScalingGroup) -> Result<GroupDescription, PortError> {
    let name =
        said(group.auto_scaling_group_name()).ok_or_else(|| DESCRIBE.malformed("a group without a name"))?;
    let count = |what: &str, value: Option<i32>| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| DESCRIBE.malformed(format!("group {name} has no usable {what}: {value:?}")))
    };
    let (min, max) = (count("MinSize", group.min_size())?, count("MaxSize", group.max_size())?);
    if min > max {
        return Err(DESCRIBE.malformed(format!("group {name} has a MinSize of {min} and a MaxSize of {max}")));
    }
    Ok(GroupDescription {
        name: GroupName::new(name),
        min,
        max,
        desired: count("DesiredCapacity", group.desired_capacity())?,
        launch_type: retype::overrides(group)
            .first()
            .and_then(|entry| entry.instance_type())
            .map(TypeName::new),
        instances: group
            .instances()
            .iter()
            .map(|instance| member(name, instance))
            .collect::<Result<_, _>>()?,
        zones: group.availability_zones().to_vec(),
        suspended: suspended(group),
        retype: retype::support(group),
        maintenance: maintenance(group),
        warm_up_seconds: group
            .default_instance_warmup()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(0),
        template: template(group),
        purchase: purchase(group),
        missing_tag: missing_tag(group),
    })
}

/// The launch template with its version. One that the service resolves (`$Latest`, `$Default`) is told by the newest member:
/// which version a launch would take now is not in the answer.
fn template(group: &AutoScalingGroup) -> Option<LaunchTemplate> {
    let named = retype::launch_template(group)?;
    let id = named.launch_template_id().or(named.launch_template_name())?;
    let is_it = |member: &&LaunchTemplateSpecification| match named.launch_template_id() {
        Some(id) => member.launch_template_id() == Some(id),
        None => member.launch_template_name() == named.launch_template_name(),
    };
    let version = named.version().unwrap_or("$Default");
    let is_resolved = version.starts_with('$');
    let version = if is_resolved {
        let members = group.instances().iter().filter_map(Instance::launch_template).filter(is_it);
        members.filter_map(|member| member.version()?.parse().ok()).max()?
    } else {
        version.parse().ok()?
    };
    Some(LaunchTemplate { id: id.to_owned(), version, is_resolved })
}

/// The tag, with its value, that the conditions of template.yaml's permissions ask for.
pub const MANAGED: (&str, &str) = ("scaling:managed", "true");

/// The tag without which a role of the template may not change the group, where the group lacks it.
fn missing_tag(group: &AutoScalingGroup) -> Option<String> {
    let is_tagged =
        group.tags().iter().any(|tag| (tag.key(), tag.value()) == (Some(MANAGED.0), Some(MANAGED.1)));
    (!is_tagged).then(|| format!("{}={}", MANAGED.0, MANAGED.1))
}

/// How much of the group is on demand. What a launch template itself asks for is not in the answer.
fn purchase(group: &AutoScalingGroup) -> Purchase {
    let distribution = group.mixed_instances_policy().and_then(|policy| policy.instances_distribution());
    let base = distribution.and_then(InstancesDistribution::on_demand_base_capacity);
    let above = distribution.and_then(InstancesDistribution::on_demand_percentage_above_base_capacity);
    let all = Purchase::default();
    Purchase {
        on_demand_base: base.and_then(|base| u32::try_from(base).ok()).unwrap_or(all.on_demand_base),
        on_demand_percent_above_base: above
            .and_then(|above| u8::try_from(above).ok())
            .unwrap_or(all.on_demand_percent_above_base),
    }
}

/// The SDK puts an empty text in the place of a required one that the answer lacks.
fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn member(group: &str, instance: &Instance) -> Result<InstanceDescription, PortError> {
    let (Some(id), Some(instance_type)) = (said(instance.instance_id()), said(instance.instance_type()))
    else {
        return Err(DESCRIBE.malformed(format!("group {group} has an instance without an id or a type")));
    };
    Ok(InstanceDescription {
        id: id.to_owned(),
        instance_type: TypeName::new(instance_type),
        lifecycle: lifecycle::fold(instance.lifecycle_state()),
        healthy: instance.health_status().is_none_or(|status| status.eq_ignore_ascii_case("healthy")),
        protected: instance.protected_from_scale_in().unwrap_or(false),
        zone: said(instance.availability_zone()).map(str::to_owned),
    })
}

fn suspended(group: &AutoScalingGroup) -> SuspendedProcesses {
    let is =
        |name: &str| group.suspended_processes().iter().any(|process| process.process_name() == Some(name));
    SuspendedProcesses {
        launch: is("Launch"),
        terminate: is("Terminate"),
        alarm_notification: is("AlarmNotification"),
    }
}

/// The group's own maintenance policy; a policy that was taken away reads as -1.
pub(super) fn maintenance(group: &AutoScalingGroup) -> Option<(u8, u8)> {
    let policy = group.instance_maintenance_policy()?;
    let share = |value: Option<i32>| value.and_then(|value| u8::try_from(value).ok());
    Some((share(policy.min_healthy_percentage())?, share(policy.max_healthy_percentage())?))
}
