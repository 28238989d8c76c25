//! Describing instances: those of groups, and those that belong to none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::{Filter, Size, keep, page};
use super::hardware::{self, CpuOptions};
use super::template_data::Ec2Tag;
use super::{instance_filters, network, zones};
use crate::region::loose::Loose;
use crate::region::stamp::Stamp;
use crate::region::{Condition, LifecycleState, Member, Region};
use crate::wire::AwsError;

/// Input of DescribeInstances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// All when empty.
    #[serde(rename = "InstanceId")]
    pub ids: Vec<String>,
    /// Filters: what `values` knows.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeInstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeOutput {
    /// The page, one reservation an instance.
    pub reservation_set: Vec<Reservation>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// What was launched together: one instance of a group, or all that one RunInstances ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Reservation {
    pub reservation_id: String,
    pub owner_id: String,
    pub requester_id: Option<&'static str>,
    pub group_set: [(); 0],
    pub instances_set: Vec<InstanceDescription>,
}

/// An instance as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct InstanceDescription {
    pub instance_id: String,
    pub image_id: Option<String>,
    pub instance_state: InstanceState,
    pub private_dns_name: String,
    pub private_ip_address: String,
    pub instance_type: String,
    pub launch_time: Timestamp,
    pub placement: Placement,
    pub monitoring: Monitoring,
    pub architecture: &'static str,
    pub hypervisor: &'static str,
    pub virtualization_type: &'static str,
    pub root_device_type: &'static str,
    pub key_name: Option<String>,
    pub vpc_id: &'static str,
    pub subnet_id: String,
    pub ami_launch_index: u32,
    pub client_token: String,
    pub ebs_optimized: bool,
    pub group_set: Vec<GroupIdentifier>,
    pub iam_instance_profile: Option<Profile>,
    pub instance_lifecycle: Option<&'static str>,
    pub spot_instance_request_id: Option<String>,
    pub root_device_name: &'static str,
    pub source_dest_check: bool,
    pub platform_details: &'static str,
    pub state_reason: Option<StateReason>,
    pub reason: String,
    pub cpu_options: Option<CpuOptions>,
    pub metadata_options: Value,
    #[serde(flatten)]
    pub common: &'static Value,
    /// Not shown with the instance, but with what it was launched together with.
    #[serde(skip)]
    pub reservation: String,
    /// Whether a group launched it.
    #[serde(skip)]
    pub owned: bool,
    /// The account.
    #[serde(skip)]
    pub owner: String,
    pub tag_set: Vec<Ec2Tag>,
}

impl InstanceDescription {
    /// Who launched it, where that is not the account itself.
    pub(super) fn requester(&self) -> Option<&'static str> {
        self.owned.then_some("autoscaling.amazonaws.com")
    }
}

/// A security group of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct GroupIdentifier {
    pub group_id: String,
    pub group_name: String,
}

/// The role of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Profile {
    pub arn: String,
}

/// Why an instance does not run any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct StateReason {
    pub code: &'static str,
    pub message: &'static str,
}

/// State by number and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct InstanceState {
    pub code: u32,
    pub name: &'static str,
}

/// Where it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Placement {
    pub availability_zone: String,
    pub availability_zone_id: String,
    pub tenancy: &'static str,
}

/// Detailed monitoring: on, every metric of the emulator has a point a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Monitoring {
    pub state: &'static str,
}

/// Describes instances. An unknown id is an error; those gone are known for an hour.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Size(input.max_results, 5, 1_000);
    size.not_with(&input.ids, "instancesSet")?;
    input.ids.iter().try_for_each(|id| check_id(id))?;
    let mut found: Vec<InstanceDescription> = Vec::new();
    for id in &input.ids {
        let loose = region.loose.get(id).map(|loose| shown_loose(region, loose));
        let owned = || region.instance(id).map(|(group, member)| shown(region, &group.name, member));
        let mut left_over = region.left_over().filter(|(_, member)| member.id == *id);
        let left = || left_over.next().map(|(group, member)| shown(region, group, member));
        found.push(loose.or_else(owned).or_else(left).ok_or_else(|| {
            AwsError::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
        })?);
    }
    if input.ids.is_empty() {
        found.extend(all(region));
    }
    keep(&mut found, &input.filters, values)?;
    let (found, next_token) = page(found, input.next_token.as_deref(), size)?;
    let mut reservation_set: Vec<Reservation> = Vec::new();
    let mut places = std::collections::BTreeMap::<String, usize>::new();
    for instance in found {
        let place = *places.entry(instance.reservation.clone()).or_insert(reservation_set.len());
        match reservation_set.get_mut(place) {
            Some(together) => together.instances_set.push(instance),
            None => reservation_set.push(Reservation {
                reservation_id: instance.reservation.clone(),
                owner_id: region.account_id.clone(),
                requester_id: instance.requester(),
                group_set: [],
                instances_set: vec![instance],
            }),
        }
    }
    Ok(DescribeOutput { reservation_set, next_token })
}

