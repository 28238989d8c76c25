//! What a launch template says: the part of it that groups commonly use. Read in EC2's form names; shown in its
//! reply names, which are also what kept states have.

use serde::{Deserialize, Serialize};

/// What a launch template says. Members that are not listed here are read over.
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
    #[serde(alias = "ebsOptimized")]
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
}

/// Detailed monitoring.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct Monitoring {
    /// On or off.
    #[serde(alias = "enabled", default)]
    pub enabled: bool,
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
        if !newer.tag_specifications.is_empty() {
            self.tag_specifications = newer.tag_specifications;
        }
        self
    }
}
