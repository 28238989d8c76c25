//! Tags of instances. Those of groups' instances have those of the group, too.

use serde::Deserialize;
use serde_json::{Value, json};

use super::template_data::Ec2Tag;
use crate::region::Region;
use crate::wire::AwsError;

/// Input of CreateTags and DeleteTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagsInput {
    /// What is tagged.
    #[serde(rename = "ResourceId")]
    pub resources: Vec<String>,
    /// The tags.
    #[serde(rename = "Tag")]
    pub tags: Vec<Ec2Tag>,
}

/// Sets tags. What is no instance is left as it is.
pub fn create(region: &mut Region, input: &TagsInput) -> Result<Value, AwsError> {
    changed(region, input, |tags, tag| drop(tags.insert(tag.key.clone(), tag.value.clone())))
}

/// Takes tags away; absent ones are no error.
pub fn delete(region: &mut Region, input: &TagsInput) -> Result<Value, AwsError> {
    changed(region, input, |tags, tag| drop(tags.remove(&tag.key)))
}

fn changed(
    region: &mut Region,
    input: &TagsInput,
    change: fn(&mut std::collections::BTreeMap<String, String>, &Ec2Tag),
) -> Result<Value, AwsError> {
    if input.resources.is_empty() {
        return Err(AwsError::new(
            "MissingParameter",
            "The request must contain the parameter resourceIdSet",
        ));
    }
    let known = |id: &&String| {
        !id.starts_with("i-") || region.loose.contains_key(*id) || region.instance(id).is_some()
    };
    if let Some(unknown) = input.resources.iter().find(|id| !known(id)) {
        return Err(AwsError::new("InvalidID", format!("The ID '{unknown}' is not valid")));
    }
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
        let loose = region.loose.get_mut(id).map(|loose| &mut loose.tags);
        let members = region.groups.values_mut().flat_map(|group| &mut group.members);
        let owned = members.filter(|member| member.id == *id).map(|member| &mut member.tags);
        for tags in loose.into_iter().chain(owned) {
            input.tags.iter().for_each(|tag| change(tags, tag));
        }
    }
    Ok(json!({ "return": true }))
}
