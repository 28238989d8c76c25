//! Processor time per request, and memory: how much every replica holds, and how much grows with the work.

use serde::{Deserialize, Serialize};

use super::capacity::ServingCapacity;
use crate::snapshot::Snapshot;

/// Weight of one more period in the processor time of a request (half of it forgotten in about 7 periods).
const WEIGHT: f64 = 0.1;

/// Forgetting of the memory slope: half in about 70 periods.
const SLOPE_MEMORY: f64 = 0.99;

/// The work of a replica must have moved by this many busy vCPU to tell anything about memory, and this often.
const INFORMATIVE_MOVE: f64 = 0.02;
const LEAST_MOVES: f64 = 5.0;

/// A move of more than this many busy vCPU counts as one of this size: bursts are few, come with stalls and full memory,
/// and would outweigh all that was measured in peace.
const LARGEST_MOVE: f64 = 0.25;

/// Share of the movement of memory that the work must explain.
const LEAST_RELATION: f64 = 0.5;

/// A period under this utilisation tells too little about a request: the idle part of the machine outweighs it.
const INFORMATIVE_CPU: f64 = 0.05;

/// From this utilisation on, CPU no longer says how much work there is.
pub(super) const SATURATED: f64 = 0.95;

/// From this share of its memory on, a replica may need more than it shows.
const FULL: f64 = 0.95;

/// What the service uses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// vCPU seconds of one request; `None` until CPU and requests were read together.
    pub vcpu_seconds: Option<f64>,
    /// MiB that a replica holds for each busy vCPU, 0 or more.
    pub memory_slope: f64,
    /// Busy vCPU and MiB of a replica in the period before.
    last: Option<(f64, f64)>,
    /// Running sums of the slope's regression on differences.
    sums: Sums,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Sums {
    xx: f64,
    xy: f64,
    yy: f64,
    /// Periods in which the work moved.
    moves: f64,
}

impl Usage {
    /// vCPU that the load keeps busy now. CPU is the direct measurement while the same capacity served throughout;
    /// arrivals tell the truth when capacity changed meanwhile, and when CPU is at its ceiling. `None` without a usable
    /// reading of either.
    pub fn busy_vcpu(&self, capacity: &ServingCapacity, snapshot: &Snapshot) -> Option<f64> {
        let served = capacity.of_period(snapshot);
        let by_cpu = snapshot.readings.cpu_usage.value().map(|cpu| {
            // At the ceiling nobody knows how much of the new capacity was used as well.
            cpu * if cpu >= SATURATED { capacity.least_vcpu(snapshot) } else { served.vcpu }
        });
        let by_arrivals = arrival_rate(snapshot).zip(self.vcpu_seconds).map(|(rate, each)| rate * each);
        match (by_cpu, by_arrivals) {
            (Some(cpu), Some(arrivals)) => {
                let saturated = snapshot.readings.cpu_usage.value().is_some_and(|cpu| cpu >= SATURATED);
                Some(match (saturated, capacity.is_steady()) {
                    (true, _) => cpu.max(arrivals),
                    (false, true) => cpu,
                    (false, false) => arrivals,
                })
            }
            (one, other) => one.or(other),
        }
    }

    /// The same, as far as it is a measurement: not while CPU is at its ceiling and nothing says what a request costs.
    pub fn measured_vcpu(&self, capacity: &ServingCapacity, snapshot: &Snapshot) -> Option<f64> {
        let saturated = snapshot.readings.cpu_usage.value().is_some_and(|cpu| cpu >= SATURATED);
        let censored = saturated && arrival_rate(snapshot).zip(self.vcpu_seconds).is_none();
        self.busy_vcpu(capacity, snapshot).filter(|_| !censored)
    }

    /// MiB that one replica holds at no load, and MiB that all of them share in proportion to the load.
    pub fn memory_parts(
        &self,
        capacity: &ServingCapacity,
        busy: f64,
        snapshot: &Snapshot,
    ) -> Option<(f64, f64)> {
        let served = capacity.of_period(snapshot);
        let filled = snapshot.readings.memory_usage.value()?;
        if served.replicas <= 0.0 {
            return None;
        }
        let each = filled * served.memory / served.replicas;
        let shared = (self.memory_slope * busy).min(each * served.replicas);
        Some((each - shared / served.replicas, shared))
    }

    pub(super) fn observe(&mut self, capacity: &ServingCapacity, snapshot: &Snapshot) {
        if !capacity.is_telling() {
            self.last = None;
            return;
        }
        let served = capacity.of_period(snapshot);
        let cpu = snapshot.readings.cpu_usage.value();
        if let (Some(cpu), Some(rate)) = (cpu, arrival_rate(snapshot)) {
            // Neither an idle nor a saturated machine shows what a request costs.
            if rate > 0.0 && (INFORMATIVE_CPU..SATURATED).contains(&cpu) {
                let each = cpu * served.vcpu / rate;
                self.vcpu_seconds =
                    Some(self.vcpu_seconds.map_or(each, |before| before + WEIGHT * (each - before)));
            }
        }
        if let (Some(cpu), Some(filled)) = (cpu, snapshot.readings.memory_usage.value())
            && served.replicas > 0.0
        {
            // At a ceiling neither goes on to follow the work, and what they still do says nothing of the other.
            if cpu >= SATURATED || filled >= FULL {
                self.last = None;
                return;
            }
            self.observe_memory(
                cpu * served.vcpu / served.replicas,
                filled * served.memory / served.replicas,
            );
        }
    }

    /// Regresses changes on changes, so that a base that grows by itself is not taken for work.
    fn observe_memory(&mut self, busy_each: f64, used_each: f64) {
        if let Some((busy, used)) = self.last {
            self.sums.add(busy_each - busy, used_each - used);
            self.memory_slope = self.sums.slope().unwrap_or(self.memory_slope);
        }
        self.last = Some((busy_each, used_each));
    }
}

impl Sums {
    fn add(&mut self, dx: f64, dy: f64) {
        let shrunk = (LARGEST_MOVE / dx.abs()).min(1.0);
        let (dx, dy) = (dx * shrunk, dy * shrunk);
        let keep = |sum: f64, new: f64| sum * SLOPE_MEMORY + new;
        let moved = if dx.abs() >= INFORMATIVE_MOVE { 1.0 } else { 0.0 };
        (self.xx, self.xy, self.yy) =
            (keep(self.xx, dx * dx), keep(self.xy, dx * dy), keep(self.yy, dy * dy));
        self.moves = keep(self.moves, moved);
    }

    /// MiB for each busy vCPU; `None` while there is too little to tell. Where memory does not move with the work it
    /// does not grow with it: one jump of both at once is chance.
    fn slope(self) -> Option<f64> {
        if self.moves < LEAST_MOVES || self.xx <= 0.0 {
            return None;
        }
        let related = self.xy * self.xy >= LEAST_RELATION * self.xx * self.yy;
        Some(if related { (self.xy / self.xx).max(0.0) } else { 0.0 })
    }
}

/// Requests per second of the newest period.
pub(super) fn arrival_rate(snapshot: &Snapshot) -> Option<f64> {
    snapshot.readings.request_count.value().map(|per_minute| per_minute / 60.0)
}
