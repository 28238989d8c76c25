//! Tags of EC2's resources: set, taken away, shown. Instances of groups have those of the group and of its template, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use super::instances::all;
use super::template_data::{Ec2Tag, TagSpecification};
use super::{network, rules, spot_requests};
use crate::region::Region;
use crate::wire::AwsError;

/// Tags by the id of a resource that is no instance.
pub type ResourceTags = BTreeMap<String, BTreeMap<String, String>>;

/// Input of CreateTags and DeleteTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagsInput {
    /// What is tagged.
    #[serde(rename = "ResourceId")]
    pub resources: Vec<String>,
    /// The tags.
    #[serde(rename = "Tag")]
    pub tags: Vec<TagMember>,
}

/// A tag as callers give it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagMember {
    /// Key.
    pub key: String,
    /// Value; empty when absent. Where tags are taken away, only a tag with this value is.
    pub value: Option<String>,
}

/// Sets tags.
pub fn create(region: &mut Region, input: &TagsInput) -> Result<Value, AwsError> {
    changed(region, input, |tags, tag| {
        tags.insert(tag.key.clone(), tag.value.clone().unwrap_or_default());
    })
}

/// Takes tags away; absent ones are no error. Without tags, all are taken away.
pub fn delete(region: &mut Region, input: &TagsInput) -> Result<Value, AwsError> {
    if input.tags.is_empty() {
        known(region, &input.resources)?;
        input.resources.iter().for_each(|id| of_resource(region, id, BTreeMap::clear));
        return Ok(json!({ "return": true }));
    }
    changed(region, input, |tags, tag| {
        if tag.value.as_ref().is_none_or(|value| tags.get(&tag.key) == Some(value)) {
            tags.remove(&tag.key);
        }
    })
}

fn changed(
    region: &mut Region,
    input: &TagsInput,
    change: fn(&mut BTreeMap<String, String>, &TagMember),
) -> Result<Value, AwsError> {
    known(region, &input.resources)?;
    if let Some(reserved) = input.tags.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!(
                "Value ( {} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use",
                reserved.key
            ),
        ));
    }
    for id in &input.resources {
        of_resource(region, id, |tags| input.tags.iter().for_each(|tag| change(tags, tag)));
    }
    Ok(json!({ "return": true }))
}

/// Changes the tags of one resource.
fn of_resource(region: &mut Region, id: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) {
    if let Some(loose) = region.loose.get_mut(id) {
        return change(&mut loose.tags);
    }
    let mut members = region.groups.values_mut().flat_map(|group| &mut group.members);
    if let Some(member) = members.find(|member| member.id == id) {
        return change(Arc::make_mut(&mut member.tags));
    }
    if !id.starts_with("i-") {
        let tags = region.resource_tags.entry(id.to_owned()).or_default();
        change(tags);
        if tags.is_empty() {
            region.resource_tags.remove(id);
        }
    }
}

/// Refuses resources that there are not. Of a kind that is not simulated, such as volumes, every id is taken.
fn known(region: &Region, resources: &[String]) -> Result<(), AwsError> {
    if resources.is_empty() {
        return Err(AwsError::new(
            "MissingParameter",
            "The request must contain the parameter resourceIdSet",
        ));
    }
    for id in resources {
        let Some((kind, hex)) = id.rsplit_once('-') else { return Err(invalid(id)) };
        let well_formed = matches!(hex.len(), 8 | 17) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let there = match kind {
            "i" => region.member(id).is_some(),
            "lt" => region.blueprints.template(Some(id), None).is_ok(),
            "sgr" => rules::is_known(region, id),
            "sir" => spot_requests::is_known(region, id),
            "sg" => id == network::DEFAULT_GROUP || region.security_groups.contains_key(id),
            "subnet" => (0..region.zones().len()).any(|zone| network::subnet(zone) == *id),
            "vpc" => id == network::VPC,
            _ => well_formed,
        };
        let code = match kind {
            _ if there => continue,
            _ if !well_formed => return Err(invalid(id)),
            "sir" => return Err(spot_requests::not_found(id)),
            "i" => "InvalidInstanceID.NotFound",
            "lt" => "InvalidLaunchTemplateId.NotFound",
            "sg" => "InvalidGroup.NotFound",
            "sgr" => "InvalidSecurityGroupRuleId.NotFound",
            "subnet" => "InvalidSubnetID.NotFound",
            _ => "InvalidVpcID.NotFound",
        };
        return Err(AwsError::new(code, format!("The ID '{id}' does not exist")));
    }
    Ok(())
}

