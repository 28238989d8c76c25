//! What is stored of a group between evaluations, apart from what was learned.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::{TypeName, UsdPerHour};
use serde::{Deserialize, Serialize};

use crate::config::ConfigVersion;
use crate::decision::Reason;

/// Identifies an operation; unique over all groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub String);

/// Durable state of a group: the operation, the holds and the last changes. Never samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationState {
    /// The open change of count, or the last one that ended.
    pub operation: Option<Operation>,
    /// The open type change, or the last one that ended. It has a place of its own, because capacity may be added
    /// while it runs.
    pub type_change: Option<Operation>,
    /// When capacity was last added, by whomever.
    pub last_up: Option<Timestamp>,
    /// When capacity was last taken away.
    pub last_down: Option<Timestamp>,
    /// When a type change last ended well.
    pub last_type_change: Option<Timestamp>,
    /// Desired capacity after our last look or act; another value now is a manual change.
    pub known_desired: Option<u32>,
    /// Launch type after our last look or act.
    pub known_type: Option<TypeName>,
    /// What instances were launched from at our last look.
    pub launched_from: Option<LaunchTemplate>,
    /// When another hand last gave the group another launch template, or another version of it.
    pub last_template_change: Option<Timestamp>,
    /// The type at take-over: what `request_threshold` is counted in.
    pub reference_type: Option<TypeName>,
    /// When the group was taken over.
    pub taken_over: Option<Timestamp>,
    /// What the group cost at take-over, the floor of the savings baseline.
    pub take_over_cost: Option<UsdPerHour>,
    /// The group's `discount` at take-over, which that cost was reckoned with.
    pub take_over_discount: f64,
    /// Last manual change.
    pub manual: Option<ManualChange>,
    /// Paused by a person.
    pub pause: Option<Pause>,
    /// Temporary bounds or type.
    pub temporary: Option<Override>,
    /// Failures in a row.
    pub breaker: Breaker,
    /// How often the scale-down delay has been doubled after a scale-down that had to be undone.
    pub down_delay_doublings: u8,
    /// When a scale-down was last undone.
    pub last_undone: Option<Timestamp>,
    /// Types left out after a failed launch.
    pub type_backoffs: Vec<TypeBackoff>,
    /// Since when replicas are missing, ordered and not in service, without any having come meanwhile.
    pub missing_since: Option<Timestamp>,
    /// Replicas in service at the last look at which some were missing.
    pub in_service: u32,
    /// When foreign controllers were last looked for with success. Until then nothing is changed.
    pub foreign_checked: Option<Timestamp>,
    /// What was found then.
    pub foreign: Vec<crate::snapshot::ForeignController>,
}

/// What instances are launched from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Whether the platform finds the version itself (`$Latest`), so that only what was launched of it tells.
    pub is_resolved: bool,
}

impl LaunchTemplate {
    /// Whether a launch brings something else than from `known`. An older version among what the platform launched by itself
    /// is none: its newest instance has left.
    pub fn is_other_than(&self, known: &Self) -> bool {
        if self.id != known.id || self.is_resolved != known.is_resolved {
            return true;
        }
        if self.is_resolved { self.version > known.version } else { self.version != known.version }
    }
}

impl OperationState {
    /// The change of count, if it is still open.
    pub fn open_operation(&self) -> Option<&Operation> {
        self.operation.as_ref().filter(|operation| operation.phase.is_open())
    }

    /// Whether a type is left out at `now`, because it failed to launch.
    pub fn is_backed_off(&self, name: &TypeName, now: Timestamp) -> bool {
        self.type_backoffs.iter().any(|backoff| backoff.instance_type == *name && backoff.until > now)
    }

    /// Since when the group launches what it does: the later of the last changes of its type and of its template.
    pub fn began_launching(&self) -> Option<Timestamp> {
        self.last_type_change.max(self.last_template_change)
    }

    /// The open type change, if there is one.
    pub fn open_type_change(&self) -> Option<&Operation> {
        self.type_change.as_ref().filter(|operation| operation.phase.is_open())
    }
}

