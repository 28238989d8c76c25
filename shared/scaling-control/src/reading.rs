//! Reading everything that an evaluation needs, once: records, descriptions and metrics of all groups at the same
//! time, then what only some groups need.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_policy::OperationState;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::trigger::Trigger;
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::control_loop::{CONCURRENT, ControlLoop, failed};
use crate::error::PortError;
use crate::observe;
use crate::pass::Read;
use crate::ports::{DESCRIBED_AT_ONCE, Described, GroupDescription, MetricQuery, MetricSeries, Record};
use crate::ports_set::Ports;
use crate::record;
use crate::report::{Outcome, TickReport};

/// Longest time for one reading call with all its retries; a platform that hangs must not hang the loop.
pub(crate) const LONGEST_READ: Duration = Duration::from_secs(45);

/// Gives `call` at most `longest`, and then counts it as one without an answer.
///
/// # Errors
/// Its own, and `Unavailable` when the time is over.
pub async fn within<T>(
    longest: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let late = |_| PortError::Unavailable {
        operation,
        message: format!("no answer within {} s", longest.as_secs()),
        source: None,
    };
    tokio::time::timeout(longest, call).await.map_err(late)?
}

/// How long reading may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// Of the loop: as long as each call may take at all. The whole evaluation should be over at the deadline; the look for
    /// other controllers has its share of the time to then.
    Loop(Option<Timestamp>),
    /// Of somebody who waits for so long at most.
    Asker(Duration),
}

impl Patience {
    /// When the whole evaluation should be over.
    pub(crate) const fn deadline(self) -> Option<Timestamp> {
        match self {
            Self::Loop(deadline) => deadline,
            Self::Asker(_) => None,
        }
    }

    /// For each reading call without which a group is observed all the same. Metrics and open operations follow each other.
    fn call(self) -> Duration {
        match self {
            Self::Loop(_) => LONGEST_READ,
            Self::Asker(longest) => (longest / 2).min(LONGEST_READ),
        }
    }
}

type SeriesOf = HashMap<GroupName, Vec<(Trigger, MetricSeries)>>;

/// What was described, and which groups could not be.
#[derive(Default)]
struct Descriptions {
    found: HashMap<GroupName, GroupDescription>,
    unanswered: HashMap<GroupName, PortError>,
}

impl Descriptions {
    fn take(&mut self, each: Vec<Described>) {
        for (group, described) in each {
            match described {
                Ok(found) => {
                    self.found.insert(group, found);
                }
                Err(error) => {
                    tracing::warn!(target: "scaling::integration", %group, %error, "not described");
                    self.unanswered.insert(group, error);
                }
            }
        }
    }
}

impl ControlLoop {
    /// Reads descriptions, records and metrics of all groups, at the same time and in as few calls as the ports
    /// need; then what only some groups need. For somebody who waits, other controllers are looked for meanwhile.
    pub(crate) async fn read(
        &self,
        groups: &[Arc<GroupConfig>],
        patience: Patience,
        report: &mut TickReport,
    ) -> Result<Vec<Read>, PortError> {
        let Patience::Asker(longest) = patience else {
            let mut reads = self.read_groups(groups, patience, report).await?;
            self.look_for_other_controllers(&mut reads, patience.deadline()).await;
            return Ok(self.read_more(reads, patience, report).await);
        };
        let look = async { Ok(self.others_within(groups, longest).await) };
        let rest = async {
            let reads = self.read_groups(groups, patience, report).await?;
            Ok(self.read_more(reads, patience, report).await)
        };
        let (found, mut reads) = tokio::try_join!(look, rest)?;
        self.know_others(&mut reads, found);
        Ok(reads)
    }

    async fn read_groups(
        &self,
        groups: &[Arc<GroupConfig>],
        patience: Patience,
        report: &mut TickReport,
    ) -> Result<Vec<Read>, PortError> {
        let now = self.ports().clock.now();
        let keys: Vec<String> = groups.iter().map(|group| record::group_key(&group.name)).collect();
        let queries: Vec<_> = groups.iter().flat_map(|group| observe::queries(group, now)).collect();
        // The records first: a description older than its record would show a change that somebody has just made as
        // not made, and ours as a stranger's.
        let records = within(LONGEST_READ, "read the records", self.ports().store.get_many(&keys)).await?;
        let (described, series) = tokio::join!(self.describe(groups), self.series(&queries, patience));
        let described = described?;
        let records: HashMap<&str, &Record> =
            records.iter().map(|stored| (stored.key.as_str(), stored)).collect();
        Ok(self.put_together(groups, &records, described, series, report))
    }

