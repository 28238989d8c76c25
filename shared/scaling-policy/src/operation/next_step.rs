//! What follows, given the operation and the group as it is: pure, total, and the same for a fresh start, a
//! continuation and a recovery.

use jiff::Timestamp;
use scaling_fleet::TypeName;
use serde::{Deserialize, Serialize};

use super::{Operation, Phase};
use crate::snapshot::{GroupView, ReplacementView};

/// One thing to ask of the platform. Wanted values, never increments, so that asking twice is asking once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Set the desired capacity.
    SetDesired {
        /// Capacity wanted.
        desired: u32,
    },
    /// Start the rolling replacement to the first of `types` that launches.
    StartReplacement {
        /// Wanted type, then fallbacks; never empty.
        types: Vec<TypeName>,
    },
    /// Undo the running replacement the platform's own way.
    RollBackReplacement,
    /// Stop the running replacement; what was replaced stays.
    CancelReplacement,
}

/// What an evaluation knows of the open operation beyond the group itself.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The group.
    pub group: &'a GroupView,
    /// The newest replacement, if the platform knows one.
    pub replacement: Option<&'a ReplacementView>,
    /// Launch failures since the operation was planned.
    pub failures: &'a [LaunchFailure],
    /// Now.
    pub now: Timestamp,
}

/// A failed launch from the scaling activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchFailure {
    /// When.
    pub at: Timestamp,
    /// What kind, which decides what follows.
    pub kind: LaunchFailureKind,
    /// The type that failed, where it is known.
    pub instance_type: Option<TypeName>,
    /// The platform's words.
    pub message: String,
}

/// Why a launch failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchFailureKind {
    /// No capacity for the type now: another type may do.
    Capacity,
    /// An account limit: stop and report.
    Quota,
    /// The template or its image, key, profile or network is wrong: stop and report.
    Template,
    /// Anything else: stop and report after the retries.
    Other,
}

/// What follows for an open operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Ask the platform for this, then record.
    Act(Step),
    /// Nothing to do but to look again.
    Wait,
    /// It has ended: record the phase (never an open one) and the explanation.
    End {
        /// The last phase.
        phase: Phase,
        /// Why, for a person; empty where it went well.
        why: String,
    },
}

/// Says what follows for `operation`, given what was observed.
pub fn next_step(_operation: &Operation, _observed: &Observed<'_>) -> Progress {
    Progress::Wait
}
