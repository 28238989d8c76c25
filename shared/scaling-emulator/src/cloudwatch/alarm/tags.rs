//! Tags of alarms: `TagResource`, `UntagResource` and `ListTagsForResource`.

use serde::{Deserialize, Serialize};

use crate::cloudwatch::Empty;
use crate::cloudwatch::metric::required;
use crate::region::Region;
use crate::wire::AwsError;

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Input of `TagResource`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagResource {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: Option<String>,
    /// Tags to set.
    pub tags: Vec<Tag>,
}

/// Input of `UntagResource`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UntagResource {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: Option<String>,
    /// Keys to take away.
    pub tag_keys: Vec<String>,
}

/// Input of `ListTagsForResource`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTagsForResource {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: Option<String>,
}

/// Output of `ListTagsForResource`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tags {
    /// By key.
    pub tags: Vec<Tag>,
}

/// Most tags of an alarm: *API Reference*, PutMetricAlarm ("as many as 50 tags").
const MOST: usize = 50;

fn too_many() -> String {
    format!("An alarm must not have more than {MOST} tags.")
}

/// Refuses more tags than a new alarm may have.
pub(super) fn check_new(tags: &[Tag]) -> Result<(), AwsError> {
    if tags.len() > MOST {
        return Err(AwsError::new("LimitExceeded", too_many()));
    }
    check_lengths(tags).map_err(AwsError::validation)
}

/// What is wrong with tags by themselves: *API Reference*, Tag.
fn check_lengths(tags: &[Tag]) -> Result<(), String> {
    let is_long = |text: &str, most: usize| text.chars().count() > most;
    let wrong = |tag: &&Tag| tag.key.is_empty() || is_long(&tag.key, 128) || is_long(&tag.value, 256);
    match tags.iter().find(wrong) {
        Some(tag) => Err(format!(
            "The tag '{}' must have a key of 1 to 128 characters and a value of at most 256.",
            tag.key
        )),
        None => Ok(()),
    }
}

/// Sets tags of an alarm.
///
/// # Errors
/// `ResourceNotFoundException`; `InvalidParameterValue` where it would have too many.
pub fn tag_resource(region: &mut Region, input: TagResource) -> Result<Empty, AwsError> {
    let arn = alarm(region, input.resource_arn)?;
    check_lengths(&input.tags).map_err(|why| AwsError::new("InvalidParameterValue", why))?;
    let tags = region.cloudwatch.alarms.tags.entry(arn).or_default();
    let added = input.tags.iter().filter(|tag| !tags.contains_key(&tag.key)).count();
    if tags.len() + added > MOST {
        return Err(AwsError::new("InvalidParameterValue", too_many()));
    }
    tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(Empty {})
}

/// Takes tags of an alarm away.
///
/// # Errors
/// `ResourceNotFoundException`.
pub fn untag_resource(region: &mut Region, input: UntagResource) -> Result<Empty, AwsError> {
    let arn = alarm(region, input.resource_arn)?;
    if let Some(tags) = region.cloudwatch.alarms.tags.get_mut(&arn) {
        tags.retain(|key, _| !input.tag_keys.contains(key));
    }
    Ok(Empty {})
}

/// Lists tags of an alarm.
///
/// # Errors
/// `ResourceNotFoundException`.
pub fn list_tags_for_resource(region: &mut Region, input: ListTagsForResource) -> Result<Tags, AwsError> {
    let arn = alarm(region, input.resource_arn)?;
    let tags = region.cloudwatch.alarms.tags.get(&arn).into_iter().flatten();
    Ok(Tags { tags: tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect() })
}

/// The ARN, if it is an alarm's.
fn alarm(region: &Region, arn: Option<String>) -> Result<String, AwsError> {
    let arn = required(arn, "ResourceARN")?;
    if region.cloudwatch.alarms.by_name.values().any(|alarm| alarm.arn == arn) {
        return Ok(arn);
    }
    Err(AwsError::new("ResourceNotFoundException", format!("{arn} does not exist")).with_status(404))
}
