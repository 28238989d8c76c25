//! What follows, given the operation and the group as it is: pure, total, and the same for a fresh start, a
//! continuation and a recovery.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use serde::{Deserialize, Serialize};

use super::retype::{self, Change};
use super::{Operation, OperationKind, Phase};
use crate::decision::counted;
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
    /// Launches that failed, perhaps since before the operation was asked for: each looks at those of its own time.
    pub failures: &'a [LaunchFailure],
    /// Zones of the group in which nothing runs or boots, although it has a replica for each zone: the platform's balance
    /// over the zones is lost.
    pub unserved: &'a [String],
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
    /// A later launch of the group went through: one zone may be short while others are not.
    #[serde(default)]
    pub overcome: bool,
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
    /// What was asked for runs already under this identifier: its answer was lost. Record it.
    Adopt {
        /// The platform's identifier.
        platform_id: String,
        /// The phase it belongs to: on the way, or on the way back.
        phase: Phase,
    },
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

/// Tries of one step before the operation fails.
pub const MOST_ATTEMPTS: u8 = 3;

/// Wait after the first failed try; doubled after each further one.
pub const FIRST_RETRY_DELAY: Duration = Duration::from_secs(30);

/// How long after the end of a replacement the group may still show what it replaced: descriptions lag, and instances
/// that are about to terminate are listed for a while.
pub const SETTLING: Duration = Duration::from_secs(180);

/// How long a type change is watched whose replacement the platform does not show, and a change of count that the group
/// does not come to.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// Says what follows for an open `operation`, given what was observed.
///
/// ```text
///  planned --asked--> accepted --seen in the group--> verified
///     |                  |---- platform gave up ----> rolling back --all back--> rolled back
///     |                  '---- refused, no retries left ------> failed
///     '-- older than one period, or somebody else's change --> superseded
/// ```
///
/// No operation stays open for ever: whatever the platform shows, it is waited for within a bound ([`LONGEST`] for a
/// type change that the platform no longer speaks of, [`SETTLING`] after a replacement has ended).
pub fn next_step(operation: &Operation, observed: &Observed<'_>) -> Progress {
    if operation.not_before.is_some_and(|moment| moment > observed.now) {
        return Progress::Wait;
    }
    match &operation.kind {
        OperationKind::Scale { from, to } => scale(operation, observed, *from, *to),
        OperationKind::Retype { from, to, fallbacks, replicas } => {
            retype::next(&Change { operation, observed, from, to, fallbacks, replicas: *replicas })
        }
    }
}

fn scale(operation: &Operation, observed: &Observed<'_>, from: u32, to: u32) -> Progress {
    let group = observed.group;
    let there = if to > from { group.serving() >= to } else { group.total() <= to };
    if group.desired == to && there {
        return end(Phase::Verified, String::new());
    }
    // Launches that fail are no obstacle to having fewer, nor to having all that were wanted.
    if let Some(failure) = fatal(own_failures(operation, observed, to)).filter(|_| to > from) {
        return end(Phase::Failed, failure.message.clone());
    }
    if group.desired == to {
        return overdue(operation, observed, (from, to)).unwrap_or(Progress::Wait);
    }
    match operation.phase {
        Phase::Planned if operation.attempts >= MOST_ATTEMPTS => end(Phase::Failed, refused(operation)),
        Phase::Planned if is_stale(operation, observed) => end(Phase::Superseded, too_old(operation)),
        Phase::Planned if group.desired == from => Progress::Act(Step::SetDesired { desired: to }),
        // A description may be older than the answer to the request; one period is enough for it to catch up.
        Phase::Accepted if group.desired == from && operation.is_just_accepted(observed.now) => {
            Progress::Wait
        }
        // Neither what was nor what we wanted: somebody else has changed it since.
        _ => end(Phase::Superseded, format!("desired capacity is {} now", group.desired)),
    }
}

/// Launches that failed since the platform was asked for more, and that no later one has overcome. A plan that was not
/// asked for yet has launched nothing; one whose answer was lost is seen in the desired capacity.
fn own_failures<'a>(
    operation: &'a Operation,
    observed: &'a Observed<'_>,
    to: u32,
) -> impl Iterator<Item = &'a LaunchFailure> {
    let asked = operation.phase != Phase::Planned || observed.group.desired == to;
    let since = operation.accepted_at.unwrap_or(operation.planned_at);
    observed.failures.iter().filter(move |failure| asked && failure.at >= since && !failure.overcome)
}

/// The platform has taken the wanted value an hour ago, and the group is still not there.
fn overdue(operation: &Operation, observed: &Observed<'_>, (from, to): (u32, u32)) -> Option<Progress> {
    let since = operation.accepted_at.unwrap_or(operation.planned_at);
    if observed.now.duration_since(since).as_secs_f64() <= LONGEST.as_secs_f64() {
        return None;
    }
    let total = observed.group.total();
    Some(if to > from {
        end(Phase::Failed, format!("{total} of {to} replicas came within an hour"))
    } else {
        let stay = counted(total, "replica stays", "replicas stay");
        end(Phase::Verified, format!("{stay}, {to} are desired: some are protected"))
    })
}

/// Why a plan is given up whose tries are used up.
pub(super) fn refused(operation: &Operation) -> String {
    operation.failure.clone().unwrap_or_else(|| format!("refused {MOST_ATTEMPTS} times"))
}

/// Why a plan is given up that was good for too long, with what kept it from being carried out.
pub(super) fn too_old(operation: &Operation) -> String {
    let why = "the plan is too old";
    operation.failure.as_ref().map_or_else(|| why.to_owned(), |failure| format!("{why}: {failure}"))
}

pub(super) fn is_stale(operation: &Operation, observed: &Observed<'_>) -> bool {
    observed.now.duration_since(operation.planned_at).as_secs_f64() > operation.valid_for.as_secs_f64()
}

/// A failure that no retry and no other type can mend.
pub(super) fn fatal<'a>(failures: impl IntoIterator<Item = &'a LaunchFailure>) -> Option<&'a LaunchFailure> {
    failures
        .into_iter()
        .find(|failure| matches!(failure.kind, LaunchFailureKind::Quota | LaunchFailureKind::Template))
}

pub(super) fn end(phase: Phase, why: String) -> Progress {
    Progress::End { phase, why }
}
