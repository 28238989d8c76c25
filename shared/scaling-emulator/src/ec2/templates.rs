//! Launch templates.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::filter::{Filter, Size, keep, page};
use super::tags;
use super::template_data::{Ec2Tag, TagSpecification, TemplateData};
use crate::region::Region;
use crate::region::blueprints::{LaunchTemplate, TemplateVersion};
use crate::wire::AwsError;

/// Input of CreateLaunchTemplate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    /// Name, unique in the region.
    pub launch_template_name: String,
    /// Words about the first version.
    pub version_description: Option<String>,
    /// What it says.
    #[serde(default)]
    pub launch_template_data: TemplateData,
    /// The same call again, which this tells, makes nothing more.
    pub client_token: Option<String>,
    /// Tags of the template itself.
    #[serde(default, rename = "TagSpecification")]
    pub tags: Vec<TagSpecification>,
}

/// Output of the operations on one template.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateOutput {
    /// The template.
    pub launch_template: TemplateDescription,
}

/// A template as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct TemplateDescription {
    pub launch_template_id: String,
    pub launch_template_name: String,
    pub create_time: Timestamp,
    pub created_by: String,
    pub default_version_number: u32,
    pub latest_version_number: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag_set: Vec<Ec2Tag>,
}

/// Makes a template with version 1. Whether its type exists is only asked when something is launched from it.
pub fn create(region: &mut Region, input: &CreateInput) -> Result<TemplateOutput, AwsError> {
    let name = input.launch_template_name.clone();
    check_name(&name)?;
    check_data(&input.launch_template_data)?;
    if let Some(made) = made_before(region, input)? {
        return Ok(made);
    }
    if region.blueprints.has_template(&name) {
        return Err(AwsError::new(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            "Launch template name already in use.",
        ));
    }
    let first = TemplateVersion {
        number: 1,
        created: region.now,
        description: input.version_description.clone(),
        data: input.launch_template_data.clone(),
        client_token: input.client_token.clone(),
    };
    let template = LaunchTemplate {
        id: region.ids.template(),
        name,
        created: region.now,
        versions: BTreeMap::from([(1, first)]),
        default: 1,
        latest: 1,
    };
    tags::give(region, &template.id, "launch-template", &input.tags);
    let output = TemplateOutput { launch_template: shown(region, &template) };
    region.blueprints.insert_template(template);
    Ok(output)
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let malformed = |why: &str| Err(AwsError::new("InvalidLaunchTemplateName.MalformedException", why));
    if !(3..=128).contains(&name.len()) {
        return malformed("Launch template name must be between 3 and 128 characters.");
    }
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "().-/_".contains(letter);
    if name.chars().all(is_allowed) {
        return Ok(());
    }
    malformed(
        "Launch template name must consist of letters, digits, and the characters ( ) . - / _ and no others.",
    )
}

/// Refuses a template, or a version of one, that says nothing.
pub(super) fn check_data(data: &TemplateData) -> Result<(), AwsError> {
    if *data == TemplateData::default() {
        let why = "The request must contain the parameter LaunchTemplateData";
        return Err(AwsError::new("MissingParameter", why));
    }
    Ok(())
}

/// What a call with the same token made before; the token of another call is refused.
fn made_before(region: &Region, input: &CreateInput) -> Result<Option<TemplateOutput>, AwsError> {
    if input.client_token.as_ref().is_none_or(String::is_empty) {
        return Ok(None);
    }
    let is_meant = |template: &&LaunchTemplate| {
        template.versions.get(&1).is_some_and(|first| first.client_token == input.client_token)
    };
    let made = region.blueprints.templates().find(is_meant);
    let Some(template) = made else { return Ok(None) };
    let same = |one: &TemplateVersion| {
        one.data == input.launch_template_data && one.description == input.version_description
    };
    if template.name != input.launch_template_name || !template.versions.get(&1).is_some_and(same) {
        return Err(mismatch());
    }
    Ok(Some(TemplateOutput { launch_template: shown(region, template) }))
}

/// The token of another call.
pub(super) fn mismatch() -> AwsError {
    AwsError::new(
        "IdempotentParameterMismatch",
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    )
}

/// Input of ModifyLaunchTemplate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyInput {
    /// By id.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
    /// The version that `$Default` is to stand for.
    #[serde(rename = "SetDefaultVersion")]
    pub default_version: Option<String>,
}

/// Sets the default version.
pub fn modify(region: &mut Region, input: &ModifyInput) -> Result<TemplateOutput, AwsError> {
    let spec = crate::region::blueprints::TemplateSpec {
        launch_template_id: input.launch_template_id.clone(),
        launch_template_name: input.launch_template_name.clone(),
        version: input.default_version.clone(),
    };
    let (template, version) = region.blueprints.resolve(&spec)?;
    let (id, number) = (template.id.clone(), version.number);
    if let Some(template) = region.blueprints.template_mut(&id) {
        template.default = number;
    }
    let template = region.blueprints.template(Some(&id), None)?;
    Ok(TemplateOutput { launch_template: shown(region, template) })
}

/// Input of DeleteLaunchTemplate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// By id.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
}

/// Deletes a template with all versions. Groups that use it launch nothing any more.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<TemplateOutput, AwsError> {
    let (id, name) = (input.launch_template_id.as_deref(), input.launch_template_name.as_deref());
    let template = region.blueprints.template(id, name)?;
    let output = TemplateOutput { launch_template: shown(region, template) };
    region.blueprints.remove_template(&output.launch_template.launch_template_id);
    region.resource_tags.remove(&output.launch_template.launch_template_id);
    Ok(output)
}

/// Input of DescribeLaunchTemplates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// By id; all when empty.
    #[serde(rename = "LaunchTemplateId")]
    pub ids: Vec<String>,
    /// By name; all when empty.
    #[serde(rename = "LaunchTemplateName")]
    pub names: Vec<String>,
    /// `launch-template-name`, `create-time`, tags.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeLaunchTemplates.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeOutput {
    /// The page.
    pub launch_templates: Vec<TemplateDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// Describes templates. An unknown id or name is an error.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let mut found: Vec<&LaunchTemplate> = Vec::new();
    for id in &input.ids {
        found.push(region.blueprints.template(Some(id), None)?);
    }
    for name in &input.names {
        found.push(region.blueprints.template(None, Some(name))?);
    }
    if input.ids.is_empty() && input.names.is_empty() {
        found = region.blueprints.templates().collect();
    }
    keep(&mut found, &input.filters, |template, name| match name {
        "launch-template-name" => Some(vec![template.name.clone()]),
        "create-time" => Some(vec![template.created.to_string()]),
        _ => tags::values(&tags::of(region, &template.id), name),
    })?;
    let (found, next_token) = page(found, input.next_token.as_deref(), Size(input.max_results, 1, 200))?;
    let launch_templates = found.into_iter().map(|template| shown(region, template)).collect();
    Ok(DescribeOutput { launch_templates, next_token })
}

fn shown(region: &Region, template: &LaunchTemplate) -> TemplateDescription {
    TemplateDescription {
        launch_template_id: template.id.clone(),
        launch_template_name: template.name.clone(),
        create_time: template.created,
        created_by: creator(region),
        default_version_number: template.default,
        latest_version_number: template.latest,
        tag_set: tags::of(region, &template.id),
    }
}

/// Everything is made by the one user of the emulator.
pub(super) fn creator(region: &Region) -> String {
    format!("arn:aws:iam::{}:user/emulator", region.account_id)
}
