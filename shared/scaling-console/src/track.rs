//! What is kept of one group.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use scaling_control::{Evaluation, GroupOutcome, Outcome};
use scaling_policy::config::GroupConfig;
use scaling_policy::operation::{Operation, OperationKind};
use scaling_telemetry::metrics::{Added, Figures};
use serde::{Deserialize, Serialize};

use crate::past::Chunk;
use crate::series::Series;

/// Marks that are kept.
const MARKS: usize = 200;

/// An operation on the charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Its identifier.
    pub(crate) id: String,
    /// When it was planned.
    pub(crate) at: Timestamp,
    /// `up`, `down` or `retype`.
    pub(crate) kind: Cow<'static, str>,
    /// What changes, such as `4 -> 6`.
    pub(crate) change: String,
    /// How far it is.
    pub(crate) phase: Cow<'static, str>,
}

/// One group: its newest evaluation, its figures over time, its operations.
#[derive(Debug, Default)]
pub(crate) struct Track {
    pub(crate) config: Option<Arc<GroupConfig>>,
    pub(crate) newest: Option<(Box<Evaluation>, Figures)>,
    /// Why there is no newer evaluation.
    pub(crate) trouble: Option<String>,
    pub(crate) series: Series,
    pub(crate) totals: Added,
    /// When the group was first seen, by this process or one before it.
    pub(crate) since: Option<Timestamp>,
    /// Whether what earlier processes have seen is here.
    pub(crate) recalled: bool,
    /// Hours that are in the store, with a digest of what was written.
    pub(crate) kept: Vec<(i64, u64)>,
    pub(crate) marks: VecDeque<Mark>,
}

impl Track {
    /// Takes in what became of the group in one tick.
    pub(crate) fn take(&mut self, outcome: &GroupOutcome, figures: Option<&Figures>) {
        self.config = Some(Arc::clone(&outcome.config));
        for operation in outcome.acted.iter().chain(&outcome.ended) {
            self.mark(operation);
        }
        match (&outcome.result, figures) {
            (Outcome::Decided(evaluation), Some(figures)) => {
                self.series.take(figures);
                self.since.get_or_insert(figures.at);
                self.totals.requests += figures.added.requests;
                self.totals.cost += figures.added.cost;
                self.totals.savings += figures.added.savings;
                self.totals.excess += figures.added.excess;
                self.trouble = evaluation.step_error.as_ref().map(ToString::to_string);
                self.newest = Some((evaluation.clone(), figures.clone()));
            }
            (Outcome::Decided(_) | Outcome::Busy, _) => {}
            (Outcome::NotFound, _) => {
                self.trouble = Some("the platform knows no group of this name".to_owned());
            }
            (Outcome::Failed(error), _) => self.trouble = Some(error.to_string()),
        }
    }

    /// Takes in what an earlier process has seen, oldest first; what this one has seen already stays behind it.
    pub(crate) fn recall(&mut self, chunks: &[Chunk]) {
        if std::mem::replace(&mut self.recalled, true) {
            return;
        }
        let Some(newest) = chunks.last() else { return };
        // What is in the store already is not written again.
        self.kept.extend(newest.hour().map(|hour| (hour, 0)));
        self.series.recall(chunks);
        self.since = newest.since.or(self.since);
        let before = newest.totals();
        self.totals.requests += before.requests;
        self.totals.cost += before.cost;
        self.totals.savings += before.savings;
        self.totals.excess += before.excess;
        for mark in chunks.iter().flat_map(|chunk| &chunk.marks).rev() {
            if self.marks.len() < MARKS && !self.marks.iter().any(|known| known.id == mark.id) {
                self.marks.push_front(mark.clone());
            }
        }
    }

    fn mark(&mut self, operation: &Operation) {
        let phase = Cow::Borrowed(operation.phase.label());
        if let Some(known) = self.marks.iter_mut().find(|mark| mark.id == operation.id.0) {
            known.phase = phase;
            return;
        }
        let change = match &operation.kind {
            OperationKind::Scale { from, to } => format!("{from} -> {to} replicas"),
            OperationKind::Retype { from, to, .. } => format!("{from} -> {to}"),
        };
        let (id, at, kind) =
            (operation.id.0.clone(), operation.planned_at, Cow::Borrowed(operation.kind.label()));
        self.marks.push_back(Mark { id, at, kind, change, phase });
        if self.marks.len() > MARKS {
            self.marks.pop_front();
        }
    }
}
