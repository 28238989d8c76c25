//! The loop: reads everything once, decides, and carries one step out where one is due.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::{Catalogue, PriceBook};
use scaling_policy::Learned;
use scaling_policy::admit::admit;
use scaling_policy::config::{Config, ConfigVersion, GroupConfig, GroupName};
use scaling_policy::decision::Reason;
use scaling_policy::trigger::Trigger;
use tokio::task::JoinSet;

use crate::act::act;
use crate::error::PortError;
use crate::observe::{self, Market};
use crate::pass::{Pass, Read, pass, stop};
use crate::ports::{GroupDescription, MetricSeries};
use crate::ports_set::Ports;
use crate::record::{self, CONTROL_KEY, ControlRecord, GroupRecord};
use crate::report::{Evaluation, GroupOutcome, Outcome, TickReport};

/// Groups that are changed, or asked about one by one, at the same time.
const CONCURRENT: usize = 8;

/// How often other controllers of a group are looked for.
const FOREIGN_EVERY_SECONDS: f64 = 3600.0;

/// The control loop over all groups of a configuration.
pub struct ControlLoop {
    ports: Ports,
    config: Mutex<Arc<Config>>,
    prices: PriceBook,
    /// When each group was last evaluated here. A cold start knows nothing, and all groups are equally old.
    evaluated: Mutex<HashMap<GroupName, Timestamp>>,
    /// What was learned since it was last stored: a record is written every quarter of an hour, a minute counts every
    /// minute. A cold start goes on from the stored one.
    learned: Mutex<HashMap<GroupName, Remembered>>,
    /// Groups that the limits over all groups held back; they go first next time.
    held: Mutex<HashSet<GroupName>>,
}

/// Learned values as of a moment.
struct Remembered {
    at: Timestamp,
    learned: Learned,
}

/// Whether an evaluation may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Act,
    Plan,
}

impl ControlLoop {
    /// A loop over `config`. Reads nothing yet.
    pub fn new(ports: Ports, config: Config) -> Self {
        let prices = prices(&config);
        Self {
            ports,
            config: Mutex::new(Arc::new(config)),
            prices,
            evaluated: Mutex::default(),
            learned: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The configuration in use.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&lock(&self.config))
    }

