//! The default VPC with a subnet in every zone, and security groups: enough for what a launch template names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use super::instances::{TERMINATED, state};
use super::rules::{self, Peer, Rule};
use super::template_data::{Ec2Tag, TagSpecification};
use super::zones::zone_id;
use super::{instance_filters, tags};
use crate::region::ids::SUBNET;
use crate::region::{Member, Region};
use crate::wire::AwsError;

/// Id of the default VPC.
pub const VPC: &str = "vpc-0d3fa017000000001";

/// Its addresses: those of every default VPC.
const BLOCK: &str = "172.31.0.0/16";

/// Id of its default security group.
pub const DEFAULT_GROUP: &str = "sg-0d3fa017000000001";

/// Id of the default subnet of a zone, by the zone's place in the region.
pub fn subnet(zone: usize) -> String {
    format!("subnet-0d3fa01700000000{}", zone + 1)
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it lets in.
    #[serde(default)]
    pub ingress: Vec<Rule>,
    /// What it lets out.
    #[serde(default)]
    pub egress: Vec<Rule>,
}

impl SecurityGroup {
    /// The one that every VPC has, as it is until its rules are changed.
    fn default_one() -> Self {
        let ingress = Rule {
            peer: Peer::Group(DEFAULT_GROUP.to_owned()),
            ..Rule::everything("sgr-0d3fa017000000001".to_owned())
        };
        Self {
            name: "default".to_owned(),
            description: "default VPC security group".to_owned(),
            ingress: vec![ingress],
            egress: vec![Rule::everything("sgr-0d3fa017000000002".to_owned())],
        }
    }
}

/// Security groups by id: those that callers made, and the default one when its rules were changed.
pub type SecurityGroups = BTreeMap<String, SecurityGroup>;

/// A security group that there is, to be changed.
pub(super) fn group_mut<'a>(region: &'a mut Region, id: &str) -> &'a mut SecurityGroup {
    region.security_groups.entry(id.to_owned()).or_insert_with(SecurityGroup::default_one)
}

/// Input of the describing operations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// VPCs.
    #[serde(rename = "VpcId")]
    pub vpc_ids: Vec<String>,
    /// Subnets.
    #[serde(rename = "SubnetId")]
    pub subnet_ids: Vec<String>,
    /// Security groups by id,
    #[serde(rename = "GroupId")]
    pub group_ids: Vec<String>,
    /// or by name.
    #[serde(rename = "GroupName")]
    pub group_names: Vec<String>,
    /// Filters.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// `DescribeVpcs`: the default one.
pub fn vpcs(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let tags = tags::of(region, VPC);
    let vpc = json!({
        "cidrBlockAssociationSet": [{
            "associationId": "vpc-cidr-assoc-0d3fa017000000001", "cidrBlock": BLOCK,
            "cidrBlockState": { "state": "associated" },
        }],
        "vpcId": VPC, "tagSet": tags, "ownerId": region.account_id, "state": "available", "cidrBlock": BLOCK,
        "dhcpOptionsId": "default", "instanceTenancy": "default", "isDefault": true,
    });
    listed("vpcSet", vec![vpc], ("vpcId", &input.vpc_ids, "InvalidVpcID.NotFound"), input)
}

/// `DescribeSubnets`: one in every zone.
pub fn subnets(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let shown = |(number, zone): (usize, String)| {
        let (id, account) = (subnet(number), &region.account_id);
        json!({
            "tagSet": tags::of(region, &id), "availabilityZoneId": zone_id(region, number + 1),
            "subnetArn": format!("arn:aws:ec2:{}:{account}:subnet/{id}", region.name),
            "assignIpv6AddressOnCreation": false, "ipv6Native": false, "subnetId": id, "vpcId": VPC, "ownerId": region.account_id, "state": "available",
            "availabilityZone": zone, "cidrBlock": format!("172.31.{}.0/20", SUBNET * number), "defaultForAz": true,
            "availableIpAddressCount": 4091, "mapPublicIpOnLaunch": true,
        })
    };
    let all = region.zones().into_iter().enumerate().map(shown).collect();
    listed("subnetSet", all, ("subnetId", &input.subnet_ids, "InvalidSubnetID.NotFound"), input)
}

