//! Versions of launch templates.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::{Filter, Size, keep, page};
use super::template_data::TemplateData;
use super::templates::{check_data, creator};
use crate::region::Region;
use crate::region::blueprints::{LaunchTemplate, TemplateVersion};
use crate::wire::AwsError;

/// Input of CreateLaunchTemplateVersion.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    /// By id.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
    /// The version that this one begins with; nothing when absent.
    pub source_version: Option<String>,
    /// Words about it.
    pub version_description: Option<String>,
    /// What it says.
    #[serde(default)]
    pub launch_template_data: TemplateData,
    /// The same call again, which this tells, makes nothing more.
    pub client_token: Option<String>,
}

/// Output of CreateLaunchTemplateVersion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateOutput {
    /// The version.
    pub launch_template_version: VersionDescription,
}

/// A version as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct VersionDescription {
    pub launch_template_id: String,
    pub launch_template_name: String,
    pub version_number: u32,
    pub version_description: Option<String>,
    pub create_time: Timestamp,
    pub created_by: String,
    pub default_version: bool,
    pub launch_template_data: TemplateData,
}

/// Makes the next version of a template.
pub fn create(region: &mut Region, input: &CreateInput) -> Result<CreateOutput, AwsError> {
    let (id, name) = (input.launch_template_id.as_deref(), input.launch_template_name.as_deref());
    check_data(&input.launch_template_data)?;
    let template = region.blueprints.template(id, name)?;
    if let Some(made) = made_before(template, input) {
        return Ok(CreateOutput { launch_template_version: shown(region, template, made) });
    }
    let base = match input.source_version.as_deref() {
        None => TemplateData::default(),
        Some(source) => version(template, source)?.data.clone(),
    };
    let (id, number) = (template.id.clone(), template.latest + 1);
    let made = TemplateVersion {
        number,
        created: region.now,
        description: input.version_description.clone(),
        data: base.overlaid(input.launch_template_data.clone()),
        client_token: input.client_token.clone(),
    };
    if let Some(template) = region.blueprints.template_mut(&id) {
        template.latest = number;
        template.versions.insert(number, made.clone());
    }
    let template = region.blueprints.template(Some(&id), None)?;
    Ok(CreateOutput { launch_template_version: shown(region, template, &made) })
}

/// The version that a call with the same token made before.
fn made_before<'a>(template: &'a LaunchTemplate, input: &CreateInput) -> Option<&'a TemplateVersion> {
    let token = input.client_token.as_ref().filter(|token| !token.is_empty())?;
    template.versions.values().find(|made| made.client_token.as_ref() == Some(token))
}

/// Input of DescribeLaunchTemplateVersions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// By id; the `$Latest` and `$Default` of all templates may be asked without it.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
    /// Numbers, `$Latest`, `$Default`; all when empty.
    #[serde(rename = "LaunchTemplateVersion")]
    pub versions: Vec<String>,
    /// Filters: what `values` knows.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Least number of a version,
    pub min_version: Option<u32>,
    /// and the most.
    pub max_version: Option<u32>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeLaunchTemplateVersions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeOutput {
    /// The page, newest first.
    pub launch_template_version_set: Vec<VersionDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// Describes versions, newest first.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let (id, name) = (input.launch_template_id.as_deref(), input.launch_template_name.as_deref());
    let symbolic = input.versions.iter().all(|version| version.starts_with('$'));
    let templates: Vec<&LaunchTemplate> = match (id, name) {
        (None, None) if symbolic && !input.versions.is_empty() => region.blueprints.templates().collect(),
        _ => vec![region.blueprints.template(id, name)?],
    };
    let mut found = Vec::new();
    for template in templates {
        if input.versions.is_empty() {
            found.extend(template.versions.values().rev().map(|made| shown(region, template, made)));
        }
        for wanted in &input.versions {
            found.push(shown(region, template, version(template, wanted)?));
        }
    }
    found.retain(|one| {
        let number = one.version_number;
        input.min_version.is_none_or(|least| number >= least)
            && input.max_version.is_none_or(|most| number <= most)
    });
    keep(&mut found, &input.filters, values)?;
    let (found, next_token) = page(found, input.next_token.as_deref(), Size(input.max_results, 1, 200))?;
    Ok(DescribeOutput { launch_template_version_set: found, next_token })
}

fn values(made: &VersionDescription, filter: &str) -> Option<Vec<String>> {
    let data = &made.launch_template_data;
    let one = |text: &Option<String>| text.iter().cloned().collect();
    Some(match filter {
        "create-time" => vec![made.create_time.to_string()],
        "is-default-version" => vec![made.default_version.to_string()],
        "image-id" => one(&data.image_id),
        "instance-type" => one(&data.instance_type),
        "ebs-optimized" => data.ebs_optimized.iter().map(bool::to_string).collect(),
        "iam-instance-profile" => {
            data.iam_instance_profile.iter().filter_map(|role| role.arn.clone()).collect()
        }
        "http-endpoint" => said(data, "metadataOptions", "httpEndpoint"),
        "http-tokens" => said(data, "metadataOptions", "httpTokens"),
        "http-protocol-ipv4" => said(data, "metadataOptions", "httpProtocolIpv4"),
        "host-resource-group-arn" => said(data, "placement", "hostResourceGroupArn"),
        "license-configuration-arn" => said(data, "licenseSet", "licenseConfigurationArn"),
        "network-card-index" => said(data, "networkInterfaceSet", "networkCardIndex"),
        "kernel-id" => text(data.rest.get("kernelId")),
        "ram-disk-id" => text(data.rest.get("ramDiskId")),
        _ => return None,
    })
}

/// What a version says under a member of a structure, or of all structures of a list.
fn said(data: &TemplateData, structure: &str, member: &str) -> Vec<String> {
    match data.rest.get(structure) {
        Some(Value::Array(items)) => items.iter().flat_map(|item| text(item.get(member))).collect(),
        other => text(other.and_then(|one| one.get(member))),
    }
}

fn text(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_str).map(str::to_owned).into_iter().collect()
}

fn version<'a>(template: &'a LaunchTemplate, wanted: &str) -> Result<&'a TemplateVersion, AwsError> {
    template.version(Some(wanted)).ok_or_else(|| {
        AwsError::new(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!(
                "Could not find the specified version {wanted} for the launch template with ID {}.",
                template.id
            ),
        )
    })
}

fn shown(region: &Region, template: &LaunchTemplate, made: &TemplateVersion) -> VersionDescription {
    VersionDescription {
        launch_template_id: template.id.clone(),
        launch_template_name: template.name.clone(),
        version_number: made.number,
        version_description: made.description.clone(),
        create_time: made.created,
        created_by: creator(region),
        default_version: made.number == template.default,
        launch_template_data: made.data.clone(),
    }
}