    /// The configuration in force, read anew where somebody else has replaced it; for whoever answers questions
    /// between ticks.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refresh(&self) -> Result<Arc<Config>, PortError> {
        self.control().await?;
        Ok(self.config())
    }

    /// The ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Types and prices of the region.
    pub fn market(&self) -> Market<'_> {
        Market { catalogue: Catalogue::embedded(), prices: &self.prices }
    }

    /// Evaluates every group, those evaluated longest ago first, and stops starting new ones after `budget`.
    ///
    /// # Errors
    /// Only what concerns all groups: the store or the platform does not answer. A single group's trouble is its
    /// own outcome.
    pub async fn tick(&self, budget: Duration) -> Result<TickReport, PortError> {
        let control = self.control().await?;
        let groups = self.in_order(self.config().groups.clone());
        self.run(groups, &control, Doing::Act, Some(self.ports.clock.now() + budget)).await
    }

    /// Evaluates the groups of these names that the configuration knows; a wake-up by an alarm.
    ///
    /// # Errors
    /// As [`ControlLoop::tick`].
    pub async fn evaluate(&self, names: &[GroupName]) -> Result<TickReport, PortError> {
        let control = self.control().await?;
        let config = self.config();
        let groups = config.groups.iter().filter(|group| names.contains(&group.name)).cloned().collect();
        self.run(groups, &control, Doing::Act, None).await
    }

    /// Decides on every group and changes nothing: no group, no record.
    ///
    /// # Errors
    /// As [`ControlLoop::tick`].
    pub async fn plan(&self) -> Result<TickReport, PortError> {
        let control = self.control().await?;
        self.run(self.config().groups.clone(), &control, Doing::Plan, None).await
    }

    /// Reads the control record, and the configuration it names where that is not the one in use.
    pub(crate) async fn control(&self) -> Result<ControlRecord, PortError> {
        let stored = self.ports.store.get(CONTROL_KEY).await?;
        let control: ControlRecord = match stored {
            Some(stored) => record::from_json(CONTROL_KEY, &stored.body)?,
            None => ControlRecord::default(),
        };
        if control.config_version != self.config().version.0 && control.config_version > 0 {
            self.load_version(control.config_version, &control.config_key).await?;
        }
        Ok(control)
    }

    async fn load_version(&self, version: u64, key: &str) -> Result<(), PortError> {
        let stored = self.ports.store.get(key).await?;
        let stored =
            stored.ok_or_else(|| PortError::NotFound { what: format!("configuration {version}") })?;
        let source = record::from_json(key, &stored.body)?;
        match Config::from_source(source) {
            Ok(loaded) => self.use_config(loaded.config.at_version(ConfigVersion(version))),
            // It was checked when it was stored; a newer program may refuse it. The old one goes on.
            Err(error) => {
                tracing::error!(target: "scaling::validator", version, %error, "stored configuration refused");
            }
        }
        Ok(())
    }

    pub(crate) fn use_config(&self, config: Config) {
        *lock(&self.config) = Arc::new(config);
    }

    fn in_order(&self, mut groups: Vec<Arc<GroupConfig>>) -> Vec<Arc<GroupConfig>> {
        let evaluated = lock(&self.evaluated);
        let held = lock(&self.held);
        groups.sort_by_key(|group| (!held.contains(&group.name), evaluated.get(&group.name).copied()));
        groups
    }

    async fn run(
        &self,
        groups: Vec<Arc<GroupConfig>>,
        control: &ControlRecord,
        doing: Doing,
        deadline: Option<Timestamp>,
    ) -> Result<TickReport, PortError> {
        let mut report = TickReport::default();
        let reads = self.read(&groups, &mut report).await?;
        let mut passes = self.decide(reads, control, deadline, &mut report);
        if doing == Doing::Act {
            self.admit(&mut passes);
            self.act_all(passes, &mut report).await;
        } else {
            report.outcomes.extend(passes.into_iter().map(|pass| outcome(pass, None, None)));
        }
        Ok(report)
    }

    /// Reads descriptions, records and metrics of all groups, at the same time and in as few calls as the ports
    /// need; then what only some groups need.
    pub(crate) async fn read(
        &self,
        groups: &[Arc<GroupConfig>],
        report: &mut TickReport,
    ) -> Result<Vec<Read>, PortError> {
        let now = self.ports.clock.now();
        let keys: Vec<String> = groups.iter().map(|group| record::group_key(&group.name)).collect();
        let queries: Vec<_> = groups.iter().flat_map(|group| observe::queries(group, now)).collect();
        // The records first: a description older than its record would show a change that somebody has just made as
        // not made, and ours as a stranger's.
        let records = self.ports.store.get_many(&keys).await?;
        let (descriptions, series) =
            tokio::join!(self.ports.groups.describe(groups), self.ports.metrics.read(&queries));
        let descriptions = descriptions?;
        // Without metrics every group still is observed; missing data never takes anything away.
        let series = series.unwrap_or_else(|error| {
            tracing::warn!(target: "scaling::integration", %error, "metrics could not be read");
            Vec::new()
        });
        let mut series_of: HashMap<&GroupName, Vec<(Trigger, MetricSeries)>> = HashMap::new();
        for (query, series) in queries.iter().zip(series) {
            series_of.entry(&query.group.name).or_default().push((query.trigger, series));
        }
        let mut descriptions: HashMap<GroupName, GroupDescription> =
            descriptions.into_iter().map(|description| (description.name.clone(), description)).collect();
        let records: HashMap<&str, _> = records.iter().map(|stored| (stored.key.as_str(), stored)).collect();
        let mut reads = Vec::with_capacity(groups.len());
        for (config, key) in groups.iter().zip(&keys) {
            let stored = records.get(key.as_str());
            let parsed = stored.map(|stored| record::from_json::<GroupRecord>(key, &stored.body)).transpose();
            let (record, description) = match (parsed, descriptions.remove(&config.name)) {
                (Err(error), _) => {
                    report.outcomes.push(failed(config, Outcome::Failed(error)));
                    continue;
                }
                (_, None) => {
                    report.outcomes.push(failed(config, Outcome::NotFound));
                    continue;
                }
                (Ok(record), Some(description)) => {
                    (self.with_memory(config, record.unwrap_or_default()), description)
                }
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
                series: series_of.remove(&config.name).unwrap_or_default(),
                replacement: None,
                failures: Vec::new(),
                must_store: false,
            });
        }
        self.look_for_other_controllers(&mut reads, now).await;
        Ok(self.read_more(reads, report).await)
    }

    /// Puts what was learned here since into the record, unless somebody else has stored something newer.
    fn with_memory(&self, config: &GroupConfig, mut record: GroupRecord) -> GroupRecord {
        if let Some(remembered) = lock(&self.learned).get(&config.name)
            && record.learned_at.is_none_or(|stored| stored <= remembered.at)
        {
            record.learned = remembered.learned.clone();
        }
        record
    }

    /// Take-over and hourly: scaling policies, schedules and tags of others.
    async fn look_for_other_controllers(&self, reads: &mut [Read], now: Timestamp) {
        let due = |read: &&mut Read| {
            let checked = read.record.state.foreign_checked;
            checked.is_none_or(|at| now.duration_since(at).as_secs_f64() >= FOREIGN_EVERY_SECONDS)
        };
        let mut due: Vec<&mut Read> = reads.iter_mut().filter(due).collect();
        if due.is_empty() {
            return;
        }
        let configs: Vec<Arc<GroupConfig>> = due.iter().map(|read| Arc::clone(&read.config)).collect();
        match self.ports.groups.foreign_controllers(&configs).await {
            Ok(mut found) => {
                for read in &mut due {
                    read.record.state.foreign = found.remove(&read.config.name).unwrap_or_default();
                    read.record.state.foreign_checked = Some(now);
                    // Stored, so that the next hour counts from here and not from the last other write.
                    read.must_store = true;
                }
            }
            // What was found last holds until the next look.
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "other controllers could not be looked for");
            }
        }
    }

    /// Reads the replacement and the failed launches of groups with an open operation.
    async fn read_more(&self, reads: Vec<Read>, report: &mut TickReport) -> Vec<Read> {
        let (open, mut complete): (Vec<Read>, Vec<Read>) = reads.into_iter().partition(needs_more);
        let mut tasks = JoinSet::new();
        let mut open = open.into_iter();
        loop {
            while tasks.len() < CONCURRENT
                && let Some(read) = open.next()
            {
                tasks.spawn(read_operation(self.ports.clone(), read));
            }
            match tasks.join_next().await {
                None => return complete,
                Some(Ok(Ok(read))) => complete.push(read),
                Some(Ok(Err((config, error)))) => {
                    report.outcomes.push(failed(&config, Outcome::Failed(error)));
                }
                Some(Err(error)) => {
                    tracing::error!(target: "scaling::integration", %error, "a read was aborted");
                }
            }
        }
    }

    fn decide(
        &self,
        reads: Vec<Read>,
        control: &ControlRecord,
        deadline: Option<Timestamp>,
        report: &mut TickReport,
    ) -> Vec<Pass> {
        let mut passes = Vec::with_capacity(reads.len());
        for read in reads {
            let now = self.ports.clock.now();
            if deadline.is_some_and(|deadline| now > deadline) {
                report.left_over.push(read.config.name.clone());
                continue;
            }
            lock(&self.evaluated).insert(read.config.name.clone(), now);
            let mut pass = pass(read, control.kill_switch.is_some(), self.market(), now);
            pass.plan(new_id(now));
            let remembered = Remembered { at: now, learned: pass.read.record.learned.clone() };
            lock(&self.learned).insert(pass.read.config.name.clone(), remembered);
            passes.push(pass);
        }
        passes
    }

    /// Holds what exceeds the limits over all groups.
    fn admit(&self, passes: &mut [Pass]) {
        let limits = self.config().limits;
        let decisions: Vec<_> = passes.iter().map(|pass| &pass.decision).collect();
        let admitted = admit(&decisions, limits);
        let mut held = lock(&self.held);
        held.clear();
        for (pass, admitted) in passes.iter_mut().zip(admitted) {
            if !admitted {
                held.insert(pass.read.config.name.clone());
                pass.withdraw_plan();
                stop(&mut pass.decision, Reason::FleetLimit);
            }
        }
    }

    async fn act_all(&self, passes: Vec<Pass>, report: &mut TickReport) {
        let (busy, quiet): (Vec<Pass>, Vec<Pass>) =
            passes.into_iter().partition(|pass| pass.dirty || pass.step.is_some());
        report.outcomes.extend(quiet.into_iter().map(|pass| outcome(pass, None, None)));
        let mut tasks = JoinSet::new();
        let mut busy = busy.into_iter();
        loop {
            while tasks.len() < CONCURRENT
                && let Some(pass) = busy.next()
            {
                tasks.spawn(act(self.ports.clone(), pass));
            }
            match tasks.join_next().await {
                None => return,
                Some(Ok(outcome)) => report.outcomes.push(outcome),
                Some(Err(error)) => {
                    tracing::error!(target: "scaling::integration", %error, "a step was aborted");
                }
            }
        }
    }
}

