//! What an instance has from its launch and keeps, whatever becomes of what it was launched from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blueprints::{Blueprints, LaunchConfiguration};
use super::group::{Group, GroupTag};
use super::loose::Loose;
use super::member::Member;
use crate::ec2::template_data::TemplateData;
use crate::wire::query::uncapitalised;

/// Tags by key; those that were launched alike share them until one is changed.
pub type Tags = Arc<BTreeMap<String, String>>;

/// What an instance was launched with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stamp {
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its key pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// Its security groups by id or name; the default one where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// Its role by ARN or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether disk traffic has its own bandwidth.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ebs_optimized: bool,
    /// How its metadata is read, by the names that it is shown with, where its launch says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Whether calls of EC2 may not end it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub end_protected: bool,
    /// What its shutdown from within does, where its launch says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<String>,
    /// Its start script, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// The call that ran it. `None` where a group launched it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// The call that ran an instance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Run {
    /// What it was run together with.
    pub reservation: Option<String>,
    /// The call's token.
    pub client_token: Option<String>,
    /// What tells that call from another one with the same token, as for what belongs to no group.
    #[serde(default, rename = "parameters", skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// Its place among those that were run together.
    pub launch_index: u32,
}

impl From<&TemplateData> for Stamp {
    fn from(data: &TemplateData) -> Self {
        let mut security_groups = data.security_group_ids.clone();
        security_groups.extend(data.security_groups.iter().cloned());
        let interfaces = data.rest.get("networkInterfaceSet").and_then(Value::as_array).into_iter().flatten();
        let of_interfaces = interfaces.filter_map(|one| one["groupSet"].as_array()).flatten();
        security_groups.extend(of_interfaces.filter_map(Value::as_str).map(str::to_owned));
        let role = data.iam_instance_profile.as_ref();
        Self {
            image: data.image_id.clone(),
            key_name: data.key_name.clone(),
            security_groups,
            profile: role.and_then(|role| role.arn.clone().or_else(|| role.name.clone())),
            ebs_optimized: data.ebs_optimized.unwrap_or(false),
            metadata: members(data.rest.get("metadataOptions"), str::to_owned),
            end_protected: data.rest.get("disableApiTermination").is_some_and(is_true),
            shutdown: data
                .rest
                .get("instanceInitiatedShutdownBehavior")
                .and_then(Value::as_str)
                .map(str::to_owned),
            user_data: data.user_data.clone(),
            run: None,
        }
    }
}

/// Whether a member says so, as a form writes it or as a state does.
fn is_true(said: &Value) -> bool {
    *said == true || said.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The members of a structure by other names.
fn members(said: Option<&Value>, named: fn(&str) -> String) -> BTreeMap<String, Value> {
    let said = said.and_then(Value::as_object).into_iter().flatten();
    said.map(|(name, value)| (named(name), value.clone())).collect()
}

impl From<&LaunchConfiguration> for Stamp {
    fn from(made: &LaunchConfiguration) -> Self {
        let said = |member: &str| made.rest.get(member);
        let text = |member: &str| {
            said(member).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let groups = said("SecurityGroups").and_then(Value::as_array).into_iter().flatten();
        Self {
            image: Some(made.image_id.clone()),
            key_name: text("KeyName"),
            security_groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
            profile: text("IamInstanceProfile"),
            ebs_optimized: said("EbsOptimized").is_some_and(is_true),
            metadata: members(said("MetadataOptions"), uncapitalised),
            end_protected: false,
            shutdown: None,
            user_data: text("UserData"),
            run: None,
        }
    }
}

/// What an instance of a group has from its launch: what its template or configuration says at this moment, and the tags of
/// template and group, of which the group's win. Shared with `like`, where that was launched with the same.
pub(super) fn of_launch(
    blueprints: &Blueprints,
    member: &Member,
    tags: &BTreeMap<String, GroupTag>,
    like: Option<&Member>,
) -> (Arc<Stamp>, Tags) {
    let version = member.template.as_ref().and_then(|spec| blueprints.resolve(spec).ok());
    let data = version.map(|(_, version)| &version.data);
    let made = member.configuration.as_ref().and_then(|name| blueprints.configurations.get(name));
    let mut stamp = data.map(Stamp::from).or_else(|| made.map(Stamp::from)).unwrap_or_default();
    stamp.image = member.image.clone().or(stamp.image);
    // *EC2 User Guide*, "Change instance termination protection": there is none for Spot Instances.
    stamp.end_protected &= !member.spot;
    let of_template = data.into_iter().flat_map(TemplateData::instance_tags);
    let mut all: BTreeMap<String, String> =
        of_template.map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    let carried = tags.iter().filter(|(_, tag)| tag.propagate);
    all.extend(carried.map(|(key, tag)| (key.clone(), tag.value.clone())));
    let stamp = match like.and_then(|like| like.stamp.as_ref()).filter(|like| ***like == stamp) {
        Some(like) => Arc::clone(like),
        None => Arc::new(stamp),
    };
    let tags = match like.map(|like| &like.tags).filter(|like| ***like == all) {
        Some(like) => Arc::clone(like),
        None => Arc::new(all),
    };
    (stamp, tags)
}

/// Tells an instance that belongs to no group what its template says and its call did not.
pub(crate) fn complete(blueprints: &Blueprints, loose: &mut Loose) {
    if loose.member.stamp.is_none() {
        let (stamp, _) = of_launch(blueprints, &loose.member, &BTreeMap::new(), None);
        loose.member.stamp = Some(stamp);
    }
}

impl Group {
    /// Gives instances of a state of before there were stamps what they would have been launched with today.
    pub(crate) fn stamp_old(&mut self, blueprints: &Blueprints) {
        let Self { members, gone, tags, .. } = self;
        for member in members.iter_mut().chain(gone.iter_mut()).filter(|member| member.stamp.is_none()) {
            let (stamp, launched_with) = of_launch(blueprints, member, tags, None);
            let own = std::mem::replace(&mut member.tags, launched_with);
            Arc::make_mut(&mut member.tags).extend(Arc::unwrap_or_clone(own));
            member.stamp = Some(stamp);
        }
        share(members.iter_mut().chain(gone));
    }
}

/// Lets instances that were launched alike one after the other have one stamp again, of which each was written down whole.
fn share<'a>(members: impl Iterator<Item = &'a mut Member>) {
    let mut last: Option<Arc<Stamp>> = None;
    for member in members {
        if last.is_some() && last == member.stamp {
            member.stamp.clone_from(&last);
        } else {
            last.clone_from(&member.stamp);
        }
    }
}
