//! The figures of every group and of the controller itself. They are taken from the report of each tick, so that a
//! scrape reads nothing from the platform, and rendered as Prometheus text, OpenMetrics text or JSON.
//!
//! Gauges of a group that could not be evaluated are absent until it can be: an old value would look like a new one.
//! Totals count from the start of the process.

mod exposition;
mod figures;
mod format;
mod histogram;
mod json;
pub mod names;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::registry::Registry;
use scaling_control::{GroupOutcome, Outcome, TickReport};
use scaling_policy::config::{ConfigVersion, GroupName};

pub use figures::{Added, Ended, Figures, LONGEST_GAP_SECONDS};
pub use format::{Format, quality};
pub use table::CloudCalls;

use crate::savings;
use exposition::Shared;
use table::{GroupTable, LastTick, Table};

/// The figures of this process. Cloning gives another handle on the same ones.
#[derive(Clone)]
pub struct Metrics {
    table: Shared,
    registry: Arc<Registry>,
    /// Bytes of the last rendering.
    written: Arc<AtomicUsize>,
    cloud: Arc<OnceLock<CloudSource>>,
}

/// Says how often the cloud has been called; asked at each rendering.
type CloudSource = Box<dyn Fn() -> Vec<CloudCalls> + Send + Sync>;

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// One tick beside its report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tick {
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The configuration that it ran under.
    pub config_version: ConfigVersion,
}

/// What was recorded of one group in one tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The group.
    pub group: GroupName,
    /// Its figures, where it was evaluated.
    pub figures: Option<Figures>,
    /// Operations that ended.
    pub ended: Vec<Ended>,
    /// Kind of the error, where there was one.
    pub error: Option<&'static str>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing recorded yet.
    pub fn new() -> Self {
        let table = Shared(Arc::new(Mutex::new(Table::default())));
        let mut registry = Registry::default();
        registry.register_collector(Box::new(table.clone()));
        Self { table, registry: Arc::new(registry), written: Arc::default(), cloud: Arc::default() }
    }

    /// Asks `calls` at each rendering how often the cloud has been called. The first that is given is asked.
    pub fn watch_cloud(&self, calls: impl Fn() -> Vec<CloudCalls> + Send + Sync + 'static) {
        // A second source would count the same calls again.
        let _ = self.cloud.set(Box::new(calls));
    }

    /// Takes the report of a tick in, and returns what each of its groups added.
    pub fn record_tick(&self, report: &TickReport, tick: Tick) -> Vec<Recorded> {
        let recorded = self.record(report);
        let mut table = self.lock();
        table.ticks.observe(tick.took.as_secs_f64());
        table.last_tick = Some(LastTick {
            ended: tick.ended,
            groups: report.outcomes.len() + report.left_over.len() + report.not_due.len(),
            left_over: report.left_over.len(),
            config_version: tick.config_version.0,
        });
        recorded
    }

    /// What was last recorded of groups that a tick did not evaluate, because they were not due: it holds still, and adds
    /// nothing.
    pub fn standing(&self, groups: &[GroupName]) -> Vec<Recorded> {
        let of = |group: &GroupName| {
            let figures = self.figures(group);
            Recorded { group: group.clone(), figures, ended: Vec::new(), error: None }
        };
        groups.iter().map(of).collect()
    }

    /// Takes in an evaluation that is not a tick over all groups: one that an alarm or a request asked for.
    pub fn record(&self, report: &TickReport) -> Vec<Recorded> {
        let mut table = self.lock();
        report.outcomes.iter().map(|outcome| record_group(&mut table, outcome)).collect()
    }

    /// Shows what an evaluation saw that changed nothing: gauges only, as no total may count a look that is no tick.
    pub fn show(&self, report: &TickReport) {
        let mut table = self.lock();
        for outcome in &report.outcomes {
            let group = table.groups.entry(outcome.config.name.clone()).or_default();
            group.newest = figures_of(group, outcome);
        }
    }

    /// When the last tick of this process ended; `None` before the first, and in a process that never ticks.
    pub fn last_tick(&self) -> Option<Timestamp> {
        self.lock().last_tick.map(|tick| tick.ended)
    }

    /// Counts an alarm that belongs to no group.
    pub fn record_unknown_alarm(&self) {
        self.lock().unknown_alarms += 1;
    }

    /// Counts a call to a port. `outcome` is `ok` or the kind of the error.
    pub fn record_call(
        &self,
        port: &'static str,
        operation: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        let mut table = self.lock();
        *table.calls.entry([port, operation, outcome]).or_default() += 1;
        table
            .call_durations
            .entry([port, operation])
            .or_insert_with(|| histogram::Histogram::new(&histogram::CALL_BOUNDS))
            .observe(took.as_secs_f64());
    }

    /// Forgets the groups that are not in the configuration any more.
    pub fn keep_groups<'a>(&self, names: impl IntoIterator<Item = &'a GroupName>) {
        let names: BTreeSet<&GroupName> = names.into_iter().collect();
        self.lock().groups.retain(|name, _| names.contains(name));
    }

    /// The newest figures of a group.
    pub fn figures(&self, group: &GroupName) -> Option<Figures> {
        self.lock().groups.get(group)?.newest.clone()
    }

    /// Everything, in a format.
    pub fn render(&self, format: Format) -> String {
        if let Some(calls) = self.cloud.get() {
            let calls = calls();
            self.lock().cloud = calls;
        }
        // As much room as the last time: a text of many megabytes is not moved while it grows.
        let room = self.written.load(Ordering::Relaxed);
        let mut text = String::with_capacity(room + room / 16);
        let written = match format {
            Format::Json => {
                text = json::render(&self.lock()).to_string();
                Ok(())
            }
            Format::Prometheus => {
                prometheus_client::encoding::prometheus_text::encode(&mut text, &self.registry)
            }
            Format::OpenMetrics => prometheus_client::encoding::text::encode(&mut text, &self.registry),
        };
        // Writing to a String does not fail; the encoder's signature is for any writer.
        if written.is_err() {
            tracing::error!("the metrics could not be written as text");
        }
        self.written.store(text.len(), Ordering::Relaxed);
        text
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record_group(table: &mut Table, outcome: &GroupOutcome) -> Recorded {
    let name = &outcome.config.name;
    let group = table.groups.entry(name.clone()).or_default();
    let ended: Vec<Ended> = outcome.ended.iter().filter_map(Ended::of).collect();
    for end in &ended {
        group.ended(*end);
    }
    let error = match &outcome.result {
        Outcome::Decided(evaluation) => evaluation.step_error.is_some().then_some("step"),
        Outcome::Busy => None,
        Outcome::NotFound => Some("not_found"),
        Outcome::Failed(error) => Some(error.kind()),
    };
    let figures = record_evaluation(group, outcome);
    match error {
        Some(kind) if figures.is_none() => group.failed(kind),
        Some(kind) => group.count_error(kind),
        None => {}
    }
    Recorded { group: name.clone(), figures, ended, error }
}

fn record_evaluation(group: &mut GroupTable, outcome: &GroupOutcome) -> Option<Figures> {
    let figures = figures_of(group, outcome)?;
    group.take(figures.clone());
    Some(figures)
}

fn figures_of(group: &mut GroupTable, outcome: &GroupOutcome) -> Option<Figures> {
    let evaluation = outcome.evaluation()?;
    if let Some(name) = &evaluation.state.reference_type
        && let Some(offer) = savings::offer_in(&evaluation.snapshot, name)
    {
        group.reference = Some(offer.clone());
    }
    Some(Figures::of(outcome, evaluation, group.before(), group.reference.as_ref()))
}
