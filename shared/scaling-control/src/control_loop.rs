//! The loop: reads everything once, decides, and carries one step out where one is due.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::{Catalogue, PriceBook};
use scaling_policy::Learned;
use scaling_policy::config::{Config, ConfigError, ConfigVersion, GroupConfig, GroupName};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::act::act;
use crate::error::PortError;
use crate::observe::Market;
use crate::pass::{Pass, Read, pass};
use crate::ports::Record;
use crate::ports_set::Ports;
use crate::reading::{LONGEST_READ, Patience, aborted, within};
use crate::record::{self, CONTROL_KEY, ControlRecord, GroupRecord};
use crate::report::{Evaluation, GroupOutcome, Outcome, TickReport};

/// Groups that are changed, or asked about one by one, at the same time.
pub(crate) const CONCURRENT: usize = 8;

/// The control loop over all groups of a configuration.
pub struct ControlLoop {
    ports: Ports,
    config: Mutex<Arc<Config>>,
    /// The stored version, where this program does not take it.
    refused: Mutex<Option<RefusedConfig>>,
    /// Of the configuration in force.
    prices: Mutex<Arc<PriceBook>>,
    /// The process's own region.
    region: Option<String>,
    /// When each group was last evaluated by a tick of this process, and whether something was going on that is followed
    /// with every tick. A cold start knows nothing, and all groups are equally old.
    evaluated: Mutex<HashMap<GroupName, Evaluated>>,
    /// What was learned since it was last stored: a record is written every quarter of an hour, a minute counts every
    /// minute. A cold start goes on from the stored one.
    learned: Mutex<HashMap<GroupName, Remembered>>,
    /// Groups that the limits over all groups held back; they go first next time. What the store's fleet record says
    /// of others is read with each evaluation, where there are limits.
    pub(crate) held: Mutex<HashSet<GroupName>>,
    /// Groups whose metrics' history could not be read, and when that was tried.
    pub(crate) unrecalled: Mutex<HashMap<GroupName, Timestamp>>,
    /// When other controllers of each group were last looked for here, with or without success.
    pub(crate) tried: Mutex<HashMap<GroupName, Timestamp>>,
    /// Groups of which somebody who asked was told of other controllers than the loop knows: it looks with its next tick.
    pub(crate) doubted: Mutex<HashSet<GroupName>>,
}

/// A stored configuration that this program does not take: of another program's version, or with faults under this process's
/// variables. The one before goes on.
#[derive(Debug, Clone)]
pub struct RefusedConfig {
    /// Its version.
    pub version: ConfigVersion,
    /// What is wrong with it.
    pub error: Arc<ConfigError>,
}

/// The last evaluation of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Evaluated {
    /// When the tick began; the epoch before the first.
    at: Timestamp,
    /// An operation was open, or a step due.
    is_busy: bool,
}

/// The longest time between two ticks: the functions are invoked once a minute, whatever the groups' periods are.
const TICKS: Duration = Duration::from_secs(60);

/// Learned values as of a moment.
struct Remembered {
    at: Timestamp,
    learned: Learned,
}

/// Why groups are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It is time; `began` is when the tick did.
    Tick { began: Timestamp },
    /// Somebody has called for these groups. It counts for no tick: the next one finds newer readings.
    WakeUp,
    /// To say what would be done. Nothing is changed, in this process's memory neither, but for when others are looked for.
    Plan,
}

impl ControlLoop {
    /// A loop over `config`. Reads nothing yet.
    pub fn new(ports: Ports, config: Config) -> Self {
        let prices = Mutex::new(Arc::new(prices(&config, None)));
        Self {
            ports,
            region: None,
            config: Mutex::new(Arc::new(config)),
            prices,
            evaluated: Mutex::default(),
            learned: Mutex::default(),
            held: Mutex::default(),
            refused: Mutex::default(),
            unrecalled: Mutex::default(),
            tried: Mutex::default(),
            doubted: Mutex::default(),
        }
    }

    /// The same with the region that the process works in: its prices count where the configuration names no region.
    #[must_use]
    pub fn in_region(self, region: Option<String>) -> Self {
        *lock(&self.prices) = Arc::new(prices(&self.config(), region.as_deref()));
        Self { region, ..self }
    }

