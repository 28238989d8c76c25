//! The simulated truth behind a group: its fleet, the load on it, and the record of both.

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::Mebibytes;
use scaling_fleet::fleet::{BootModel, Fleet, InstanceNumber, Interval, Machine};
use scaling_fleet::load::Load;
use scaling_fleet::service::{MemoryModel, QueueModel, ServiceModel};
use serde::{Deserialize, Serialize};

use super::latency::{self, Part};
use super::member::cpu_of;
use super::minutes::{MinuteRecord, Minutes, Samples, Sizes};
use super::totals::GroupTotals;
use crate::workload::Workload;

/// The simulated truth behind a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct World {
    fleet: Fleet,
    workload: Option<(Load, f64)>,
    open: Vec<Step>,
    minutes: Minutes,
    totals: GroupTotals,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    seconds: f64,
    interval: Interval,
}

impl World {
    /// Whether it has a workload, or only idles.
    pub(crate) fn is_loaded(&self) -> bool {
        self.workload.is_some()
    }

    /// A fleet that idles.
    pub(crate) fn idle(now: Timestamp, seed: u64) -> Self {
        Self {
            fleet: Fleet::new(idle_service(), BootModel::default(), now, seed),
            workload: None,
            open: Vec::new(),
            minutes: Minutes::default(),
            totals: GroupTotals::default(),
        }
    }

    /// How far it has been advanced.
    pub(crate) fn now(&self) -> Timestamp {
        self.fleet.now()
    }

    pub(crate) fn minutes(&self) -> &Minutes {
        &self.minutes
    }

    pub(crate) fn totals(&self) -> &GroupTotals {
        &self.totals
    }

    /// Sets load and service. Totals and the service's memory curve start anew. Returns the instances' new numbers:
    /// those that serve go on serving, the others begin their boot again.
    pub(crate) fn set_workload(&mut self, workload: Workload) -> Vec<(InstanceNumber, InstanceNumber)> {
        let Workload { load, service, boot, seed, latency_target } = workload;
        let now = self.fleet.now();
        let mut fleet = Fleet::new(service, boot, now, seed);
        let mut renumbered = Vec::new();
        for instance in self.fleet.instances() {
            let machine = instance.machine.clone();
            let serves = now >= instance.serves_from;
            let number = if serves { fleet.adopt(machine) } else { fleet.launch(machine) };
            fleet.set_out_of_service(number, instance.out_of_service);
            renumbered.push((instance.number, number));
        }
        self.fleet = fleet;
        self.workload = Some((load, latency_target));
        self.totals = GroupTotals::default();
        renumbered
    }

    /// Launches an instance that serves after its boot.
    pub(crate) fn launch(&mut self, machine: Machine) -> InstanceNumber {
        self.fleet.launch(machine)
    }

    /// Adds an instance that serves at once.
    pub(crate) fn adopt(&mut self, machine: Machine) -> InstanceNumber {
        self.fleet.adopt(machine)
    }

    /// Stops an instance from serving; it is still paid for.
    pub(crate) fn retire(&mut self, number: InstanceNumber) {
        self.fleet.set_out_of_service(number, true);
    }

    /// Lets an instance serve again.
    pub(crate) fn restore(&mut self, number: InstanceNumber) {
        self.fleet.set_out_of_service(number, false);
    }

    /// Ends an instance.
    pub(crate) fn end(&mut self, number: InstanceNumber) {
        self.fleet.terminate(number);
    }

    /// Whether an instance has booted.
    pub(crate) fn has_booted(&self, number: InstanceNumber) -> bool {
        let now = self.fleet.now();
        self.fleet
            .instances()
            .iter()
            .find(|instance| instance.number == number)
            .is_some_and(|instance| now >= instance.serves_from)
    }

    /// Advances by one step, no longer than [`Fleet::MAX_STEP`].
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let from = self.fleet.now();
        let length = to.duration_since(from);
        let rate = self.workload.as_ref().map_or(0.0, |(load, _)| load.rate(from + length / 2));
        let mut before = from;
        let open = &mut self.open;
        self.fleet.advance(to, rate, |now, interval| {
            open.push(Step { seconds: now.duration_since(before).as_secs_f64(), interval });
            before = now;
        });
        if let (Some((_, target)), Some(step)) = (&self.workload, self.open.last()) {
            self.totals.add(step.seconds, &step.interval, *target);
        }
    }

    /// Ends the minute at the fleet's present moment. With `lost`, its metrics are never seen.
    pub(crate) fn close_minute(&mut self, sizes: Sizes, serving: &[InstanceNumber], lost: bool) {
        let steps = std::mem::take(&mut self.open);
        let start = self.fleet.now() - SignedDuration::from_secs(60);
        if !lost && !steps.is_empty() {
            self.minutes.push(summarise(&steps, start, sizes, serving));
        }
    }
}

fn summarise(steps: &[Step], start: Timestamp, sizes: Sizes, serving: &[InstanceNumber]) -> MinuteRecord {
    let mean = |of: fn(&Interval) -> Option<f64>| {
        let known = || steps.iter().filter_map(|step| Some((step.seconds, of(&step.interval)?)));
        let seconds: f64 = known().map(|(seconds, _)| seconds).sum();
        if seconds > 0.0 {
            known().map(|(seconds, value)| seconds * value).sum::<f64>() / seconds
        } else {
            0.0
        }
    };
    let parts: Vec<Part> = steps
        .iter()
        .filter_map(|Step { interval, .. }| {
            Some(Part::new(interval.requests, interval.latency_p50?, interval.latency_p95?))
        })
        .collect();
    let (busy, filled) = (mean(|interval| interval.cpu), mean(|interval| interval.memory));
    let (mut cpu, mut memory) = (Samples::default(), Samples::default());
    for number in serving {
        cpu.add(cpu_of(*number, start, busy));
        memory.add(filled);
    }
    MinuteRecord {
        start,
        requests: steps.iter().map(|step| step.interval.requests).sum(),
        timed_out: steps.iter().map(|step| step.interval.timed_out).sum(),
        latency: latency::mix(&parts),
        cpu,
        memory,
        busy,
        filled,
        sizes,
    }
}

/// A service that nobody calls.
fn idle_service() -> ServiceModel {
    ServiceModel {
        service_seconds: 0.05,
        queue: QueueModel::Own,
        memory: MemoryModel { base: vec![(std::time::Duration::ZERO, Mebibytes(512.0))], per_busy_vcpu: 0.0 },
        timeout_seconds: 10.0,
    }
}
