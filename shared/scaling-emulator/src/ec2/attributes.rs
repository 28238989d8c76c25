//! Attributes of instances: changed, and shown one by one.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::instances::{InstanceState, ROOT_DEVICE, STOPPED, groups_of, state};
use super::lifecycle::{found, has_ended};
use super::{images, invalid};
use crate::region::{Member, Region};
use crate::wire::AwsError;
use crate::wire::form::truth;

/// Input of ModifyInstanceAttribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyInput {
    /// The instance.
    pub instance_id: String,
    /// Its new type.
    pub instance_type: Option<AttributeValue>,
    /// Whether calls of EC2 may not end it.
    pub disable_api_termination: Option<AttributeValue>,
    /// Or the name of an attribute, `instanceType` or `disableApiTermination`,
    pub attribute: Option<String>,
    /// with its new value.
    pub value: Option<String>,
}

/// A value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeValue {
    /// The value.
    pub value: String,
}

/// Gives a stopped instance another type, or protects one from calls that end it. Other attributes are accepted and have no
/// effect. What has ended stays as it was.
pub fn modify(region: &mut Region, input: &ModifyInput) -> Result<Value, AwsError> {
    let id = &input.instance_id;
    let said = |given: &Option<AttributeValue>, name: &str| {
        let named = input.value.clone().filter(|_| input.attribute.as_deref() == Some(name));
        given.as_ref().map(|given| given.value.clone()).or(named)
    };
    let member = found(region, id)?;
    if has_ended(member) {
        let why = format!("The instance '{id}' is not in a state in which its attributes can be changed.");
        return Err(AwsError::new("IncorrectInstanceState", why));
    }
    let now = state(member);
    if let Some(said) = said(&input.disable_api_termination, "disableApiTermination") {
        let protected = protection(member, &said)?;
        if let Some(member) = region.present_mut(id) {
            Arc::make_mut(member.stamp.get_or_insert_default()).end_protected = protected;
        }
    }
    if let Some(kind) = said(&input.instance_type, "instanceType") {
        modify_type(region, id, now, &kind)?;
    }
    Ok(json!({ "return": true }))
}

/// Whether an instance is to be protected. There is nothing to say of that for a Spot Instance.
fn protection(member: &Member, said: &str) -> Result<bool, AwsError> {
    if member.spot {
        let why = "Modifying 'disableApiTermination' is not supported for spot instances.";
        return Err(AwsError::new("UnsupportedOperation", why));
    }
    truth(said).ok_or_else(|| invalid("DisableApiTermination", said, "Expecting true or false."))
}

fn modify_type(region: &mut Region, id: &str, now: InstanceState, kind: &str) -> Result<(), AwsError> {
    let machine = region.machines.machine(kind).ok_or_else(|| {
        AwsError::new("InvalidInstanceAttributeValue", format!("Invalid value '{kind}' for InstanceType."))
    })?;
    if now != STOPPED {
        return Err(not_stopped(id));
    }
    if found(region, id)?.spot {
        // *EC2 User Guide*, "Behavior of Spot Instance interruptions": a stopped one keeps its type.
        let why = format!("The instance type of the Spot Instance '{id}' can't be changed.");
        return Err(AwsError::new("UnsupportedOperation", why));
    }
    check_architecture(region, found(region, id)?, kind)?;
    if let Some(member) = region.present_mut(id) {
        member.instance_type = machine.instance_type;
    }
    Ok(())
}

/// Refuses a type that cannot run what the instance was launched from: *EC2 User Guide*, "Compatibility for changing the
/// instance type".
fn check_architecture(region: &Region, member: &Member, kind: &str) -> Result<(), AwsError> {
    let of = |kind: &str| region.machines.get(kind).map(|kind| kind.architecture.as_str());
    match of(member.instance_type.as_str()).zip(of(kind)) {
        Some((present, wanted)) if present != wanted => {
            Err(AwsError::new("InvalidParameterValue", images::mismatch(wanted, present)))
        }
        _ => Ok(()),
    }
}

fn not_stopped(id: &str) -> AwsError {
    AwsError::new("IncorrectInstanceState", format!("The instance '{id}' is not in the 'stopped' state."))
}

/// Input of DescribeInstanceAttribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The instance.
    pub instance_id: String,
    /// Which attribute.
    pub attribute: String,
}

/// Attributes that there are on EC2, and nothing to show of here.
const NOT_SHOWN: [&str; 6] =
    ["blockDeviceMapping", "enclaveOptions", "kernel", "productCodes", "ramdisk", "sriovNetSupport"];

/// Shows one attribute of those that are kept.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let member = found(region, &input.instance_id)?;
    let stamp = member.stamp.as_deref();
    let value = match input.attribute.as_str() {
        "instanceType" => json!({ "value": member.instance_type.as_str() }),
        "disableApiTermination" => json!({ "value": stamp.is_some_and(|stamp| stamp.end_protected) }),
        "instanceInitiatedShutdownBehavior" => {
            let said = stamp.and_then(|stamp| stamp.shutdown.as_deref());
            json!({ "value": said.unwrap_or("stop") })
        }
        "disableApiStop" => json!({ "value": false }),
        "ebsOptimized" => json!({ "value": stamp.is_some_and(|stamp| stamp.ebs_optimized) }),
        "sourceDestCheck" => json!({ "value": true }),
        "rootDeviceName" => json!({ "value": ROOT_DEVICE }),
        "groupSet" => {
            groups_of(region, member).into_iter().map(|group| json!({ "groupId": group.group_id })).collect()
        }
        "userData" => user_data(region, member).map_or_else(|| json!({}), |data| json!({ "value": data })),
        other if NOT_SHOWN.contains(&other) => {
            return Err(invalid(
                "Attribute",
                other,
                "There is such an attribute, and this emulator does not show it.",
            ));
        }
        other => return Err(invalid("Attribute", other, "Unknown attribute.")),
    };
    let attribute = input.attribute.clone();
    Ok(json!({ "instanceId": input.instance_id, attribute: value }))
}

/// The start script that an instance was launched with. Older states kept those of calls only; a version of a template says
/// what it always said.
fn user_data(region: &Region, member: &Member) -> Option<String> {
    let kept = member.stamp.as_ref().and_then(|stamp| stamp.user_data.clone());
    let of_template = || {
        let (_, version) = region.blueprints.resolve(member.template.as_ref()?).ok()?;
        version.data.user_data.clone()
    };
    kept.or_else(of_template).filter(|data| !data.is_empty())
}
