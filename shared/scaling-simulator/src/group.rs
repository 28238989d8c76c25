//! A group in virtual time: instances counted by type, that boot, serve and end.
//!
//! It does what an Auto Scaling group does with a desired capacity and an instance refresh: it launches and ends
//! instances until it has what is desired; while the type changes it first launches as many new ones as are desired, and
//! ends an old one for each new one that serves, so that capacity in count never falls below what is desired. Of what is
//! too much, another type ends first, then what still boots.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use scaling_fleet::latency::LatencyTable;
use scaling_fleet::service::ServiceModel;
use scaling_fleet::station::{self, Served, Station, Work};

use crate::STEP_SECONDS;
use crate::world::{MachineType, World};

/// Instances of one type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cohort {
    /// Serving.
    pub serving: u32,
    /// Booting and warming up: (first interval in which they serve, how many), soonest first.
    pub booting: VecDeque<(usize, u32)>,
}

impl Cohort {
    /// Instances that boot or warm up.
    pub fn pending(&self) -> u32 {
        self.booting.iter().map(|(_, count)| count).sum()
    }

    /// Of these, how many have booted by interval `step`, when a warm-up takes `warm_up` intervals.
    pub fn warming(&self, step: usize, warm_up: usize) -> u32 {
        let booted = self.booting.iter().take_while(|(ready, _)| *ready <= step + warm_up);
        if warm_up == 0 { 0 } else { booted.map(|(_, count)| count).sum() }
    }

    /// All instances.
    pub fn total(&self) -> u32 {
        self.serving + self.pending()
    }

    /// Ends one: one that boots first, the one that would be ready last.
    fn end_one(&mut self) {
        if let Some((_, count)) = self.booting.back_mut() {
            *count -= 1;
            if *count == 0 {
                self.booting.pop_back();
            }
        } else {
            self.serving = self.serving.saturating_sub(1);
        }
    }
}

/// What one interval was like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Requests that arrived.
    pub requests: f64,
    /// What was done with them.
    pub served: Served,
    /// Instances that served.
    pub serving: u32,
    /// Money spent, in USD.
    pub cost_usd: f64,
    /// Instances that existed, booting included.
    pub instances: u32,
}

impl Interval {
    /// Whether the 95th percentile was over `target` seconds, or requests were given up.
    pub fn is_over(&self, target: f64) -> bool {
        self.served.timed_out > 0.0 || self.served.latency_p95.is_some_and(|p95| p95 > target)
    }
}

/// The group.
#[derive(Debug, Clone)]
pub struct Group {
    types: Arc<[MachineType]>,
    cohorts: Vec<Cohort>,
    desired: u32,
    launch: usize,
    replacing: bool,
    launches: bool,
    backlog: f64,
    boots: Pcg64,
    boot: (f64, f64),
    /// In intervals.
    warm_up: usize,
    /// Intervals of instances, by type: what was billed.
    billed: Vec<u64>,
    step: usize,
    service: ServiceModel,
    latency: LatencyTable,
}

impl Group {
    /// A group with `replicas` of the world's first type serving.
    pub fn new(world: &World, replicas: u32) -> Self {
        let mut cohorts = vec![Cohort::default(); world.types.len()];
        cohorts[world.first].serving = replicas;
        let boot = world.conditions.boot;
        Self {
            types: Arc::clone(&world.types),
            cohorts,
            desired: replicas,
            launch: world.first,
            replacing: false,
            launches: true,
            backlog: 0.0,
            boots: Pcg64::seed_from_u64(world.conditions.seed ^ 0x9e37_79b9),
            boot: (boot.shortest.as_secs_f64(), boot.longest.as_secs_f64()),
            warm_up: steps(world.conditions.warm_up.as_secs_f64()),
            billed: vec![0; world.types.len()],
            step: 0,
            service: world.conditions.service.clone(),
            latency: world.latency.clone(),
        }
    }

    /// Desired capacity.
    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// Index of the type that new instances get.
    pub fn launch_type(&self) -> usize {
        self.launch
    }

    /// Instances by type, in the order of the world's types.
    pub fn cohorts(&self) -> &[Cohort] {
        &self.cohorts
    }

    /// Instances that serve.
    pub fn serving(&self) -> u32 {
        self.cohorts.iter().map(|cohort| cohort.serving).sum()
    }

    /// Instances that boot or warm up.
    pub fn pending(&self) -> u32 {
        self.cohorts.iter().map(Cohort::pending).sum()
    }

    /// Of a cohort's pending instances, those that have booted and warm up.
    pub fn warming(&self, cohort: &Cohort) -> u32 {
        cohort.warming(self.step, self.warm_up)
    }