/// One decision being carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its identifier.
    pub id: OperationId,
    /// What it changes.
    pub kind: OperationKind,
    /// How far it is.
    pub phase: Phase,
    /// Why it was decided.
    pub reason: Reason,
    /// Configuration it was planned under; a later one never alters it.
    pub config_version: ConfigVersion,
    /// When the plan was written.
    pub planned_at: Timestamp,
    /// How long an unasked plan is good for: one evaluation period.
    #[serde(default = "one_minute")]
    pub valid_for: Duration,
    /// When the platform last accepted a step of it.
    pub accepted_at: Option<Timestamp>,
    /// When it reached a phase that is not open.
    pub ended_at: Option<Timestamp>,
    /// The platform's identifier for it (an instance refresh id).
    pub platform_id: Option<String>,
    /// Tries that were refused so far.
    pub attempts: u8,
    /// Not asked again before this.
    pub not_before: Option<Timestamp>,
    /// Since when the platform answers its next step with another change that runs.
    #[serde(default)]
    pub conflicting_since: Option<Timestamp>,
    /// Since when what the platform shows of it cannot be read.
    #[serde(default)]
    pub unread_since: Option<Timestamp>,
    /// Explanation of a failure, for a person.
    pub failure: Option<String>,
    /// What a type change started from, to see whether it made things worse.
    #[serde(default)]
    pub before: Option<Before>,
    /// Where a type change started from, to see whether it left a zone.
    #[serde(default)]
    pub zones: Zones,
}

/// Availability zones of a type change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Zones {
    /// Those that had a replica in service when it was planned.
    pub served: Vec<String>,
    /// Those of them that have none of the new type, for which it goes back.
    pub lost: Vec<String>,
}

/// Load and capacity at the moment a type change was planned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// The highest load of a trigger; 1 is at the limit.
    pub load: f64,
    /// vCPU that served.
    pub serving_vcpu: f64,
    /// Requests per minute of the whole group, where they are bound.
    pub requests: Option<f64>,
}

impl Operation {
    /// Whether the platform accepted it so recently that a description may not show it yet: one period.
    pub fn is_just_accepted(&self, now: Timestamp) -> bool {
        self.accepted_at
            .is_some_and(|at| now.duration_since(at).as_secs_f64() <= self.valid_for.as_secs_f64())
    }

    /// Whether it is a type change that brings this type: the wanted one, or a fallback.
    pub fn brings(&self, name: &TypeName) -> bool {
        match &self.kind {
            OperationKind::Retype { to, fallbacks, .. } => to == name || fallbacks.contains(name),
            OperationKind::Scale { .. } => false,
        }
    }

    /// Of the zones in which nothing runs, those that had served when the operation was planned.
    pub fn lost_zones(&self, unserved: &[String]) -> Vec<String> {
        self.zones.served.iter().filter(|zone| unserved.contains(zone)).cloned().collect()
    }
}

/// What an operation changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OperationKind {
    /// The count.
    Scale {
        /// Desired capacity before.
        from: u32,
        /// Desired capacity wanted.
        to: u32,
    },
    /// The type, by rolling replacement.
    Retype {
        /// Launch type before; what a rollback goes back to.
        from: TypeName,
        /// Launch type wanted.
        to: TypeName,
        /// Other types that are as good, should `to` not launch. Never `from`.
        fallbacks: Vec<TypeName>,
        /// Replicas wanted of the new type: as many as served before, or more. They are there before the first leaves.
        replicas: u32,
    },
}

impl OperationKind {
    /// The label for metrics: `up`, `down`, `retype`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Scale { from, to } if *to > *from => "up",
            Self::Scale { .. } => "down",
            Self::Retype { .. } => "retype",
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
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

impl Phase {
    /// Whether something is still to be done or watched.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Accepted | Self::RollingBack)
    }

    /// The label in metrics, JSON and logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Accepted => "accepted",
            Self::RollingBack => "rolling_back",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
        }
    }
}

/// A change by somebody else, which is the new starting point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualChange {
    /// When it was noticed.
    pub at: Timestamp,
    /// Desired capacity after it.
    pub desired: u32,
}

/// A pause with an author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when; `None` is until resumed.
    pub until: Option<Timestamp>,
}

/// A temporary override with an author and an expiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// Least replicas meanwhile.
    pub min: Option<u32>,
    /// Most replicas meanwhile.
    pub max: Option<u32>,
    /// Type meanwhile.
    pub instance_type: Option<TypeName>,
}

/// Failures in a row; three open it, and then the group holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breaker {
    /// Failed operations since the last one that was verified.
    pub failures: u8,
    /// The same of type changes. They are counted apart: three of them end type changes, and the count goes on to follow
    /// the load (a role that may not begin an instance refresh must not keep a group from growing).
    #[serde(default)]
    pub type_failures: u8,
}

impl Breaker {
    /// Failures that open it.
    pub const LIMIT: u8 = 3;

    /// Whether the group holds until a person resets it.
    pub const fn is_open(self) -> bool {
        self.failures >= Self::LIMIT
    }

    /// Whether types are left as they are until a person resets it.
    pub const fn holds_types(self) -> bool {
        self.type_failures >= Self::LIMIT
    }
}

/// A type left out after it failed to launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeBackoff {
    /// The type.
    pub instance_type: TypeName,
    /// Until when.
    pub until: Timestamp,
    /// Failures so far; each doubles the next back-off.
    pub failures: u8,
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}
