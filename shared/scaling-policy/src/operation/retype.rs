//! What follows for an open type change. It is told by the newest replacement of the group, whoever started it, and
//! by the types that run.
//!
//! A replacement is taken for ours by its identifier, or, where the answer that named it was lost, by its target: to
//! the wanted type while the change is planned, to the former type once it was accepted. Any other is somebody
//! else's, and the change gives way to it.

use std::time::Duration;

use scaling_fleet::TypeName;

use super::next_step::{LONGEST, SETTLING, end, fatal, is_stale, refused, too_old};
use super::{LaunchFailure, MOST_ATTEMPTS, Observed, Operation, Phase, Progress, Step};
use crate::decision::{Reason, counted};
use crate::snapshot::{ReplacementStatus, ReplacementView, ReplicaCount};

/// A type change with what is seen of it.
pub(super) struct Change<'a> {
    pub(super) operation: &'a Operation,
    pub(super) observed: &'a Observed<'a>,
    pub(super) from: &'a TypeName,
    pub(super) to: &'a TypeName,
    pub(super) fallbacks: &'a [TypeName],
    pub(super) replicas: u32,
}

/// Says what follows.
pub(super) fn next(change: &Change<'_>) -> Progress {
    if change.operation.phase == Phase::Planned {
        return start(change);
    }
    let Some(newest) = change.observed.replacement else { return unseen(change) };
    let is_ours = change.operation.platform_id.as_ref() == Some(&newest.id);
    if !is_ours && change.operation.is_just_accepted(change.observed.now) {
        // The platform's list may be older than its answer.
        return Progress::Wait;
    }
    if !is_ours && change.goes_back(newest) {
        return Progress::Adopt { platform_id: newest.id.clone(), phase: Phase::RollingBack };
    }
    if !is_ours {
        return end(Phase::Superseded, format!("another instance refresh has followed: {}", newest.id));
    }
    match change.operation.phase {
        Phase::RollingBack => way_back(change, newest),
        _ => way_there(change, newest),
    }
}

fn start(change: &Change<'_>) -> Progress {
    let observed = change.observed;
    if let Some(running) = observed.replacement.filter(|seen| seen.status.is_active()) {
        // A start whose answer was lost is ours: nobody else replaces to the type we want at this moment.
        return if running.target_type.as_ref() == Some(change.to) {
            Progress::Adopt { platform_id: running.id.clone(), phase: Phase::Accepted }
        } else {
            end(Phase::Superseded, "an instance refresh that is not ours is running".to_owned())
        };
    }
    if change.operation.attempts >= MOST_ATTEMPTS {
        return end(Phase::Failed, refused(change.operation));
    }
    if is_stale(change.operation, observed) {
        return if change.is_there() {
            end(Phase::Verified, String::new())
        } else {
            end(Phase::Superseded, too_old(change.operation))
        };
    }
    // A type of smaller machines needs more of them: they are ordered first, of the present type, so that the
    // replacement starts from enough. Bounds that somebody has lowered meanwhile win.
    let replicas = change.replicas.min(observed.group.max);
    if observed.group.desired < replicas {
        return Progress::Act(Step::SetDesired { desired: replicas });
    }
    let types = std::iter::once(change.to).chain(change.fallbacks).cloned().collect();
    Progress::Act(Step::StartReplacement { types })
}

/// The platform does not show our replacement yet, or no longer: the group itself tells, for a while.
fn unseen(change: &Change<'_>) -> Progress {
    let there = change.operation.phase != Phase::RollingBack && change.is_there();
    match change.operation.accepted_at {
        // Without a replacement to speak of, nothing says whose doing a zone that was left is.
        _ if there => end(Phase::Verified, change.left(&change.lost())),
        Some(at) if !change.is_older(at, LONGEST) => Progress::Wait,
        _ if change.is_back() => end(Phase::RolledBack, "the platform shows no instance refresh".to_owned()),
        _ => end(Phase::Failed, "the platform shows no instance refresh, and the types are mixed".to_owned()),
    }
}