    /// Hours of instances so far, by type, in the order of the world's types.
    pub fn hours(&self) -> Vec<f64> {
        self.billed.iter().map(|steps| *steps as f64 * f64::from(STEP_SECONDS) / 3600.0).collect()
    }

    /// Whether instances are being replaced by another type.
    pub fn is_replacing(&self) -> bool {
        self.replacing
    }

    /// Whether launches succeed from now on; while they don't, the group has fewer instances than desired.
    pub fn set_launches(&mut self, succeed: bool) {
        self.launches = succeed;
        self.settle();
    }

    /// Sets the desired capacity. True where it is another than before.
    pub fn set_desired(&mut self, desired: u32) -> bool {
        let changed = desired != self.desired;
        self.desired = desired;
        self.settle();
        changed
    }

    /// Begins to replace every instance by another type. True where it is another than before.
    pub fn replace_by(&mut self, index: usize) -> bool {
        let changed = index != self.launch;
        if changed {
            self.launch = index;
            self.replacing = true;
        }
        self.settle();
        changed
    }

    /// Serves one interval.
    pub fn advance(&mut self, requests: f64) -> Interval {
        let seconds = f64::from(STEP_SECONDS);
        let mut cost_usd = 0.0;
        let mut instances = 0;
        let mut stations = [EMPTY; 4];
        let mut kinds = 0;
        let kept = self.cohorts.iter_mut().zip(&mut self.billed);
        for ((cohort, billed), machine) in kept.zip(self.types.iter()) {
            while cohort.booting.front().is_some_and(|(ready, _)| *ready <= self.step) {
                cohort.serving += cohort.booting.pop_front().map_or(0, |(_, count)| count);
            }
            let total = cohort.total();
            if total == 0 {
                continue;
            }
            instances += total;
            *billed += u64::from(total);
            cost_usd += machine.price.0 * f64::from(total) * seconds / 3600.0;
            if cohort.serving > 0 && kinds < stations.len() {
                stations[kinds] =
                    Station { servers: machine.vcpu, memory: machine.memory, count: cohort.serving };
                kinds += 1;
            }
        }
        let elapsed = Duration::from_secs(self.step as u64 * u64::from(STEP_SECONDS));
        let memory_base = self.service.memory.base_at(elapsed);
        let work = Work { requests, backlog: self.backlog, seconds, memory_base };
        let served = station::serve(&self.service, &mut self.latency, &stations[..kinds], work);
        self.backlog = served.backlog;
        let serving = self.serving();
        self.step += 1;
        if self.replacing {
            self.settle();
        }
        Interval { requests, served, serving, cost_usd, instances }
    }

    /// Launches what is missing and ends what is too much; while replacing, an old one is ended for each new one that
    /// serves.
    fn settle(&mut self) {
        let new = self.cohorts[self.launch].total();
        let old: u32 = self.cohorts.iter().map(Cohort::total).sum::<u32>() - new;
        let wanted_new = if self.replacing { self.desired } else { self.desired.saturating_sub(old) };
        if self.launches {
            self.launch_new(wanted_new.saturating_sub(new));
        }
        let keep = if self.replacing {
            let new_serving = self.cohorts[self.launch].serving;
            self.desired.saturating_sub(new_serving) + new.max(wanted_new)
        } else {
            self.desired
        };
        let total: u32 = self.cohorts.iter().map(Cohort::total).sum();
        for _ in keep..total {
            let launch = self.launch;
            let old =
                (0..self.cohorts.len()).find(|index| *index != launch && self.cohorts[*index].total() > 0);
            self.cohorts[old.unwrap_or(launch)].end_one();
        }
        let launch = self.launch;
        if self.replacing
            && (0..self.cohorts.len()).all(|index| index == launch || self.cohorts[index].total() == 0)
        {
            self.replacing = false;
        }
    }

    fn launch_new(&mut self, count: u32) {
        let (shortest, longest) = self.boot;
        for _ in 0..count {
            let seconds = if longest > shortest {
                shortest + (longest - shortest) * self.boots.random::<f64>()
            } else {
                shortest
            };
            let ready = self.step + steps(seconds) + self.warm_up;
            let booting = &mut self.cohorts[self.launch].booting;
            let position = booting.partition_point(|(other, _)| *other < ready);
            match booting.get_mut(position) {
                Some((other, count)) if *other == ready => *count += 1,
                _ => booting.insert(position, (ready, 1)),
            }
        }
    }
}

/// The intervals that so many seconds reach into, of an interval's begin.
pub(crate) fn steps(seconds: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive")]
    let steps = (seconds / f64::from(STEP_SECONDS)).ceil() as usize;
    steps
}

const EMPTY: Station = Station { servers: 1, memory: scaling_fleet::Mebibytes(1.0), count: 0 };