/// `DescribeSecurityGroups`: the default one, and those that callers made.
pub fn security_groups(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let shown = |id: &String, one: &SecurityGroup| {
        let tags = tags::of(region, id);
        json!({
            "groupId": id, "groupName": one.name, "groupDescription": one.description, "vpcId": VPC,
            "ownerId": region.account_id, "securityGroupArn": arn(region, id),
            "ipPermissions": rules::shown(&one.ingress, &region.account_id),
            "ipPermissionsEgress": rules::shown(&one.egress, &region.account_id), "tagSet": tags,
        })
    };
    let mut all: Vec<Value> = all_groups(region).iter().map(|(id, one)| shown(id, one)).collect();
    if let Some(unknown) =
        input.group_names.iter().find(|name| !all.iter().any(|one| one["groupName"] == **name))
    {
        return Err(AwsError::new(
            "InvalidGroup.NotFound",
            format!("The security group '{unknown}' does not exist"),
        ));
    }
    if !input.group_names.is_empty() {
        all.retain(|one| input.group_names.iter().any(|name| one["groupName"] == **name));
    }
    listed("securityGroupInfo", all, ("groupId", &input.group_ids, "InvalidGroup.NotFound"), input)
}

/// All security groups, the default one first where its rules are as they were.
pub(super) fn all_groups(region: &Region) -> Vec<(String, SecurityGroup)> {
    let mut all = Vec::new();
    if !region.security_groups.contains_key(DEFAULT_GROUP) {
        all.push((DEFAULT_GROUP.to_owned(), SecurityGroup::default_one()));
    }
    all.extend(region.security_groups.iter().map(|(id, one)| (id.clone(), one.clone())));
    all
}

/// Ids of the security groups that are named by id or by name.
///
/// # Errors
/// `InvalidGroup.NotFound` for an id or a name that no group has.
pub(super) fn named(region: &Region, ids: &[String], names: &[String]) -> Result<Vec<String>, AwsError> {
    let unknown = |group: &String| {
        AwsError::new("InvalidGroup.NotFound", format!("The security group '{group}' does not exist"))
    };
    let is_known = |id: &str| id == DEFAULT_GROUP || region.security_groups.contains_key(id);
    if let Some(id) = ids.iter().find(|id| !is_known(id)) {
        return Err(unknown(id));
    }
    let mut found = ids.to_vec();
    for name in names {
        found.push(id_of(region, name).ok_or_else(|| unknown(name))?);
    }
    Ok(found)
}

/// The id of the security group with this name.
pub(super) fn id_of(region: &Region, name: &str) -> Option<String> {
    if name == "default" {
        return Some(DEFAULT_GROUP.to_owned());
    }
    let found = region.security_groups.iter().find(|(_, group)| group.name == name);
    found.map(|(id, _)| id.clone())
}

/// The name of the security group with this id; the id itself where there is none.
pub(super) fn name_of<'a>(region: &'a Region, id: &'a str) -> &'a str {
    match region.security_groups.get(id) {
        Some(group) => &group.name,
        None if id == DEFAULT_GROUP => "default",
        None => id,
    }
}

/// Those of the wanted ids, all when there are none, that the filters let through, by pages.
fn listed(
    member: &str,
    mut all: Vec<Value>,
    (id, wanted, code): (&str, &[String], &'static str),
    input: &DescribeInput,
) -> Result<Value, AwsError> {
    if let Some(unknown) = wanted.iter().find(|wanted| !all.iter().any(|one| one[id] == ***wanted)) {
        return Err(AwsError::new(code, format!("The ID '{unknown}' does not exist")));
    }
    if !wanted.is_empty() {
        all.retain(|one| wanted.iter().any(|wanted| one[id] == **wanted));
    }
    keep(&mut all, &input.filters, values)?;
    let (page, next_token) = page(all, input.next_token.as_deref(), Size(input.max_results, 5, 1_000))?;
    Ok(json!({ member: page, "nextToken": next_token }))
}

fn arn(region: &Region, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{id}", region.name, region.account_id)
}

/// Filters are called as members are, with hyphens: `vpc-id`, `availability-zone`, `default-for-az`.
fn values(one: &Value, filter: &str) -> Option<Vec<String>> {
    let tagged: Vec<Ec2Tag> = serde_json::from_value(one["tagSet"].clone()).unwrap_or_default();
    if let Some(values) = tags::values(&tagged, filter) {
        return Some(values);
    }
    if let Some(values) = rules::filtered(one, filter).or_else(|| of_blocks(one, filter)) {
        return Some(values);
    }
    let member = match filter {
        "cidr" | "cidr-block" | "cidrBlock" => "cidrBlock".to_owned(),
        "isDefault" | "is-default" => "isDefault".to_owned(),
        "description" => "groupDescription".to_owned(),
        name => instance_filters::member(name),
    };
    match one.get(member)? {
        Value::String(text) => Some(vec![text.clone()]),
        other => Some(vec![other.to_string()]),
    }
}

/// Filters by the blocks of addresses of a VPC or a subnet. Neither has any of version 6.
fn of_blocks(one: &Value, filter: &str) -> Option<Vec<String>> {
    let at = ["cidrBlock", "vpcId"].iter().all(|member| one.get(member).is_some());
    let (kind, part) = filter.split_once('.').filter(|_| at)?;
    let pointer = match (kind, part) {
        ("ipv6-cidr-block-association", "ipv6-cidr-block" | "ipv6-pool" | "association-id" | "state") => {
            return Some(Vec::new());
        }
        ("cidr-block-association", "cidr-block") => "/cidrBlock",
        ("cidr-block-association", "association-id") => "/associationId",
        ("cidr-block-association", "state") => "/cidrBlockState/state",
        _ => return None,
    };
    let blocks = one.get("cidrBlockAssociationSet")?.as_array()?;
    let text = |block: &Value| block.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(blocks.iter().filter_map(text).collect())
}

/// Input of CreateSecurityGroup.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroupInput {
    /// Its name.
    pub group_name: String,
    /// For people.
    pub group_description: String,
    /// Its VPC, the default one when absent.
    pub vpc_id: Option<String>,
    /// Its tags.
    #[serde(default, rename = "TagSpecification")]
    pub tags: Vec<TagSpecification>,
}

