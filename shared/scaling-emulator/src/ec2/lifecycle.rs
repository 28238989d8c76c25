//! Instances: run, stopped, started, given another type, ended. Those of groups too: their group then finds them unhealthy,
//! unless they are in standby.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instances::{
    InstanceDescription, InstanceState, RUNNING, STOPPED, TERMINATED, check_id, shown_loose, state,
};
use super::network;
use super::template_data::TagSpecification;
use crate::region::blueprints::TemplateSpec;
use crate::region::loose::Loose;
use crate::region::{Condition, LifecycleState, Member, Region};
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
    /// Where,
    pub placement: Placement,
    /// by zone or by the subnet that each zone has.
    pub subnet_id: Option<String>,
    /// Key pair.
    pub key_name: Option<String>,
    /// The same call again, which this tells, runs nothing more.
    pub client_token: Option<String>,
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
    if let Some(before) = run_before(region, input)? {
        return Ok(before);
    }
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
    let zone = zone(region, input, kind.instance_type.as_str())?;
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
    let reservation = region.ids.instance().replacen("i-", "r-", 1);
    let mut instances_set = Vec::new();
    for _ in 0..fitting {
        let mut loose = Loose::new(&mut region.ids, &kind, zone.clone(), region.now);
        loose.member.template.clone_from(&template);
        (loose.image, loose.tags) = (Some(image.clone()), tags.clone());
        loose.reservation = Some(reservation.clone());
        (loose.client_token, loose.key_name) = (input.client_token.clone(), input.key_name.clone());
        instances_set.push(InstanceDescription {
            instance_state: InstanceState { code: 0, name: "pending" },
            ..shown_loose(region, &loose)
        });
        region.loose.insert(loose.member.id.clone(), loose);
    }
    Ok(RunOutput { reservation_id: reservation, owner_id: region.account_id.clone(), instances_set })
}

/// What a call with the same token ran before; the token of another call is refused.
fn run_before(region: &Region, input: &RunInput) -> Result<Option<RunOutput>, AwsError> {
    let Some(token) = input.client_token.as_deref().filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    let before: Vec<&Loose> =
        region.loose.values().filter(|loose| loose.client_token.as_deref() == Some(token)).collect();
    let Some(first) = before.first() else { return Ok(None) };
    let kind = first.member.instance_type.to_string();
    let other = input.instance_type.as_ref().is_some_and(|wanted| *wanted != kind)
        || input.image_id.is_some() && input.image_id != first.image
        || input.max_count.is_some_and(|most| before.len() > most as usize);
    if other {
        return Err(AwsError::new(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        ));
    }
    Ok(Some(RunOutput {
        reservation_id: first.reservation.clone().unwrap_or_default(),
        owner_id: region.account_id.clone(),
        instances_set: before.iter().map(|loose| shown_loose(region, loose)).collect(),
    }))
}

/// Where instances are run, if they can be there.
fn zone(region: &Region, input: &RunInput, kind: &str) -> Result<String, AwsError> {
    let zones = region.zones();
    let named = input.placement.availability_zone.clone();
    let zone = match input.subnet_id.as_deref() {
        None => named.unwrap_or_else(|| zones[0].clone()),
        Some(subnet) => {
            let own = (0..zones.len()).find(|place| network::subnet(*place) == subnet);
            own.and_then(|place| zones.get(place)).cloned().ok_or_else(|| {
                AwsError::new("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist"))
            })?
        }
    };
    if !zones.contains(&zone) {
        return Err(AwsError::new("InvalidParameterValue", format!("Invalid availability zone: [{zone}]")));
    }
    region.launch_faults.refusal(kind, &zone, &zones).map_or(Ok(zone), Err)
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

/// What a call does to the state of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Stop,
    Terminate,
}

impl Step {
    /// The state that it ends in, and the one on the way there.
    fn states(self) -> (InstanceState, InstanceState) {
        match self {
            Self::Start => (RUNNING, InstanceState { code: 0, name: "pending" }),
            Self::Stop => (STOPPED, InstanceState { code: 64, name: "stopping" }),
            Self::Terminate => (TERMINATED, InstanceState { code: 32, name: "shutting-down" }),
        }
    }
}

