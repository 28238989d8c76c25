//! The instances of one group in simulated time: they boot, serve, fill their memory and end.
//!
//! The model: requests arrive at random (Poisson) and are spread over the serving replicas in proportion to
//! their vCPU. Each replica is an M/M/c station with one server a vCPU (or all of them one station, see
//! [`QueueModel`](crate::service::QueueModel)). Work beyond capacity waits in a backlog that is worked off when capacity is free again; what would
//! wait longer than the service's time-out is given up. A replica without free memory swaps and serves at
//! [`SWAPPING_SPEED`]. Instances are billed from launch to end, booting included.
//!
//! The caller advances time in steps no longer than [`Fleet::MAX_STEP`]; within a step the rate is constant.

use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Poisson};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::latency::Formula;
use crate::service::ServiceModel;
use crate::station::{self, Station, Work};
use crate::units::{Mebibytes, TypeName, UsdPerHour, Vcpu};

pub use crate::station::SWAPPING_SPEED;

/// Identifies an instance within its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceNumber(pub u64);

/// What an instance is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Type name.
    pub instance_type: TypeName,
    /// vCPU.
    pub vcpu: Vcpu,
    /// Memory.
    pub memory: Mebibytes,
    /// Price while it exists.
    pub price: UsdPerHour,
}

/// How long an instance takes from launch to serving: uniform between the two, from the fleet's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootModel {
    /// Shortest boot.
    pub shortest: Duration,
    /// Longest boot.
    pub longest: Duration,
}

impl Default for BootModel {
    /// 90 to 130 s: an image with the service baked in, registration with a load balancer included.
    fn default() -> Self {
        Self { shortest: Duration::from_secs(90), longest: Duration::from_secs(130) }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its number, in order of launch.
    pub number: InstanceNumber,
    /// What it is made of.
    pub machine: Machine,
    /// When it was launched.
    pub launched: Timestamp,
    /// When it starts to serve.
    pub serves_from: Timestamp,
    /// Taken out of service (standby): billed, not serving.
    pub out_of_service: bool,
}

impl Instance {
    /// Whether it serves load at `now`.
    pub fn serves(&self, now: Timestamp) -> bool {
        now >= self.serves_from && !self.out_of_service
    }
}

/// What happened in one step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Interval {
    /// Requests that arrived.
    pub requests: f64,
    /// Requests given up after the time-out.
    pub timed_out: f64,
    /// 95th percentile of the response time in seconds; `None` without requests.
    pub latency_p95: Option<f64>,
    /// Median response time in seconds; `None` without requests.
    pub latency_p50: Option<f64>,
    /// Mean CPU utilisation of the serving replicas, 0 to 1; `None` when none serves.
    pub cpu: Option<f64>,
    /// Mean memory utilisation of the serving replicas, 0 to 1; `None` when none serves.
    pub memory: Option<f64>,
    /// Replicas that served.
    pub serving: u32,
    /// vCPU that served.
    pub serving_vcpu: f64,
    /// Money spent.
    pub cost_usd: f64,
    /// Hours of instances, booting included.
    pub instance_hours: f64,
}

impl Interval {
    /// Whether the 95th percentile was over `target` seconds, or requests were given up.
    pub fn is_over(&self, target: f64) -> bool {
        self.timed_out > 0.0 || self.latency_p95.is_some_and(|p95| p95 > target)
    }
}

/// The instances of one group and the load waiting for them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fleet {
    service: ServiceModel,
    boot: BootModel,
    started: Timestamp,
    now: Timestamp,
    instances: Vec<Instance>,
    launched: u64,
    backlog: f64,
    arrivals: Arrivals,
    #[serde(with = "crate::random")]
    boots: Pcg64,
}

impl Fleet {
    /// The longest step that [`Fleet::advance`] takes at once; longer ones are cut into pieces.
    pub const MAX_STEP: Duration = Duration::from_secs(15);

    /// An empty fleet at `start`. Two fleets with the same seed and calls behave the same.
    pub fn new(service: ServiceModel, boot: BootModel, start: Timestamp, seed: u64) -> Self {
        Self {
            service,
            boot,
            started: start,
            now: start,
            instances: Vec::new(),
            launched: 0,
            backlog: 0.0,
            arrivals: Arrivals::new(seed),
            boots: stream(seed, 2),
        }
    }

    /// How far the fleet has been advanced.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Instances that exist, in order of launch.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// The service it simulates; changing it changes the future only.
    pub fn service_mut(&mut self) -> &mut ServiceModel {
        &mut self.service
    }

    /// How its instances boot; changing it changes the future only.
    pub fn boot_mut(&mut self) -> &mut BootModel {
        &mut self.boot
    }

