//! Instances: stopped, started, ended. Those of groups too: their group then finds them unhealthy, unless
//! they are in standby.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instances::{InstanceState, RUNNING, STOPPED, TERMINATED, check_id, state};
use crate::region::{Condition, LifecycleState, Member, Region};
use crate::wire::AwsError;

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
pub(super) fn found<'a>(region: &'a Region, id: &str) -> Result<&'a Member, AwsError> {
    check_id(id)?;
    region.member(id).ok_or_else(|| unknown(id))
}

fn changed(region: &mut Region, input: &StateInput, step: Step) -> Result<StateOutput, AwsError> {
    if input.ids.is_empty() {
        return Err(AwsError::new("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    let (end, passing) = step.states();
    let mut room = region.room();
    for id in &input.ids {
        let member = found(region, id)?;
        check(member, step)?;
        if step == Step::Start && state(member) == STOPPED {
            let kind = member.instance_type.as_str();
            region.launch_faults.refusal(kind, &member.zone).map_or(Ok(()), Err)?;
            // The quotas are of on-demand instances.
            let machine = region.machines.machine(kind).filter(|_| !member.spot);
            machine.map_or(Ok(()), |kind| room.take(&kind))?;
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

/// Refuses what cannot be done to an instance as it is. What has ended can be ended again, whatever protected it.
fn check(member: &Member, step: Step) -> Result<(), AwsError> {
    let (id, now) = (&member.id, state(member));
    match step {
        Step::Terminate if has_ended(member) => Ok(()),
        Step::Terminate => check_protection(member),
        _ if !matches!(now.name, "running" | "stopped") => Err(AwsError::new(
            "IncorrectInstanceState",
            format!("The instance '{id}' is not in a state from which it can be started or stopped."),
        )),
        Step::Stop => check_request(member),
        // *EC2 User Guide*, "Behavior of Spot Instance interruptions": only EC2 starts it again.
        Step::Start if now == STOPPED && member.interrupted => Err(inappropriate(id, "start")),
        Step::Start => Ok(()),
    }
}

/// Whether an instance has ended or is about to.
pub(super) fn has_ended(member: &Member) -> bool {
    matches!(state(member).name, "terminated" | "shutting-down")
}

/// Refuses to end what is protected. A Spot Instance is not, whatever an older state says.
fn check_protection(member: &Member) -> Result<(), AwsError> {
    let protected = member.stamp.as_ref().is_some_and(|stamp| stamp.end_protected);
    if !protected || member.spot {
        return Ok(());
    }
    Err(AwsError::new(
        "OperationNotPermitted",
        format!(
            "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
            member.id
        ),
    ))
}

/// Refuses to stop a Spot Instance whose request does not outlive it, or is cancelled: *EC2 User Guide*, "Stop a Spot
/// Instance" and "Cancel a Spot Instance request".
fn check_request(member: &Member) -> Result<(), AwsError> {
    let id = &member.id;
    if member.spot && !member.persistent {
        return Err(AwsError::new(
            "UnsupportedOperation",
            format!(
                "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance request. \
                 You can only stop Spot Instances associated with persistent Spot Instance requests."
            ),
        ));
    }
    if member.spot && member.request_cancelled {
        return Err(inappropriate(id, "stop"));
    }
    Ok(())
}

/// What is asked for does not fit the state of an instance's Spot request.
fn inappropriate(id: &str, what: &str) -> AwsError {
    let why = format!(
        "You can't {what} the Spot Instance '{id}' because the associated Spot Instance request is not in an appropriate \
         state to support {what}."
    );
    AwsError::new("IncorrectSpotRequestState", why)
}

fn carry_out(region: &mut Region, id: &str, step: Step) {
    let now = region.now;
    if let Some(member) = region.present_mut(id).filter(|_| step == Step::Start) {
        member.change_request(now);
    }
    match (step, region.loose.get_mut(id)) {
        (Step::Start, Some(loose)) => {
            (loose.member.state, loose.member.condition) = (LifecycleState::InService, Condition::Sound);
        }
        (Step::Start, None) => region.mend(id),
        (Step::Stop, _) => {
            region.lose(id, Condition::Stopped);
        }
        (Step::Terminate, _) => {
            // Whatever was done to it before, this ends it.
            if let Some(member) = region.present_mut(id) {
                member.interrupted = false;
            }
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
