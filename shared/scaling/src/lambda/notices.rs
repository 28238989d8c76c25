//! What a person must know of an evaluation: the few things that the controller cannot mend by itself.
//!
//! A function answers with them, and Lambda's destinations pass its answer on to EventBridge; and they are counted as
//! a CloudWatch metric, which alarms turn into messages. Neither needs a call, a permission or a client of its own.
//! Both tell each minute what holds at that minute, so that nothing is lost; telling once that something began and once
//! that it is over is what an alarm does. Of a group with a longer evaluation period that is what held when it was last
//! evaluated ([`Standing`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use scaling_control::{Evaluation, GroupOutcome, Outcome, TickReport};
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::decision::Reason;
use scaling_policy::operation::Phase;
use scaling_policy::snapshot::ForeignController;
use serde::Serialize;
use serde_json::json;

/// The metric: groups that a notice of the dimension `kind` is about. It has a value only while there is one.
pub const METRIC: &str = "scaling_notices";

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// More replicas are needed than the maximum allows.
    Saturated,
    /// A bound metric has no usable value, so that nothing is taken away.
    DataMissing,
    /// An operation failed or was rolled back.
    OperationFailed,
    /// Somebody else's policy, schedule or autoscaler acts on the group.
    ForeignController,
    /// Three operations failed in a row; the group holds until a person resumes it.
    BreakerOpen,
    /// The platform does not know the group.
    NotFound,
    /// The group could not be evaluated; it stays as it is.
    Unreadable,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Saturated,
        Self::DataMissing,
        Self::OperationFailed,
        Self::ForeignController,
        Self::BreakerOpen,
        Self::NotFound,
        Self::Unreadable,
    ];

    /// The word in events and in the metric's dimension.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Saturated => "saturated",
            Self::DataMissing => "data_missing",
            Self::OperationFailed => "operation_failed",
            Self::ForeignController => "foreign_controller",
            Self::BreakerOpen => "breaker_open",
            Self::NotFound => "not_found",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One thing about one group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// What it is about.
    pub kind: Kind,
    /// Which group.
    pub group: GroupName,
    /// A sentence.
    pub message: String,
}

/// The notices of an evaluation, in the order of its groups.
pub fn notices(report: &TickReport) -> Vec<Notice> {
    report.outcomes.iter().flat_map(of_group).collect()
}

/// What held of each group when it was last evaluated, as far as it is not over with the telling.
#[derive(Debug, Default)]
pub struct Standing(Mutex<BTreeMap<GroupName, Vec<Notice>>>);

impl Standing {
    /// The notices of a tick over all groups. Of those that were not due, not reached, busy elsewhere, or not to be read, what
    /// held before holds on: nobody has seen that it is over.
    pub fn of_tick(&self, report: &TickReport) -> Vec<Notice> {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *standing);
        let mut told = notices(report);
        for notice in told.iter().filter(|notice| lasts(notice.kind)) {
            standing.entry(notice.group.clone()).or_default().push(notice.clone());
        }
        let unseen = report
            .outcomes
            .iter()
            .filter(|outcome| was_not_seen(outcome))
            .map(|outcome| &outcome.config.name);
        for group in report.not_due.iter().chain(&report.left_over).chain(unseen) {
            let kept = before.remove(group).unwrap_or_default();
            told.extend(kept.iter().cloned());
            standing.insert(group.clone(), kept);
        }
        told
    }
}

/// Whether a notice holds until another evaluation says otherwise. A failed operation is told once; a failed evaluation is
/// of its own tick.
fn lasts(kind: Kind) -> bool {
    !matches!(kind, Kind::OperationFailed | Kind::Unreadable)
}

fn was_not_seen(outcome: &GroupOutcome) -> bool {
    matches!(outcome.result, Outcome::Busy | Outcome::Failed(_))
}

fn of_group(outcome: &GroupOutcome) -> Vec<Notice> {
    let mut found: Vec<(Kind, String)> = outcome
        .ended
        .iter()
        .filter(|operation| matches!(operation.phase, Phase::Failed | Phase::RolledBack))
        .map(|operation| {
            let (kind, phase) = (operation.kind.label(), operation.phase.label());
            let why = operation.failure.as_deref().unwrap_or("no cause is known");
            (Kind::OperationFailed, format!("operation {} ({kind}) ended {phase}: {why}", operation.id.0))
        })
        .collect();
    match &outcome.result {
        Outcome::Decided(evaluation) => found.extend(of_evaluation(&outcome.config, evaluation)),
        Outcome::NotFound => {
            found.push((Kind::NotFound, "the platform knows no group of this name".to_owned()));
        }
        Outcome::Failed(error) => found.push((Kind::Unreadable, error.to_string())),
        Outcome::Busy => {}
    }
    let group = &outcome.config.name;
    found.into_iter().map(|(kind, message)| Notice { kind, group: group.clone(), message }).collect()
}

fn of_evaluation(config: &GroupConfig, evaluation: &Evaluation) -> Vec<(Kind, String)> {
    let Evaluation { snapshot, decision, state, .. } = evaluation;
    let mut found = Vec::new();
    if decision.reason == Reason::SaturatedAtMax {
        found.push((Kind::Saturated, decision.reason.to_string()));
    }
    let reasons = std::iter::once(&decision.reason).chain(decision.guards.iter().map(|note| &note.reason));
    let missing = reasons.filter(|reason| matches!(reason, Reason::DataMissing { .. }));
    found.extend(missing.map(|reason| (Kind::DataMissing, reason.to_string())));
    let foreign: BTreeSet<String> = state.foreign.iter().chain(&snapshot.group.foreign).map(name).collect();
    if !foreign.is_empty() && !config.coexist {
        let names = Vec::from_iter(foreign).join(", ");
        found.push((Kind::ForeignController, format!("only observed, because others act on it: {names}")));
    }
    if decision.reason == Reason::TakeOverUnchecked {
        found.push((Kind::ForeignController, decision.reason.to_string()));
    }
    if state.breaker.is_open() {
        found.push((Kind::BreakerOpen, Reason::BreakerOpen.to_string()));
    }
    found.sort();
    found.dedup();
    found
}

fn name(foreign: &ForeignController) -> String {
    match foreign {
        ForeignController::ScalingPolicy { name } => format!("scaling policy {name}"),
        ForeignController::ScheduledAction { name } => format!("scheduled action {name}"),
        ForeignController::Tag { key } => format!("tag {key}"),
    }
}

/// The metric's lines in CloudWatch's embedded metric format, one for each kind that there is.
pub(super) fn lines(namespace: &str, at: Timestamp, notices: &[Notice]) -> Vec<String> {
    let mut groups: BTreeMap<Kind, BTreeSet<&GroupName>> = BTreeMap::new();
    for notice in notices {
        groups.entry(notice.kind).or_default().insert(&notice.group);
    }
    let line = |(kind, groups): (Kind, BTreeSet<&GroupName>)| {
        let metrics = json!([{"Name": METRIC, "Unit": "Count"}]);
        let directive = json!({"Namespace": namespace, "Dimensions": [["kind"]], "Metrics": metrics});
        json!({
            "_aws": {"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive]},
            "kind": kind.label(),
            METRIC: groups.len(),
            "groups": groups,
        })
        .to_string()
    };
    groups.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