/// Every instance that is still known.
pub(super) fn all(region: &Region) -> impl Iterator<Item = InstanceDescription> + '_ {
    chosen(region, |_| true).map(|(shown, _)| shown)
}

/// The instances that are still known and wanted.
pub(super) fn chosen(
    region: &Region,
    wanted: fn(&Member) -> bool,
) -> impl Iterator<Item = (InstanceDescription, &Member)> {
    let loose = region.loose.values().filter(move |loose| wanted(&loose.member));
    let loose = loose.map(|loose| (shown_loose(region, loose), &loose.member));
    let owned = region.groups().flat_map(|group| {
        let members = group.members.iter().chain(&group.gone);
        members.map(|member| (group.name.as_str(), member))
    });
    let owned = owned.chain(region.left_over()).filter(move |(_, member)| wanted(member));
    loose.chain(owned.map(|(group, member)| (shown(region, group, member), member)))
}

/// Every instance that is still known, in a group or in none.
pub(super) fn members(region: &Region) -> impl Iterator<Item = &Member> {
    let loose = region.loose.values().map(|loose| &loose.member);
    let owned = region.groups().flat_map(|group| group.members.iter().chain(&group.gone));
    loose.chain(owned).chain(region.left_over().map(|(_, member)| member))
}

/// Refuses what is no instance's id at all.
pub(super) fn check_id(id: &str) -> Result<(), AwsError> {
    let hex = id.strip_prefix("i-").filter(|rest| !rest.is_empty() && rest.len() <= 17);
    match hex.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        Some(_) => Ok(()),
        None => Err(AwsError::new("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\""))),
    }
}

fn values(instance: &InstanceDescription, name: &str) -> Option<Vec<String>> {
    Some(match name {
        "instance-id" => vec![instance.instance_id.clone()],
        "instance-state-name" => vec![instance.instance_state.name.to_owned()],
        "instance-state-code" => vec![instance.instance_state.code.to_string()],
        "instance-type" => vec![instance.instance_type.clone()],
        "availability-zone" => vec![instance.placement.availability_zone.clone()],
        "architecture" => vec![instance.architecture.to_owned()],
        "image-id" => instance.image_id.iter().cloned().collect(),
        // What is on-demand has no value here.
        "instance-lifecycle" => instance.instance_lifecycle.iter().map(|kind| (*kind).to_owned()).collect(),
        "instance.group-id" | "group-id" => {
            instance.group_set.iter().map(|group| group.group_id.clone()).collect()
        }
        "instance.group-name" | "group-name" => {
            instance.group_set.iter().map(|group| group.group_name.clone()).collect()
        }
        "iam-instance-profile.arn" => {
            instance.iam_instance_profile.iter().map(|role| role.arn.clone()).collect()
        }
        "client-token" => vec![instance.client_token.clone()],
        "spot-instance-request-id" => instance.spot_instance_request_id.iter().cloned().collect(),
        "key-name" => instance.key_name.iter().cloned().collect(),
        "launch-time" => {
            let at = instance.launch_time;
            vec![at.to_string(), at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()]
        }
        "owner-id" => vec![instance.owner.clone()],
        "private-dns-name" => vec![instance.private_dns_name.clone()],
        "reservation-id" => vec![instance.reservation.clone()],
        "subnet-id" => vec![instance.subnet_id.clone()],
        "tenancy" => vec![instance.placement.tenancy.to_owned()],
        "vpc-id" | "network-interface.vpc-id" => vec![instance.vpc_id.to_owned()],
        "private-ip-address" => vec![instance.private_ip_address.clone()],
        _ => instance_filters::values(instance, name)?,
    })
}

