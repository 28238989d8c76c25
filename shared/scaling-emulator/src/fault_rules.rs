//! What a fault must be to be put in force: it names what there is, and its numbers are within their bounds.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::faults::{Fault, When, means};
use crate::region::{Region, trouble};
use crate::wire;

/// Longest delay of an answer, in milliseconds: no client waits longer.
const LONGEST_DELAY: u64 = 600_000;

/// Why a fault cannot be put in force.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// It names an operation that no service has.
    #[error(
        "no operation is called `{0}`: names are such as AutoScaling.SetDesiredCapacity, EC2.Describe*, STS.* and *"
    )]
    Operation(String),
    /// It names an instance that is not there, or has ended.
    #[error("there is no instance `{0}` that could fail")]
    Instance(String),
    /// It names a type that is not in the catalogue.
    #[error("there is no instance type `{0}`")]
    InstanceType(String),
    /// It names a zone that the region does not have.
    #[error("there is no zone `{zone}`: the zones are {}", .known.join(", "))]
    Zone {
        /// The zone.
        zone: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// A number is out of its bounds.
    #[error("`{member}` must be {rule}")]
    Number {
        /// Which.
        member: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

/// Whether an operation of any service has that name, which may end in `*`.
pub(crate) fn is_operation(name: &str) -> bool {
    wire::operations().any(|(scope, operation)| {
        let service = match scope {
            "autoscaling" => "AutoScaling",
            "ec2" => "EC2",
            "monitoring" => "CloudWatch",
            _ => "STS",
        };
        means(name, &format!("{service}.{operation}"))
    })
}

impl Fault {
    /// Checks it against what there is now.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self, region: &Region) -> Result<(), FaultError> {
        self.check_form(region)?;
        match self {
            Self::SpotInterruption { instance_id } => {
                check_instance(instance_id, region.may_be_interrupted(instance_id))
            }
            Self::InstanceCrash { instance_id } => check_instance(instance_id, region.may_fail(instance_id)),
            _ => Ok(()),
        }
    }

    /// Checks all but the instance that it names, which may be launched before the fault's time has come.
    pub(crate) fn check_form(&self, region: &Region) -> Result<(), FaultError> {
        match self {
            Self::Throttle { operation, when }
            | Self::Malformed { operation, when }
            | Self::Truncated { operation, when } => check_call(operation, *when),
            Self::Fail { operation, code, status, when } => {
                bounds((400..=599).contains(status), "status", "from 400 to 599")?;
                bounds(!code.is_empty(), "code", "a word")?;
                check_call(operation, *when)
            }
            Self::Delay { operation, milliseconds, when } => {
                bounds(*milliseconds <= LONGEST_DELAY, "milliseconds", "at most 600000")?;
                check_call(operation, *when)
            }
            Self::RateLimit(limit) => {
                bounds(limit.burst.is_finite() && limit.burst >= 1.0, "burst", "a number of at least 1")?;
                let per_second = limit.per_second;
                bounds(per_second.is_finite() && per_second >= 0.0, "per_second", "a number of at least 0")?;
                check_operation(&limit.operation)
            }
            Self::CapacityShortage { instance_type } | Self::LaunchFailure { instance_type, .. } => {
                check_type(instance_type, region)
            }
            Self::ZoneShortage { instance_type, zone } => {
                check_type(instance_type, region)?;
                check_zone(zone, region)
            }
            Self::ZoneOutage { zone } => check_zone(zone, region),
            Self::PublishedRates
            | Self::VcpuQuota { .. }
            | Self::LostMetrics { .. }
            | Self::LateMetrics { .. }
            | Self::SpotInterruption { .. }
            | Self::InstanceCrash { .. } => Ok(()),
        }
    }
}

fn check_call(operation: &str, when: When) -> Result<(), FaultError> {
    bounds(when.times != Some(0), "times", "at least 1")?;
    bounds(when.rate.is_none_or(|rate| (0.0..=1.0).contains(&rate)), "rate", "from 0 to 1")?;
    check_operation(operation)
}

fn check_operation(name: &str) -> Result<(), FaultError> {
    if is_operation(name) { Ok(()) } else { Err(FaultError::Operation(name.to_owned())) }
}

fn check_instance(id: &str, may_fail: bool) -> Result<(), FaultError> {
    if may_fail { Ok(()) } else { Err(FaultError::Instance(id.to_owned())) }
}

fn check_type(name: &str, region: &Region) -> Result<(), FaultError> {
    let known = name == trouble::ANY || region.machines.get(name).is_some();
    if known { Ok(()) } else { Err(FaultError::InstanceType(name.to_owned())) }
}

fn check_zone(zone: &str, region: &Region) -> Result<(), FaultError> {
    let known = region.zones();
    if zone == trouble::ANY || known.iter().any(|one| one == zone) {
        return Ok(());
    }
    Err(FaultError::Zone { zone: zone.to_owned(), known: known.to_vec() })
}

fn bounds(holds: bool, member: &'static str, rule: &'static str) -> Result<(), FaultError> {
    if holds { Ok(()) } else { Err(FaultError::Number { member, rule }) }
}

/// Read strictly: a member that the kind of fault does not have is refused, so that no slip of the pen goes unseen.
impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::<String, Value>::deserialize(deserializer)?;
        let fault = Self::deserialize(Value::Object(given.clone())).map_err(de::Error::custom)?;
        let known = serde_json::to_value(&fault).map_err(de::Error::custom)?;
        let unknown = given.keys().find(|member| known.get(member.as_str()).is_none());
        match unknown {
            None => Ok(fault),
            Some(unknown) => {
                let members = known.as_object().into_iter().flat_map(Map::keys);
                let members: Vec<&str> = members.map(String::as_str).collect();
                Err(de::Error::custom(format!(
                    "unknown field `{unknown}`, expected one of {}",
                    members.join(", ")
                )))
            }
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Settings;

    fn read(fault: Value) -> Result<Fault, String> {
        let fault: Fault = serde_json::from_value(fault).map_err(|error| error.to_string())?;
        let region = Region::new(&Settings::default());
        fault.check(&region).map_err(|error| error.to_string()).map(|()| fault)
    }

    #[test]
    fn what_there_is_not_and_what_cannot_be_is_refused_by_name() {
        for (fault, part) in [
            (
                json!({ "kind": "throttle", "operation": "*", "tmes": 3 }),
                "unknown field `tmes`, expected one of",
            ),
            (json!({ "kind": "published_rates", "rate": 1 }), "unknown field `rate`"),
            (json!({ "kind": "throtle", "operation": "*" }), "unknown variant `throtle`"),
            (json!({ "kind": "throttle" }), "missing field `operation`"),
            (
                json!({ "kind": "throttle", "operation": "Autoscaling.*" }),
                "no operation is called `Autoscaling.*`",
            ),
            (json!({ "kind": "throttle", "operation": "EC2.Launch" }), "no operation is called `EC2.Launch`"),
            (json!({ "kind": "throttle", "operation": "*", "rate": 1.5 }), "`rate` must be from 0 to 1"),
            (json!({ "kind": "throttle", "operation": "*", "times": 0 }), "`times` must be at least 1"),
            (json!({ "kind": "fail", "operation": "*", "code": "X", "status": 99 }), "`status` must be"),
            (
                json!({ "kind": "delay", "operation": "*", "milliseconds": 1_000_000 }),
                "`milliseconds` must be",
            ),
            (
                json!({ "kind": "rate_limit", "operation": "*", "burst": 0, "per_second": 1 }),
                "`burst` must be",
            ),
            (
                json!({ "kind": "rate_limit", "operation": "*", "burst": 1, "per_second": -1 }),
                "`per_second` must",
            ),
            (
                json!({ "kind": "capacity_shortage", "instance_type": "m7i.lrage" }),
                "no instance type `m7i.lrage`",
            ),
            (json!({ "kind": "zone_outage", "zone": "us-east-1z" }), "the zones are us-east-1a, us-east-1b"),
            (json!({ "kind": "zone_shortage", "instance_type": "*", "zone": "a" }), "there is no zone `a`"),
            (json!({ "kind": "instance_crash", "instance_id": "i-0" }), "there is no instance `i-0`"),
            (json!({ "kind": "spot_interruption", "instance_id": "i-0" }), "there is no instance `i-0`"),
        ] {
            let why = read(fault.clone()).unwrap_err();
            assert!(why.contains(part), "{fault}: {why}");
        }
    }

    #[test]
    fn every_way_to_name_an_operation_is_taken() {
        for operation in ["*", "EC2.*", "EC2.Describe*", "STS.GetCallerIdentity", "CloudWatch.PutMetricData"]
        {
            read(json!({ "kind": "throttle", "operation": operation, "times": 2, "rate": 0.5 })).unwrap();
        }
        read(json!({ "kind": "vcpu_quota", "vcpu": 8 })).unwrap();
    }

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        let fault = json!({ "kind": "throttle", "operation": "*", "times": 3, "rate": null });
        assert_eq!(serde_json::to_value(read(fault.clone()).unwrap()).unwrap(), fault);
    }
}
