//! What follows for a group's durable state from looking at it, from asking and from an operation's end. Pure.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::config::GroupConfig;
use scaling_policy::decision::Reason;
use scaling_policy::operation::{
    Changes, FIRST_RETRY_DELAY, LaunchFailure, LaunchFailureKind, LaunchTemplate, MOST_ATTEMPTS,
    ManualChange, Operation, OperationKind, Phase, Step, TypeBackoff,
};
use scaling_policy::snapshot::{GroupView, ReplacementView};
use scaling_policy::{OperationState, Snapshot};

use crate::observe::UNKNOWN_TYPE;
use crate::ports::{Accepted, GroupDescription};

/// How long a step is held back by other changes that run before that counts as a refusal; and how long a plan stays good
/// for that.
pub const LONGEST_CONFLICT: Duration = Duration::from_secs(900);

/// A type's back-off doubles up to this many times.
const MOST_BACKOFF_DOUBLINGS: u8 = 6;

/// Puts right a description that is older than the platform's answer to what we asked: for one period after it, the
/// capacity that was accepted counts as desired. Otherwise our own change would look like one that somebody undid.
pub fn catch_up(state: &OperationState, description: &mut GroupDescription, now: Timestamp) {
    let lagging = state
        .open_operation()
        .filter(|operation| operation.phase == Phase::Accepted && operation.is_just_accepted(now));
    if let Some(OperationKind::Scale { from, to }) = lagging.map(|operation| &operation.kind)
        && description.desired == *from
    {
        description.desired = *to;
    }
}

/// Somebody else has replaced the instances of a group whose type we were about to change, or were changing: type
/// changes for cost wait as long as after one of our own.
pub fn type_change_of_others(
    state: &mut OperationState,
    ours: &Operation,
    newest: Option<&ReplacementView>,
    now: Timestamp,
) {
    let foreign = newest.is_some_and(|newest| {
        Some(&newest.id) != ours.platform_id.as_ref()
            && (newest.status.is_active() || ours.phase != Phase::Planned)
    });
    if foreign {
        state.last_type_change = Some(now);
    }
}

/// Takes a look at the group in: first look, changes by other hands, missing replicas. `discount` is the group's.
pub fn looked(
    state: &mut OperationState,
    snapshot: &Snapshot,
    template: Option<&LaunchTemplate>,
    discount: f64,
) {
    let (group, now) = (&snapshot.group, snapshot.taken_at);
    if state.taken_over.is_none() {
        state.taken_over = Some(now);
        state.take_over_cost = Some(group.cost());
        state.take_over_discount = discount;
        state.known_desired = Some(group.desired);
    }
    // A group without instances, of a launch template that does not tell, has no known type yet.
    let unknown = |name: &TypeName| name.as_str() == UNKNOWN_TYPE;
    if state.reference_type.as_ref().is_none_or(unknown) {
        state.reference_type = Some(group.launch_type.name.clone());
    }
    let known = state.known_type.replace(group.launch_type.name.clone()).filter(|known| !unknown(known));
    let other_type = known.is_some_and(|known| known != group.launch_type.name);
    let known = state.launched_from.as_ref();
    let other_template = template.is_some_and(|seen| known.is_some_and(|known| seen.is_other_than(known)));
    if other_template || known.is_none() {
        state.launched_from = template.or(known).cloned();
    }
    // Another hand has changed what the group launches: that is the new starting point. A type change for cost would bring a
    // template to every instance that nobody has seen to work yet.
    if state.open_type_change().is_none() && other_type {
        state.last_type_change = Some(now);
    }
    if state.open_type_change().is_none() && other_template {
        state.last_template_change = Some(now);
    }
    if state.known_desired != Some(group.desired) {
        changed_outside(state, group.desired, now);
    }
    missing(state, group, now);
    state.type_backoffs.retain(|backoff| backoff.until > now || backoff.failures > 1);
    state.forget_undone(now);
}

/// Follows replicas that were ordered and are not in service. Each that comes shows that launches work, so that the
/// wait for the others begins anew: a long ramp, or a long warm-up, is not taken for launches that fail.
fn missing(state: &mut OperationState, group: &GroupView, now: Timestamp) {
    let in_service = group.in_service();
    if in_service >= group.desired {
        // All came, which is not the same as no longer being asked for.
        if state.missing_since.is_some() && in_service > state.in_service {
            has_capacity(state, &group.launch_type.name);
        }
        (state.missing_since, state.in_service) = (None, 0);
        return;
    }
    let since = state.missing_since.filter(|_| in_service <= state.in_service);
    state.missing_since = Some(since.unwrap_or(now));
    state.in_service = in_service;
}

/// Desired capacity is not what we know: our own plan whose answer was lost, or another hand.
fn changed_outside(state: &mut OperationState, desired: u32, now: Timestamp) {
    let ours = state
        .open_operation()
        .is_some_and(|operation| matches!(operation.kind, OperationKind::Scale { to, .. } if to == desired));
    let before = state.known_desired.replace(desired);
    if desired > before.unwrap_or(desired) {
        state.last_up = Some(now);
    } else {
        state.last_down = Some(now);
    }
    if !ours {
        state.manual = Some(ManualChange { at: now, desired });
    }
}