fn invalid(id: &str) -> AwsError {
    AwsError::new("InvalidID", format!("The ID '{id}' is not valid"))
}

/// Gives a new resource the tags that the call that makes it has for its kind.
pub(super) fn give(region: &mut Region, id: &str, kind: &str, specifications: &[TagSpecification]) {
    let meant = specifications.iter().filter(|one| one.resource_type.as_deref() == Some(kind));
    for tag in meant.flat_map(|one| &one.tags) {
        let tags = region.resource_tags.entry(id.to_owned()).or_default();
        tags.insert(tag.key.clone(), tag.value.clone());
    }
}

/// Forgets the tags of Spot requests whose instances are known no longer.
pub(crate) fn forget_requests(region: &mut Region) {
    let tagged = region.resource_tags.keys().filter(|id| id.starts_with("sir-"));
    let gone: Vec<String> = tagged.filter(|id| !spot_requests::is_known(region, id)).cloned().collect();
    for id in gone {
        region.resource_tags.remove(&id);
    }
}

/// The tags of a resource that is no instance.
pub(super) fn of(region: &Region, id: &str) -> Vec<Ec2Tag> {
    let tag = |(key, value): (&String, &String)| Ec2Tag { key: key.clone(), value: value.clone() };
    region.resource_tags.get(id).into_iter().flatten().map(tag).collect()
}

/// What a filter by tags sees of them. `None`: the filter is no such one.
pub(super) fn values(tags: &[Ec2Tag], filter: &str) -> Option<Vec<String>> {
    Some(match filter {
        "tag-key" => tags.iter().map(|tag| tag.key.clone()).collect(),
        "tag-value" => tags.iter().map(|tag| tag.value.clone()).collect(),
        _ => {
            let key = filter.strip_prefix("tag:")?;
            tags.iter().filter(|tag| tag.key == key).map(|tag| tag.value.clone()).collect()
        }
    })
}

/// Input of DescribeTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// `key`, `value`, `resource-id`, `resource-type`, `tag:KEY`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// A tag with what it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct TagDescription {
    pub resource_id: String,
    pub resource_type: &'static str,
    pub key: String,
    pub value: String,
}

/// Lists tags by resource and key.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let shown = |id: &str, kind: &'static str, tag: Ec2Tag| TagDescription {
        resource_id: id.to_owned(),
        resource_type: kind,
        key: tag.key,
        value: tag.value,
    };
    let mut found: Vec<TagDescription> = Vec::new();
    for instance in all(region) {
        found.extend(instance.tag_set.into_iter().map(|tag| shown(&instance.instance_id, "instance", tag)));
    }
    for id in region.resource_tags.keys() {
        found.extend(of(region, id).into_iter().map(|tag| shown(id, kind(id), tag)));
    }
    found.sort_by(|a, b| (&a.resource_id, &a.key).cmp(&(&b.resource_id, &b.key)));
    keep(&mut found, &input.filters, |tag, filter| {
        Some(match filter {
            "key" => vec![tag.key.clone()],
            "value" => vec![tag.value.clone()],
            "resource-id" => vec![tag.resource_id.clone()],
            "resource-type" => vec![tag.resource_type.to_owned()],
            _ => {
                let key = filter.strip_prefix("tag:")?;
                (tag.key == key).then(|| tag.value.clone()).into_iter().collect()
            }
        })
    })?;
    let (page, next_token) = page(found, input.next_token.as_deref(), Size(input.max_results, 5, 1_000))?;
    Ok(json!({ "tagSet": page, "nextToken": next_token }))
}

/// The kind of resource that an id names.
fn kind(id: &str) -> &'static str {
    let prefix = id.rsplit_once('-').map_or("", |(prefix, _)| prefix);
    let kinds = [
        ("ami", "image"),
        ("eni", "network-interface"),
        ("i", "instance"),
        ("lt", "launch-template"),
        ("sg", "security-group"),
        ("sgr", "security-group-rule"),
        ("sir", spot_requests::KIND),
        ("snap", "snapshot"),
        ("subnet", "subnet"),
        ("vol", "volume"),
        ("vpc", "vpc"),
    ];
    kinds.iter().find(|(known, _)| *known == prefix).map_or("", |(_, kind)| kind)
}
