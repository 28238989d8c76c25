//! What a person asks for: a count or a type now, another configuration.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::prices::Terms;
use scaling_fleet::{TypeName, UsdPerHour};
use scaling_policy::OperationState;
use scaling_policy::config::{Config, ConfigError, ConfigVersion, GroupConfig, GroupName};
use scaling_policy::decide::bounds::Bounds;
use scaling_policy::decide::in_force::in_force;
use scaling_policy::decision::{Action, Decision, Reason};
use scaling_policy::operation::{Operation, OperationId, Override, Phase};
use scaling_policy::snapshot::RetypeSupport;
use thiserror::Error;
use tracing::Instrument as _;

use crate::act::{LONGEST_WRITE, act};
use crate::control_loop::{ControlLoop, new_id};
use crate::error::PortError;
use crate::observe::{self, Market};
use crate::pass::{Pass, pass};
use crate::ports::{Expected, NewRecord};
use crate::reading::{LONGEST_READ, Patience, within};
use crate::record::{self, CONTROL_KEY, ControlRecord, HISTORY, operation_entry};
use crate::report::{GroupOutcome, Outcome, TickReport};
use crate::versions::{CHANGES_KEPT, ConfigChange};

/// Tries of a change that others keep getting in the way of.
pub(crate) const TRIES: usize = 5;

/// An explicit request for one group. At least one of the two wishes is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleRequest {
    /// The group.
    pub group: GroupName,
    /// Replicas wanted.
    pub replicas: Option<u32>,
    /// Type wanted.
    pub instance_type: Option<TypeName>,
    /// Who asks.
    pub by: String,
    /// Until when count and type stay as asked for; without it the controller goes on from there.
    pub until: Option<Timestamp>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    /// What was decided.
    pub decision: Decision,
    /// The operation, with its first cloud call made; `None` for a dry run, or where nothing had to change.
    pub operation: Option<Operation>,
    /// Whether a plan for another count, which the platform had not taken, was given up.
    pub withdrawn: bool,
    /// The earlier request with an expiry that this one takes the place of.
    pub replaced: Option<Override>,
}

/// Why a request was refused.
#[derive(Debug, Error)]
pub enum Refusal {
    /// No such group in the configuration, or the platform does not know it.
    #[error("there is no group {group}{}", .known.then_some(" on its platform").unwrap_or_default())]
    UnknownGroup {
        /// The name.
        group: GroupName,
        /// The configuration knows it, the platform does not.
        known: bool,
    },
    /// Not now: the group, or everything, is in a state that does not allow it.
    #[error("{reason}")]
    Conflict {
        /// What stands in the way.
        cause: Obstacle,
        /// Why, for a person.
        reason: String,
    },
    /// Outside the bounds.
    #[error("{what} is outside the bounds: {bounds}{}", said(.in_force))]
    OutOfBounds {
        /// What was asked for.
        what: String,
        /// What is allowed.
        bounds: String,
        /// What people have set that holds now, and may have set these bounds.
        in_force: Vec<String>,
    },
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// The end of a sentence about bounds.
fn said(in_force: &[String]) -> String {
    if in_force.is_empty() {
        return String::new();
    }
    let ends = in_force.iter().any(|said| said.starts_with("override "));
    let how = if ends {
        "; DELETE /groups/{name}/override (`scaling override --end`) ends an override"
    } else {
        ""
    };
    format!("; in force: {}{how}", in_force.join("; "))
}

/// What stands in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The group is paused.
    Paused,
    /// The kill switch is on.
    KillSwitch,
    /// An operation is running.
    Running,
    /// An override is in force, which the request would end.
    Overridden,
    /// The platform cannot change the type of this group.
    CountOnly,
    /// Somebody else changes the group at this moment; trying again soon should help.
    Busy,
}