/// Starts stopped instances.
pub fn start(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, Step::Start)
}

/// Stops instances.
pub fn stop(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, Step::Stop)
}

/// Ends instances.
pub fn terminate(region: &mut Region, input: &StateInput) -> Result<StateOutput, AwsError> {
    changed(region, input, Step::Terminate)
}

/// An instance, in a group or not.
fn found<'a>(region: &'a Region, id: &str) -> Result<&'a Member, AwsError> {
    check_id(id)?;
    let loose = region.loose.get(id).map(|loose| &loose.member);
    loose.or_else(|| region.instance(id).map(|(_, member)| member)).ok_or_else(|| unknown(id))
}

fn changed(region: &mut Region, input: &StateInput, step: Step) -> Result<StateOutput, AwsError> {
    if input.ids.is_empty() {
        return Err(AwsError::new("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    let (end, passing) = step.states();
    let mut room = region.room();
    for id in &input.ids {
        let member = found(region, id)?;
        let now = state(member);
        if step != Step::Terminate && !matches!(now.name, "running" | "stopped") {
            return Err(AwsError::new(
                "IncorrectInstanceState",
                format!("The instance '{id}' is not in a state from which it can be started or stopped."),
            ));
        }
        if step == Step::Start && now == STOPPED {
            let kind = member.instance_type.as_str();
            region.launch_faults.refusal(kind, &member.zone, &region.zones()).map_or(Ok(()), Err)?;
            region.machines.machine(member.instance_type.as_str()).map_or(Ok(()), |kind| room.take(&kind))?;
        }
    }
    let mut instances_set = Vec::new();
    for id in &input.ids {
        let previous_state = state(found(region, id)?);
        let unchanged = previous_state == end || previous_state == passing;
        if !unchanged {
            carry_out(region, id, step);
        }
        let current_state = if unchanged { previous_state } else { passing };
        instances_set.push(StateChange { instance_id: id.clone(), current_state, previous_state });
    }
    Ok(StateOutput { instances_set })
}

fn carry_out(region: &mut Region, id: &str, step: Step) {
    match (step, region.loose.get_mut(id)) {
        (Step::Start, Some(loose)) => {
            (loose.member.state, loose.member.condition) = (LifecycleState::InService, Condition::Sound);
        }
        (Step::Start, None) => region.mend(id),
        (Step::Stop, _) => {
            region.lose(id, Condition::Stopped);
        }
        (Step::Terminate, _) => {
            region.lose(id, Condition::Terminated);
        }
    }
}

/// `RebootInstances`: nothing that could be seen.
pub fn reboot(region: &mut Region, input: &StateInput) -> Result<Value, AwsError> {
    input.ids.iter().try_for_each(|id| found(region, id).map(drop))?;
    Ok(json!({ "return": true }))
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
    /// Or the name of an attribute, `instanceType`,
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

/// Gives a stopped instance another type. Other attributes are accepted and have no effect.
pub fn modify(region: &mut Region, input: &ModifyInput) -> Result<Value, AwsError> {
    let id = &input.instance_id;
    let named = input.attribute.as_deref() == Some("instanceType");
    let kind =
        input.instance_type.as_ref().map(|given| &given.value).or(input.value.as_ref().filter(|_| named));
    let now = state(found(region, id)?);
    let Some(kind) = kind else { return Ok(json!({ "return": true })) };
    let machine = region.machines.machine(kind).ok_or_else(|| {
        AwsError::new("InvalidInstanceAttributeValue", format!("Invalid value '{kind}' for InstanceType."))
    })?;
    if now != STOPPED {
        return Err(not_stopped(id));
    }
    let loose = region.loose.get_mut(id).map(|loose| &mut loose.member);
    let members = region.groups.values_mut().flat_map(|group| &mut group.members);
    if let Some(member) = loose.into_iter().chain(members).find(|member| member.id == *id) {
        member.instance_type = machine.instance_type;
    }
    Ok(json!({ "return": true }))
}

fn not_stopped(id: &str) -> AwsError {
    AwsError::new("IncorrectInstanceState", format!("The instance '{id}' is not in the 'stopped' state."))
}
