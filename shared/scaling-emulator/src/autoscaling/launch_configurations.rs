//! Launch configurations, as far as a group that has one can be described and launched.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fits;
use super::kinds::MOST_CONFIGURATIONS;
use super::page::{Sizes, not_too_many, sorted};
use crate::ec2::{images, spot};
use crate::region::blueprints::LaunchConfiguration;
use crate::region::launch::LaunchSource;
use crate::region::{Member, Region};
use crate::wire::AwsError;

/// Input of CreateLaunchConfiguration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    /// Name.
    pub launch_configuration_name: String,
    /// Image.
    pub image_id: Option<String>,
    /// Type.
    pub instance_type: Option<String>,
    /// The instance that it is made like, in what is not said otherwise.
    pub instance_id: Option<String>,
    /// What else it says; kept and shown.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// Members of a launch configuration that are kept and shown, and nothing more.
const KEPT: [&str; 13] = [
    "AssociatePublicIpAddress",
    "BlockDeviceMappings",
    "ClassicLinkVPCId",
    "ClassicLinkVPCSecurityGroups",
    "EbsOptimized",
    "IamInstanceProfile",
    "InstanceMonitoring",
    "KeyName",
    "MetadataOptions",
    "PlacementTenancy",
    "SecurityGroups",
    "SpotPrice",
    "UserData",
];

/// What those members are when nothing is said.
fn unsaid() -> BTreeMap<String, Value> {
    let said = [
        ("BlockDeviceMappings", json!([])),
        ("EbsOptimized", json!(false)),
        ("InstanceMonitoring", json!({ "Enabled": true })),
        ("KeyName", json!("")),
        ("SecurityGroups", json!([])),
        ("UserData", json!("")),
    ];
    said.map(|(member, value)| (member.to_owned(), value)).into()
}

/// Makes a launch configuration.
pub fn create(region: &mut Region, input: &CreateInput) -> Result<(), AwsError> {
    let name = input.launch_configuration_name.clone();
    fits(&name, 255, "launchConfigurationName")?;
    if region.blueprints.configurations.contains_key(&name) {
        let message = format!(
            "Launch Configuration by this name already exists - A launch configuration already exists with the name {name}"
        );
        return Err(AwsError::new("AlreadyExists", message));
    }
    if region.blueprints.configurations.len() >= MOST_CONFIGURATIONS {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("You've reached the limit of {MOST_CONFIGURATIONS} launch configurations."),
        ));
    }
    let model = match &input.instance_id {
        Some(id) => Some(like(region, &name, id)?.0),
        None => None,
    };
    let image_id = input.image_id.clone().or_else(|| Some(model.as_ref()?.image_id.clone()));
    let instance_type = input.instance_type.clone().or_else(|| Some(model.as_ref()?.instance_type.clone()));
    let (Some(image_id), Some(instance_type)) = (image_id, instance_type) else {
        return Err(AwsError::validation(
            "Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType \
             parameters.",
        ));
    };
    if let Some(why) = images::malformed(&image_id) {
        return Err(AwsError::validation(format!("AMI {image_id} is invalid: {why}")));
    }
    let Some(kind) = region.machines.get(&instance_type) else {
        return Err(AwsError::invalid_value(&instance_type, "InstanceType"));
    };
    if let Some(why) = images::unfit(&image_id, kind) {
        return Err(AwsError::validation(why));
    }
    let arn = arn(region, &name);
    let mut rest = model.map(|model| model.rest).unwrap_or_default();
    rest.extend(input.rest.clone());
    rest.retain(|member, _| KEPT.contains(&member.as_str()));
    let created = region.now;
    let made = LaunchConfiguration { arn, name: name.clone(), created, image_id, instance_type, rest };
    if let Some(wrong) = made.spot_price().filter(|price| spot::offered(price).is_none()) {
        return Err(AwsError::validation(format!(
            "Invalid SpotPrice: {wrong}. It must be a number of at least 0.001."
        )));
    }
    region.blueprints.configurations.insert(name, made);
    Ok(())
}

