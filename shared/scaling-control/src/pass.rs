//! One group, one pass, the pure part: from what was read to what should be written and asked for.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::config::{ControlLevel, GroupConfig};
use scaling_policy::decision::{Action, Decision, Reason};
use scaling_policy::operation::{
    Before, LONGEST, LaunchFailure, Observed, Operation, OperationId, OperationKind, Phase, Progress, Step,
    next_step,
};
use scaling_policy::snapshot::{ForeignController, ReplacementStatus, ReplacementView};
use scaling_policy::trigger::Trigger;
use scaling_policy::{OperationState, Snapshot, decide, learn};
use tracing::Span;

use crate::bookkeeping::{self, End};
use crate::observe::{self, Market, Seen};
use crate::ports::{GroupDescription, Lifecycle, MetricSeries, NewRecord};
use crate::record::{GroupRecord, KillSwitch};

/// Learned values are stored at least this often, in seconds; in between they ride on other writes.
const LEARNED_EVERY_SECONDS: f64 = 900.0;

/// Everything that was read of one group.
#[derive(Debug, Clone)]
pub struct Read {
    /// Configuration.
    pub config: Arc<GroupConfig>,
    /// Stored record; the default for a group that is new.
    pub record: GroupRecord,
    /// Its version; `None` for a group that is new.
    pub version: Option<u64>,
    /// The platform's description.
    pub description: GroupDescription,
    /// Metrics by trigger.
    pub series: Vec<(Trigger, MetricSeries)>,
    /// The newest replacement, where one was asked for.
    pub replacement: Option<ReplacementView>,
    /// It was asked for and could not be read: nothing is said of a type change.
    pub is_replacement_unknown: bool,
    /// Who else acts on the group, where that was looked at for the answer alone: what the loop acts by stays in the record.
    pub others: Option<Vec<ForeignController>>,
    /// Failed launches, where they were asked for.
    pub failures: Vec<LaunchFailure>,
    /// The record was changed while it was read.
    pub must_store: bool,
    /// The span that all further work on this group belongs to, its calls included.
    pub span: Span,
}

/// Which of the two places for operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Count.
    Scale,
    /// Type.
    Retype,
}

/// What a pass has come to.
#[derive(Debug, Clone)]
pub struct Pass {
    /// What was read, with the record as it should be stored.
    pub read: Read,
    /// What was seen.
    pub snapshot: Snapshot,
    /// What was decided.
    pub decision: Decision,
    /// What to ask for, and for which operation.
    pub step: Option<(Slot, Step)>,
    /// Operations that ended.
    pub ended: Vec<Operation>,
    /// Whether the record has to be stored even without a step.
    pub dirty: bool,
    /// Whether the decision has to be stored: action, reason or what people have set differ from the last stored one's.
    pub new_decision: bool,
    /// When this was.
    pub now: Timestamp,
    /// What there was before the plan that may still be taken back.
    before_plan: Option<BeforePlan>,
    /// What is written together with the record.
    pub along: Vec<NewRecord>,
}

/// What a plan takes the place of.
#[derive(Debug, Clone)]
struct BeforePlan {
    state: OperationState,
    /// Number of ended operations.
    ended: usize,
    step: Option<(Slot, Step)>,
}

