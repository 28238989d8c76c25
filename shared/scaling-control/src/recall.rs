//! What was learned of a group, built from the metrics' history: for a group that is taken over, and where its record was
//! lost or is of another layout. A controller that knows the last fortnight need not learn the day's shape at the
//! service's expense.
//!
//! Past readings are shown to [`learn`] in the order of their periods, each with the replicas that served one period
//! later, as metrics are read. How many served is what CloudWatch took the mean of: the sample count of the CPU metric,
//! over that of one instance. Boot times are in no metric; those that are known stay.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_policy::config::{Absence, GroupConfig, Platform, Statistic};
use scaling_policy::snapshot::{GroupView, ReplicaCount};
use scaling_policy::trigger::{PerTrigger, Reading, Trigger};
use scaling_policy::{Learned, OperationState, Snapshot, learn};
use tracing::Instrument as _;

use crate::act::LONGEST_WRITE;
use crate::control_loop::{ControlLoop, lock};
use crate::error::PortError;
use crate::ports::{Expected, MetricQuery, MetricSeries, NewRecord};
use crate::reading::{LONGEST_READ, within};
use crate::record::{self, GroupRecord};
use crate::report::{Evaluation, GroupOutcome, TickReport};

/// Groups a call: each reads up to a hundred thousand points.
const AT_ONCE: usize = 2;

/// How far back is read. CloudWatch keeps minutes for 15 days.
const DAYS: i32 = 14;

/// Seconds after which a group whose history could not be read is tried again.
const AGAIN_SECONDS: f64 = 3600.0;

impl ControlLoop {
    /// Builds what was learned of groups in `report` from the history of their metrics, where that was not done yet: at
    /// most two groups a call, in at most `budget`. For the time after a tick; the next one decides with it. Trouble is
    /// logged: the group goes on with what it has learned, and is tried again after an hour.
    pub async fn recall(&self, report: &TickReport, budget: Duration) {
        let now = self.ports().clock.now();
        let due: Vec<&GroupOutcome> =
            report.outcomes.iter().filter(|outcome| self.is_due(outcome, now)).take(AT_ONCE).collect();
        for outcome in due {
            let Some(evaluation) = outcome.evaluation() else { continue };
            let group = &outcome.config.name;
            let span = tracing::info_span!(target: "scaling::monitor", "recall", %group);
            let recalled = self.recall_group(&outcome.config, evaluation, now).instrument(span);
            match within(budget.min(LONGEST_READ), "read a group's past", recalled).await {
                Ok(periods) => {
                    tracing::info!(target: "scaling::monitor", %group, periods, "learned from the metrics' history");
                }
                Err(error) => {
                    tracing::warn!(target: "scaling::monitor", %group, %error, "the past could not be read");
                    lock(&self.unrecalled).insert(group.clone(), now);
                }
            }
        }
    }

    fn is_due(&self, outcome: &GroupOutcome, now: Timestamp) -> bool {
        let tried = || lock(&self.unrecalled).get(&outcome.config.name).copied();
        outcome.config.platform == Platform::Aws
            && outcome.evaluation().is_some_and(|evaluation| {
                evaluation.learned.recalled.is_none() && evaluation.state.open_type_change().is_none()
            })
            && tried().is_none_or(|at| now.duration_since(at).as_secs_f64() >= AGAIN_SECONDS)
    }

    /// Returns how many periods were found.
    async fn recall_group(
        &self,
        config: &Arc<GroupConfig>,
        evaluation: &Evaluation,
        now: Timestamp,
    ) -> Result<usize, PortError> {
        let from = begin(evaluation, now);
        let queries = queries(config, from, now);
        let series = self.ports().metrics.read(&queries).await?;
        let past = Past::of(&queries, &series, evaluation);
        let learned = past.learned(config, evaluation, now);
        let key = record::group_key(&config.name);
        let stored = self.ports().store.get(&key).await?;
        let expected = stored.as_ref().map_or(Expected::Absent, |stored| Expected::Version(stored.version));
        let mut record = match &stored {
            Some(stored) => record::group_from_json(&key, &stored.body)?,
            None => GroupRecord::default(),
        };
        (record.learned, record.learned_at) = (learned.clone(), Some(now));
        let body = record::to_json("store what was learned", &record)?;
        let put = self.ports().store.put(NewRecord { key, body, expires: None }, expected);
        within(LONGEST_WRITE, "store what was learned", put).await?;
        self.remember(&config.name, learned, now);
        Ok(past.periods.len())
    }
}

/// A fortnight back, and not beyond the last change of type: what is read as CPU is a share of the type.
fn begin(evaluation: &Evaluation, now: Timestamp) -> Timestamp {
    let fortnight = now - SignedDuration::from_hours(24) * DAYS;
    evaluation.state.last_type_change.map_or(fortnight, |changed| changed.max(fortnight))
}

