//! Scenarios: what an emulator begins with, and what happens at which time. One JSON document, for `scaling emulate
//! --scenario FILE` and `POST /_emulator/scenario`.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::emulator::State;
use crate::fault_rules::is_operation;
use crate::faults::{Fault, FaultError};
use crate::load_request::WorkloadRequest;
use crate::region::Region;
use crate::setup::GroupSetup;
use crate::wire::AwsError;
use crate::wire::form::Form;
use crate::{autoscaling, cloudwatch, ec2};

/// What an emulator begins with, and what happens at which time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// For people.
    pub description: Option<String>,
    /// Groups with all their instances in service.
    pub groups: Vec<GroupRequest>,
    /// Load and service of groups.
    pub workloads: Vec<WorkloadRequest>,
    /// Calls to the services, in order, after groups and workloads.
    pub calls: Vec<CallRequest>,
    /// Faults in force from the start.
    pub faults: Vec<Fault>,
    /// What happens later.
    pub timeline: Vec<Moment>,
}

/// A group with its launch template and a target group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRequest {
    /// Its name.
    pub name: String,
    /// Type of its instances.
    pub instance_type: String,
    /// Least desired capacity.
    pub min: u32,
    /// Most desired capacity.
    pub max: u32,
    /// Desired capacity.
    pub desired: u32,
    /// Tags by key.
    #[serde(default)]
    pub tags: std::collections::BTreeMap<String, String>,
}

/// A call to a service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// Such as `AutoScaling.PutScalingPolicy`.
    pub operation: String,
    /// Its members by their names, as SDKs have them.
    #[serde(default)]
    pub members: Value,
}

