//! Tags of groups, and filters by tag.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::page::{Sizes, sorted};
use super::{check_stays, group_mut};
use crate::region::group::GroupTag;
use crate::region::{Group, Region};
use crate::wire::AwsError;

/// Most tags of a group, and the longest key and value in characters.
const MOST: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// What is tagged.
const GROUP: &str = "auto-scaling-group";

/// A tag as callers write it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagInput {
    /// The group; may be left out when the group is being created.
    pub resource_id: Option<String>,
    /// `auto-scaling-group`, the only one there is.
    pub resource_type: Option<String>,
    /// Key.
    pub key: String,
    /// Value.
    pub value: Option<String>,
    /// Whether instances carry it.
    pub propagate_at_launch: Option<bool>,
}

impl TagInput {
    /// Refuses what no tag can be.
    pub(super) fn check(&self) -> Result<(), AwsError> {
        if let Some(other) = self.resource_type.as_deref().filter(|kind| *kind != GROUP) {
            return Err(AwsError::validation(format!(
                "Invalid value '{other}' for resource type: the valid value is {GROUP}."
            )));
        }
        let long = |text: &str, most: usize| text.chars().count() > most;
        if self.key.is_empty() || long(&self.key, LONGEST_KEY) {
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value '{}' at 'tags.1.member.key' failed to satisfy constraint: Member must \
                 have length between 1 and {LONGEST_KEY}",
                self.key
            )));
        }
        if self.value.as_deref().is_some_and(|value| long(value, LONGEST_VALUE)) {
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member must \
                 have length less than or equal to {LONGEST_VALUE}"
            )));
        }
        if self.key.starts_with("aws:") {
            return Err(AwsError::validation(format!(
                "'{}' is not a valid tag key: tag keys must not start with aws:",
                self.key
            )));
        }
        Ok(())
    }
}

impl From<&TagInput> for GroupTag {
    fn from(tag: &TagInput) -> Self {
        Self {
            value: tag.value.clone().unwrap_or_default(),
            propagate: tag.propagate_at_launch.unwrap_or(false),
        }
    }
}

/// A tag as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagDescription {
    /// The group.
    pub resource_id: String,
    /// `auto-scaling-group`.
    pub resource_type: &'static str,
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
    /// Whether instances carry it.
    pub propagate_at_launch: bool,
}

impl TagDescription {
    /// The tags of a group by key.
    pub fn all_of(group: &Group) -> Vec<Self> {
        let describe = |(key, tag): (&String, &GroupTag)| Self {
            resource_id: group.name.clone(),
            resource_type: GROUP,
            key: key.clone(),
            value: tag.value.clone(),
            propagate_at_launch: tag.propagate,
        };
        group.tags.iter().map(describe).collect()
    }
}

/// A filter: a name and the values that it lets through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Filter {
    /// Name.
    pub name: String,
    /// Any of these.
    pub values: Vec<String>,
}

impl Filter {
    pub(super) fn check_for_groups(&self) -> Result<(), AwsError> {
        match self.name.as_str() {
            "tag-key" | "tag-value" => Ok(()),
            name if name.starts_with("tag:") => Ok(()),
            name => Err(AwsError::validation(format!("Filter type {name} is not correct."))),
        }
    }

    /// Whether a group has a tag that fits. Keys and values are compared exactly.
    pub(super) fn takes_group(&self, group: &Group) -> bool {
        match self.name.strip_prefix("tag:") {
            Some(key) => group.tags.get(key).is_some_and(|tag| self.values.contains(&tag.value)),
            None if self.name == "tag-key" => self.values.iter().any(|key| group.tags.contains_key(key)),
            None => group.tags.values().any(|tag| self.values.contains(&tag.value)),
        }
    }

    fn takes_tag(&self, tag: &TagDescription) -> bool {
        let propagate = tag.propagate_at_launch.to_string();
        let value = match self.name.as_str() {
            "auto-scaling-group" => &tag.resource_id,
            "key" => &tag.key,
            "value" => &tag.value,
            _ => &propagate,
        };
        self.values.contains(value)
    }
}

/// Input of CreateOrUpdateTags and DeleteTags.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagsInput {
    /// The tags, each with its group.
    pub tags: Vec<TagInput>,
}

/// Refuses more tags than a group may have.
pub(super) fn check_count(count: usize) -> Result<(), AwsError> {
    if count <= MOST {
        return Ok(());
    }
    Err(AwsError::new("LimitExceeded", format!("A group must not have more than {MOST} tags.")))
}

/// Refuses a key that is given twice to one group.
pub(super) fn check_unique(tags: &[TagInput]) -> Result<(), AwsError> {
    let mut seen = BTreeSet::new();
    match tags.iter().find(|tag| !seen.insert((&tag.resource_id, &tag.key))) {
        Some(twice) => Err(AwsError::validation(format!("Duplicate tag key specified: {}", twice.key))),
        None => Ok(()),
    }
}

/// Sets tags. One fault refuses all of them.
pub fn put(region: &mut Region, input: &TagsInput) -> Result<(), AwsError> {
    check_unique(&input.tags)?;
    let mut keys = BTreeMap::<String, BTreeSet<String>>::new();
    for tag in &input.tags {
        tag.check()?;
        let group = tagged(region, tag)?;
        check_stays(group)?;
        let keys = keys.entry(group.name.clone()).or_insert_with(|| group.tags.keys().cloned().collect());
        keys.insert(tag.key.clone());
        check_count(keys.len())?;
    }
    for tag in &input.tags {
        tagged(region, tag)?.tags.insert(tag.key.clone(), tag.into());
    }
    Ok(())
}

/// Removes tags by key, and by value where one is given. Absent ones are no error.
pub fn delete(region: &mut Region, input: &TagsInput) -> Result<(), AwsError> {
    for tag in &input.tags {
        let group = tagged(region, tag)?;
        let present = group.tags.get(&tag.key).map(|present| present.value.clone());
        if tag.value.is_none() || tag.value == present {
            group.tags.remove(&tag.key);
        }
    }
    Ok(())
}

fn tagged<'a>(region: &'a mut Region, tag: &TagInput) -> Result<&'a mut Group, AwsError> {
    group_mut(region, tag.resource_id.as_deref().unwrap_or_default())
}

/// Input of DescribeTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// `auto-scaling-group`, `key`, `value`, `propagate-at-launch`.
    pub filters: Vec<Filter>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeTags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page.
    pub tags: Vec<TagDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// Describes the tags of all groups.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let mut tags: Vec<TagDescription> = region.groups().flat_map(TagDescription::all_of).collect();
    for filter in &input.filters {
        if !["auto-scaling-group", "key", "value", "propagate-at-launch"].contains(&filter.name.as_str()) {
            return Err(AwsError::validation(format!("Filter type {} is not correct.", filter.name)));
        }
        tags.retain(|tag| filter.takes_tag(tag));
    }
    // A separator that sorts before every letter keeps group and key in their joint order.
    let key = |tag: &TagDescription| format!("{}\t{}", tag.resource_id, tag.key);
    tags.sort_by_key(key);
    let page = sorted(tags, key, input.next_token.as_deref(), size)?;
    Ok(DescribeOutput { tags: page.items, next_token: page.next_token })
}
