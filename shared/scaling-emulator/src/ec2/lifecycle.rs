//! Instances that belong to no group: run, stopped, started, given another type, ended. Instances of groups can be ended
//! and stopped here too; their group then finds them unhealthy.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instances::{InstanceDescription, InstanceState, RUNNING, shown_loose, state};
use super::template_data::TagSpecification;
use crate::region::blueprints::TemplateSpec;
use crate::region::loose::Loose;
use crate::region::{LifecycleState, Region};
use crate::wire::AwsError;

/// Most instances of one call.
const MOST: u32 = 1_000;

/// Input of RunInstances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunInput {
    /// Least number of instances.
    pub min_count: Option<u32>,
    /// Most of them; so many are run.
    pub max_count: Option<u32>,
    /// Image.
    pub image_id: Option<String>,
    /// Type.
    pub instance_type: Option<String>,
    /// Or a template for both.
    pub launch_template: Option<TemplateSpec>,
    /// Where.
    pub placement: Placement,
    /// Tags.
    #[serde(rename = "TagSpecification")]
    pub tags: Vec<TagSpecification>,
}

/// Where instances run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Placement {
    /// The zone, the region's first when absent.
    pub availability_zone: Option<String>,
}

/// Output of RunInstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct RunOutput {
    pub reservation_id: String,
    pub owner_id: String,
    pub instances_set: Vec<InstanceDescription>,
}

/// Runs instances that belong to no group.
pub fn run(region: &mut Region, input: &RunInput) -> Result<RunOutput, AwsError> {
    let missing = |name: &str| {
        AwsError::new("MissingParameter", format!("The request must contain the parameter {name}"))
    };
    let (least, most) = (
        input.min_count.ok_or_else(|| missing("MinCount"))?,
        input.max_count.ok_or_else(|| missing("MaxCount"))?,
    );
    if least == 0 || most < least || most > MOST {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!("Value ({least}) for parameter minCount, or ({most}) for maxCount, is invalid."),
        ));
    }
    let (mut image, mut kind) = (input.image_id.clone(), input.instance_type.clone());
    let mut template = None;
    if let Some(spec) = &input.launch_template {
        let (found, version) = region.blueprints.resolve(spec)?;
        image = image.or_else(|| version.data.image_id.clone());
        kind = kind.or_else(|| version.data.instance_type.clone());
        template = Some(found.spec(version.number));
    }
    let image = image.ok_or_else(|| missing("ImageId"))?;
    // What EC2 takes when nothing is said.
    let kind = kind.unwrap_or_else(|| "m1.small".to_owned());
    let kind = region.machines.machine(&kind).ok_or_else(|| {
        AwsError::new("InvalidParameterValue", format!("Invalid value '{kind}' for InstanceType."))
    })?;
    let zones = region.zones();
    let zone = input.placement.availability_zone.clone().unwrap_or_else(|| zones[0].clone());
    if !zones.contains(&zone) {
        return Err(AwsError::new("InvalidParameterValue", format!("Invalid availability zone: [{zone}]")));
    }
    let tagged = input.tags.iter().filter(|one| one.resource_type.as_deref() == Some("instance"));
    let tags: std::collections::BTreeMap<String, String> =
        tagged.flat_map(|one| &one.tags).map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    // A quota lets in as many as it has room for, and none where that is too few.
    let mut room = region.room();
    let mut fitting = 0;
    while fitting < most {
        match room.take(&kind) {
            Ok(()) => fitting += 1,
            Err(error) if fitting < least => return Err(error),
            Err(_) => break,
        }
    }
    let mut instances_set = Vec::new();
    for _ in 0..fitting {
        let mut loose = Loose::new(&mut region.ids, &kind, zone.clone(), region.now);
        loose.member.template.clone_from(&template);
        (loose.image, loose.tags) = (Some(image.clone()), tags.clone());
        instances_set.push(InstanceDescription {
            instance_state: InstanceState { code: 0, name: "pending" },
            ..shown_loose(region, &loose)
        });
        region.loose.insert(loose.member.id.clone(), loose);
    }
    Ok(RunOutput {
        reservation_id: region.ids.instance().replacen("i-", "r-", 1),
        owner_id: region.account_id.clone(),
        instances_set,
    })
}

/// Input of the operations that change the state of instances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StateInput {
    /// The instances.
    #[serde(rename = "InstanceId")]
    pub ids: Vec<String>,
}

