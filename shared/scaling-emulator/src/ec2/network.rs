//! The default VPC with a subnet in every zone, and security groups: enough for what a launch template names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use crate::region::Region;
use crate::wire::AwsError;

/// Id of the default VPC.
pub const VPC: &str = "vpc-0d3fa017000000001";

/// Id of its default security group.
pub const DEFAULT_GROUP: &str = "sg-0d3fa017000000001";

/// Id of the default subnet of a zone, by the zone's place in the region.
pub fn subnet(zone: usize) -> String {
    format!("subnet-0d3fa01700000000{}", zone + 1)
}

/// A security group that a caller made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
}

/// Security groups by id.
pub type SecurityGroups = BTreeMap<String, SecurityGroup>;

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
    let vpc = json!({
        "vpcId": VPC, "ownerId": region.account_id, "state": "available", "cidrBlock": "10.0.0.0/16",
        "dhcpOptionsId": "default", "instanceTenancy": "default", "isDefault": true,
    });
    listed("vpcSet", vec![vpc], ("vpcId", &input.vpc_ids, "InvalidVpcID.NotFound"), input)
}

/// `DescribeSubnets`: one in every zone.
pub fn subnets(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let shown = |(number, zone): (usize, String)| {
        json!({
            "subnetId": subnet(number), "vpcId": VPC, "ownerId": region.account_id, "state": "available",
            "availabilityZone": zone, "cidrBlock": format!("10.0.{}.0/20", 16 * number), "defaultForAz": true,
            "availableIpAddressCount": 4091, "mapPublicIpOnLaunch": true,
        })
    };
    let all = region.zones().into_iter().enumerate().map(shown).collect();
    listed("subnetSet", all, ("subnetId", &input.subnet_ids, "InvalidSubnetID.NotFound"), input)
}

/// `DescribeSecurityGroups`: the default one, and those that callers made.
pub fn security_groups(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let shown = |id: &str, name: &str, description: &str| {
        json!({
            "groupId": id, "groupName": name, "groupDescription": description, "vpcId": VPC,
            "ownerId": region.account_id, "ipPermissions": [], "ipPermissionsEgress": [],
        })
    };
    let mut all = vec![shown(DEFAULT_GROUP, "default", "default VPC security group")];
    all.extend(region.security_groups.iter().map(|(id, one)| shown(id, &one.name, &one.description)));
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

/// Filters are called as members are, with hyphens: `vpc-id`, `availability-zone`, `default-for-az`.
fn values(one: &Value, filter: &str) -> Option<Vec<String>> {
    let member = match filter {
        "isDefault" | "is-default" => "isDefault".to_owned(),
        "description" => "groupDescription".to_owned(),
        name => {
            let mut parts = name.split('-');
            let first = parts.next()?.to_owned();
            parts.fold(first, |mut member, part| {
                let mut letters = part.chars();
                member.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
                member.push_str(letters.as_str());
                member
            })
        }
    };
    match one.get(member)? {
        Value::String(text) => Some(vec![text.clone()]),
        other => Some(vec![other.to_string()]),
    }
}

/// Input of CreateSecurityGroup.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroupInput {
    /// Its name.
    pub group_name: String,
    /// For people.
    pub group_description: String,
}

/// Output of CreateSecurityGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateGroupOutput {
    /// Its id.
    pub group_id: String,
}

/// Makes a security group.
pub fn create_group(region: &mut Region, input: &CreateGroupInput) -> Result<CreateGroupOutput, AwsError> {
    let name = &input.group_name;
    if name == "default" || region.security_groups.values().any(|one| one.name == *name) {
        return Err(AwsError::new(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{VPC}'"),
        ));
    }
    let group_id = region.ids.template().replacen("lt-", "sg-", 1);
    let made = SecurityGroup { name: name.clone(), description: input.group_description.clone() };
    region.security_groups.insert(group_id.clone(), made);
    Ok(CreateGroupOutput { group_id })
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
    match id.and_then(|id| region.security_groups.remove(&id)) {
        Some(_) => Ok(json!({ "return": true })),
        None => Err(AwsError::new("InvalidGroup.NotFound", "The security group does not exist")),
    }
}