    /// One read for each group that can be evaluated; the others' outcomes go into the report.
    fn put_together(
        &self,
        groups: &[Arc<GroupConfig>],
        records: &HashMap<&str, &Record>,
        mut described: Descriptions,
        mut series: SeriesOf,
        report: &mut TickReport,
    ) -> Vec<Read> {
        let now = self.ports().clock.now();
        let mut reads = Vec::with_capacity(groups.len());
        for config in groups {
            let key = record::group_key(&config.name);
            let stored = records.get(key.as_str());
            let parsed = stored.map(|stored| record::group_from_json(&key, &stored.body)).transpose();
            let record = match parsed {
                Ok(record) => self.with_memory(config, record.unwrap_or_default()),
                Err(error) => {
                    report.outcomes.push(failed(config, Outcome::Failed(error)));
                    continue;
                }
            };
            if let Some(error) = described.unanswered.remove(&config.name) {
                report.outcomes.push(failed(config, Outcome::Failed(error)));
                continue;
            }
            let Some(description) = described.found.remove(&config.name) else {
                report.outcomes.push(failed(config, Outcome::NotFound));
                continue;
            };
            if record.lease.as_ref().is_some_and(|lease| lease.until > now) {
                report.outcomes.push(failed(config, Outcome::Busy));
                continue;
            }
            reads.push(Read {
                config: Arc::clone(config),
                record,
                version: stored.map(|stored| stored.version),
                description,
                series: series.remove(&config.name).unwrap_or_default(),
                replacement: None,
                is_replacement_unknown: false,
                others: None,
                failures: Vec::new(),
                must_store: false,
                span: span_of(config),
            });
        }
        reads
    }

    /// Describes the groups, a call's worth at a time: a call that fails takes its own groups with it, and a group that
    /// cannot be described no other.
    ///
    /// # Errors
    /// No call was answered.
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Descriptions, PortError> {
        let mut described = Descriptions::default();
        let mut tasks = JoinSet::new();
        let mut pages = groups.chunks(DESCRIBED_AT_ONCE).map(<[_]>::to_vec);
        let mut answered = groups.is_empty();
        let mut last = None;
        loop {
            while tasks.len() < CONCURRENT
                && let Some(page) = pages.next()
            {
                let ports = self.ports().clone();
                let describe = async move {
                    let answer =
                        within(LONGEST_READ, "describe the groups", ports.groups.describe_each(&page)).await;
                    (page, answer)
                };
                tasks.spawn(describe.in_current_span());
            }
            match tasks.join_next().await {
                None => break,
                Some(Ok((_, Ok(each)))) => {
                    answered = true;
                    described.take(each);
                }
                Some(Ok((page, Err(error)))) => {
                    tracing::warn!(target: "scaling::integration", %error, groups = page.len(), "not described");
                    let unanswered = page.iter().map(|group| (group.name.clone(), error.for_another()));
                    described.unanswered.extend(unanswered);
                    last = Some(error);
                }
                Some(Err(error)) => last = Some(aborted("describe the groups", &error)),
            }
        }
        match last {
            Some(error) if !answered => Err(error),
            _ => Ok(described),
        }
    }