/// The platform has accepted a step of the operation.
pub fn accepted(operation: &mut Operation, step: &Step, answer: Accepted, now: Timestamp) -> Changes {
    operation.failure = None;
    // Each step has its own tries: refusals of the first must not use up those of the way back.
    (operation.attempts, operation.not_before, operation.conflicting_since) = (0, None, None);
    let changes = match (&operation.kind, step) {
        // More replicas before a replacement: the replacement itself is still to be asked for.
        (OperationKind::Retype { .. }, Step::SetDesired { desired }) => {
            operation.valid_for += Duration::from_secs(60);
            return Changes::raised(*desired, now);
        }
        (OperationKind::Scale { from, to }, _) => Changes::scaled(*from, *to, &operation.reason, now),
        (OperationKind::Retype { .. }, _) => Changes::default(),
    };
    let forth = operation.phase == Phase::Planned;
    operation.phase = if forth { Phase::Accepted } else { Phase::RollingBack };
    operation.accepted_at = Some(now);
    if answer.platform_id.is_some() {
        operation.platform_id = answer.platform_id;
    }
    changes
}

/// A step was refused: tried again later, with doubling delay.
pub fn refused(operation: &mut Operation, why: String, now: Timestamp) {
    let delay = FIRST_RETRY_DELAY * 2_u32.pow(u32::from(operation.attempts.min(6)));
    operation.attempts = operation.attempts.saturating_add(1);
    operation.not_before = Some(now + delay);
    if operation.phase == Phase::Planned {
        // A refused plan is not an old plan: it stays good for its retries.
        operation.valid_for += delay + Duration::from_secs(60);
    }
    operation.failure = Some(why);
}

/// The platform has answered a step with another change that runs: a hold, not a failure. A plan stays good for one more
/// `period`, within [`LONGEST_CONFLICT`]; after so long a step of what has begun counts as refused, so that each comes to
/// its end.
pub fn met_another_change(operation: &mut Operation, why: String, period: Duration, now: Timestamp) {
    let since = *operation.conflicting_since.get_or_insert(now);
    let is_planned = operation.phase == Phase::Planned;
    if !is_planned && is_older(since, LONGEST_CONFLICT, now) {
        return refused(operation, why, now);
    }
    if is_planned {
        let age = Duration::try_from(now.duration_since(operation.planned_at)).unwrap_or_default();
        operation.valid_for = operation.valid_for.max((age + period).min(LONGEST_CONFLICT));
    }
    operation.failure = Some(why);
}

fn is_older(at: Timestamp, than: Duration, now: Timestamp) -> bool {
    now.duration_since(at).as_secs_f64() > than.as_secs_f64()
}

/// An operation has ended.
pub fn ended(state: &mut OperationState, config: &GroupConfig, operation: &mut Operation, end: End) {
    operation.phase = end.phase;
    operation.ended_at = Some(end.now);
    if !end.why.is_empty() {
        operation.failure = Some(end.why);
    }
    let failures = match operation.kind {
        OperationKind::Retype { .. } => &mut state.breaker.type_failures,
        OperationKind::Scale { .. } => &mut state.breaker.failures,
    };
    match end.phase {
        Phase::Verified => *failures = 0,
        Phase::Failed => *failures = failures.saturating_add(1),
        _ => {}
    }
    if let OperationKind::Retype { from, to, .. } = &operation.kind {
        match end.phase {
            Phase::Verified => {
                state.last_type_change = Some(end.now);
                has_capacity(state, to);
                if operation.reason == Reason::UndoneTypeChange {
                    back_off(state, config, from, end.now);
                }
            }
            Phase::Failed | Phase::RolledBack => back_off(state, config, to, end.now),
            _ => {}
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct End {
    /// Last phase.
    pub phase: Phase,
    /// Why; empty where it went well.
    pub why: String,
    /// When.
    pub now: Timestamp,
}

/// A type that the platform has no capacity for is left out while replicas of it are missing, so that another may be
/// chosen. One failure may be chance; as many as an operation has tries are not.
pub fn capacity_is_short(
    state: &mut OperationState,
    config: &GroupConfig,
    launch_type: &TypeName,
    failures: &[LaunchFailure],
    now: Timestamp,
) {
    let grows = state
        .open_operation()
        .is_some_and(|operation| matches!(operation.kind, OperationKind::Scale { from, to } if to > from));
    let of_type = |failure: &&LaunchFailure| {
        failure.kind == LaunchFailureKind::Capacity
            && failure.instance_type.as_ref().is_none_or(|name| name == launch_type)
    };
    let often = failures.iter().filter(of_type).filter(|failure| !failure.overcome).count()
        >= usize::from(MOST_ATTEMPTS);
    let some_are_missing = state.missing_since.is_some();
    if grows && often && some_are_missing && !state.is_backed_off(launch_type, now) {
        back_off(state, config, launch_type, now);
    }
}

/// Replicas of a type have come: what failed before says nothing of it any more. Otherwise the next replicas of it, while
/// they boot, would be taken for ones that the platform has no capacity for.
fn has_capacity(state: &mut OperationState, instance_type: &TypeName) {
    state.type_backoffs.retain(|backoff| backoff.instance_type != *instance_type);
}

fn back_off(state: &mut OperationState, config: &GroupConfig, instance_type: &TypeName, now: Timestamp) {
    let known = state.type_backoffs.iter().position(|backoff| backoff.instance_type == *instance_type);
    let failures = known.map_or(0, |index| state.type_backoffs.remove(index).failures);
    let until = now + config.type_backoff * 2_u32.pow(u32::from(failures.min(MOST_BACKOFF_DOUBLINGS)));
    let failures = failures.saturating_add(1);
    state.type_backoffs.push(TypeBackoff { instance_type: instance_type.clone(), until, failures });
}
