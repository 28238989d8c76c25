//! All figures as they stand: the newest of every group, and the totals.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling_policy::config::GroupName;
use scaling_policy::snapshot::TypeOffer;

use super::figures::{Added, Before, Ended, Figures};
use super::histogram::{CALL_BOUNDS, Histogram, OPERATION_BOUNDS};

/// Two or three labels that together name a counter.
pub(super) type Labels<const N: usize> = [&'static str; N];

/// What is known of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupTable {
    /// Of its newest evaluation; `None` while it cannot be evaluated.
    pub(super) newest: Option<Figures>,
    /// When it was last observed.
    pub(super) at: Option<Timestamp>,
    /// The reference type, as last seen.
    pub(super) reference: Option<TypeOffer>,
    /// End of the newest period whose requests are in the totals.
    pub(super) requests_until: Option<Timestamp>,
    pub(super) totals: Added,
    /// By kind and outcome.
    pub(super) operations: BTreeMap<Labels<2>, u64>,
    /// By kind.
    pub(super) durations: BTreeMap<&'static str, Histogram>,
    /// By action and reason.
    pub(super) decisions: BTreeMap<Labels<2>, u64>,
    /// By kind.
    pub(super) errors: BTreeMap<&'static str, u64>,
}

impl GroupTable {
    pub(super) fn before(&self) -> Before {
        Before { at: self.at, requests_until: self.requests_until }
    }

    pub(super) fn take(&mut self, figures: Figures) {
        self.totals.requests += figures.added.requests;
        self.totals.cost += figures.added.cost;
        self.totals.savings += figures.added.savings;
        self.totals.excess += figures.added.excess;
        self.requests_until = figures.requests_until.max(self.requests_until);
        *self.decisions.entry([figures.action, figures.reason]).or_default() += 1;
        self.at = Some(figures.at);
        self.newest = Some(figures);
    }

    /// What is not known any more is not shown any more.
    pub(super) fn failed(&mut self, kind: &'static str) {
        self.newest = None;
        self.count_error(kind);
    }

    pub(super) fn count_error(&mut self, kind: &'static str) {
        *self.errors.entry(kind).or_default() += 1;
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        *self.operations.entry([ended.kind, ended.outcome]).or_default() += 1;
        self.durations
            .entry(ended.kind)
            .or_insert_with(|| Histogram::new(&OPERATION_BOUNDS))
            .observe(ended.seconds);
    }
}

/// Everything that is rendered.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) groups: BTreeMap<GroupName, GroupTable>,
    /// Groups looked at or left over, and left over, by the last tick.
    pub(super) last_tick: Option<LastTick>,
    pub(super) ticks: Histogram,
    /// By port, operation and outcome.
    pub(super) calls: BTreeMap<Labels<3>, u64>,
    /// By port and operation.
    pub(super) call_durations: BTreeMap<Labels<2>, Histogram>,
    /// As of the last time it was asked for.
    pub(super) cloud: Vec<CloudCalls>,
    pub(super) unknown_alarms: u64,
}

/// Calls to one operation of the cloud's own interface, since the process started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudCalls {
    /// Its name there, such as `SetDesiredCapacity`.
    pub operation: String,
    /// Calls that were answered, each once however often it was tried.
    pub succeeded: u64,
    /// Calls that ended in an error.
    pub failed: u64,
    /// Answers, among all tries, that asked for fewer calls.
    pub throttled: u64,
}

/// What the last tick was.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastTick {
    pub(super) ended: Timestamp,
    pub(super) groups: usize,
    pub(super) left_over: usize,
    pub(super) config_version: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            groups: BTreeMap::new(),
            last_tick: None,
            ticks: Histogram::new(&CALL_BOUNDS),
            calls: BTreeMap::new(),
            call_durations: BTreeMap::new(),
            cloud: Vec::new(),
            unknown_alarms: 0,
        }
    }
}
