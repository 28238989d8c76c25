//! What served during the period that the readings describe.
//!
//! A reading is about a past minute, and metrics are published late; the platform's answer is about this moment.
//! Replicas that came in between would make the load look larger than it was; so the capacity of a period is the mean
//! of what was seen nearest to its two ends.
//! Replicas that were taken away had left before the period began: a decision is made at its start.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::usage::SATURATED;
use crate::config::GroupConfig;
use crate::snapshot::Snapshot;
use crate::trigger::Trigger;

/// How many looks are kept: enough for metrics that are several minutes late.
const KEPT: usize = 12;

/// Serving capacity at the two ends of the newest period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServingCapacity {
    /// At its start, where somebody looked then.
    pub before: Option<Served>,
    /// At its end.
    pub last: Option<Served>,
    /// The last looks, oldest first.
    seen: VecDeque<Served>,
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

    /// Whether what serves now served throughout the newest period: what changed since is in no reading yet.
    pub fn is_present(&self, snapshot: &Snapshot) -> bool {
        let serving = snapshot.group.serving_vcpu().0;
        self.is_steady() && self.last.is_none_or(|last| last.vcpu == serving)
    }

    /// Whether the readings of the newest period show what the service is like: the same capacity served throughout,
    /// and no work was left over from an overload before it.
    pub fn is_telling(&self) -> bool {
        self.is_steady() && !self.saturated.1
    }

    /// Takes the group's present capacity in. True when the snapshot has a newer period than any before.
    pub(super) fn observe(&mut self, config: &GroupConfig, snapshot: &Snapshot) -> bool {
        self.seen.push_back(Served::now(snapshot));
        while self.seen.len() > KEPT {
            self.seen.pop_front();
        }
        let newest = Trigger::ALL.iter().filter_map(|trigger| snapshot.readings[*trigger].ended()).max();
        let fresh = newest > self.period_ended;
        if let Some(ended) = newest.filter(|_| fresh) {
            let length = SignedDuration::try_from(config.evaluation_period).unwrap_or_default();
            self.last = self.nearest(ended, length * 2).or(Some(Served::now(snapshot)));
            self.before = self.nearest(ended - length, length).filter(|before| Some(*before) != self.last);
            self.period_ended = newest;
            let saturated = snapshot.readings.cpu_usage.value().is_some_and(|cpu| cpu >= SATURATED);
            self.saturated = (saturated, self.saturated.0);
        }
        fresh
    }
}

impl ServingCapacity {
    /// What was seen nearest to `moment`, and no further from it than `most`.
    fn nearest(&self, moment: Timestamp, most: SignedDuration) -> Option<Served> {
        let distance = |served: &Served| served.at.duration_since(moment).abs();
        self.seen
            .iter()
            .min_by_key(|served| distance(served))
            .copied()
            .filter(|served| distance(served) <= most)
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