fn way_there(change: &Change<'_>, ours: &ReplacementView) -> Progress {
    match ours.status {
        ReplacementStatus::Successful => arrived(change, ours),
        ReplacementStatus::Failed | ReplacementStatus::Cancelled | ReplacementStatus::RollbackFailed => {
            undo(change, ours)
        }
        ReplacementStatus::RollbackInProgress | ReplacementStatus::RollbackSuccessful => {
            way_back(change, ours)
        }
        ReplacementStatus::Pending
        | ReplacementStatus::InProgress
        | ReplacementStatus::Baking
        | ReplacementStatus::Cancelling => give_up_where_hopeless(change),
    }
}

/// Launches that go on failing are not waited for until the platform's own patience ends, which is an hour.
fn give_up_where_hopeless(change: &Change<'_>) -> Progress {
    if !change.is_hopeless() {
        return Progress::Wait;
    }
    match change.operation.attempts {
        0 => Progress::Act(Step::RollBackReplacement),
        // The platform refuses its own way back (the former configuration cannot be restored): stop, then ask for
        // the former type.
        tries if tries < MOST_ATTEMPTS => Progress::Act(Step::CancelReplacement),
        // Refused, too: it is watched to its end, so that nothing is taken away meanwhile.
        _ => Progress::Wait,
    }
}

/// The replacement has ended well. An instance that it left out on purpose stays as it is.
fn arrived(change: &Change<'_>, ours: &ReplacementView) -> Progress {
    if change.is_there() {
        return settled_in(change, ours);
    }
    let (mut left, mut free) = (0, 0);
    for count in change.observed.group.replicas.iter().filter(|count| !change.is_wanted(&count.offer.name)) {
        left += present(count);
        free += present(count).saturating_sub(count.protected);
    }
    if free == 0 && left > 0 {
        let many = "instances protected from scale-in keep their type";
        let kept = counted(left, "instance protected from scale-in keeps its type", many);
        let why = [kept, change.left(&change.lost())];
        return end(Phase::Verified, why.join("; ").trim_end_matches("; ").to_owned());
    }
    if change.has_settled(ours) {
        let kept = counted(left, "instance keeps its type", "instances keep their type");
        return end(Phase::Failed, format!("the replacement has ended, and {kept}"));
    }
    Progress::Wait
}

/// Everything runs the wanted type. Where a zone has none of it, the type does not launch there, and the platform went on
/// in the others: as after launches that failed, the former type is asked for. Not at once, as descriptions lag and the
/// platform itself brings a group back into balance.
fn settled_in(change: &Change<'_>, ours: &ReplacementView) -> Progress {
    let lost = change.lost();
    // What is undone already is not undone again: the zones would be left for the worse type.
    if lost.is_empty() || change.operation.reason == Reason::UndoneTypeChange {
        return end(Phase::Verified, change.left(&lost));
    }
    if change.has_settled(ours) { undo(change, ours) } else { Progress::Wait }
}

/// On the way back: by the platform's own roll-back of the first replacement, or by a second one to the former type.
fn way_back(change: &Change<'_>, ours: &ReplacementView) -> Progress {
    use ReplacementStatus::{Cancelled, Failed, RollbackFailed, RollbackSuccessful, Successful};
    let why = || change.why_back(ours);
    match ours.status {
        status if status.is_active() => Progress::Wait,
        Successful if !change.goes_back(ours) && change.is_there() => end(Phase::Verified, String::new()),
        RollbackSuccessful | Successful if change.is_back() => end(Phase::RolledBack, why()),
        RollbackSuccessful | Successful if !change.has_settled(ours) => Progress::Wait,
        // The first one has ended short of its way back: the former type is asked for.
        RollbackFailed | Cancelled | Failed if !change.goes_back(ours) => undo(change, ours),
        _ if change.is_back() => end(Phase::RolledBack, why()),
        _ => end(Phase::Failed, "the way back did not succeed; the group has mixed types".to_owned()),
    }
}

