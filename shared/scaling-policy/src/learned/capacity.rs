//! What served during the period that the readings describe.
//!
//! A reading is about the past minute, the platform's answer about this moment. Replicas that came in between would
//! make the load look larger than it was; so the capacity of a period is the mean of what was seen at its two ends.
//! Replicas that were taken away had left before the period began: a decision is made at its start.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::usage::SATURATED;
use crate::config::GroupConfig;
use crate::snapshot::Snapshot;
use crate::trigger::Trigger;

/// Serving capacity at the last two ticks with different readings.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServingCapacity {
    /// The tick before.
    pub before: Option<Served>,
    /// The last tick.
    pub last: Option<Served>,
    /// End of the newest period that was taken in.
    pub period_ended: Option<Timestamp>,
    /// Whether CPU was at its ceiling in the newest period, and in the one before.
    pub saturated: (bool, bool),
}

/// What served at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// When.
    pub at: Timestamp,
    /// Replicas.
    pub replicas: f64,
    /// vCPU.
    pub vcpu: f64,
    /// MiB.
    pub memory: f64,
}

impl ServingCapacity {
    /// Mean serving capacity over the newest period; the group as it is now when nothing was seen before.
    pub fn of_period(&self, snapshot: &Snapshot) -> Served {
        match (self.before, self.last) {
            (Some(before), Some(last)) if before.vcpu < last.vcpu => Served {
                at: last.at,
                replicas: f64::midpoint(before.replicas, last.replicas),
                vcpu: f64::midpoint(before.vcpu, last.vcpu),
                memory: f64::midpoint(before.memory, last.memory),
            },
            (_, Some(last)) => last,
            _ => Served::now(snapshot),
        }
    }

    /// vCPU that served from one end of the newest period to the other: no more than at either.
    pub fn least_vcpu(&self, snapshot: &Snapshot) -> f64 {
        let served = self.of_period(snapshot).vcpu;
        self.before.map_or(served, |before| before.vcpu.min(served))
    }

    /// Whether the same capacity served from one end of the newest period to the other. Otherwise the readings mix
    /// what was with what is, and nothing about the service is learned from them.
    pub fn is_steady(&self) -> bool {
        self.before.zip(self.last).is_none_or(|(before, last)| {
            before.replicas == last.replicas && before.vcpu == last.vcpu && before.memory == last.memory
        })
    }

    /// Whether the readings of the newest period show what the service is like: the same capacity served throughout,
    /// and no work was left over from an overload before it.
    pub fn is_telling(&self) -> bool {
        self.is_steady() && !self.saturated.1
    }

    /// Takes the group's present capacity in. True when the snapshot has a newer period than any before.
    pub(super) fn observe(&mut self, config: &GroupConfig, snapshot: &Snapshot) -> bool {
        let newest = Trigger::ALL.iter().filter_map(|trigger| snapshot.readings[*trigger].ended()).max();
        let fresh = newest > self.period_ended;
        if fresh {
            let now = Served::now(snapshot);
            // Capacity seen long ago says nothing about this period.
            let recent = |served: &Served| {
                now.at.duration_since(served.at).as_secs_f64() <= 3.0 * config.evaluation_period.as_secs_f64()
            };
            self.before = self.last.filter(recent);
            self.last = Some(now);
            self.period_ended = newest;
            let saturated = snapshot.readings.cpu_usage.value().is_some_and(|cpu| cpu >= SATURATED);
            self.saturated = (saturated, self.saturated.0);
        }
        fresh
    }
}

impl Served {
    fn now(snapshot: &Snapshot) -> Self {
        Self {
            at: snapshot.taken_at,
            replicas: f64::from(snapshot.group.serving()),
            vcpu: snapshot.group.serving_vcpu().0,
            memory: snapshot.group.serving_memory().0,
        }
    }
}