    /// Launches an instance at the fleet's present moment; it is billed from now and serves after its boot.
    pub fn launch(&mut self, machine: Machine) -> InstanceNumber {
        let spread = self.boot.longest.saturating_sub(self.boot.shortest);
        let boot = self.boot.shortest + spread.mul_f64(self.boots.random::<f64>());
        self.push(machine, self.now + boot)
    }

    /// Adds an instance that serves at once: the fleet found at the start.
    pub fn adopt(&mut self, machine: Machine) -> InstanceNumber {
        self.push(machine, self.now)
    }

    /// Ends an instance at the fleet's present moment. `None` if there is no such instance.
    pub fn terminate(&mut self, number: InstanceNumber) -> Option<Instance> {
        let position = self.instances.iter().position(|instance| instance.number == number)?;
        Some(self.instances.remove(position))
    }

    /// Puts an instance out of service (standby) or back in. False if there is no such instance.
    pub fn set_out_of_service(&mut self, number: InstanceNumber, out: bool) -> bool {
        let found = self.instances.iter_mut().find(|instance| instance.number == number);
        found.map(|instance| instance.out_of_service = out).is_some()
    }

    /// Advances to `until` with `rate` requests a second, in steps of at most [`Fleet::MAX_STEP`], and hands each
    /// step's end and interval to `record`.
    pub fn advance(&mut self, until: Timestamp, rate: f64, mut record: impl FnMut(Timestamp, Interval)) {
        while self.now < until {
            let left = Duration::try_from(until.duration_since(self.now)).unwrap_or_default();
            let step = left.min(Self::MAX_STEP);
            let interval = self.step(step, rate);
            self.now += step;
            record(self.now, interval);
        }
    }

    fn push(&mut self, machine: Machine, serves_from: Timestamp) -> InstanceNumber {
        self.launched += 1;
        let number = InstanceNumber(self.launched);
        let launched = self.now;
        self.instances.push(Instance { number, machine, launched, serves_from, out_of_service: false });
        number
    }

    fn step(&mut self, step: Duration, rate: f64) -> Interval {
        let seconds = step.as_secs_f64();
        let requests = self.arrivals.draw(rate * seconds);
        let mut interval = Interval { requests, ..Interval::default() };
        for instance in &self.instances {
            interval.cost_usd += instance.machine.price.0 * seconds / 3600.0;
            interval.instance_hours += seconds / 3600.0;
        }
        let stations = self.stations();
        interval.serving = stations.iter().map(|station| station.count).sum();
        interval.serving_vcpu = stations.iter().map(Station::vcpu).sum();
        self.serve(&stations, seconds, &mut interval);
        interval
    }

    /// Serving replicas by machine: routing in proportion to vCPU makes replicas of a type alike.
    fn stations(&self) -> Vec<Station> {
        let mut stations: Vec<(&TypeName, Station)> = Vec::new();
        for instance in self.instances.iter().filter(|instance| instance.serves(self.now)) {
            let machine = &instance.machine;
            match stations.iter_mut().find(|(name, _)| **name == machine.instance_type) {
                Some((_, station)) => station.count += 1,
                None => stations.push((
                    &machine.instance_type,
                    Station { servers: machine.vcpu.servers(), memory: machine.memory, count: 1 },
                )),
            }
        }
        stations.into_iter().map(|(_, station)| station).collect()
    }

    fn serve(&mut self, stations: &[Station], seconds: f64, interval: &mut Interval) {
        let elapsed = Duration::try_from(self.now.duration_since(self.started)).unwrap_or_default();
        let work = Work {
            requests: interval.requests,
            backlog: self.backlog,
            seconds,
            memory_base: self.service.memory.base_at(elapsed),
        };
        let served = station::serve(&self.service, &mut Formula, stations, work);
        self.backlog = served.backlog;
        (interval.cpu, interval.memory) = (served.cpu, served.memory);
        interval.timed_out = served.timed_out;
        (interval.latency_p50, interval.latency_p95) = (served.latency_p50, served.latency_p95);
    }
}

/// How many requests arrive, interval by interval: the same seed draws the same, whatever serves them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Arrivals(#[serde(with = "crate::random")] Pcg64);

impl Arrivals {
    /// The arrivals of that seed.
    pub fn new(seed: u64) -> Self {
        Self(stream(seed, 1))
    }

    /// The next interval's, of which there are `mean` on average.
    pub fn draw(&mut self, mean: f64) -> f64 {
        Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(&mut self.0))
    }
}

/// Separate streams, so that policies which launch differently still face the same arrivals.
fn stream(seed: u64, number: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