/// Each bound trigger, and the sample count of CPU as the last.
fn queries(config: &Arc<GroupConfig>, from: Timestamp, now: Timestamp) -> Vec<MetricQuery> {
    let period_seconds = u32::try_from(config.evaluation_period.as_secs()).unwrap_or(60).max(1);
    let aligned = |at: Timestamp| {
        let period = i64::from(period_seconds);
        Timestamp::from_second(at.as_second().div_euclid(period) * period).unwrap_or(at)
    };
    let (from, to) = (aligned(from), aligned(now));
    let query = |trigger: Trigger, statistic: Option<Statistic>| {
        let mut binding = config.triggers[trigger].binding.clone()?;
        if let Some(statistic) = statistic {
            (binding.statistic, binding.scale) = (statistic, 1.0);
        }
        Some(MetricQuery { group: Arc::clone(config), trigger, binding, period_seconds, from, to })
    };
    let bound = Trigger::ALL.into_iter().map(|trigger| query(trigger, None));
    bound.chain([query(Trigger::CpuUsage, Some(Statistic::SampleCount))]).flatten().collect()
}

/// What the metrics say of each period, by its begin.
struct Past {
    length: SignedDuration,
    periods: BTreeMap<Timestamp, PerTrigger<Option<f64>>>,
    replicas: HashMap<Timestamp, u32>,
}

impl Past {
    fn of(queries: &[MetricQuery], series: &[MetricSeries], evaluation: &Evaluation) -> Self {
        let length = queries.first().map_or(60, |query| query.period_seconds);
        let mut periods: BTreeMap<Timestamp, PerTrigger<Option<f64>>> = BTreeMap::new();
        let mut replicas = HashMap::new();
        for (query, series) in queries.iter().zip(series) {
            if query.binding.statistic == Statistic::SampleCount && query.trigger == Trigger::CpuUsage {
                replicas = served(&series.points, evaluation.snapshot.group.serving());
                continue;
            }
            for (start, value) in series.clone().without_absurd(query.binding.scale).points {
                periods.entry(start).or_default()[query.trigger] =
                    Some((value * query.binding.scale).max(0.0));
            }
        }
        // Without CPU nothing is known of what the load was in a period.
        periods.retain(|_, values| values.cpu_usage.is_some());
        Self { length: SignedDuration::from_secs(i64::from(length)), periods, replicas }
    }

    /// What is known after all of them. Without any, what was known before.
    fn learned(&self, config: &GroupConfig, evaluation: &Evaluation, now: Timestamp) -> Learned {
        let known = evaluation.learned.clone();
        if self.periods.is_empty() || self.replicas.is_empty() {
            return Learned { recalled: Some(now), ..known };
        }
        let state = OperationState::default();
        let first = Learned { version: Learned::VERSION, boot: known.boot, ..Learned::default() };
        let learned = self.periods.iter().fold(first, |learned, (start, values)| {
            let at = *start + self.length * 2;
            let count = self.replicas.get(&(*start + self.length)).or_else(|| self.replicas.get(start));
            let Some(&count) = count else { return learned };
            let snapshot = Snapshot {
                taken_at: at,
                group: group(&evaluation.snapshot.group, count),
                readings: readings(config, values, *start + self.length),
                ladder: Arc::clone(&evaluation.snapshot.ladder),
            };
            learn(config, learned, &state, &snapshot)
        });
        Learned { recalled: Some(now), ..learned }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate, and counts are at least 1"
)]
/// Replicas by period. One instance gives one sample a period, or several, or one in several periods: the newest count
/// stands for what serves now.
fn served(counts: &[(Timestamp, f64)], serving: u32) -> HashMap<Timestamp, u32> {
    let newest = counts.iter().max_by_key(|(start, _)| *start).map_or(1.0, |(_, count)| *count);
    let each = (newest / f64::from(serving.max(1))).round().max(1.0);
    counts.iter().map(|(start, count)| (*start, (count / each).round().max(1.0) as u32)).collect()
}

fn group(now: &GroupView, serving: u32) -> GroupView {
    let offer = now.launch_type.clone();
    let replicas = vec![ReplicaCount { offer, serving, warming: 0, pending: 0, protected: 0 }];
    GroupView { desired: serving, replicas, replacement: None, foreign: Vec::new(), ..now.clone() }
}

fn readings(config: &GroupConfig, values: &PerTrigger<Option<f64>>, ended: Timestamp) -> PerTrigger<Reading> {
    PerTrigger::from_fn(|trigger| match (values[trigger], &config.triggers[trigger].binding) {
        (_, None) => Reading::Unbound,
        (Some(value), _) => Reading::Fresh { value, ended },
        (None, Some(binding)) if binding.absence == Absence::Zero => Reading::AbsentZero,
        (None, Some(_)) => Reading::Missing,
    })
}