/// An instance that belongs to no group.
pub(super) fn shown_loose(region: &Region, loose: &Loose) -> InstanceDescription {
    let mut one = described(region, &loose.member);
    one.image_id = loose.image.clone().or(one.image_id);
    one.tag_set = template_tags(&loose.member).chain(loose.tags.iter().map(tag)).collect();
    one.key_name = loose.key_name.clone().or(one.key_name);
    one.client_token = loose.client_token.clone().unwrap_or_default();
    one.ami_launch_index = loose.launch_index;
    if !loose.security_groups.is_empty() {
        one.group_set = identified(region, &loose.security_groups);
    }
    one.reservation = loose.reservation.clone().unwrap_or(one.reservation);
    one
}

fn shown(region: &Region, group: &str, member: &Member) -> InstanceDescription {
    let mut one = described(region, member);
    one.tag_set = tags_of(group, member);
    let run = member.stamp.as_ref().and_then(|stamp| stamp.run.as_ref());
    one.owned = run.is_none();
    if let Some(run) = run {
        one.client_token = run.client_token.clone().unwrap_or_default();
        one.ami_launch_index = run.launch_index;
        one.reservation = run.reservation.clone().unwrap_or(one.reservation);
    }
    one
}

fn described(region: &Region, member: &Member) -> InstanceDescription {
    let kind = region.machines.get(member.instance_type.as_str());
    let unknown = Stamp::default();
    let stamp = member.stamp.as_deref().unwrap_or(&unknown);
    let place = region.zones().iter().position(|zone| *zone == member.zone).unwrap_or(0);
    InstanceDescription {
        instance_id: member.id.clone(),
        image_id: stamp.image.clone(),
        instance_state: state(member),
        private_dns_name: format!("ip-{}.ec2.internal", member.address.replace('.', "-")),
        private_ip_address: member.address.clone(),
        instance_type: member.instance_type.to_string(),
        launch_time: member.launched,
        placement: Placement {
            availability_zone: member.zone.clone(),
            availability_zone_id: zones::zone_id(region, place + 1),
            tenancy: "default",
        },
        monitoring: Monitoring { state: "enabled" },
        architecture: kind.map_or("x86_64", |kind| kind.architecture.as_str()),
        hypervisor: "xen",
        virtualization_type: "hvm",
        root_device_type: "ebs",
        key_name: stamp.key_name.clone(),
        vpc_id: network::VPC,
        subnet_id: network::subnet(place),
        ami_launch_index: 0,
        client_token: String::new(),
        ebs_optimized: stamp.ebs_optimized,
        group_set: identified(region, &stamp.security_groups),
        iam_instance_profile: stamp.profile.as_deref().map(|role| profile(region, role)),
        instance_lifecycle: member.spot.then_some("spot"),
        spot_instance_request_id: member.spot.then(|| request(&member.id)),
        root_device_name: ROOT_DEVICE,
        source_dest_check: true,
        platform_details: "Linux/UNIX",
        state_reason: reason(member),
        reason: transition_reason(member),
        cpu_options: kind.map(CpuOptions::of),
        metadata_options: hardware::metadata_options(stamp),
        common: &hardware::COMMON,
        tag_set: Vec::new(),
        reservation: member.id.replacen("i-", "r-", 1),
        owned: false,
        owner: region.account_id.clone(),
    }
}

/// Where an instance would have its root disk.
pub(super) const ROOT_DEVICE: &str = "/dev/xvda";

/// The security groups that an instance is in.
pub(super) fn groups_of(region: &Region, member: &Member) -> Vec<GroupIdentifier> {
    let launched_in = || member.stamp.as_ref().map_or(&[][..], |stamp| &stamp.security_groups);
    let own = region.loose.get(&member.id).map(|loose| loose.security_groups.as_slice());
    identified(region, own.filter(|own| !own.is_empty()).unwrap_or_else(launched_in))
}

/// Security groups by id or name; the default one where none is named. A name that there is no group of any more is left out.
fn identified(region: &Region, wanted: &[String]) -> Vec<GroupIdentifier> {
    let id = |wanted: &String| {
        if wanted.starts_with("sg-") { Some(wanted.clone()) } else { network::id_of(region, wanted) }
    };
    let shown =
        |id: String| GroupIdentifier { group_name: network::name_of(region, &id).to_owned(), group_id: id };
    let mut groups: Vec<GroupIdentifier> = wanted.iter().filter_map(id).map(shown).collect();
    if groups.is_empty() {
        groups.push(shown(network::DEFAULT_GROUP.to_owned()));
    }
    groups
}

