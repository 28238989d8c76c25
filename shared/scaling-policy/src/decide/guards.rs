//! The guards: each lets a draft pass, trims it, or holds it with a reason. Their order is the documentation's.

use super::demand::count;
use super::draft::{Draft, remaining, without_retype};
use super::release::scale_down_delay;
use super::{Inputs, stand_still};
use crate::config::{ControlLevel, Mode};
use crate::decision::{GuardNote, Reason};
use crate::operation::OperationState;
use crate::snapshot::{RetypeSupport, Snapshot};

type Guard = fn(&Inputs<'_>, &Draft) -> Verdict;

/// What a guard says of a draft.
enum Verdict {
    Pass,
    /// The count becomes this.
    Trim(u32, Reason),
    /// Nothing is done.
    Hold(Reason),
    /// No type change; the count is then drafted as if the type were fixed.
    NoRetype(Reason),
}

const GUARDS: [Guard; 13] = [
    stopped,
    suspended_or_foreign,
    type_change_possible,
    type_change_now,
    type_change_allowed,
    one_type_change,
    nothing_launches,
    only_up_during_type_change,
    control_level,
    missing_data,
    pending_capacity,
    cooldown,
    manual_hold,
];

/// Runs the guards in order, then the limits.
pub(super) fn guard(inputs: &Inputs<'_>, mut draft: Draft) -> (Draft, Vec<GuardNote>) {
    let mut notes = Vec::new();
    for guard in GUARDS {
        let verdict = guard(inputs, &draft);
        let held = matches!(verdict, Verdict::Hold(_));
        apply(inputs, &mut draft, verdict, &mut notes);
        if held {
            return (draft, notes);
        }
    }
    protected(inputs, &mut draft, &mut notes);
    limits(inputs, &mut draft, &mut notes);
    (draft, notes)
}

fn apply(inputs: &Inputs<'_>, draft: &mut Draft, verdict: Verdict, notes: &mut Vec<GuardNote>) {
    let from = draft.replicas;
    match verdict {
        Verdict::Pass => return,
        Verdict::Trim(to, reason) => {
            draft.replicas = to;
            draft.reason = reason;
        }
        Verdict::Hold(reason) => *draft = stand_still(inputs, reason),
        Verdict::NoRetype(reason) => {
            *draft = without_retype(inputs);
            if !changes(inputs, draft) && matches!(draft.reason, Reason::WithinTarget) {
                draft.reason = reason.clone();
            }
            notes.push(GuardNote { from, to: draft.replicas, reason });
            return;
        }
    }
    notes.push(GuardNote { from, to: draft.replicas, reason: draft.reason.clone() });
}

fn is_up(inputs: &Inputs<'_>, draft: &Draft) -> bool {
    draft.replicas > inputs.snapshot.group.desired
}

fn is_down(inputs: &Inputs<'_>, draft: &Draft) -> bool {
    draft.replicas < inputs.snapshot.group.desired && draft.retype.is_none()
}

fn changes(inputs: &Inputs<'_>, draft: &Draft) -> bool {
    draft.retype.is_some() || draft.replicas != inputs.snapshot.group.desired
}

/// A person or three failures in a row have stopped the group.
fn stopped(inputs: &Inputs<'_>, _draft: &Draft) -> Verdict {
    let paused =
        inputs.state.pause.as_ref().is_some_and(|pause| pause.until.is_none_or(|until| until > inputs.now));
    if paused {
        Verdict::Hold(Reason::Paused)
    } else if inputs.state.breaker.is_open() {
        Verdict::Hold(Reason::BreakerOpen)
    } else {
        Verdict::Pass
    }
}

/// A suspended process would leave a change half done; another controller would undo it.
fn suspended_or_foreign(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    let foreign = !inputs.state.foreign.is_empty() || !inputs.snapshot.group.foreign.is_empty();
    if !changes(inputs, draft) {
        Verdict::Pass
    } else if inputs.snapshot.group.suspended.any() {
        Verdict::Hold(Reason::ProcessSuspended)
    } else if foreign && !inputs.config.coexist {
        Verdict::Hold(Reason::ForeignController)
    } else {
        Verdict::Pass
    }
}

/// Ordered replicas that do not come: growth stops at what runs plus one step, and desired goes back to it.
fn nothing_launches(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    let group = &inputs.snapshot.group;
    let overdue = inputs.state.missing_since.is_some_and(|since| {
        inputs.now.duration_since(since).as_secs_f64() > inputs.config.launch_timeout.as_secs_f64()
    });
    // What is within its warm-up has come.
    let came = group.in_service();
    let missing = group.desired.saturating_sub(came);
    if !overdue || missing == 0 {
        return Verdict::Pass;
    }
    let most = count(f64::from(came) * inputs.config.scale_up_factor).max(came + 1).max(inputs.bounds.min);
    if draft.replicas > most || draft.retype.is_some() {
        Verdict::Trim(draft.replicas.min(most), Reason::NothingLaunches { missing })
    } else {
        Verdict::Pass
    }
}

/// Groups whose type cannot be changed.
fn type_change_possible(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    match inputs.snapshot.group.retype {
        RetypeSupport::CountOnly { .. } if draft.retype.is_some() => Verdict::NoRetype(Reason::CountOnly),
        _ => Verdict::Pass,
    }
}

/// A type change for cost waits for its window and for the last one to have aged.
fn type_change_now(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    let Some(retype) = &draft.retype else { return Verdict::Pass };
    if retype.emergency || inputs.config.mode == Mode::Vertical {
        return Verdict::Pass;
    }
    let young = remaining(inputs, inputs.state.began_launching(), inputs.config.min_type_age).is_some();
    if young || !inputs.config.change_window_open(inputs.now) || is_peak_near(inputs) {
        Verdict::NoRetype(Reason::TypeChangeNotNow)
    } else {
        Verdict::Pass
    }
}

/// Whether the load is expected to rise by more than a tenth while a replacement would run.
fn is_peak_near(inputs: &Inputs<'_>) -> bool {
    const RISE: f64 = 1.1;
    let length = inputs.learned.boot_time() * 4;
    inputs.learned.forecast.rise_within(inputs.now, length).is_some_and(|rise| rise > RISE)
}

/// One type change at a time; and none while a replacement runs that is not ours.
fn one_type_change(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    match running_replacement(inputs) {
        Some(reason) if draft.retype.is_some() => Verdict::NoRetype(reason),
        _ => Verdict::Pass,
    }
}

/// While a replacement runs capacity is only added.
fn only_up_during_type_change(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    match running_replacement(inputs) {
        Some(reason) if is_down(inputs, draft) => Verdict::Hold(reason),
        _ => Verdict::Pass,
    }
}

/// The reason why a replacement that runs forbids another, if one does.
fn running_replacement(inputs: &Inputs<'_>) -> Option<Reason> {
    let ours = inputs.state.open_type_change();
    let running =
        inputs.snapshot.group.replacement.as_ref().filter(|replacement| replacement.status.is_active());
    let foreign = running.is_some_and(|replacement| {
        ours.and_then(|operation| operation.platform_id.as_ref()).is_none_or(|id| *id != replacement.id)
    });
    match (ours, foreign) {
        (Some(_), _) => Some(Reason::TypeChangeRunning),
        (None, true) => Some(Reason::ForeignReplacement),
        (None, false) if may_still_run(inputs.state, inputs.snapshot) => Some(Reason::TypeChangeUnread),
        (None, false) => None,
    }
}

/// Whether a type change that was given up unread may still be replacing instances: nobody knows while they are of several
/// types.
pub fn may_still_run(state: &OperationState, snapshot: &Snapshot) -> bool {
    let change = state.type_change.as_ref().filter(|change| !change.phase.is_open());
    change.is_some_and(|change| change.unread_since.is_some()) && snapshot.group.replicas.len() > 1
}

fn control_level(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    match inputs.config.control {
        ControlLevel::UpOnly if is_down(inputs, draft) => Verdict::Hold(Reason::ControlLevel),
        // `observe` decides in full; carrying it out is what the loop leaves out.
        ControlLevel::Observe | ControlLevel::UpOnly | ControlLevel::Act => Verdict::Pass,
    }
}

/// Whether this group's types may be changed at all, and for cost only on the whole truth.
fn type_change_allowed(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    if draft.retype.is_none() {
        return Verdict::Pass;
    }
    let for_cost = matches!(draft.reason, Reason::CheaperType { .. });
    match inputs.demand.missing {
        _ if inputs.config.control == ControlLevel::UpOnly => Verdict::NoRetype(Reason::ControlLevel),
        _ if inputs.state.breaker.holds_types() => Verdict::NoRetype(Reason::BreakerOpen),
        Some(trigger) if for_cost => Verdict::NoRetype(Reason::DataMissing { trigger }),
        // A replacement leaves protected instances out: the group would stay mixed.
        None if for_cost && inputs.snapshot.group.protected() > 0 => {
            Verdict::NoRetype(Reason::Protected { replicas: inputs.snapshot.group.protected() })
        }
        _ => Verdict::Pass,
    }
}

/// Without a usable reading of a bound metric nothing is taken away.
fn missing_data(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    let Some(trigger) = inputs.demand.missing else { return Verdict::Pass };
    let clamp = matches!(draft.reason, Reason::OutsideBounds);
    let says_so = !changes(inputs, draft) && matches!(draft.reason, Reason::WithinTarget);
    if says_so || (is_down(inputs, draft) && !clamp) {
        Verdict::Hold(Reason::DataMissing { trigger })
    } else {
        Verdict::Pass
    }
}

/// While replicas are on their way nothing is taken away.
fn pending_capacity(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    let replicas = inputs.snapshot.group.arriving();
    let settled = matches!(draft.reason, Reason::OutsideBounds | Reason::NothingLaunches { .. });
    if replicas > 0 && is_down(inputs, draft) && !settled {
        Verdict::Hold(Reason::CapacityPending { replicas })
    } else {
        Verdict::Pass
    }
}

/// Down waits for the last down, a non-urgent up for the last up; never one direction for the other.
fn cooldown(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    if matches!(draft.reason, Reason::OutsideBounds | Reason::NothingLaunches { .. })
        || draft.retype.is_some()
    {
        return Verdict::Pass;
    }
    let left = if is_down(inputs, draft) {
        let delay = scale_down_delay(inputs.config, inputs.learned, inputs.state);
        remaining(inputs, inputs.state.last_down, delay)
    } else if is_up(inputs, draft) && !draft.urgent {
        let period = inputs.config.cooldown_period(inputs.learned.boot_time());
        remaining(inputs, inputs.state.last_up, period)
    } else {
        None
    };
    left.map_or(Verdict::Pass, |remaining_seconds| Verdict::Hold(Reason::Cooldown { remaining_seconds }))
}

/// A manual change is the new starting point for a while.
fn manual_hold(inputs: &Inputs<'_>, draft: &Draft) -> Verdict {
    if !is_down(inputs, draft) || matches!(draft.reason, Reason::OutsideBounds) {
        return Verdict::Pass;
    }
    let left = remaining(inputs, inputs.state.manual.map(|manual| manual.at), inputs.config.manual_hold);
    left.map_or(Verdict::Pass, |remaining_seconds| Verdict::Hold(Reason::ManualHold { remaining_seconds }))
}

/// Protected instances stay: the count cannot go below them, but where the bounds ask for it.
fn protected(inputs: &Inputs<'_>, draft: &mut Draft, notes: &mut Vec<GuardNote>) {
    let replicas = inputs.snapshot.group.protected();
    let bounds = matches!(draft.reason, Reason::OutsideBounds);
    if is_down(inputs, draft) && draft.replicas < replicas && !bounds {
        let to = replicas.min(inputs.snapshot.group.desired);
        apply(inputs, draft, Verdict::Trim(to, Reason::Protected { replicas }), notes);
    }
}

/// Limits last, always. The reason changes only where the limit leaves nothing of the draft.
fn limits(inputs: &Inputs<'_>, draft: &mut Draft, notes: &mut Vec<GuardNote>) {
    let (inside, reason) = inputs.bounds.clamp(draft.replicas);
    if let Some(reason) = reason {
        let from = std::mem::replace(&mut draft.replicas, inside);
        notes.push(GuardNote { from, to: inside, reason: reason.clone() });
        if !changes(inputs, draft) {
            draft.reason = if from > inside { Reason::SaturatedAtMax } else { reason };
        }
    }
}