/// The replacement has ended without its effect: back to the former type, by a second one, unless nothing of it is
/// left.
fn undo(change: &Change<'_>, ours: &ReplacementView) -> Progress {
    if change.is_back() {
        return end(Phase::RolledBack, change.why_back(ours));
    }
    if change.operation.attempts >= MOST_ATTEMPTS && change.is_there() {
        let refusal = change.refusal("refused");
        return end(Phase::Failed, format!("{}; the way back: {refusal}", change.left(&change.lost())));
    }
    if change.operation.attempts >= MOST_ATTEMPTS {
        return end(Phase::Failed, change.refusal("the way back was refused; the group has mixed types"));
    }
    Progress::Act(Step::StartReplacement { types: vec![change.from.clone()] })
}

impl Change<'_> {
    fn is_wanted(&self, name: &TypeName) -> bool {
        name == self.to || self.fallbacks.contains(name)
    }

    /// Whether everything that runs is of a wanted type.
    fn is_there(&self) -> bool {
        let group = self.observed.group;
        let mut running = group.replicas.iter().filter(|count| present(count) > 0);
        group.total() > 0 && running.all(|count| self.is_wanted(&count.offer.name))
    }

    /// Zones that were served before and have no replica now, though there are enough for one in each.
    fn lost(&self) -> Vec<String> {
        self.operation.lost_zones(self.observed.unserved)
    }

    /// That the wanted type left these zones, for a person; empty where it left none.
    fn left(&self, zones: &[String]) -> String {
        match zones {
            [] => String::new(),
            zones => {
                format!("no {} came into service in {}, which had served before", self.to, zones.join(", "))
            }
        }
    }

    /// Why it went back.
    fn why_back(&self, ours: &ReplacementView) -> String {
        match &self.operation.zones.lost[..] {
            [] => ours.reason.clone().unwrap_or_default(),
            zones => self.left(zones),
        }
    }

    /// Whether nothing runs of a type that the change brought. Other types may have been there before it.
    fn is_back(&self) -> bool {
        let group = self.observed.group;
        let mut running = group.replicas.iter().filter(|count| present(count) > 0);
        !running.any(|count| self.is_wanted(&count.offer.name) && count.offer.name != *self.from)
    }

    /// Launches that failed in a row since the replacement was accepted: those before one that went through are overcome.
    /// The former type's do not count: where the change was made because that does not launch, they go on for a while.
    fn failures(&self) -> impl Iterator<Item = &LaunchFailure> {
        let since = self.operation.accepted_at.unwrap_or(self.operation.planned_at);
        let failures = self.observed.failures.iter();
        failures
            .filter(move |failure| failure.at > since && !failure.overcome)
            .filter(|failure| failure.instance_type.as_ref() != Some(self.from))
    }

    /// Launches of a replacement that go on failing: its own patience is an hour, ours is not.
    fn is_hopeless(&self) -> bool {
        fatal(self.failures()).is_some() || self.failures().count() >= usize::from(MOST_ATTEMPTS)
    }

    fn goes_back(&self, replacement: &ReplacementView) -> bool {
        replacement.target_type.as_ref() == Some(self.from)
    }

    fn has_settled(&self, ended: &ReplacementView) -> bool {
        // Without the moment of its end: as long after the platform accepted it as anything may take.
        match (ended.ended, self.operation.accepted_at) {
            (Some(at), _) => self.is_older(at, SETTLING),
            (None, Some(at)) => self.is_older(at, LONGEST),
            (None, None) => true,
        }
    }

    fn is_older(&self, at: jiff::Timestamp, than: Duration) -> bool {
        self.observed.now.duration_since(at).as_secs_f64() > than.as_secs_f64()
    }

    fn refusal(&self, otherwise: &str) -> String {
        let fatal = fatal(self.failures()).map(|failure| failure.message.clone());
        self.operation.failure.clone().or(fatal).unwrap_or_else(|| otherwise.to_owned())
    }
}

fn present(count: &ReplicaCount) -> u32 {
    count.serving + count.warming + count.pending
}
