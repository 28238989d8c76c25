//! Both sides in figures, and fixed fleets beside them.

use jiff::Timestamp;
use scaling_policy::config::GroupConfig;

use crate::history::History;
use crate::replay::{Replay, Side, Step};

/// What one side came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Total {
    /// USD on demand.
    pub cost: f64,
    /// Minutes with a trigger at or over its limit.
    pub over_minutes: f64,
    /// Mean number of replicas.
    pub replicas: f64,
}

/// What ran against what would have.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Begin of the first period that is compared.
    pub from: Timestamp,
    /// End of the last.
    pub to: Timestamp,
    /// Hours that are compared: gaps are not.
    pub hours: f64,
    /// What ran.
    pub ran: Total,
    /// What would have run.
    pub would: Total,
    /// A fixed fleet of the type that ran, for the highest wanted capacity. USD.
    pub fixed_at_peak: f64,
    /// The fleet that ran at the begin, kept. USD.
    pub fixed_at_take_over: f64,
    /// Minutes in which the measured response time was over its threshold, where it was measured.
    pub latency_over_minutes: Option<f64>,
}

impl Comparison {
    /// Adds a replay up. `None` where there was nothing to compare.
    pub fn of(config: &GroupConfig, history: &History, replay: &Replay) -> Option<Self> {
        let (first, last) = (replay.steps.first()?, replay.steps.last()?);
        let seconds: f64 = replay.steps.iter().map(|step| step.seconds).sum();
        let hours = seconds / 3600.0;
        let offer = &history.offer;
        let peak = replay.steps.iter().map(|step| step.wanted).fold(0.0, f64::max);
        let threshold = config.triggers.request_latency.threshold;
        let measured = replay.steps.iter().any(|step| step.latency.is_some());
        // Each step is added: the sum of none would be minus zero, and be written so.
        let slow = |step: &Step| {
            if step.latency.is_some_and(|latency| latency > threshold) { step.seconds } else { 0.0 }
        };
        Some(Self {
            from: first.at - jiff::SignedDuration::try_from(history.period).ok()?,
            to: last.at,
            hours,
            ran: total(replay, |step| &step.ran),
            would: total(replay, |step| &step.would),
            fixed_at_peak: (peak / offer.vcpu.0).ceil() * offer.price.0 * hours,
            fixed_at_take_over: first.ran.replicas * offer.price.0 * hours,
            latency_over_minutes: measured.then(|| replay.steps.iter().map(slow).sum::<f64>() / 60.0),
        })
    }

    /// Share of the cost that would have been saved; negative where it would have cost more.
    pub fn saved_share(&self) -> f64 {
        if self.ran.cost > 0.0 { 1.0 - self.would.cost / self.ran.cost } else { 0.0 }
    }
}

fn total(replay: &Replay, side: fn(&Step) -> &Side) -> Total {
    let seconds: f64 = replay.steps.iter().map(|step| step.seconds).sum();
    let sum = |of: &dyn Fn(&Side) -> f64| {
        replay.steps.iter().map(|step| of(side(step)) * step.seconds).sum::<f64>()
    };
    Total {
        cost: sum(&|side| side.cost) / 3600.0,
        over_minutes: sum(&|side| f64::from(u8::from(side.load >= 1.0))) / 60.0,
        replicas: sum(&|side| side.replicas) / seconds.max(f64::MIN_POSITIVE),
    }
}