fn prices(config: &Config) -> PriceBook {
    let book = PriceBook::embedded_or_default(config.region.as_deref()).clone();
    config.prices.iter().fold(book, |book, (name, price)| book.with_override(name.clone(), *price))
}

/// An identifier that sorts by time.
pub(crate) fn new_id(now: Timestamp) -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%S"), unique.get(..8).unwrap_or_default())
}

fn needs_more(read: &Read) -> bool {
    let state = &read.record.state;
    state.open_type_change().is_some() || (state.open_operation().is_some() && state.missing_since.is_some())
}

async fn read_operation(ports: Ports, mut read: Read) -> Result<Read, (Arc<GroupConfig>, PortError)> {
    let config = Arc::clone(&read.config);
    let retyping = read.record.state.open_type_change().map(|operation| operation.planned_at);
    let since = retyping.or(read.record.state.open_operation().map(|operation| operation.planned_at));
    let more = async {
        if retyping.is_some() {
            read.replacement = ports.groups.replacement(&config).await?;
        }
        if let Some(since) = since {
            read.failures = ports.groups.launch_failures(&config, since).await?;
        }
        Ok(read)
    };
    more.await.map_err(|error| (Arc::clone(&config), error))
}

fn failed(config: &Arc<GroupConfig>, result: Outcome) -> GroupOutcome {
    GroupOutcome { config: Arc::clone(config), result, acted: None, ended: Vec::new() }
}

/// The outcome of a pass; `step_error` where its step was not taken.
pub(crate) fn outcome(
    pass: Pass,
    acted: Option<scaling_policy::operation::Operation>,
    step_error: Option<String>,
) -> GroupOutcome {
    let Pass { read, snapshot, decision, ended, .. } = pass;
    let evaluation =
        Evaluation { snapshot, decision, state: read.record.state, learned: read.record.learned, step_error };
    GroupOutcome { config: read.config, result: Outcome::Decided(Box::new(evaluation)), acted, ended }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What it guards is replaced whole, so that a panic elsewhere leaves it as good as before.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
