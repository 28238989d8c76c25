//! The policy over a history: at each period it sees what its own group would have shown under the load that was, and
//! its decisions are followed.
//!
//! The load is what the metrics say was used: CPU times the vCPU that served, and the memory of each replica. Latency is
//! not replayed: how long requests would have waited on another fleet is not in the metrics. So the policy is asked with
//! CPU, memory and requests, and both sides are judged by those.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::Action;
use scaling_policy::config::{Absence, ControlLevel, GroupConfig};
use scaling_policy::snapshot::TypeOffer;
use scaling_policy::trigger::{PerTrigger, Reading, Trigger};

use crate::history::{History, Past};
use crate::steering::Steered;

/// One side at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Replicas that served.
    pub replicas: f64,
    /// Their vCPU.
    pub vcpu: f64,
    /// Their type.
    pub instance_type: TypeName,
    /// USD per hour of what ran or booted.
    pub cost: f64,
    /// The highest load of a trigger; 1 is at the limit.
    pub load: f64,
}

/// One period of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When it ended.
    pub at: Timestamp,
    /// Seconds that it stands for.
    pub seconds: f64,
    /// vCPU that were busy.
    pub busy: f64,
    /// What ran.
    pub ran: Side,
    /// What would have run.
    pub would: Side,
    /// Response time that was measured.
    pub latency: Option<f64>,
    /// vCPU that would carry the load at the target load.
    pub wanted: f64,
}

/// The whole history, played.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// The periods.
    pub steps: Vec<Step>,
    /// Scale-ups that would have been.
    pub ups: u32,
    /// Scale-downs.
    pub downs: u32,
    /// Type changes.
    pub retypes: u32,
}

/// Plays the policy of `config` over the history, from the fleet that ran at its begin. `ladder` are the types that may
/// be chosen, ordered as a [`scaling_policy::Snapshot`] has them.
pub fn replay(config: &GroupConfig, ladder: Arc<[TypeOffer]>, history: &History) -> Replay {
    let mut played = Replay::default();
    let Some((first, _)) = history.known().next() else { return played };
    let config = judged(config);
    let offer = &history.offer;
    let begin = (whole(first.replicas), first.at);
    let mut group = Steered::new(config.clone(), ladder, offer.clone(), begin, history.limits.clone());
    let mut before: Option<Timestamp> = None;
    for (past, cpu) in history.known() {
        group.advance(past.at);
        let busy = cpu * past.replicas * offer.vcpu.0;
        let load = |replicas: f64, of: &TypeOffer| load(&config, history, past, busy, replicas, of);
        let seconds = lasts(history, before, past.at);
        before = Some(past.at);
        let would = Side {
            replicas: f64::from(group.serving()),
            vcpu: f64::from(group.serving()) * group.offer().vcpu.0,
            instance_type: group.offer().name.clone(),
            cost: group.cost(),
            load: load(f64::from(group.serving()), group.offer()),
        };
        let ran = Side {
            replicas: past.replicas,
            vcpu: past.replicas * offer.vcpu.0,
            instance_type: offer.name.clone(),
            cost: past.replicas * offer.price.0,
            load: load(past.replicas, offer),
        };
        let readings = shown(&config, history, past, busy, &group);
        let decision = group.decide(readings, past.at);
        match decision.action {
            Action::Hold => {}
            Action::Scale { from, to } if to > from => played.ups += 1,
            Action::Scale { .. } => played.downs += 1,
            Action::Retype { .. } => played.retypes += 1,
        }
        let wanted = decision.wanted.vcpu.0;
        played.steps.push(Step { at: past.at, seconds, busy, ran, would, latency: past.latency, wanted });
    }
    played
}

/// The configuration as it would have acted, without the trigger that cannot be replayed.
fn judged(config: &GroupConfig) -> GroupConfig {
    let mut config = config.clone();
    config.control = ControlLevel::Act;
    config.triggers.request_latency.binding = None;
    config.triggers.request_latency.asks = false;
    config
}

/// A gap in the history is not known and not counted.
fn lasts(history: &History, before: Option<Timestamp>, at: Timestamp) -> f64 {
    let period = history.period.as_secs_f64();
    before.map_or(period, |before| at.duration_since(before).as_secs_f64().min(period))
}

/// What the readings would be on a fleet of the replayed group.
fn shown(
    config: &GroupConfig,
    history: &History,
    past: &Past,
    busy: f64,
    group: &Steered,
) -> PerTrigger<Reading> {
    let of = |trigger: Trigger, value: Option<f64>| match (&config.triggers[trigger].binding, value) {
        (None, _) => Reading::Unbound,
        // A load balancer writes nothing while nobody asks.
        (Some(binding), None) if binding.absence == Absence::Zero => Reading::AbsentZero,
        (Some(_), None) => Reading::Missing,
        (Some(_), Some(value)) => Reading::Fresh { value, ended: past.at },
    };
    let vcpu = f64::from(group.serving()) * group.offer().vcpu.0;
    let memory = past.memory.map(|share| share * history.offer.memory.0 / group.offer().memory.0);
    PerTrigger {
        cpu_usage: of(Trigger::CpuUsage, Some((busy / vcpu).min(1.0))),
        memory_usage: of(Trigger::MemoryUsage, memory.map(|share| share.min(1.0))),
        request_count: of(Trigger::RequestCount, past.requests),
        request_latency: Reading::Unbound,
    }
}

/// The highest load of the triggers that ask for capacity, had so many replicas of a type served.
fn load(
    config: &GroupConfig,
    history: &History,
    past: &Past,
    busy: f64,
    replicas: f64,
    offer: &TypeOffer,
) -> f64 {
    let vcpu = replicas * offer.vcpu.0;
    let of = |trigger: Trigger, value: Option<f64>| {
        let rule = &config.triggers[trigger];
        value.filter(|_| rule.asks && rule.binding.is_some()).map_or(0.0, |value| value / rule.threshold)
    };
    let memory = past.memory.map(|share| share * history.offer.memory.0 / offer.memory.0);
    // Counted per replica of the reference type.
    let requests = past.requests.map(|requests| requests / (vcpu / history.offer.vcpu.0));
    of(Trigger::CpuUsage, Some(busy / vcpu))
        .max(of(Trigger::MemoryUsage, memory))
        .max(of(Trigger::RequestCount, requests))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of replicas, at least one"
)]
fn whole(replicas: f64) -> u32 {
    replicas.round().clamp(1.0, 1e6) as u32
}