/// Runs one pass.
pub fn pass(mut read: Read, kill_switch: Option<&KillSwitch>, market: &Market<'_>, now: Timestamp) -> Pass {
    let before = read.record.clone();
    bookkeeping::catch_up(&read.record.state, &mut read.description, now);
    track_warm_up(&mut read, now);
    let warming = read.record.warming.clone();
    let seen = Seen {
        readings: observe::readings(&read.config, &read.series, now),
        replacement: read.replacement.clone(),
        warming: &warming,
        now,
    };
    let mut snapshot = observe::snapshot(&read.config, &read.record.state, &read.description, &seen, market);
    let template = read.description.template.as_ref();
    bookkeeping::looked(&mut read.record.state, &snapshot, template, read.config.discount);
    let launch_type = snapshot.group.launch_type.name.clone();
    let Read { record, config, failures, .. } = &mut read;
    bookkeeping::capacity_is_short(&mut record.state, config, &launch_type, failures, now);
    let backed_off = record.state.is_backed_off(&launch_type, now);
    let mut ended = Vec::new();
    let mut step = None;
    keep_unread_since(&mut read, now);
    for slot in [Slot::Retype, Slot::Scale] {
        if slot == Slot::Scale || !waits_for_its_replacement(&read.record.state, now) {
            step = advance(&mut read, slot, &snapshot, &mut ended, now).or(step);
        }
    }
    if !ended.is_empty() || backed_off {
        // A type that has just failed to launch is out of the ladder from this decision on.
        snapshot = observe::snapshot(&read.config, &read.record.state, &read.description, &seen, market);
    }
    let learned = std::mem::take(&mut read.record.learned);
    read.record.learned = learn(&read.config, learned, &read.record.state, &snapshot);
    let mut decision = decide(&read.config, &read.record.learned, &read.record.state, &snapshot, now);
    if let Some(KillSwitch { by, reason }) = kill_switch {
        decision.in_force.insert(0, format!("kill switch by {by}: {reason}"));
        if !decision.action.is_hold() {
            stop(&mut decision, Reason::KillSwitch);
        }
    }
    // What acts on the group already would fight every change. It is never taken for granted that nothing does.
    let unchecked = read.record.state.foreign_checked.is_none() && !read.config.coexist;
    if unchecked && !decision.action.is_hold() {
        stop(&mut decision, Reason::TakeOverUnchecked);
    }
    // A kill switch stops what is planned, too.
    step = step.filter(|_| kill_switch.is_none());
    step = reconsider(&mut read, step, &decision, &mut ended, now);
    let new_decision = is_new(&before, &decision);
    let dirty = new_decision || read.must_store || must_store(&before, &read.record, now);
    Pass {
        read,
        snapshot,
        decision,
        step,
        ended,
        dirty,
        new_decision,
        now,
        before_plan: None,
        along: Vec::new(),
    }
}

/// Turns a decision into a hold.
pub fn stop(decision: &mut Decision, reason: Reason) {
    decision.action = Action::Hold;
    decision.reason = reason;
    decision.cost_after = decision.cost_before;
}

impl Pass {
    /// Plans what was decided, unless a step is due already or the control level leaves it at the decision.
    pub fn plan(&mut self, id: String) {
        let is_due = self.step.is_some() && !self.grows_before_type_change();
        if is_due || self.read.config.control == ControlLevel::Observe {
            return;
        }
        let valid_for = self.read.config.evaluation_period;
        let Some(operation) = Operation::planned(&self.decision, OperationId(id), valid_for) else {
            return;
        };
        if !self.waits_for_retry(&operation) {
            self.adopt(operation);
        }
    }

    /// Whether capacity is wanted, and all that is due is a step of a type change that another change holds back: that must
    /// not keep the group from growing. After a refusal capacity has its turn while the next try waits.
    fn grows_before_type_change(&self) -> bool {
        let state = &self.read.record.state;
        let held_back = state.open_type_change().is_some_and(|change| change.conflicting_since.is_some());
        let grows = matches!(self.decision.action, Action::Scale { from, to } if to > from);
        grows && held_back && matches!(self.step, Some((Slot::Retype, _)))
    }

    /// Whether the same kind of operation was refused and waits to be tried again: a fresh plan each minute would
    /// never come to the end of its tries.
    fn waits_for_retry(&mut self, planned: &Operation) -> bool {
        let slot = match planned.kind {
            OperationKind::Scale { .. } => Slot::Scale,
            OperationKind::Retype { .. } => Slot::Retype,
        };
        let now = self.now;
        // A refused scale-down never delays a scale-up.
        self.operation_mut(slot).as_ref().is_some_and(|operation| {
            operation.phase == Phase::Planned
                && operation.not_before.is_some_and(|moment| moment > now)
                && operation.kind.label() == planned.kind.label()
        })
    }