/// What happens at one time.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Seconds after the scenario began.
    pub at: f64,
    /// Faults that come into force.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Whether all faults end, before those above begin.
    #[serde(default)]
    pub clear_faults: bool,
    /// Workloads that change.
    #[serde(default)]
    pub workloads: Vec<WorkloadRequest>,
    /// Calls that are made.
    #[serde(default)]
    pub calls: Vec<CallRequest>,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is not what a scenario looks like.
    #[error("the scenario cannot be read")]
    Read(#[source] serde_json::Error),
    /// A group cannot be made.
    #[error("the scenario's group {name} cannot be made")]
    Group {
        /// Its name.
        name: String,
        /// The service's answer.
        #[source]
        source: AwsError,
    },
    /// A workload cannot be.
    #[error("the scenario's workload of {group} cannot be: {why}")]
    Workload {
        /// Its group.
        group: String,
        /// Why.
        why: &'static str,
    },
    /// A call is refused.
    #[error("the scenario's call of {operation} is refused")]
    Call {
        /// The operation.
        operation: String,
        /// The service's answer.
        #[source]
        source: AwsError,
    },
    /// A call names an operation that there is not.
    #[error("the scenario calls {0}, and there is no such operation")]
    Operation(String),
    /// A fault cannot be put in force.
    #[error("a fault of the scenario cannot be")]
    Fault(#[source] FaultError),
    /// A time cannot be.
    #[error("the scenario's time {0} must be seconds of at least 0")]
    Time(f64),
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError::Read`] with line and column.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        serde_json::from_str(text).map_err(ScenarioError::Read)
    }

    /// Begins it at the region's present moment. Where anything about it cannot be, nothing has changed.
    pub(crate) fn begin(self, state: &mut State) -> Result<(), ScenarioError> {
        self.timeline.iter().try_for_each(|moment| moment.check(&state.region))?;
        let mut begun = state.clone();
        self.begin_in(&mut begun)?;
        *state = begun;
        Ok(())
    }

    fn begin_in(self, state: &mut State) -> Result<(), ScenarioError> {
        let start = state.region.now;
        for group in &self.groups {
            let mut setup =
                GroupSetup::new(&group.name, &group.instance_type, (group.min, group.max, group.desired));
            setup.tags = group.tags.clone().into_iter().collect();
            setup
                .make(&mut state.region)
                .map_err(|source| ScenarioError::Group { name: group.name.clone(), source })?;
        }
        let mut timeline = Vec::new();
        for moment in self.timeline {
            let after =
                SignedDuration::try_from_secs_f64(moment.at).ok().filter(|after| !after.is_negative());
            let at = after
                .and_then(|after| start.checked_add(after).ok())
                .ok_or(ScenarioError::Time(moment.at))?;
            timeline.push((at, moment));
        }
        let first = Moment {
            at: 0.0,
            faults: self.faults,
            clear_faults: false,
            workloads: self.workloads,
            calls: self.calls,
        };
        first.happen(state)?;
        state.timeline.extend(timeline);
        state.timeline.make_contiguous().sort_by_key(|(at, _)| *at);
        Ok(())
    }
}

/// What is still to happen, soonest first.
pub(crate) type Timeline = VecDeque<(Timestamp, Moment)>;

/// Lets happen what is due.
pub(crate) fn happen(state: &mut State) {
    while state.timeline.front().is_some_and(|(at, _)| *at <= state.region.now) {
        let Some((_, moment)) = state.timeline.pop_front() else { return };
        if let Err(error) = moment.happen(state) {
            tracing::warn!(error = &error as &dyn std::error::Error, "a part of the scenario did not happen");
        }
    }
}

impl Moment {
    /// Checks what can be known before its time: that operations, types, zones and numbers are such.
    fn check(&self, region: &Region) -> Result<(), ScenarioError> {
        for workload in &self.workloads {
            let made = workload.workload(region.now);
            made.map_err(|why| ScenarioError::Workload { group: workload.group.clone(), why })?;
        }
        for CallRequest { operation, .. } in &self.calls {
            // A name here means one operation.
            if !is_operation(operation) || operation.ends_with('*') || operation.starts_with("STS.") {
                return Err(ScenarioError::Operation(operation.clone()));
            }
        }
        self.faults.iter().try_for_each(|fault| fault.check_form(region)).map_err(ScenarioError::Fault)
    }

    fn happen(self, state: &mut State) -> Result<(), ScenarioError> {
        let now = state.region.now;
        if self.clear_faults {
            state.faults.clear(&mut state.region);
        }
        for workload in self.workloads {
            let made = workload
                .workload(now)
                .map_err(|why| ScenarioError::Workload { group: workload.group.clone(), why })?;
            state.region.set_workload(&workload.group, made);
        }
        for call in self.calls {
            let answer = carry_out(&mut state.region, &call);
            answer.map_err(|source| ScenarioError::Call { operation: call.operation.clone(), source })?;
        }
        for fault in self.faults {
            state.faults.inject(fault, &mut state.region).map_err(ScenarioError::Fault)?;
        }
        Ok(())
    }
}

fn carry_out(region: &mut Region, call: &CallRequest) -> Result<Value, AwsError> {
    let (service, operation) = call.operation.split_once('.').unwrap_or(("", &call.operation));
    match service {
        "CloudWatch" => cloudwatch::dispatch(region, operation, call.members.clone()),
        "AutoScaling" => autoscaling::dispatch(region, operation, &form(&call.members, ".member")),
        "EC2" => ec2::dispatch(region, operation, &form(&call.members, "")),
        _ => Err(AwsError::new(
            "InvalidAction",
            "An operation is called AutoScaling.NAME, CloudWatch.NAME or EC2.NAME.",
        )),
    }
}

/// Members as a form. `list` stands between a list's name and the numbers of its items.
fn form(members: &Value, list: &str) -> Form {
    fn flatten(pairs: &mut Vec<(String, String)>, name: &str, value: &Value, list: &str) {
        let under = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        match value {
            Value::Null => {}
            Value::Object(members) => {
                members.iter().for_each(|(member, value)| flatten(pairs, &under(member), value, list));
            }
            Value::Array(items) => {
                for (number, item) in (1..).zip(items) {
                    flatten(pairs, &format!("{name}{list}.{number}"), item, list);
                }
            }
            Value::String(text) => pairs.push((name.to_owned(), text.clone())),
            other => pairs.push((name.to_owned(), other.to_string())),
        }
    }
    let mut pairs = Vec::new();
    flatten(&mut pairs, "", members, list);
    Form::parse(serde_urlencoded::to_string(pairs).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_become_the_form_that_a_client_would_send() {
        let members =
            json!({ "Name": "web", "Tags": [{ "Key": "a", "On": true }, { "Key": "b" }], "None": null });
        let query = form(&members, ".member");
        assert_eq!(query.get("Tags.member.2.Key"), Some("b"));
        assert_eq!(query.get("Tags.member.1.On"), Some("true"));
        assert_eq!(form(&members, "").get("Tags.1.Key"), Some("a"));
    }

    #[test]
    fn what_is_no_scenario_is_refused_with_its_place() {
        let error = Scenario::parse("{\n \"grups\": [] }").unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("grups") && source.contains("line 2"), "{source}");
    }
}
