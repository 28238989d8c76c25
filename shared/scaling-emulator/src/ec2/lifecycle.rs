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
        let now = state(member);
        if step != Step::Terminate && !matches!(now.name, "running" | "stopped") {
            return Err(AwsError::new(
                "IncorrectInstanceState",
                format!("The instance '{id}' is not in a state from which it can be started or stopped."),
            ));
        }
        if step == Step::Terminate && member.stamp.as_ref().is_some_and(|stamp| stamp.end_protected) {
            return Err(AwsError::new(
                "OperationNotPermitted",
                format!(
                    "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and \
                     try again."
                ),
            ));
        }
        if step == Step::Stop && member.spot && !member.persistent {
            // *EC2 User Guide*, "Stop a Spot Instance".
            return Err(AwsError::new(
                "UnsupportedOperation",
                format!(
                    "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance \
                     request. You can only stop Spot Instances associated with persistent Spot Instance requests."
                ),
            ));
        }
        if step == Step::Start && now == STOPPED && member.interrupted {
            // *EC2 User Guide*, "Behavior of Spot Instance interruptions": only EC2 starts it again.
            return Err(AwsError::new(
                "IncorrectSpotRequestState",
                format!(
                    "You can't start the Spot Instance '{id}' because the associated Spot Instance request is not in an \
                     appropriate state to support start."
                ),
            ));
        }
        if step == Step::Start && now == STOPPED {
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