    /// Without metrics every group still is observed; missing data never takes anything away.
    async fn series(&self, queries: &[MetricQuery], patience: Patience) -> SeriesOf {
        let metrics = &self.ports().metrics;
        let read = match patience {
            Patience::Loop(_) => metrics.read(queries),
            Patience::Asker(_) => metrics.read_within(queries, patience.call()),
        };
        let series = within(LONGEST_READ, "read metrics", read).await.unwrap_or_else(|error| {
            tracing::warn!(target: "scaling::integration", %error, "metrics could not be read");
            vec![MetricSeries::unread(error.into()); queries.len()]
        });
        let mut of_groups = SeriesOf::new();
        for (query, series) in queries.iter().zip(series) {
            let (group, trigger, answered) = (&query.group.name, query.trigger, series.points.len());
            let series = series.without_absurd(query.binding.scale);
            if series.points.len() < answered {
                tracing::warn!(target: "scaling::monitor", %group, ?trigger, "values that cannot be true count as missing");
            }
            of_groups.entry(group.clone()).or_default().push((trigger, series));
        }
        of_groups
    }

    /// Reads the replacement and the failed launches of groups with an open operation.
    async fn read_more(&self, reads: Vec<Read>, patience: Patience, report: &mut TickReport) -> Vec<Read> {
        let (open, mut complete): (Vec<Read>, Vec<Read>) = reads.into_iter().partition(needs_more);
        let mut tasks = JoinSet::new();
        let mut running = HashMap::new();
        let mut open = open.into_iter();
        loop {
            while tasks.len() < CONCURRENT
                && let Some(read) = open.next()
            {
                let config = Arc::clone(&read.config);
                let span = read.span.clone();
                let task =
                    tasks.spawn(read_operation(self.ports().clone(), read, patience.call()).instrument(span));
                running.insert(task.id(), config);
            }
            match tasks.join_next_with_id().await {
                None => return complete,
                Some(Ok((_, read))) => complete.push(read),
                Some(Err(error)) => {
                    if let Some(config) = running.get(&error.id()) {
                        let error = aborted("read the operation", &error);
                        report.outcomes.push(failed(config, Outcome::Failed(error)));
                    }
                }
            }
        }
    }
}

/// A task that panicked; its group is reported like one whose call failed.
pub(crate) fn aborted(operation: &'static str, error: &tokio::task::JoinError) -> PortError {
    tracing::error!(target: "scaling::integration", %error, operation, "a task was aborted");
    PortError::Unavailable { operation, message: format!("aborted: {error}"), source: None }
}

/// One for each group that is evaluated, with what was decided once that is known.
fn span_of(config: &GroupConfig) -> Span {
    tracing::info_span!(target: "scaling::monitor", "group", group = %config.name, action = Empty, reason = Empty)
}

fn needs_more(read: &Read) -> bool {
    let state = &read.record.state;
    asks_for_its_replacement(state) || (state.open_operation().is_some() && state.missing_since.is_some())
}

/// Whether a type change is open, or has ended without anybody having been able to read how.
fn asks_for_its_replacement(state: &OperationState) -> bool {
    state.type_change.as_ref().is_some_and(|change| change.phase.is_open() || change.unread_since.is_some())
}

/// What explains an operation is no condition for evaluating its group: without the failed launches it goes on as if there
/// were none, and without the replacement only the type change is left as it is.
async fn read_operation(ports: Ports, mut read: Read, longest: Duration) -> Read {
    let state = &read.record.state;
    let is_retyping = asks_for_its_replacement(state);
    let open = [state.open_type_change(), state.open_operation()];
    let since = open.into_iter().flatten().map(|operation| operation.planned_at).min();
    let group = &read.config;
    let replacement = async { if is_retyping { ports.groups.replacement(group).await } else { Ok(None) } };
    let failures = async {
        match since {
            Some(since) => ports.groups.launch_failures(group, since).await,
            None => Ok(Vec::new()),
        }
    };
    let (replacement, failures) = tokio::join!(
        within(longest, "read the replacement", replacement),
        within(longest, "read failed launches", failures),
    );
    read.is_replacement_unknown = replacement.is_err();
    let otherwise = if state.open_type_change().is_some() {
        "the type change waits"
    } else {
        "a type change that was given up may still run"
    };
    read.replacement = known(replacement, otherwise).flatten();
    read.failures = known(failures, "launches are not known to have failed").unwrap_or_default();
    read
}

fn known<T>(answer: Result<T, PortError>, otherwise: &'static str) -> Option<T> {
    answer.inspect_err(|error| tracing::warn!(target: "scaling::integration", %error, "{otherwise}")).ok()
}
