//! What is stored, under which keys.

use std::time::Duration;

use jiff::Timestamp;
use scaling_policy::config::GroupName;
use scaling_policy::decision::Decision;
use scaling_policy::operation::Operation;
use scaling_policy::{Learned, OperationState};
use serde::{Deserialize, Serialize};

use crate::error::PortError;
use crate::ports::NewRecord;
use crate::versions::ConfigChange;

/// How long decisions and operations are kept.
pub const HISTORY: Duration = Duration::from_secs(90 * 86_400);

/// The one record of a group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupRecord {
    /// Operation, holds, last changes.
    pub state: OperationState,
    /// What was learned, as of `learned_at`.
    pub learned: Learned,
    /// When `learned` was last stored.
    pub learned_at: Option<Timestamp>,
    /// Who is changing the group, and until when nobody else may.
    pub lease: Option<Lease>,
    /// Action and reason of the last decision that was stored.
    pub last_decision: Option<(String, String)>,
    /// What people had set for it.
    pub last_in_force: Vec<String>,
    /// Instances in their warm-up: id, and when they were first seen in service.
    pub warming: Vec<(String, Timestamp)>,
    /// Ids that were in service at the last look, hashed; empty when the group has no warm-up.
    pub known: Vec<u32>,
}

/// Exclusive right to change a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which invocation.
    pub owner: String,
    /// Until when.
    pub until: Timestamp,
}

/// The record that every tick reads once: which configuration is active, and whether everything stands still.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlRecord {
    /// Active configuration; 0 is the one that came with the deployment.
    pub config_version: u64,
    /// Key of its record; empty for version 0.
    pub config_key: String,
    /// The versions that became active last, oldest first.
    pub changes: Vec<ConfigChange>,
    /// No change is asked for while this is set; what the platform has taken goes on.
    pub kill_switch: Option<KillSwitch>,
}

/// The kill switch with its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillSwitch {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What the limits over all groups have let through lately, shared by every invocation. Kept only where the
/// configuration has such limits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetRecord {
    /// Begin of the minute that the counts are for.
    pub window: Option<Timestamp>,
    /// Groups changed in it.
    pub changed: u32,
    /// Added cost in it, USD per hour.
    pub added_usd_per_hour: f64,
    /// Groups held back last; they go first.
    pub held: Vec<GroupName>,
}

/// Key of [`FleetRecord`].
pub const FLEET_KEY: &str = "fleet";

/// Key of [`ControlRecord`].
pub const CONTROL_KEY: &str = "control";

/// Prefix of the operations' records.
pub const OPERATIONS_PREFIX: &str = "operation/all/";

/// Key of a group's record.
pub fn group_key(group: &GroupName) -> String {
    format!("group/{group}")
}

/// Prefix of a group's decisions.
pub fn decisions_prefix(group: &GroupName) -> String {
    format!("decision/{group}/")
}

/// Key of a configuration version. Two writers may try the same version at once, and only one makes it active: so
/// each has a key of its own.
pub fn config_key(version: u64, unique: &str) -> String {
    format!("config/all/{version:010}-{unique}")
}

/// Key of an operation.
pub fn operation_key(id: &str) -> String {
    format!("{OPERATIONS_PREFIX}{id}")
}

/// An operation as it is listed: with its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationRecord {
    /// The group.
    pub group: GroupName,
    /// The operation.
    pub operation: Operation,
}

/// An operation's history record, which later ones of the same operation replace.
///
/// # Errors
/// As [`to_json`].
pub fn operation_entry(
    group: &GroupName,
    operation: &Operation,
    expires: Timestamp,
) -> Result<NewRecord, PortError> {
    let body = OperationRecord { group: group.clone(), operation: operation.clone() };
    Ok(NewRecord {
        key: operation_key(&operation.id.0),
        body: to_json("store an operation", &body)?,
        expires: Some(expires),
    })
}

/// A decision's history record. The key sorts by time.
pub fn decision_record(decision: &Decision) -> Result<NewRecord, PortError> {
    let at = decision.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    Ok(NewRecord {
        key: format!("{}{at}", decisions_prefix(&decision.group)),
        body: to_json("store a decision", decision)?,
        expires: Some(decision.at + HISTORY),
    })
}

/// Writes a record's body.
///
/// # Errors
/// `Invalid` for what JSON cannot express.
pub fn to_json(operation: &'static str, value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| PortError::Invalid { operation, message: error.to_string() })
}

/// Reads a group's record. Where only what was learned cannot be read, that is learned anew: a group is never without a
/// controller for want of its past.
///
/// # Errors
/// As [`from_json`], for everything else.
pub fn group_from_json(key: &str, body: &str) -> Result<GroupRecord, PortError> {
    from_json(key, body).or_else(|error| {
        let record = without_learned(body).ok_or_else(|| error.for_another())?;
        tracing::warn!(target: "scaling::monitor", key, %error, "what was learned is learned anew");
        Ok(record)
    })
}

/// The record but for what was learned, which is due to be stored with the next evaluation.
fn without_learned(body: &str) -> Option<GroupRecord> {
    let mut record: serde_json::Value = serde_json::from_str(body).ok()?;
    let fields = record.as_object_mut()?;
    for field in ["learned", "learned_at"] {
        fields.remove(field);
    }
    serde_json::from_value(record).ok()
}

/// Reads a record's body.
///
/// # Errors
/// `Unavailable` where the stored text is not what this version writes.
pub fn from_json<T: for<'de> Deserialize<'de>>(key: &str, body: &str) -> Result<T, PortError> {
    serde_json::from_str(body).map_err(|error| PortError::Unavailable {
        operation: "read a record",
        message: format!("{key} is not readable: {error}"),
        source: Some(Box::new(error)),
    })
}
