//! Launch templates with their versions, and launch configurations: what instances are launched from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ec2::template_data::TemplateData;
use crate::wire::AwsError;

/// A reference to a launch template, as callers write it. Version: a number, `$Latest`, or `$Default` (also when
/// absent).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemplateSpec {
    /// By id.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
    /// Which version.
    pub version: Option<String>,
}

/// One version of a template. Versions never change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateVersion {
    /// Its number, from 1.
    pub number: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The maker's words.
    pub description: Option<String>,
    /// What it says.
    pub data: TemplateData,
    /// What the call that made it said, so that the same call again makes nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

/// A launch template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its versions by number; never empty.
    pub versions: BTreeMap<u32, TemplateVersion>,
    /// The number that `$Default` stands for.
    pub default: u32,
    /// The last number given.
    pub latest: u32,
}

impl LaunchTemplate {
    /// The number that a version stands for, whether or not that version exists. `None` if it is no version.
    pub fn number(&self, version: Option<&str>) -> Option<u32> {
        match version {
            None | Some("" | "$Default") => Some(self.default),
            Some("$Latest") => self.versions.last_key_value().map(|(number, _)| *number),
            Some(number) => number.parse().ok(),
        }
    }

    /// The version that `version` stands for.
    pub fn version(&self, version: Option<&str>) -> Option<&TemplateVersion> {
        self.versions.get(&self.number(version)?)
    }

    /// A reference to exactly one version.
    pub fn spec(&self, number: u32) -> TemplateSpec {
        TemplateSpec {
            launch_template_id: Some(self.id.clone()),
            launch_template_name: Some(self.name.clone()),
            version: Some(number.to_string()),
        }
    }
}

/// A launch configuration: what came before launch templates, without versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchConfiguration {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Image.
    pub image_id: String,
    /// Type.
    pub instance_type: String,
    /// What else it says, as it is shown: key, security groups, start script, volumes and so on.
    #[serde(default)]
    pub rest: BTreeMap<String, Value>,
}

impl LaunchConfiguration {
    /// The most that is paid an hour for a Spot Instance. `None` for on-demand instances.
    pub(crate) fn spot_price(&self) -> Option<&str> {
        self.rest.get("SpotPrice")?.as_str().filter(|price| !price.is_empty())
    }
}

/// Everything that instances can be launched from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Blueprints {
    templates: BTreeMap<String, LaunchTemplate>,
    /// Ids of the templates by name.
    ids: BTreeMap<String, String>,
    /// Launch configurations by name.
    pub configurations: BTreeMap<String, LaunchConfiguration>,
}

impl Blueprints {
    /// All launch templates.
    pub fn templates(&self) -> impl Iterator<Item = &LaunchTemplate> {
        self.templates.values()
    }

    /// Whether there is a template of this name.
    pub fn has_template(&self, name: &str) -> bool {
        self.ids.contains_key(name)
    }

    /// Adds a template.
    pub fn insert_template(&mut self, template: LaunchTemplate) {
        self.ids.insert(template.name.clone(), template.id.clone());
        self.templates.insert(template.id.clone(), template);
    }

    /// A template to be changed, by id; its name must stay.
    pub fn template_mut(&mut self, id: &str) -> Option<&mut LaunchTemplate> {
        self.templates.get_mut(id)
    }

    /// Removes a template by id.
    pub fn remove_template(&mut self, id: &str) {
        if let Some(removed) = self.templates.remove(id) {
            self.ids.remove(&removed.name);
        }
    }

    /// A template by id, else by name, in EC2's words when there is none.
    pub fn template(&self, id: Option<&str>, name: Option<&str>) -> Result<&LaunchTemplate, AwsError> {
        match (id, name) {
            (Some(id), _) => self.templates.get(id).ok_or_else(|| {
                AwsError::new(
                    "InvalidLaunchTemplateId.NotFound",
                    format!("The specified launch template, with template ID {id}, does not exist."),
                )
            }),
            (None, Some(name)) => self.ids.get(name).and_then(|id| self.templates.get(id)).ok_or_else(|| {
                AwsError::new(
                    "InvalidLaunchTemplateName.NotFoundException",
                    format!("The specified launch template, with template name {name}, does not exist."),
                )
            }),
            (None, None) => Err(AwsError::new(
                "MissingParameter",
                "The request must contain the parameter LaunchTemplateId or LaunchTemplateName",
            )),
        }
    }

    /// The template and version that a reference means, in EC2's words when there is none.
    pub fn resolve(&self, spec: &TemplateSpec) -> Result<(&LaunchTemplate, &TemplateVersion), AwsError> {
        let template =
            self.template(spec.launch_template_id.as_deref(), spec.launch_template_name.as_deref())?;
        let version = template.version(spec.version.as_deref()).ok_or_else(|| {
            AwsError::new(
                "InvalidLaunchTemplateId.VersionNotFound",
                format!(
                    "Could not find the specified version {} for the launch template with ID {}.",
                    spec.version.as_deref().unwrap_or("$Default"),
                    template.id
                ),
            )
        })?;
        Ok((template, version))
    }
}