    /// Takes an operation as the one to carry out now; an open change of count gives way to it.
    pub fn adopt(&mut self, mut operation: Operation) {
        let (state, step) = (self.read.record.state.clone(), self.step.take());
        self.before_plan = Some(BeforePlan { state, ended: self.ended.len(), step });
        let state = &mut self.read.record.state;
        let slot = match &operation.kind {
            OperationKind::Scale { .. } => {
                let before = state.operation.replace(operation);
                if let Some(mut before) = before.filter(|before| before.phase.is_open()) {
                    let why = "a newer plan has taken its place".to_owned();
                    let end = End { phase: Phase::Superseded, why, now: self.now };
                    bookkeeping::ended(state, &self.read.config, &mut before, end);
                    self.ended.push(before);
                }
                Slot::Scale
            }
            OperationKind::Retype { .. } => {
                operation.before = Before::of(&self.decision.loads, &self.snapshot);
                operation.zones.served = observe::served_zones(&self.read.description);
                state.type_change = Some(operation);
                Slot::Retype
            }
        };
        self.step = advance(&mut self.read, slot, &self.snapshot, &mut self.ended, self.now);
        self.dirty = true;
    }

    /// Whether a plan for another count waits that the platform has not accepted yet.
    pub fn takes_back(&self, replicas: u32) -> bool {
        let planned =
            self.read.record.state.open_operation().filter(|planned| planned.phase == Phase::Planned);
        planned
            .is_some_and(|planned| matches!(planned.kind, OperationKind::Scale { to, .. } if to != replicas))
    }

    /// Gives that plan up: somebody has asked for the count that there is.
    pub fn take_back(&mut self) {
        let Some(mut planned) = self.read.record.state.operation.take() else { return };
        let why = "a person has asked for the count that there is".to_owned();
        let end = End { phase: Phase::Superseded, why, now: self.now };
        bookkeeping::ended(&mut self.read.record.state, &self.read.config, &mut planned, end);
        self.ended.push(planned);
        (self.step, self.dirty) = (None, true);
    }

    /// The operation in a slot.
    pub fn operation_mut(&mut self, slot: Slot) -> &mut Option<Operation> {
        match slot {
            Slot::Scale => &mut self.read.record.state.operation,
            Slot::Retype => &mut self.read.record.state.type_change,
        }
    }
}

/// Keeps in the type change since when its replacement cannot be read. One that was given up meanwhile keeps it until it can be
/// read that nothing runs any more: until then it may still be replacing instances.
fn keep_unread_since(read: &mut Read, now: Timestamp) {
    let is_unknown = read.is_replacement_unknown;
    let still_runs = read.replacement.as_ref().is_some_and(|seen| seen.status.is_active());
    let Some(change) = &mut read.record.state.type_change else { return };
    if change.phase.is_open() {
        change.unread_since = is_unknown.then(|| change.unread_since.unwrap_or(now));
    } else if !is_unknown && !still_runs {
        change.unread_since = None;
    }
}

/// Whether the type change waits because what the platform shows of its replacement cannot be read. It does for as long as one
/// that the platform does not show: then the group itself tells how it ended.
fn waits_for_its_replacement(state: &OperationState, now: Timestamp) -> bool {
    let since = state.open_type_change().and_then(|change| change.unread_since);
    since.is_some_and(|since| now.duration_since(since).as_secs_f64() <= LONGEST.as_secs_f64())
}

