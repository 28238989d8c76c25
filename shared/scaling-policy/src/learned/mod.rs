//! What is remembered of a group between decisions, and how one more observation changes it.
//!
//! [`learn`] takes each snapshot in exactly once, before [`decide`](crate::decide()) looks at the result. Nothing
//! is ever replayed: every estimate advances one step a tick. Raw samples are not kept; the few rings here are
//! bounded, and the whole stays under 32 KiB as JSON.
//!
//! # Layout
//! - [`boot`]: how long an ordered replica takes to serve
//! - [`capacity`]: what served during the period that the readings describe
//! - [`usage`]: processor time per request, memory base and growth with work
//! - [`response`]: which utilisation keeps the latency target, by size of the type
//! - [`forecast`]: the load one boot time from now, with measured error
//! - [`recent`]: wanted capacity over the stabilization window, peaks of 14 days
//! - [`answers`]: whether a trigger falls when it gets the capacity it asks for
//! - [`shadow`]: what every type would have cost

pub mod answers;
pub mod boot;
pub mod capacity;
pub mod forecast;
pub mod recent;
pub mod response;
pub mod shadow;
pub mod usage;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::GroupConfig;
use crate::decide::demand::{self, Demand};
use crate::operation::OperationState;
use crate::snapshot::Snapshot;
use crate::trigger::{PerTrigger, Trigger};

/// What the controller has learned of a group. Versioned; rebuilt by observing when lost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Layout version of this record; another one is discarded and learned anew.
    pub version: u16,
    /// Boot time.
    pub boot: boot::BootTime,
    /// Serving capacity of the last ticks.
    pub capacity: capacity::ServingCapacity,
    /// Processor time and memory.
    pub usage: usage::Usage,
    /// Latency by utilisation.
    pub response: response::ResponseCurve,
    /// Load ahead.
    pub forecast: forecast::Forecast,
    /// Wanted capacity lately.
    pub recent: recent::Recent,
    /// Triggers that do not answer to capacity.
    pub answers: PerTrigger<answers::Answer>,
    /// Cost by type.
    pub shadow: shadow::Shadow,
    /// When it was built from the metrics' history; `None` where that was not done yet.
    pub recalled: Option<Timestamp>,
}

impl Learned {
    /// Layout version written by this code.
    pub const VERSION: u16 = 2;

    /// Time from an order to serving: learned, 120 s until one order was seen through.
    pub fn boot_time(&self) -> Duration {
        self.boot.estimate()
    }
}

/// Takes one observation in. Call it once per snapshot, before deciding on it.
///
/// A snapshot without new readings (the same periods as before) changes only what follows from the group itself.
pub fn learn(config: &GroupConfig, learned: Learned, state: &OperationState, snapshot: &Snapshot) -> Learned {
    let mut next = if learned.version == Learned::VERSION {
        learned
    } else {
        Learned { version: Learned::VERSION, ..Learned::default() }
    };
    let fresh = next.capacity.observe(config, snapshot);
    next.boot.observe(config, state, snapshot);
    if fresh {
        next.usage.observe(&next.capacity, snapshot);
        next.response.observe(config, &next.usage, &next.capacity, snapshot);
        let load = next.usage.measured_vcpu(&next.capacity, snapshot);
        let vcpu = snapshot.group.launch_type.vcpu.0;
        let fleet = forecast::Fleet {
            unit: demand::full_utilisation(config, &next, vcpu) * vcpu,
            min: config.replicas.min.max(snapshot.group.min),
            boot: next.boot_time(),
        };
        observe_misses(config, &mut next, state, snapshot);
        next.forecast.observe(config, fleet, load, snapshot);
    }
    let demand = Demand::of(config, &next, state, snapshot);
    if fresh {
        next.recent.observe(config, &demand, snapshot);
        next.shadow.observe(config, &demand, snapshot);
    }
    observe_answers(config, &mut next, state, snapshot);
    next
}

/// What share of the newest period missed the latency target. Near it, some of the period was over and some was not.
/// Periods of a type change don't count.
fn observe_misses(config: &GroupConfig, next: &mut Learned, state: &OperationState, snapshot: &Snapshot) {
    const NEAR: (f64, f64) = (0.92, 1.06);
    let latency = snapshot.readings[Trigger::RequestLatency].value();
    if let Some(value) = latency.filter(|_| state.open_type_change().is_none()) {
        let load = value / config.triggers.request_latency.threshold;
        let missed = ((load - NEAR.0) / (NEAR.1 - NEAR.0)).clamp(0.0, 1.0);
        next.forecast.spend(missed, config.evaluation_period.as_secs_f64());
    }
}

fn observe_answers(config: &GroupConfig, next: &mut Learned, state: &OperationState, snapshot: &Snapshot) {
    let loads = demand::loads(config, next, state, snapshot);
    let served = next.capacity.of_period(snapshot).vcpu;
    let by_arrivals = usage::arrival_rate(snapshot).map(|rate| rate / served.max(f64::MIN_POSITIVE));
    for trigger in Trigger::ALL {
        let reading = snapshot.readings[trigger];
        let seen = loads[trigger].zip(reading.ended()).map(|(load, ended)| answers::Seen {
            load,
            // CPU tells how busy each vCPU is, but not of itself.
            pressure: by_arrivals
                .or_else(|| snapshot.readings.cpu_usage.value().filter(|_| trigger != Trigger::CpuUsage)),
            at_ceiling: reading.value().is_some_and(|value| answers::is_at_ceiling(trigger, value)),
            ended,
        });
        let asked = state.operation.as_ref().filter(|operation| operation.is_scale_up_for(trigger));
        next.answers[trigger].observe(config, seen, asked);
    }
}