/// Output of CreateSecurityGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct CreateGroupOutput {
    pub group_id: String,
    pub security_group_arn: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag_set: Vec<Ec2Tag>,
}

/// Makes a security group.
pub fn create_group(region: &mut Region, input: &CreateGroupInput) -> Result<CreateGroupOutput, AwsError> {
    let name = &input.group_name;
    if let Some(unknown) = input.vpc_id.as_ref().filter(|id| *id != VPC) {
        return Err(AwsError::new("InvalidVpcID.NotFound", format!("The vpc ID '{unknown}' does not exist")));
    }
    if name == "default" || region.security_groups.values().any(|one| one.name == *name) {
        return Err(AwsError::new(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{VPC}'"),
        ));
    }
    let group_id = region.ids.template().replacen("lt-", "sg-", 1);
    let made = SecurityGroup {
        name: name.clone(),
        description: input.group_description.clone(),
        ingress: Vec::new(),
        egress: vec![Rule::everything(region.ids.template().replacen("lt-", "sgr-", 1))],
    };
    tags::give(region, &group_id, "security-group", &input.tags);
    region.security_groups.insert(group_id.clone(), made);
    let (security_group_arn, tag_set) = (arn(region, &group_id), tags::of(region, &group_id));
    Ok(CreateGroupOutput { group_id, security_group_arn, tag_set })
}

/// Input of DeleteSecurityGroup.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteGroupInput {
    /// By id,
    pub group_id: Option<String>,
    /// or by name.
    pub group_name: Option<String>,
}

/// Deletes a security group.
pub fn delete_group(region: &mut Region, input: &DeleteGroupInput) -> Result<Value, AwsError> {
    let groups = &region.security_groups;
    let by_name = || {
        let found = groups.iter().find(|(_, one)| Some(&one.name) == input.group_name.as_ref());
        found.map(|(id, _)| id.clone())
    };
    let id = input.group_id.clone().or_else(by_name);
    if id.as_deref() == Some(DEFAULT_GROUP) || input.group_name.as_deref() == Some("default") {
        return Err(AwsError::new(
            "CannotDelete",
            "the specified group: default cannot be deleted by a user",
        ));
    }
    let Some(id) = id.filter(|id| groups.contains_key(id)) else {
        return Err(AwsError::new("InvalidGroup.NotFound", "The security group does not exist"));
    };
    let refers = |rule: &Rule| rule.peer == Peer::Group(id.clone());
    let others = groups.iter().filter(|(other, _)| **other != id);
    let mut rules = others.flat_map(|(_, one)| one.ingress.iter().chain(&one.egress));
    if rules.any(refers) || has_instances(region, &id) {
        return Err(AwsError::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    region.resource_tags.remove(&id);
    if let Some(gone) = region.security_groups.remove(&id) {
        rules::forget_tags(region, &gone.ingress);
        rules::forget_tags(region, &gone.egress);
    }
    Ok(json!({ "return": true, "groupId": id }))
}

/// Whether an instance that has not ended is in a security group, be it stopped.
fn has_instances(region: &Region, id: &str) -> bool {
    let name = name_of(region, id);
    let is_in = |groups: &[String]| groups.iter().any(|one| one == id || one == name);
    let launched_in = |member: &Member| member.stamp.as_ref().is_some_and(|one| is_in(&one.security_groups));
    let lives = |member: &Member| state(member) != TERMINATED;
    let mut loose = region.loose.values().filter(|one| lives(&one.member));
    let mut members = region.groups().flat_map(|group| &group.members).filter(|member| lives(member));
    loose.any(|one| {
        if one.security_groups.is_empty() { launched_in(&one.member) } else { is_in(&one.security_groups) }
    }) || members.any(launched_in)
}