    /// The process's own region, where it is known.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
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
        Market { catalogue: Catalogue::embedded(), prices: Arc::clone(&lock(&self.prices)) }
    }

    /// Evaluates every group, those evaluated longest ago first, and stops starting new ones after `budget`.
    ///
    /// # Errors
    /// Only what concerns all groups: the store or the platform does not answer. A single group's trouble is its
    /// own outcome.
    pub async fn tick(&self, budget: Duration) -> Result<TickReport, PortError> {
        let tick = async {
            let control = self.control().await?;
            let began = self.ports.clock.now();
            let (due, not_due) = self.due(began);
            let doing = Doing::Tick { began };
            let mut report =
                self.run(self.in_order(due), &control, doing, Patience::Loop(Some(began + budget))).await?;
            report.not_due = not_due.iter().map(|group| group.name.clone()).collect();
            Ok(report)
        };
        tick.instrument(tracing::info_span!(target: "scaling::monitor", "tick")).await
    }

    /// Evaluates the groups of these names that the configuration knows; a wake-up by an alarm.
    ///
    /// # Errors
    /// As [`ControlLoop::tick`].
    pub async fn evaluate(&self, names: &[GroupName]) -> Result<TickReport, PortError> {
        let wake_up = async {
            let control = self.control().await?;
            let config = self.config();
            let groups = config.groups.iter().filter(|group| names.contains(&group.name)).cloned().collect();
            self.run(groups, &control, Doing::WakeUp, Patience::Loop(None)).await
        };
        wake_up.instrument(tracing::info_span!(target: "scaling::monitor", "wake-up")).await
    }

    /// Decides on every group and changes nothing: no group, no record.
    ///
    /// # Errors
    /// As [`ControlLoop::tick`].
    pub async fn plan(&self) -> Result<TickReport, PortError> {
        let control = self.control().await?;
        self.run(self.config().groups.clone(), &control, Doing::Plan, Patience::Loop(None)).await
    }

    /// The same for somebody who waits for `longest` at most, which has to leave each reading call some seconds: metrics that do
    /// not come in their part of that are told as late. Who else acts on the groups is looked at anew, for at most
    /// [`LONGEST_LOOK`](crate::LONGEST_LOOK); what the loop knows of it is in the evaluations' state, and what was found in
    /// their snapshots.
    ///
    /// # Errors
    /// As [`ControlLoop::tick`]. Records and descriptions are waited for longer than that; without them there is nothing to
    /// tell.
    pub async fn plan_within(&self, longest: Duration) -> Result<TickReport, PortError> {
        let control = self.control().await?;
        self.run(self.config().groups.clone(), &control, Doing::Plan, Patience::Asker(longest)).await
    }

    /// Reads the control record, and the configuration it names where that is not the one in use.
    pub(crate) async fn control(&self) -> Result<ControlRecord, PortError> {
        let stored =
            within(LONGEST_READ, "read the control record", self.ports.store.get(CONTROL_KEY)).await?;
        let control: ControlRecord = match stored {
            Some(stored) => record::from_json(CONTROL_KEY, &stored.body)?,
            None => ControlRecord::default(),
        };
        if control.config_version != self.stored_version().0 && control.config_version > 0 {
            self.load_active(&control).await?;
        }
        Ok(control)
    }

    /// Takes the active version into use. It was checked when it was stored; a newer program may refuse it, and then goes on
    /// with the one it has. Nothing is noted before all that it takes has been read, so that a failure is tried again.
    async fn load_active(&self, control: &ControlRecord) -> Result<(), PortError> {
        let version = ConfigVersion(control.config_version);
        let stored = self.stored_body(&control.config_key).await?;
        let stored =
            stored.ok_or_else(|| PortError::NotFound { what: format!("configuration {}", version.0) })?;
        let error = match self.config().another(record::from_json(&control.config_key, &stored.body)?) {
            Ok(loaded) => {
                self.use_config(loaded.config.at_version(version));
                return Ok(());
            }
            Err(error) => error,
        };
        tracing::error!(target: "scaling::validator", version = version.0, %error, "stored configuration refused");
        // Where a process begins with it, the newest that it takes is in force: the same as in a process that has run since
        // then. The one of the deployment knows nothing of what was set since.
        if self.config().version == ConfigVersion::default()
            && let Some(earlier) = self.earlier(control).await?
        {
            tracing::warn!(target: "scaling::validator", version = earlier.version.0, "an earlier version is in force");
            self.use_config(earlier);
        }
        *lock(&self.refused) = Some(RefusedConfig { version, error: Arc::new(error) });
        Ok(())
    }

    /// The newest version before the active one that this program takes. What somebody has gone back from does not come back.
    async fn earlier(&self, control: &ControlRecord) -> Result<Option<Config>, PortError> {
        let mut newest = u64::MAX;
        for change in control.changes.iter().rev() {
            if change.version > newest {
                continue;
            }
            newest = change.restored.unwrap_or(newest);
            if change.version == control.config_version {
                continue;
            }
            let Some(stored) = self.stored_body(&change.key).await? else { continue };
            // One that cannot even be read is like one that is refused.
            let Ok(source) = record::from_json(&change.key, &stored.body) else { continue };
            if let Ok(loaded) = self.config().another(source) {
                return Ok(Some(loaded.config.at_version(ConfigVersion(change.version))));
            }
        }
        tracing::error!(
            target: "scaling::validator",
            version = control.config_version,
            "neither the stored configuration nor an earlier one is taken: the deployed one is in force, which knows nothing of \
             what was set since"
        );
        Ok(None)
    }

    async fn stored_body(&self, key: &str) -> Result<Option<Record>, PortError> {
        within(LONGEST_READ, "read a configuration", self.ports.store.get(key)).await
    }

    pub(crate) fn use_config(&self, config: Config) {
        *lock(&self.prices) = Arc::new(prices(&config, self.region.as_deref()));
        *lock(&self.config) = Arc::new(config);
        *lock(&self.refused) = None;
    }

    /// The stored version that this program does not take, as of the last look.
    pub fn refused_config(&self) -> Option<RefusedConfig> {
        lock(&self.refused).clone()
    }

    /// The version that the next one replaces, as of the last look: the stored one, whether it is in use here or refused.
    pub fn stored_version(&self) -> ConfigVersion {
        self.refused_config().map_or_else(|| self.config().version, |refused| refused.version)
    }

    /// The groups whose evaluation period has passed, or of which something is going on; and the others. Ticks are not
    /// exact: a group is due with the tick that is nearest to the end of its period.
    fn due(&self, now: Timestamp) -> (Vec<Arc<GroupConfig>>, Vec<Arc<GroupConfig>>) {
        let evaluated = lock(&self.evaluated);
        let config = self.config();
        let ticks =
            config.groups.iter().map(|group| group.evaluation_period).min().unwrap_or(TICKS).min(TICKS);
        let is_due = |group: &&Arc<GroupConfig>| {
            evaluated.get(&group.name).is_none_or(|last| {
                let passed = now.duration_since(last.at).as_secs_f64();
                last.is_busy || passed + ticks.as_secs_f64() / 2.0 >= group.evaluation_period.as_secs_f64()
            })
        };
        config.groups.iter().cloned().partition(|group| is_due(&group))
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
        patience: Patience,
    ) -> Result<TickReport, PortError> {
        let mut report = TickReport::default();
        let reads = self.read(&groups, patience, &mut report).await?;
        // A plan is read for its own sake: nothing of it is left over.
        let deadline = patience.deadline().filter(|_| doing != Doing::Plan);
        let mut passes = self.decide(reads, control, deadline, &mut report);
        if doing == Doing::Plan {
            report.outcomes.extend(passes.into_iter().map(|pass| outcome(pass, None, None)));
            return Ok(report);
        }
        self.remember_passes(&passes, doing);
        self.admit(&mut passes).await;
        self.act_all(passes, &mut report).await;
        Ok(report)
    }

    /// Puts what was learned here since into the record, unless somebody else has stored something newer.
    pub(crate) fn with_memory(&self, config: &GroupConfig, mut record: GroupRecord) -> GroupRecord {
        if let Some(remembered) = lock(&self.learned).get(&config.name)
            && record.learned_at.is_none_or(|stored| stored <= remembered.at)
        {
            record.learned = remembered.learned.clone();
        }
        record
    }

    /// Keeps what was learned for the next evaluation here, stored or not.
    pub(crate) fn remember(&self, group: &GroupName, learned: Learned, at: Timestamp) {
        lock(&self.learned).insert(group.clone(), Remembered { at, learned });
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
            let span = read.span.clone();
            let mut pass = span.in_scope(|| pass(read, control.kill_switch.as_ref(), &self.market(), now));
            pass.plan(new_id(now));
            span.record("action", pass.decision.action.label())
                .record("reason", pass.decision.reason.label());
            passes.push(pass);
        }
        passes
    }

    /// Keeps what these evaluations have learned, and that they have been made.
    fn remember_passes(&self, passes: &[Pass], doing: Doing) {
        for pass in passes {
            let name = &pass.read.config.name;
            self.remember(name, pass.read.record.learned.clone(), pass.now);
            let state = &pass.read.record.state;
            let is_busy =
                pass.step.is_some() || state.open_operation().is_some() || state.open_type_change().is_some();
            let mut evaluated = lock(&self.evaluated);
            let last =
                evaluated.entry(name.clone()).or_insert(Evaluated { at: Timestamp::UNIX_EPOCH, is_busy });
            last.is_busy = is_busy;
            if let Doing::Tick { began } = doing {
                last.at = began;
            }
        }
    }

    async fn act_all(&self, passes: Vec<Pass>, report: &mut TickReport) {
        let (busy, quiet): (Vec<Pass>, Vec<Pass>) =
            passes.into_iter().partition(|pass| pass.dirty || pass.step.is_some());
        report.outcomes.extend(quiet.into_iter().map(|pass| outcome(pass, None, None)));
        let mut tasks = JoinSet::new();
        let mut running = HashMap::new();
        let mut busy = busy.into_iter();
        loop {
            while tasks.len() < CONCURRENT
                && let Some(pass) = busy.next()
            {
                let config = Arc::clone(&pass.read.config);
                let span = pass.read.span.clone();
                let task = tasks.spawn(act(self.ports.clone(), pass).instrument(span));
                running.insert(task.id(), config);
            }
            match tasks.join_next_with_id().await {
                None => return,
                Some(Ok((_, outcome))) => report.outcomes.push(outcome),
                Some(Err(error)) => {
                    if let Some(config) = running.get(&error.id()) {
                        let error = aborted("carry the step out", &error);
                        report.outcomes.push(failed(config, Outcome::Failed(error)));
                    }
                }
            }
        }
    }
}

