//! Tags of instances that belong to no group. Those of groups' instances come from the group.

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

/// Sets tags. What is no loose instance is left as it is.
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
    for id in &input.resources {
        if let Some(loose) = region.loose.get_mut(id) {
            input.tags.iter().for_each(|tag| change(&mut loose.tags, tag));
        }
    }
    Ok(json!({ "return": true }))
}