fn arn(region: &mut Region, name: &str) -> String {
    format!(
        "arn:aws:autoscaling:{}:{}:launchConfiguration:{}:launchConfigurationName/{name}",
        region.name,
        region.account_id,
        region.ids.uuid()
    )
}

/// A launch configuration that says what an instance is, and the instance's zone.
pub(super) fn like(
    region: &mut Region,
    name: &str,
    id: &str,
) -> Result<(LaunchConfiguration, String), AwsError> {
    if region.blueprints.configurations.contains_key(name) {
        let message = format!(
            "Launch Configuration by this name already exists - A launch configuration already exists with the name {name}"
        );
        return Err(AwsError::new("AlreadyExists", message));
    }
    let loose = region.loose.get(id).map(|loose| Member::from(loose.clone()));
    let member = loose.or_else(|| region.instance(id).map(|(_, member)| member.clone()));
    let stamp = member.as_ref().and_then(|member| member.stamp.clone()).unwrap_or_default();
    let (Some(member), Some(image_id)) = (member, stamp.image.clone()) else {
        return Err(AwsError::validation(format!("Invalid Instance ID: {id}")));
    };
    let mut rest = BTreeMap::new();
    let texts = [("KeyName", &stamp.key_name), ("IamInstanceProfile", &stamp.profile)];
    rest.extend(
        texts.into_iter().filter_map(|(member, text)| Some((member.to_owned(), json!(text.as_ref()?)))),
    );
    if !stamp.security_groups.is_empty() {
        rest.insert("SecurityGroups".to_owned(), json!(stamp.security_groups));
    }
    let configuration = LaunchConfiguration {
        arn: arn(region, name),
        name: name.to_owned(),
        created: region.now,
        image_id,
        instance_type: member.instance_type.to_string(),
        rest,
    };
    Ok((configuration, member.zone))
}

/// Input of DeleteLaunchConfiguration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// Name.
    pub launch_configuration_name: String,
}

/// Deletes a launch configuration that no group uses.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<(), AwsError> {
    let name = input.launch_configuration_name.clone();
    let used = LaunchSource::Configuration(name.clone());
    if region.groups().any(|group| group.settings.source == used) {
        return Err(AwsError::new(
            "ResourceInUse",
            format!(
                "Cannot delete launch configuration {name} because it is attached to an AutoScalingGroup"
            ),
        ));
    }
    match region.blueprints.configurations.remove(&name) {
        Some(_) => Ok(()),
        None => Err(AwsError::validation(format!(
            "Launch configuration name not found - Launch configuration {name} not found"
        ))),
    }
}

/// Input of DescribeLaunchConfigurations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// All when empty.
    pub launch_configuration_names: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeLaunchConfigurations.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page.
    pub launch_configurations: Vec<Description>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A launch configuration as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Description {
    pub launch_configuration_name: String,
    #[serde(rename = "LaunchConfigurationARN")]
    pub launch_configuration_arn: String,
    pub image_id: String,
    pub instance_type: String,
    pub created_time: Timestamp,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// Describes launch configurations.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    not_too_many(&input.launch_configuration_names, "launch configuration names")?;
    let names = &input.launch_configuration_names;
    let found = region.blueprints.configurations.values();
    let found = found.filter(|made| names.is_empty() || names.contains(&made.name)).collect();
    let key = |made: &&LaunchConfiguration| made.name.clone();
    let page = sorted(found, key, input.next_token.as_deref(), size)?;
    let describe = |made: &LaunchConfiguration| Description {
        launch_configuration_name: made.name.clone(),
        launch_configuration_arn: made.arn.clone(),
        image_id: made.image_id.clone(),
        instance_type: made.instance_type.clone(),
        created_time: made.created,
        rest: unsaid().into_iter().chain(made.rest.clone()).collect(),
    };
    Ok(DescribeOutput {
        launch_configurations: page.items.into_iter().map(describe).collect(),
        next_token: page.next_token,
    })
}
