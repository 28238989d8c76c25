//! What follows, given the operation and the group as it is: pure, total, and the same for a fresh start, a
//! continuation and a recovery.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use serde::{Deserialize, Serialize};

use super::{Operation, OperationKind, Phase};
use crate::snapshot::{GroupView, ReplacementStatus, ReplacementView};

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
    /// What was asked for runs already under this identifier: its answer was lost. Record it.
    Adopt {
        /// The platform's identifier.
        platform_id: String,
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

/// Says what follows for an open `operation`, given what was observed.
///
/// ```text
///  planned --asked--> accepted --seen in the group--> verified
///     |                  |---- platform gave up ----> rolling back --all back--> rolled back
///     |                  '---- refused, no retries left ------> failed
///     '-- older than one period, or somebody else's change --> superseded
/// ```
pub fn next_step(operation: &Operation, observed: &Observed<'_>) -> Progress {
    if operation.not_before.is_some_and(|moment| moment > observed.now) {
        return Progress::Wait;
    }
    if operation.attempts >= MOST_ATTEMPTS && operation.phase == Phase::Planned {
        let why = operation.failure.clone().unwrap_or_else(|| format!("refused {MOST_ATTEMPTS} times"));
        return end(Phase::Failed, why);
    }
    match &operation.kind {
        OperationKind::Scale { from, to } => scale(operation, observed, *from, *to),
        OperationKind::Retype { from, to, fallbacks, .. } => retype(operation, observed, from, to, fallbacks),
    }
}

fn scale(operation: &Operation, observed: &Observed<'_>, from: u32, to: u32) -> Progress {
    let group = observed.group;
    // Launches that fail are no obstacle to having fewer.
    if let Some(failure) = fatal(observed.failures).filter(|_| to > from) {
        return end(Phase::Failed, failure.message.clone());
    }
    if group.desired == to {
        let there = if to > from { group.serving() >= to } else { group.total() <= to };
        return if there { end(Phase::Verified, String::new()) } else { Progress::Wait };
    }
    match operation.phase {
        Phase::Planned if is_stale(operation, observed) => {
            end(Phase::Superseded, "the plan is too old".to_owned())
        }
        Phase::Planned if group.desired == from => Progress::Act(Step::SetDesired { desired: to }),
        // Neither what was nor what we wanted: somebody else has changed it since.
        _ => end(Phase::Superseded, format!("desired capacity is {} now", group.desired)),
    }
}

fn retype(
    operation: &Operation,
    observed: &Observed<'_>,
    from: &TypeName,
    to: &TypeName,
    fallbacks: &[TypeName],
) -> Progress {
    let ours = observed.replacement.filter(|seen| Some(&seen.id) == operation.platform_id.as_ref());
    match operation.phase {
        Phase::Planned => start_replacement(operation, observed, to, fallbacks),
        Phase::RollingBack => roll_back(observed, ours, from),
        _ => match ours.map(|seen| (seen.status, seen.reason.clone().unwrap_or_default())) {
            // The platform does not show it yet, or no longer; the group itself tells.
            None | Some((ReplacementStatus::Successful, _)) => verify(observed, to, fallbacks),
            Some((status, why)) if has_failed(status) => undo(observed, from, why),
            Some((ReplacementStatus::RollbackSuccessful, why)) if is_all(observed, &[from]) => {
                end(Phase::RolledBack, why)
            }
            Some((ReplacementStatus::RollbackInProgress | ReplacementStatus::RollbackSuccessful, _)) => {
                Progress::Wait
            }
            Some(_) if is_hopeless(observed.failures) && operation.attempts >= MOST_ATTEMPTS => end(
                Phase::Failed,
                operation.failure.clone().unwrap_or_else(|| "the rollback was refused".to_owned()),
            ),
            Some(_) if is_hopeless(observed.failures) => Progress::Act(Step::RollBackReplacement),
            Some(_) => Progress::Wait,
        },
    }
}

fn start_replacement(
    operation: &Operation,
    observed: &Observed<'_>,
    to: &TypeName,
    fallbacks: &[TypeName],
) -> Progress {
    if let Some(running) = observed.replacement.filter(|seen| seen.status.is_active()) {
        // A start whose answer was lost is ours: nobody else replaces to the type we want at this moment.
        return if running.target_type.as_ref() == Some(to) {
            Progress::Adopt { platform_id: running.id.clone() }
        } else {
            end(Phase::Superseded, "an instance refresh that is not ours is running".to_owned())
        };
    }
    if is_stale(operation, observed) {
        return end(Phase::Superseded, "the plan is too old".to_owned());
    }
    // A type of smaller machines needs more of them: they are ordered first, of the present type, so that the
    // replacement starts from enough. Bounds that somebody has lowered meanwhile win.
    if let OperationKind::Retype { replicas, .. } = operation.kind
        && observed.group.desired < replicas.min(observed.group.max)
    {
        return Progress::Act(Step::SetDesired { desired: replicas.min(observed.group.max) });
    }
    let types = std::iter::once(to).chain(fallbacks).cloned().collect();
    Progress::Act(Step::StartReplacement { types })
}

/// Every instance is of a wanted type: done. Anything else goes on being watched until the platform has given up.
fn verify(observed: &Observed<'_>, to: &TypeName, fallbacks: &[TypeName]) -> Progress {
    let wanted: Vec<&TypeName> = std::iter::once(to).chain(fallbacks).collect();
    if is_all(observed, &wanted) { end(Phase::Verified, String::new()) } else { Progress::Wait }
}

/// The replacement has ended without its effect: back to the former type, by a second one, unless nothing of it is
/// left.
fn undo(observed: &Observed<'_>, from: &TypeName, why: String) -> Progress {
    if is_all(observed, &[from]) {
        return end(Phase::RolledBack, why);
    }
    Progress::Act(Step::StartReplacement { types: vec![from.clone()] })
}

fn roll_back(observed: &Observed<'_>, ours: Option<&ReplacementView>, from: &TypeName) -> Progress {
    if is_all(observed, &[from]) && !ours.is_some_and(|seen| seen.status.is_active()) {
        return end(Phase::RolledBack, ours.and_then(|seen| seen.reason.clone()).unwrap_or_default());
    }
    match ours.map(|seen| seen.status) {
        Some(status) if status.is_active() => Progress::Wait,
        Some(
            ReplacementStatus::RollbackFailed | ReplacementStatus::Failed | ReplacementStatus::Cancelled,
        ) => end(Phase::Failed, "the rollback did not succeed; the group has mixed types".to_owned()),
        _ => Progress::Wait,
    }
}

fn has_failed(status: ReplacementStatus) -> bool {
    matches!(
        status,
        ReplacementStatus::Failed | ReplacementStatus::Cancelled | ReplacementStatus::RollbackFailed
    )
}

fn is_all(observed: &Observed<'_>, wanted: &[&TypeName]) -> bool {
    let mut running =
        observed.group.replicas.iter().filter(|count| count.serving + count.warming + count.pending > 0);
    observed.group.total() > 0 && running.all(|count| wanted.contains(&&count.offer.name))
}

fn is_stale(operation: &Operation, observed: &Observed<'_>) -> bool {
    observed.now.duration_since(operation.planned_at).as_secs_f64() > operation.valid_for.as_secs_f64()
}

/// A failure that no retry and no other type can mend.
fn fatal(failures: &[LaunchFailure]) -> Option<&LaunchFailure> {
    failures
        .iter()
        .find(|failure| matches!(failure.kind, LaunchFailureKind::Quota | LaunchFailureKind::Template))
}

/// Launches of a replacement that go on failing: its own patience is an hour, ours is not.
fn is_hopeless(failures: &[LaunchFailure]) -> bool {
    fatal(failures).is_some() || failures.len() >= usize::from(MOST_ATTEMPTS)
}

fn end(phase: Phase, why: String) -> Progress {
    Progress::End { phase, why }
}