/// Asks what follows for the open operation of a slot. Returns the step that is due.
fn advance(
    read: &mut Read,
    slot: Slot,
    snapshot: &Snapshot,
    ended: &mut Vec<Operation>,
    now: Timestamp,
) -> Option<(Slot, Step)> {
    let state = &mut read.record.state;
    let type_change = state.type_change.clone();
    let place = match slot {
        Slot::Scale => &mut state.operation,
        Slot::Retype => &mut state.type_change,
    };
    let mut operation = place.take_if(|operation| operation.phase.is_open())?;
    let replacement = read.replacement.as_ref();
    let unserved = observe::unserved_zones(&read.description);
    let launches = &snapshot.group.launch_type.name;
    let failures: Vec<LaunchFailure> = read
        .failures
        .iter()
        .filter(|failure| concerns(slot, failure, type_change.as_ref(), launches))
        .cloned()
        .collect();
    let failures = &failures;
    let observed = Observed { group: &snapshot.group, replacement, failures, unserved: &unserved, now };
    let mut due = None;
    match next_step(&operation, &observed) {
        Progress::Wait => {}
        Progress::Act(step) => {
            // Once it has gone back, nothing shows any more why.
            let arrived = replacement.is_some_and(|seen| seen.status == ReplacementStatus::Successful);
            if arrived && operation.phase == Phase::Accepted {
                operation.zones.lost = operation.lost_zones(&unserved);
            }
            due = Some((slot, step));
        }
        Progress::Adopt { platform_id, phase } => {
            operation.phase = phase;
            operation.accepted_at = Some(now);
            operation.platform_id = Some(platform_id);
            (operation.valid_for, operation.conflicting_since) = (read.config.evaluation_period, None);
        }
        Progress::End { phase, why } => {
            if phase == Phase::Superseded && slot == Slot::Retype {
                bookkeeping::type_change_of_others(state, &operation, replacement, now);
            }
            bookkeeping::ended(state, &read.config, &mut operation, End { phase, why, now });
            ended.push(operation.clone());
        }
    }
    match slot {
        Slot::Scale => state.operation = Some(operation),
        Slot::Retype => state.type_change = Some(operation),
    }
    due
}

/// Whether a failed launch says something about the operation in that slot. Those of a type that a type change brings, or
/// has brought in vain, are that one's: it goes back, and what was ordered beside it launches as the former type then.
fn concerns(
    slot: Slot,
    failure: &LaunchFailure,
    type_change: Option<&Operation>,
    launch_type: &TypeName,
) -> bool {
    let (Slot::Scale, Some(name), Some(change)) = (slot, &failure.instance_type, type_change) else {
        return true;
    };
    !(change.brings(name) && (change.phase.is_open() || name != launch_type))
}

/// Looks at a plan that was not accepted yet (it was refused, met another change, or its controller died) with the eyes
/// of the present decision: what was right a minute ago is not carried out against what is right now. What the platform
/// has accepted goes on; so does what a person asked for, unless the group stands still.
fn reconsider(
    read: &mut Read,
    step: Option<(Slot, Step)>,
    decision: &Decision,
    ended: &mut Vec<Operation>,
    now: Timestamp,
) -> Option<(Slot, Step)> {
    let (slot, step) = step?;
    let state = &mut read.record.state;
    let place = match slot {
        Slot::Scale => &mut state.operation,
        Slot::Retype => &mut state.type_change,
    };
    let Some(mut operation) = place.take_if(|operation| operation.phase == Phase::Planned) else {
        return Some((slot, step));
    };
    let requested = matches!(operation.reason, Reason::Requested { .. });
    let observed = read.config.control == ControlLevel::Observe && !requested;
    let mut due = None;
    if stands_still(&decision.reason) {
        // It waits, and is too old when the group moves again.
    } else if observed {
        give_up(state, &read.config, &mut operation, now);
        ended.push(operation.clone());
    } else {
        match (&mut operation.kind, &decision.action) {
            _ if requested => due = Some((slot, step)),
            (OperationKind::Retype { .. }, _) => due = Some((slot, step)),
            (OperationKind::Scale { from, to }, Action::Scale { from: present, to: wanted }) => {
                (*from, *to) = (*present, *wanted);
                operation.reason = decision.reason.clone();
                due = Some((slot, Step::SetDesired { desired: *wanted }));
            }
            (OperationKind::Scale { .. }, _) => {
                give_up(state, &read.config, &mut operation, now);
                ended.push(operation.clone());
            }
        }
    }
    match slot {
        Slot::Scale => state.operation = Some(operation),
        Slot::Retype => state.type_change = Some(operation),
    }
    due
}

