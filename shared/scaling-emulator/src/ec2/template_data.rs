//! What a launch template says: the part of it that groups commonly use, and the rest as it was given. Read in EC2's form
//! names; shown in its reply names, which are also what kept states have.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What a launch template says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct TemplateData {
    /// Image.
    #[serde(alias = "imageId")]
    pub image_id: Option<String>,
    /// Type.
    #[serde(alias = "instanceType")]
    pub instance_type: Option<String>,
    /// Key pair.
    #[serde(alias = "keyName")]
    pub key_name: Option<String>,
    /// Start script, base64.
    #[serde(alias = "userData")]
    pub user_data: Option<String>,
    /// Whether disk traffic has its own bandwidth.
    #[serde(alias = "ebsOptimized", default, deserialize_with = "truth")]
    pub ebs_optimized: Option<bool>,
    /// Security groups by id.
    #[serde(
        rename(deserialize = "SecurityGroupId", serialize = "securityGroupIdSet"),
        alias = "securityGroupIdSet",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub security_group_ids: Vec<String>,
    /// Security groups by name.
    #[serde(
        rename(deserialize = "SecurityGroup", serialize = "securityGroupSet"),
        alias = "securityGroupSet",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub security_groups: Vec<String>,
    /// Detailed monitoring.
    #[serde(alias = "monitoring")]
    pub monitoring: Option<Monitoring>,
    /// Role of the instances.
    #[serde(alias = "iamInstanceProfile")]
    pub iam_instance_profile: Option<InstanceProfile>,
    /// Tags of what is launched.
    #[serde(
        rename(deserialize = "TagSpecification", serialize = "tagSpecificationSet"),
        alias = "tagSpecificationSet",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tag_specifications: Vec<TagSpecification>,
    /// Everything else, which nothing here follows from, by the names that it is shown with.
    #[serde(flatten, deserialize_with = "shown")]
    pub rest: BTreeMap<String, Value>,
}

/// Truth as a form says it, or as a state does.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Truth(bool),
        Text(String),
    }
    Ok(match Option::<Said>::deserialize(deserializer)? {
        None => None,
        Some(Said::Truth(truth)) => Some(truth),
        Some(Said::Text(text)) => Some(text.eq_ignore_ascii_case("true")),
    })
}

/// Members by the names that they are shown with: those of forms begin with a capital, and lists end in `Set`.
fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let given = BTreeMap::<String, Value>::deserialize(deserializer)?;
    Ok(given.into_iter().map(|(name, value)| (shown_name(&name, &value), shown_value(value))).collect())
}

fn shown_name(name: &str, value: &Value) -> String {
    let mut letters = name.chars();
    let Some(first) = letters.next().filter(char::is_ascii_uppercase) else { return name.to_owned() };
    match (name, value.is_array()) {
        ("LicenseSpecification", _) => "licenseSet".to_owned(),
        ("SecurityGroupId", true) => "groupSet".to_owned(),
        (_, list) => {
            let end = if list { "Set" } else { "" };
            format!("{}{}{end}", first.to_ascii_lowercase(), letters.as_str())
        }
    }
}

fn shown_value(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (shown_name(&name, &value), shown_value(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(shown_value).collect(),
        other => other,
    }
}

/// Detailed monitoring.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct Monitoring {
    /// On or off.
    #[serde(alias = "enabled", default, deserialize_with = "truth")]
    pub enabled: Option<bool>,
}

/// Role of the instances.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct InstanceProfile {
    /// By ARN.
    #[serde(alias = "arn")]
    pub arn: Option<String>,
    /// By name.
    #[serde(alias = "name")]
    pub name: Option<String>,
}

/// Tags of one kind of resource that is launched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct TagSpecification {
    /// `instance`, `volume` and so on.
    #[serde(alias = "resourceType")]
    pub resource_type: Option<String>,
    /// The tags.
    #[serde(rename(deserialize = "Tag", serialize = "tagSet"), alias = "tagSet", default)]
    pub tags: Vec<Ec2Tag>,
}

/// A tag as EC2 reads and shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct Ec2Tag {
    /// Key.
    #[serde(alias = "key")]
    pub key: String,
    /// Value.
    #[serde(alias = "value", default)]
    pub value: String,
}

impl TemplateData {
    /// Whether it asks for Spot Instances.
    pub fn asks_for_spot(&self) -> bool {
        self.rest.get("instanceMarketOptions").is_some_and(|options| options["marketType"] == "spot")
    }

    /// What it says of the Spot Instances that it asks for, by the name that it is shown with.
    pub fn spot_option(&self, member: &str) -> Option<&Value> {
        self.rest.get("instanceMarketOptions")?.get("spotOptions")?.get(member)
    }

    /// The most that is paid an hour for one of them.
    pub fn spot_max_price(&self) -> Option<&str> {
        self.spot_option("maxPrice")?.as_str().filter(|price| !price.is_empty())
    }

    /// Whether its instances are launched so that they can hibernate.
    pub fn hibernates(&self) -> bool {
        self.rest
            .get("hibernationOptions")
            .is_some_and(|options| options["configured"] == true || options["configured"] == "true")
    }

    /// Tags of the instances that are launched.
    pub fn instance_tags(&self) -> impl Iterator<Item = &Ec2Tag> {
        let of_instances = |one: &&TagSpecification| one.resource_type.as_deref() == Some("instance");
        self.tag_specifications.iter().filter(of_instances).flat_map(|one| &one.tags)
    }

    /// This with everything replaced that `newer` says.
    #[must_use]
    pub fn overlaid(mut self, newer: Self) -> Self {
        let keep = |old: Vec<String>, new: Vec<String>| if new.is_empty() { old } else { new };
        self.image_id = newer.image_id.or(self.image_id);
        self.instance_type = newer.instance_type.or(self.instance_type);
        self.key_name = newer.key_name.or(self.key_name);
        self.user_data = newer.user_data.or(self.user_data);
        self.ebs_optimized = newer.ebs_optimized.or(self.ebs_optimized);
        self.monitoring = newer.monitoring.or(self.monitoring);
        self.iam_instance_profile = newer.iam_instance_profile.or(self.iam_instance_profile);
        self.security_group_ids = keep(self.security_group_ids, newer.security_group_ids);
        self.security_groups = keep(self.security_groups, newer.security_groups);
        self.rest.extend(newer.rest);
        if !newer.tag_specifications.is_empty() {
            self.tag_specifications = newer.tag_specifications;
        }
        self
    }
}