/// Why a configuration was not taken.
#[derive(Debug, Error)]
pub enum ConfigRefusal {
    /// It has faults; nothing was changed.
    #[error("the configuration has faults:\n{0}")]
    Faults(#[source] ConfigError),
    /// Another version is active than the one it was based on.
    #[error("version {expected} was replaced by version {active} meanwhile")]
    Replaced {
        /// What the request was based on.
        expected: u64,
        /// What is active.
        active: u64,
    },
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl ControlLoop {
    /// Carries out an explicit request, in every control level. The plan is stored and the first cloud call made
    /// before this returns.
    ///
    /// # Errors
    /// [`Refusal`], with the reason.
    pub async fn request(&self, request: &ScaleRequest) -> Result<Requested, Refusal> {
        self.request_with(request, |_| Ok(Vec::new())).await
    }

    /// The same. What `along` makes of it (the operation as planned) is written in the transaction that stores the plan;
    /// nothing is written where nothing is changed.
    ///
    /// # Errors
    /// [`Refusal`], with the reason.
    pub async fn request_with(
        &self,
        request: &ScaleRequest,
        along: impl Fn(&Requested) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<Requested, Refusal> {
        let control = self.control().await?;
        if let Some(switch) = &control.kill_switch {
            return Err(conflict(
                Obstacle::KillSwitch,
                format!("the kill switch is on: {} ({})", switch.reason, switch.by),
            ));
        }
        let config = self.known_group(&request.group)?;
        let mut report = TickReport::default();
        let read = self.read(&[config], Patience::Loop(None), &mut report).await?.pop();
        let Some(read) = read else { return Err(unreadable(&request.group, report)) };
        let now = self.ports().clock.now();
        let mut pass = pass(read, None, &self.market(), now);
        self.check(request, &pass)?;
        pass.decision = wish(request, &pass, &self.market());
        pass.new_decision = true;
        let (action, reason) = (pass.decision.action.label(), pass.decision.reason.label());
        pass.read.span.record("action", action).record("reason", reason);
        let config = Arc::clone(&pass.read.config);
        let id = OperationId(new_id(now));
        let planned = Operation::planned(&pass.decision, id, config.evaluation_period);
        let is_open = planned.is_some();
        let withdrawn = !is_open && request.replicas.is_some_and(|replicas| pass.takes_back(replicas));
        let mut requested =
            Requested { decision: pass.decision.clone(), operation: None, withdrawn: false, replaced: None };
        if request.dry_run || !(is_open || withdrawn || request.until.is_some()) {
            return Ok(requested);
        }
        if let Some(until) = request.until {
            let before = pass.read.record.state.temporary.replace(kept(request, until));
            requested.replaced = before.filter(|before| before.until > now);
        }
        (requested.operation, requested.withdrawn) = (planned, withdrawn);
        pass.along = along(&requested)?;
        match requested.operation.take() {
            Some(operation) => {
                // With the plan: whoever asks for it while the platform answers, or after this process was killed, finds it.
                pass.along.push(operation_entry(&config.name, &operation, now + HISTORY)?);
                pass.adopt(operation);
            }
            None if withdrawn => pass.take_back(),
            // What is due of an older operation is the next evaluation's.
            None => pass.step = None,
        }
        let span = pass.read.span.clone();
        let outcome = Box::pin(act(self.ports().clone(), pass).instrument(span)).await;
        requested.operation = became(outcome)?;
        Ok(requested)
    }

    /// The group of that name in the configuration.
    pub(crate) fn known_group(&self, group: &GroupName) -> Result<Arc<GroupConfig>, Refusal> {
        let config = self.config();
        let found = config.group(group.as_str()).cloned();
        found.ok_or_else(|| Refusal::UnknownGroup { group: group.clone(), known: false })
    }

    fn check(&self, request: &ScaleRequest, pass: &Pass) -> Result<(), Refusal> {
        let (state, now) = (&pass.read.record.state, pass.now);
        let paused = state.pause.as_ref().filter(|pause| pause.until.is_none_or(|until| until > now));
        if let Some(pause) = paused {
            return Err(conflict(
                Obstacle::Paused,
                format!("the group is paused: {} ({})", pause.reason, pause.by),
            ));
        }
        let overridden = state.temporary.as_ref().filter(|temporary| temporary.until > now);
        let would_end =
            overridden.filter(|temporary| request.until.is_some() && temporary.reason != ASKED_FOR);
        if let Some(Override { by, reason, until, .. }) = would_end {
            let reason = format!(
                "an override by {by} holds until {until} ({reason}); end it first, or ask without an expiry"
            );
            return Err(conflict(Obstacle::Overridden, reason));
        }
        if let Some(replicas) = request.replicas {
            // The bounds that an earlier request has set hold until this one takes its place.
            let takes_its_place = overridden.is_some() && request.until.is_some();
            let temporary = state.temporary.clone().filter(|_| !takes_its_place);
            let state = &OperationState { temporary, ..state.clone() };
            let bounds = Bounds::of(&pass.read.config, state, &pass.snapshot, now);
            if bounds.clamp(replicas).0 != replicas {
                let bounds = format!("{} to {} replicas", bounds.min, bounds.max);
                let in_force = in_force(&pass.read.config, state, now);
                return Err(Refusal::OutOfBounds {
                    what: format!("a count of {replicas}"),
                    bounds,
                    in_force,
                });
            }
        }
        let shrinks = request.replicas.is_some_and(|replicas| replicas < pass.snapshot.group.desired);
        if let Some(running) = state.open_type_change().filter(|_| shrinks || request.instance_type.is_some())
        {
            return Err(conflict(Obstacle::Running, format!("the type change {} is running", running.id.0)));
        }
        let Some(wanted) = &request.instance_type else { return Ok(()) };
        if shrinks {
            let desired = pass.snapshot.group.desired;
            let bounds = format!("{desired} or more while the type changes; ask for fewer when it has ended");
            let what = format!("a count of {}", request.replicas.unwrap_or_default());
            return Err(Refusal::OutOfBounds { what, bounds, in_force: Vec::new() });
        }
        let held = overridden.filter(|_| request.until.is_none());
        let held = held.and_then(|temporary| temporary.instance_type.as_ref()).filter(|held| *held != wanted);
        if let Some(held) = held {
            // The next evaluations would go back to it, one replacement after the other.
            return Err(Refusal::OutOfBounds {
                what: format!("the type {wanted}"),
                bounds: format!("{held} alone"),
                in_force: in_force(&pass.read.config, state, now),
            });
        }
        let group = &pass.snapshot.group;
        let runs = (&group.retype, &group.launch_type.name);
        check_type(&pass.read.config, runs, wanted, &self.market())
    }

    /// Makes `source` the active configuration in the name of `by`, if it has no fault and `expected` is still active. What
    /// `along` makes of the new version is written in the same transaction.
    ///
    /// # Errors
    /// [`ConfigRefusal`]; nothing is changed then.
    pub async fn replace_config(
        &self,
        source: serde_json::Value,
        expected: ConfigVersion,
        by: &str,
        along: impl Fn(&ConfigVersion) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<ConfigVersion, ConfigRefusal> {
        self.activate(source, expected, (by, None), along).await
    }

    pub(crate) async fn activate(
        &self,
        source: serde_json::Value,
        expected: ConfigVersion,
        (by, restored): (&str, Option<u64>),
        along: impl Fn(&ConfigVersion) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<ConfigVersion, ConfigRefusal> {
        let at = self.ports().clock.now();
        // Stored is what was sent; what holds here has this process's variables over it, and has to have no fault either.
        let loaded = Config::from_source(source.clone()).map_err(ConfigRefusal::Faults)?;
        let active = self.config().another(source).map_err(ConfigRefusal::Faults)?.config;
        let version = expected.0 + 1;
        let key = record::config_key(version, &new_id(at));
        let record = NewRecord {
            key: key.clone(),
            body: record::to_json("store a configuration", loaded.config.source())?,
            expires: None,
        };
        self.change_control(|control| {
            if control.config_version != expected.0 {
                let active = control.config_version;
                return Err(ConfigRefusal::Replaced { expected: expected.0, active });
            }
            control.config_version = version;
            control.config_key.clone_from(&key);
            let by = by.to_owned();
            control.changes.push(ConfigChange { version, key: key.clone(), at, by, restored });
            let surplus = control.changes.len().saturating_sub(CHANGES_KEPT);
            control.changes.drain(..surplus);
            let mut written = along(&ConfigVersion(version))?;
            written.push(record.clone());
            Ok(((), written))
        })
        .await?;
        self.use_config(active.at_version(ConfigVersion(version)));
        Ok(ConfigVersion(version))
    }

    /// Changes the control record. The change answers what the caller wants to know, and what goes along with it.
    pub(crate) async fn change_control<T, E: From<PortError>>(
        &self,
        change: impl Fn(&mut ControlRecord) -> Result<(T, Vec<NewRecord>), E>,
    ) -> Result<T, E> {
        let mut last = PortError::Conflict { operation: "change the control record", message: String::new() };
        for _ in 0..TRIES {
            let get = self.ports().store.get(CONTROL_KEY);
            let stored = within(LONGEST_READ, "read the control record", get).await?;
            let mut control = match &stored {
                Some(stored) => record::from_json::<ControlRecord>(CONTROL_KEY, &stored.body)?,
                None => ControlRecord::default(),
            };
            let (answer, along) = change(&mut control)?;
            let expected = stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version));
            let body = record::to_json("change the control record", &control)?;
            let record = NewRecord { key: CONTROL_KEY.to_owned(), body, expires: None };
            let put = self.ports().store.put_with(record, expected, along);
            match within(LONGEST_WRITE, "change the control record", put).await {
                Ok(_) => return Ok(answer),
                Err(error @ PortError::Conflict { .. }) => last = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.into())
    }
}

/// Whether a group may be given a type: its platform can change it, and its bounds, its image's architecture, the catalogue
/// and the price list allow it. `runs` says whether the type may be changed at all and what it is, as
/// [`observe::retype`] and [`observe::launch_type`] tell them. The group's ladder binds only the controller's own choice.
///
/// # Errors
/// `Conflict` where it cannot be changed, and `OutOfBounds` where it cannot be changed to this one.
pub fn check_type(
    config: &GroupConfig,
    runs: (&RetypeSupport, &TypeName),
    wanted: &TypeName,
    market: &Market<'_>,
) -> Result<(), Refusal> {
    let (retype, running) = runs;
    if let RetypeSupport::CountOnly { why } = retype {
        return Err(conflict(
            Obstacle::CountOnly,
            format!("the type of this group cannot be changed: {why}"),
        ));
    }
    let outside =
        |bounds: String| Err(Refusal::OutOfBounds { what: wanted.to_string(), bounds, in_force: Vec::new() });
    if market.catalogue.get(wanted).is_none() {
        return outside("it is not in the catalogue of instance types".to_owned());
    }
    let architecture = |name: &TypeName| market.catalogue.get(name).map(|known| known.architecture);
    if architecture(running).is_some_and(|running| Some(running) != architecture(wanted)) {
        return outside(format!("types of the architecture of {running}, whose image the group runs"));
    }
    let (limits, offer) = (config.resources, market.offer(wanted, Terms::default()));
    if !limits.allow(offer.vcpu, offer.memory) {
        return outside(format!(
            "types of {} to {} and {} to {}",
            limits.min_cpu, limits.max_cpu, limits.min_memory, limits.max_memory
        ));
    }
    // It would count as free, and every other type as dearer.
    if market.prices.on_terms(wanted, Terms::default()).is_none() {
        return outside(
            "types with a known price; give it one under `prices` in the configuration".to_owned(),
        );
    }
    Ok(())
}

/// What became of a request whose plan was to be stored and asked for.
fn became(outcome: GroupOutcome) -> Result<Option<Operation>, Refusal> {
    match outcome.result {
        Outcome::Decided(evaluation) => {
            let refused = outcome.acted.as_ref().is_some_and(|operation| operation.phase == Phase::Planned);
            match evaluation.step_error.filter(|_| refused) {
                Some(error) => Err(Refusal::Port(not_yet(&error, outcome.acted.as_ref()))),
                None => Ok(outcome.acted),
            }
        }
        Outcome::Failed(error) => Err(Refusal::Port(error)),
        Outcome::Busy | Outcome::NotFound => {
            Err(conflict(Obstacle::Busy, "another evaluation was quicker; try again".to_owned()))
        }
    }
}

/// The platform has not taken what is planned. Whether it refused it or did not answer is another matter for whoever asks.
fn not_yet(error: &PortError, planned: Option<&Operation>) -> PortError {
    let operation = "the request";
    let planned = planned.map(|planned| format!("operation {} stays planned, and", planned.id.0));
    let message =
        format!("{error}; {} is tried again with the next evaluations", planned.as_deref().unwrap_or("it"));
    match error {
        PortError::Denied { .. } => PortError::Denied { operation, message },
        PortError::Invalid { .. } => PortError::Invalid { operation, message },
        _ => PortError::Unavailable { operation, message, source: None },
    }
}

/// Why there is an override that nobody has set as one.
const ASKED_FOR: &str = "an explicit request with an expiry";

/// What keeps the count and the type as asked for.
fn kept(request: &ScaleRequest, until: Timestamp) -> Override {
    Override {
        by: request.by.clone(),
        reason: ASKED_FOR.to_owned(),
        until,
        min: request.replicas,
        max: request.replicas,
        instance_type: request.instance_type.clone(),
    }
}

/// The decision that a request comes to.
fn wish(request: &ScaleRequest, pass: &Pass, market: &Market<'_>) -> Decision {
    let group = &pass.snapshot.group;
    let replicas = request.replicas.unwrap_or(group.desired);
    let action = match &request.instance_type {
        Some(to) if *to != group.launch_type.name => Action::Retype {
            from: group.launch_type.name.clone(),
            to: to.clone(),
            fallbacks: Vec::new(),
            from_replicas: group.desired,
            to_replicas: replicas.max(group.desired),
        },
        _ if replicas != group.desired => Action::Scale { from: group.desired, to: replicas },
        _ => Action::Hold,
    };
    let mut decision = pass.decision.clone();
    decision.cost_after = match &action {
        Action::Hold => decision.cost_before,
        Action::Scale { from, to } => {
            let more = f64::from(*to) - f64::from(*from);
            UsdPerHour((decision.cost_before.0 + more * group.launch_type.price.0).max(0.0))
        }
        Action::Retype { to, to_replicas, .. } => {
            let terms = observe::terms(&pass.read.config, &pass.read.description);
            market.offer(to, terms).price * f64::from(*to_replicas)
        }
    };
    let by = request.by.clone();
    decision.reason = if action.is_hold() { Reason::AlreadySo { by } } else { Reason::Requested { by } };
    decision.action = action;
    decision.guards = Vec::new();
    decision.alternatives = Vec::new();
    decision
}

pub(crate) fn conflict(cause: Obstacle, reason: String) -> Refusal {
    Refusal::Conflict { cause, reason }
}

fn unreadable(group: &GroupName, mut report: TickReport) -> Refusal {
    match report.outcomes.pop().map(|outcome| outcome.result) {
        Some(Outcome::Failed(error)) => Refusal::Port(error),
        Some(Outcome::Busy) => {
            conflict(Obstacle::Busy, "another evaluation is changing the group; try again".to_owned())
        }
        _ => Refusal::UnknownGroup { group: group.clone(), known: true },
    }
}