/// Reasons for which nothing is begun, whatever was planned.
fn stands_still(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Paused
            | Reason::BreakerOpen
            | Reason::ProcessSuspended
            | Reason::ForeignController
            | Reason::TakeOverUnchecked
    )
}

fn give_up(state: &mut OperationState, config: &GroupConfig, operation: &mut Operation, now: Timestamp) {
    let why = "the present decision is another".to_owned();
    bookkeeping::ended(state, config, operation, End { phase: Phase::Superseded, why, now });
}

/// Follows which instances are new, in groups that have a warm-up.
fn track_warm_up(read: &mut Read, now: Timestamp) {
    let warm_up = f64::from(read.description.warm_up_seconds);
    let record = &mut read.record;
    if warm_up <= 0.0 {
        (record.known, record.warming) = (Vec::new(), Vec::new());
        return;
    }
    let in_service: Vec<&str> = read
        .description
        .instances
        .iter()
        .filter(|instance| instance.lifecycle == Lifecycle::InService)
        .map(|instance| instance.id.as_str())
        .collect();
    let first_look = record.known.is_empty();
    let mut known: Vec<u32> = in_service.iter().map(|id| hash(id)).collect();
    known.sort_unstable();
    if !first_look {
        for id in &in_service {
            if record.known.binary_search(&hash(id)).is_err() {
                record.warming.push(((*id).to_owned(), now));
            }
        }
    }
    record.warming.retain(|(id, since)| {
        in_service.contains(&id.as_str()) && now.duration_since(*since).as_secs_f64() < warm_up
    });
    record.known = known;
}

/// FNV-1a, 32 bits: small enough to keep a thousand, stable over versions.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn is_new(before: &GroupRecord, decision: &Decision) -> bool {
    let last = before.last_decision.as_ref();
    last.is_none_or(|(action, reason)| action != decision.action.label() || reason != decision.reason.label())
        || before.last_in_force != decision.in_force
}

/// A record is stored when its state changed; what was only learned waits for its turn.
fn must_store(before: &GroupRecord, after: &GroupRecord, now: Timestamp) -> bool {
    let overdue = before
        .learned_at
        .is_none_or(|stored| now.duration_since(stored).as_secs_f64() >= LEARNED_EVERY_SECONDS);
    before.state != after.state || before.warming != after.warming || before.known != after.known || overdue
}

impl Pass {
    /// Whether a change is about to begin. A step of an operation that has begun, a way back above all, is no plan.
    pub fn has_fresh_plan(&self) -> bool {
        let state = &self.read.record.state;
        let operation = match self.step {
            Some((Slot::Scale, _)) => &state.operation,
            Some((Slot::Retype, _)) => &state.type_change,
            None => return false,
        };
        operation
            .as_ref()
            .is_some_and(|operation| operation.phase == Phase::Planned && operation.attempts == 0)
    }

    /// Takes back a plan that was not admitted: as if it had not been made.
    pub fn withdraw_plan(&mut self) {
        if self.has_fresh_plan() {
            self.step = None;
            if let Some(before) = self.before_plan.take() {
                self.read.record.state = before.state;
                self.ended.truncate(before.ended);
                // A way back needs nobody's leave; a plan of before has to be let through itself.
                self.step = before.step;
                if self.has_fresh_plan() {
                    self.step = None;
                }
            }
        }
    }
}