fn profile(region: &Region, role: &str) -> Profile {
    let is_arn = role.starts_with("arn:");
    let named = || format!("arn:aws:iam::{}:instance-profile/{role}", region.account_id);
    Profile { arn: if is_arn { role.to_owned() } else { named() } }
}

/// The id of the request that an instance fulfils: eight characters of its own id.
pub(super) fn request(id: &str) -> String {
    let end = id.len().saturating_sub(8);
    format!("sir-{}", id.get(end..).unwrap_or(id))
}

fn reason(member: &Member) -> Option<StateReason> {
    let state = state(member).name;
    let over = matches!(state, "stopped" | "terminated");
    over.then_some(if is_interrupted(member) && state == "stopped" {
        StateReason { code: SHUT_DOWN, message: "Server.SpotInstanceShutdown: Instance stopped" }
    } else if is_interrupted(member) {
        StateReason { code: INTERRUPTED, message: "Server.SpotInstanceTermination: Instance terminated" }
    } else {
        StateReason {
            code: "Client.UserInitiatedShutdown",
            message: "Client.UserInitiatedShutdown: User initiated shutdown",
        }
    })
}

/// Whether it was a Spot Instance that was taken away, and not ended by anybody after the warning.
fn is_interrupted(member: &Member) -> bool {
    member.spot && member.interrupted
}

/// The code of an instance that was interrupted.
const INTERRUPTED: &str = "Server.SpotInstanceTermination";

/// The code of an instance that was interrupted and is stopped.
const SHUT_DOWN: &str = "Server.SpotInstanceShutdown";

/// Why an instance went out of running, with the time where that is known and it was a user; nothing while it runs.
fn transition_reason(member: &Member) -> String {
    if state(member) == RUNNING {
        return String::new();
    }
    if is_interrupted(member) {
        let stopped = state(member) == STOPPED;
        return if stopped { SHUT_DOWN } else { INTERRUPTED }.to_owned();
    }
    let at = member.gone_at.map(|gone| gone.strftime(" (%Y-%m-%d %H:%M:%S GMT)").to_string());
    format!("User initiated{}", at.unwrap_or_default())
}

/// State of an instance that runs.
pub(super) const RUNNING: InstanceState = InstanceState { code: 16, name: "running" };

/// State of an instance that is stopped.
pub(super) const STOPPED: InstanceState = InstanceState { code: 80, name: "stopped" };

/// State of an instance that has ended.
pub(super) const TERMINATED: InstanceState = InstanceState { code: 48, name: "terminated" };

/// State by number and name of an instance.
pub(super) fn state(member: &Member) -> InstanceState {
    match (member.state, member.condition) {
        (LifecycleState::Terminated, _) | (_, Condition::Terminated) => TERMINATED,
        // Lifecycle hooks hold an instance that still runs.
        (
            LifecycleState::Terminating
            | LifecycleState::TerminatingProceed
            | LifecycleState::WarmedTerminating
            | LifecycleState::WarmedTerminatingProceed,
            _,
        ) => InstanceState { code: 32, name: "shutting-down" },
        _ if member.is_stopped() => STOPPED,
        _ => RUNNING,
    }
}

fn tags_of(group: &str, member: &Member) -> Vec<Ec2Tag> {
    let name = Ec2Tag { key: "aws:autoscaling:groupName".to_owned(), value: group.to_owned() };
    std::iter::once(name).chain(template_tags(member)).chain(member.tags.iter().map(tag)).collect()
}

/// The tags that name the template that an instance was launched from.
fn template_tags(member: &Member) -> impl Iterator<Item = Ec2Tag> + '_ {
    member.template.iter().flat_map(|spec| {
        let named = [("id", &spec.launch_template_id), ("version", &spec.version)];
        named.map(|(what, value)| Ec2Tag {
            key: format!("aws:ec2launchtemplate:{what}"),
            value: value.clone().unwrap_or_default(),
        })
    })
}

fn tag((key, value): (&String, &String)) -> Ec2Tag {
    Ec2Tag { key: key.clone(), value: value.clone() }
}