fn prices(config: &Config, region: Option<&str>) -> PriceBook {
    let book = PriceBook::embedded_or_default(config.region.as_deref().or(region)).clone();
    let book =
        config.prices.iter().fold(book, |book, (name, price)| book.with_override(name.clone(), *price));
    let spot = config.spot_prices.by_type.iter();
    spot.fold(book, |book, (name, price)| book.with_spot(name.clone(), *price))
}

/// Identifiers that this process has given.
static GIVEN: AtomicU32 = AtomicU32::new(0);

/// An identifier that sorts by time, to the millisecond, and inside of one in the order in which this process has given them.
pub(crate) fn new_id(now: Timestamp) -> String {
    let number = GIVEN.fetch_add(1, Ordering::Relaxed) % 1_000_000;
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{number:06}-{}", now.strftime("%Y%m%dT%H%M%S%.3f"), unique.get(..8).unwrap_or_default())
}

pub(crate) fn failed(config: &Arc<GroupConfig>, result: Outcome) -> GroupOutcome {
    GroupOutcome { config: Arc::clone(config), result, acted: None, ended: Vec::new() }
}

/// The outcome of a pass; `step_error` where its step was not taken.
pub(crate) fn outcome(
    pass: Pass,
    acted: Option<scaling_policy::operation::Operation>,
    step_error: Option<Arc<PortError>>,
) -> GroupOutcome {
    let Pass { read, mut snapshot, decision, ended, .. } = pass;
    let Read { config, record, description, series, others, .. } = read;
    if let Some(others) = others {
        snapshot.group.foreign = others;
    }
    let unread = series.into_iter().filter_map(|(trigger, series)| Some((trigger, series.unread?)));
    let evaluation = Evaluation {
        snapshot,
        decision,
        state: record.state,
        learned: record.learned,
        warm_up_seconds: description.warm_up_seconds,
        spot_share: description.purchase.spot_share(description.desired),
        missing_tag: description.missing_tag,
        unread: unread.collect(),
        step_error,
    };
    GroupOutcome { config, result: Outcome::Decided(Box::new(evaluation)), acted, ended }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What it guards is replaced whole, so that a panic elsewhere leaves it as good as before.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
