//! How types of the lower crates look on the wire; they know nothing of OpenAPI. Only the description is made of these:
//! that they say the truth is what the tests against the running program check.

#![expect(dead_code, reason = "only their schemas are used")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What an operation changes.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    /// The count.
    Scale {
        /// Desired capacity before.
        from: u32,
        /// Desired capacity wanted.
        to: u32,
    },
    /// The type, by rolling replacement.
    Retype {
        /// Launch type before.
        from: String,
        /// Launch type wanted.
        to: String,
        /// Other types that are as good, should `to` not launch.
        fallbacks: Vec<String>,
        /// Replicas wanted of the new type: as many as served before, or more.
        replicas: u32,
    },
}

/// What to do.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Action {
    /// Nothing.
    Hold,
    /// Set the capacity.
    Scale {
        /// Desired capacity now.
        from: u32,
        /// Desired capacity wanted.
        to: u32,
    },
    /// Replace the instances by another type.
    Retype {
        /// Launch type now.
        from: String,
        /// Type wanted.
        to: String,
        /// Other types that would carry the load, in order of price.
        fallbacks: Vec<String>,
        /// Desired capacity now.
        from_replicas: u32,
        /// Desired capacity at which the replacement starts.
        to_replicas: u32,
    },
}

/// What an operation does, in a word.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeLabel {
    /// More replicas.
    Up,
    /// Fewer replicas.
    Down,
    /// Another type.
    Retype,
}

/// How far an operation is. The last four are ends.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Written, perhaps not asked for yet.
    Planned,
    /// The platform has accepted it.
    Accepted,
    /// Going back to what was before.
    RollingBack,
    /// Seen to have happened.
    Verified,
    /// Ended without its effect.
    Failed,
    /// Seen to be back at what was before.
    RolledBack,
    /// Overtaken by a newer plan or by somebody else.
    Superseded,
}

/// Why: a word that stays, and figures that go with it (`trigger`, `load`, `remaining_seconds` and the like).
#[derive(Serialize, ToSchema)]
pub(crate) struct Reason {
    /// The word, such as `load_high`, `within_target`, `requested`.
    code: String,
    /// Its figures.
    #[serde(flatten)]
    figures: BTreeMap<String, Value>,
}

/// One value for each trigger; null without a usable reading.
#[derive(Serialize, ToSchema)]
pub(crate) struct Loads {
    cpu_usage: Option<f64>,
    memory_usage: Option<f64>,
    request_count: Option<f64>,
    request_latency: Option<f64>,
}

/// Capacity that carries the load at the target load.
#[derive(Serialize, ToSchema)]
pub(crate) struct Wanted {
    /// vCPU over the whole group.
    vcpu: f64,
    /// Memory that each replica needs whatever their number, in MiB.
    memory_base: f64,
    /// Memory that is shared between the replicas, in MiB.
    memory_shared: f64,
    /// vCPU that the forecast asks for.
    forecast_vcpu: Option<f64>,
    /// Replicas of the present type that this comes to.
    replicas: u32,
}

/// A guard that did not let the draft pass unchanged.
#[derive(Serialize, ToSchema)]
pub(crate) struct GuardNote {
    /// Replicas before it.
    from: u32,
    /// Replicas after it.
    to: u32,
    /// Why.
    reason: Reason,
}

/// A candidate that was priced and not chosen.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alternative {
    /// Its type.
    instance_type: String,
    /// Replicas of it.
    replicas: u32,
    /// What they would cost, in USD per hour.
    cost: f64,
    /// What changing to them would cost, in USD per hour over the time that a choice lasts.
    change_cost: f64,
}

/// Where a group runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    Aws,
    Kubernetes,
    Standalone,
}

/// How much is done to a group.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ControlLevel {
    /// Decide and record only.
    Observe,
    /// Add capacity, never take any away.
    UpOnly,
    /// Everything.
    Act,
}

/// What is changed: count, type, or both.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Horizontal,
    Vertical,
    Hybrid,
}

/// Bounds of the count.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplicaBounds {
    /// Least replicas.
    min: u32,
    /// Most replicas.
    max: u32,
    /// Where a group without state begins.
    target: u32,
}

/// A pause with its author.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pause {
    /// Who.
    by: String,
    /// Why.
    reason: String,
    /// Until when; null until resumed.
    until: Option<Timestamp>,
}

/// Other bounds or another type for a while.
#[derive(Serialize, ToSchema)]
pub(crate) struct Override {
    /// Who.
    by: String,
    /// Why.
    reason: String,
    /// Until when.
    until: Timestamp,
    /// Least replicas meanwhile.
    min: Option<u32>,
    /// Most replicas meanwhile.
    max: Option<u32>,
    /// Type meanwhile.
    instance_type: Option<String>,
}

/// The kill switch with its author.
#[derive(Serialize, ToSchema)]
pub(crate) struct KillSwitch {
    /// Who.
    by: String,
    /// Why.
    reason: String,
}

/// Whether something can be used in spite of a finding.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// No.
    Error,
    /// Yes, but somebody should look.
    Warning,
}

/// A finding about the configuration.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConfigFault {
    /// Where, as a JSON pointer; empty for the whole document.
    pointer: String,
    /// The group in whose section that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// What stands there, shortened; empty where nothing does.
    value: String,
    /// The rule that it breaks.
    rule: String,
    /// What to do about it.
    fix: String,
    /// Whether it can be used all the same.
    severity: Severity,
}

/// Figures under the names that Prometheus knows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Metrics {
    /// One object for each group: `group`, and the figures that it has.
    groups: Vec<Value>,
    /// The controller's own.
    controller: BTreeMap<String, Value>,
}

/// A configuration; `GET /config/schema` says what is in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Configuration {
    #[serde(flatten)]
    members: BTreeMap<String, Value>,
}

/// A refusal or failure (RFC 9457). Some types have members of their own.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:scaling:problem:` and a name; the description of the answer lists those that it may be.
    #[schema(format = "uri")]
    r#type: String,
    /// The same for every problem of the type.
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// About this very case.
    detail: String,
    /// The id of the request.
    instance: String,
    /// Where in the body, as a JSON pointer, with `invalid-request`; empty for the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}
