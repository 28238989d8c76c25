//! Deleting versions of launch templates.

use serde::{Deserialize, Serialize};

use crate::region::Region;
use crate::wire::AwsError;

/// Most versions of one call.
const MOST: usize = 200;

/// Input of DeleteLaunchTemplateVersions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteInput {
    /// By id.
    pub launch_template_id: Option<String>,
    /// Or by name.
    pub launch_template_name: Option<String>,
    /// The versions' numbers.
    #[serde(rename = "LaunchTemplateVersion")]
    pub versions: Vec<String>,
}

/// Output of DeleteLaunchTemplateVersions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOutput {
    /// Those that are gone.
    pub successfully_deleted_launch_template_version_set: Vec<Deleted>,
    /// Those that are not.
    pub unsuccessfully_deleted_launch_template_version_set: Vec<Deleted>,
}

/// One version that is gone, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Deleted {
    pub launch_template_id: String,
    pub launch_template_name: String,
    pub version_number: u32,
    pub response_error: Option<ResponseError>,
}

/// Why one is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct ResponseError {
    pub code: &'static str,
    pub message: String,
}

/// Deletes versions of a template; the default one stays, and is told as not deleted.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<DeleteOutput, AwsError> {
    let (id, name) = (input.launch_template_id.as_deref(), input.launch_template_name.as_deref());
    let id = region.blueprints.template(id, name)?.id.clone();
    if input.versions.is_empty() || input.versions.len() > MOST {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!("From 1 to {MOST} launch template versions must be specified."),
        ));
    }
    let mut output = DeleteOutput::default();
    let Some(template) = region.blueprints.template_mut(&id) else { return Ok(output) };
    for text in &input.versions {
        let number: u32 = text.parse().map_err(|_| {
            AwsError::new(
                "InvalidParameterValue",
                format!("'{text}' is not a launch template version number."),
            )
        })?;
        let response_error = if number == template.default {
            Some(ResponseError {
                code: "unexpectedError",
                message: "The default version cannot be deleted.".to_owned(),
            })
        } else if template.versions.remove(&number).is_none() {
            Some(ResponseError {
                code: "launchTemplateVersionDoesNotExist",
                message: format!("Version {number} does not exist."),
            })
        } else {
            None
        };
        let failed = response_error.is_some();
        let one = Deleted {
            launch_template_id: id.clone(),
            launch_template_name: template.name.clone(),
            version_number: number,
            response_error,
        };
        if failed {
            output.unsuccessfully_deleted_launch_template_version_set.push(one);
        } else {
            output.successfully_deleted_launch_template_version_set.push(one);
        }
    }
    Ok(output)
}