/// Output of the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateOutput {
    /// One an instance.
    pub instances_set: Vec<StateChange>,
}

/// How an instance's state changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct StateChange {
    pub instance_id: String,
    pub current_state: InstanceState,
    pub previous_state: InstanceState,
}

/// Starts stopped instances.
pub fn start(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, LifecycleState::InService, InstanceState { code: 0, name: "pending" })
}

/// Stops instances.
pub fn stop(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, LifecycleState::WarmedStopped, InstanceState { code: 64, name: "stopping" })
}

/// Ends instances.
pub fn terminate(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, LifecycleState::Terminated, InstanceState { code: 32, name: "shutting-down" })
}

fn changed(
    region: &mut Region,
    input: &StateInput,
    to: LifecycleState,
    passing: InstanceState,
) -> Result<StateOutput, AwsError> {
    if input.ids.is_empty() {
        return Err(AwsError::new("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    for id in &input.ids {
        let now = region.loose.get(id).map(|loose| loose.member.state);
        if now.is_none() && region.instance(id).is_none() {
            return Err(unknown(id));
        }
        if now == Some(LifecycleState::Terminated) && to != LifecycleState::Terminated {
            return Err(AwsError::new(
                "IncorrectInstanceState",
                format!("The instance '{id}' is not in a state from which it can be started or stopped."),
            ));
        }
    }
    if to == LifecycleState::InService {
        let mut room = region.room();
        let stopped = input.ids.iter().filter_map(|id| region.loose.get(id));
        let stopped = stopped.filter(|loose| loose.member.state != LifecycleState::InService);
        let mut machines =
            stopped.filter_map(|loose| region.machines.machine(loose.member.instance_type.as_str()));
        machines.try_for_each(|machine| room.take(&machine))?;
    }
    let now = region.now;
    let mut instances_set = Vec::new();
    for id in &input.ids {
        let previous_state = if let Some(loose) = region.loose.get_mut(id) {
            let previous = state(loose.member.state);
            if loose.member.state != to {
                loose.member.state = to;
                loose.member.gone_at = (to == LifecycleState::Terminated).then_some(now);
            }
            previous
        } else {
            // Its group finds it unhealthy.
            if to != LifecycleState::InService {
                region.crash(id);
            }
            RUNNING
        };
        let unchanged = previous_state == state(to);
        let current_state = if unchanged { previous_state } else { passing };
        instances_set.push(StateChange { instance_id: id.clone(), current_state, previous_state });
    }
    Ok(StateOutput { instances_set })
}

/// `RebootInstances`: nothing that could be seen.
pub fn reboot(region: &mut Region, input: &StateInput) -> Result<Value, AwsError> {
    match input.ids.iter().find(|id| !region.loose.contains_key(*id) && region.instance(id).is_none()) {
        Some(id) => Err(unknown(id)),
        None => Ok(json!({ "return": true })),
    }
}

fn unknown(id: &str) -> AwsError {
    AwsError::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
}

/// Input of ModifyInstanceAttribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyInput {
    /// The instance.
    pub instance_id: String,
    /// Its new type.
    pub instance_type: Option<AttributeValue>,
}

/// A value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeValue {
    /// The value.
    pub value: String,
}

/// Gives a stopped instance another type. Other attributes are accepted and have no effect.
pub fn modify(region: &mut Region, input: &ModifyInput) -> Result<Value, AwsError> {
    let id = &input.instance_id;
    let machines = region.machines;
    let Some(loose) = region.loose.get_mut(id) else {
        return Err(match region.instance(id) {
            Some(_) => not_stopped(id),
            None => unknown(id),
        });
    };
    if let Some(AttributeValue { value }) = &input.instance_type {
        let kind = machines.machine(value).ok_or_else(|| {
            AwsError::new(
                "InvalidInstanceAttributeValue",
                format!("Invalid value '{value}' for InstanceType."),
            )
        })?;
        if loose.member.state != LifecycleState::WarmedStopped {
            return Err(not_stopped(id));
        }
        loose.member.instance_type = kind.instance_type;
    }
    Ok(json!({ "return": true }))
}

fn not_stopped(id: &str) -> AwsError {
    AwsError::new("IncorrectInstanceState", format!("The instance '{id}' is not in the 'stopped' state."))
}
