//! A trace under conditions, ready to be played: arrivals interval by interval, and what they need of each type.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::fleet::Arrivals;
use scaling_fleet::latency::{HIGHEST_UTILISATION, LatencyTable, Quantiles};
use scaling_fleet::load::Load;
use scaling_fleet::queueing::usable_utilisation;
use scaling_fleet::service::QueueModel;
use scaling_fleet::{Catalogue, Mebibytes, PriceBook, TypeName, UsdPerHour};

use crate::STEP_SECONDS;
use crate::conditions::Conditions;
use crate::trace::Trace;

/// Replicas of the reference type that the trace's high value needs at scale 1.
pub const HIGH_REPLICAS: f64 = 40.0;

/// vCPU of the reference type.
pub const REFERENCE_VCPU: u32 = 4;

/// A type as the simulation knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineType {
    /// Its name.
    pub name: TypeName,
    /// vCPU.
    pub vcpu: u32,
    /// Memory.
    pub memory: Mebibytes,
    /// Price.
    pub price: UsdPerHour,
}

impl MachineType {
    /// The type of that name with its price in the default region; `None` where the catalogue or the price list does
    /// not have it.
    pub fn of(name: &str) -> Option<Self> {
        let found = Catalogue::embedded().get_str(name)?;
        let price = PriceBook::embedded_or_default(None).get(&found.name)?.usd_per_hour;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "vCPU are whole and few")]
        let vcpu = found.vcpu.0.round() as u32;
        Some(Self { name: found.name.clone(), vcpu, memory: found.memory, price })
    }
}

/// A trace under conditions.
#[derive(Debug, Clone)]
pub struct World {
    /// The trace's name.
    pub name: String,
    /// When it begins.
    pub start: Timestamp,
    /// The conditions.
    pub conditions: Conditions,
    /// Requests that arrive in each interval.
    pub arrivals: Arc<[f32]>,
    /// Requests per second in the middle of each interval, without chance.
    pub rates: Arc<[f32]>,
    /// Types that may be chosen; the first replicas are of [`World::first`].
    pub types: Arc<[MachineType]>,
    /// Index of the first type.
    pub first: usize,
    /// Response times, worked out as far as they have been needed.
    pub latency: LatencyTable,
}

impl World {
    /// Prepares a trace. `types` is not empty and `first` an index in it.
    pub fn new(trace: &Trace, conditions: Conditions, types: Arc<[MachineType]>, first: usize) -> Self {
        let load = Load::new(trace.start, trace.step, rates(trace, &conditions));
        Self::of_load(&trace.name, &load, conditions, types, first)
    }

    /// The same for a service that grows evenly, `factor`-fold from the trace's begin to its end, where the load is that of
    /// the conditions' scale.
    pub fn growing(
        trace: &Trace,
        conditions: Conditions,
        types: Arc<[MachineType]>,
        first: usize,
        factor: f64,
    ) -> Self {
        let rates = rates(trace, &conditions);
        let periods = rates.len() as f64;
        let grown = |(index, rate): (usize, f64)| rate * factor.powf(index as f64 / periods - 1.0);
        let rates = rates.into_iter().enumerate().map(grown).collect();
        Self::of_load(&trace.name, &Load::new(trace.start, trace.step, rates), conditions, types, first)
    }

    /// Prepares a load as it is.
    pub fn of_load(
        name: &str,
        load: &Load,
        conditions: Conditions,
        types: Arc<[MachineType]>,
        first: usize,
    ) -> Self {
        let step = std::time::Duration::from_secs(u64::from(STEP_SECONDS));
        let seconds = load.end().duration_since(load.start()).as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lengths are positive")]
        let steps = (seconds / step.as_secs_f64()).floor() as u32;
        // As scaling-fleet's own fleet draws them: the emulator under the same load and seed sees the same.
        let mut random = Arrivals::new(conditions.seed);
        let (rates, arrivals): (Vec<f32>, Vec<f32>) = (0..steps)
            .map(|index| load.rate(load.start() + step * index + step / 2))
            .map(|rate| (narrow(rate), narrow(random.draw(rate * f64::from(STEP_SECONDS)))))
            .unzip();
        let latency = LatencyTable::new();
        let name = name.to_owned();
        Self {
            name,
            start: load.start(),
            conditions,
            arrivals: arrivals.into(),
            rates: rates.into(),
            types,
            first,
            latency,
        }
    }

    /// Intervals.
    pub fn steps(&self) -> usize {
        self.arrivals.len()
    }

    /// Days.
    pub fn days(&self) -> f64 {
        self.steps() as f64 * f64::from(STEP_SECONDS) / 86_400.0
    }

    /// When interval `step` begins.
    pub fn time(&self, step: usize) -> Timestamp {
        self.start + std::time::Duration::from_secs(step as u64 * u64::from(STEP_SECONDS))
    }

    /// vCPU that `requests` in one interval keep busy.
    pub fn busy(&self, requests: f64) -> f64 {
        requests * self.conditions.service.service_seconds / f64::from(STEP_SECONDS)
    }

    /// How much each type can carry.
    pub fn carriers(&self) -> Vec<Carrier> {
        (0..self.types.len()).map(|index| Carrier::of(self, index)).collect()
    }
}

/// The trace's load as rates: its high value at [`HIGH_REPLICAS`] of the reference type, as they were planned.
fn rates(trace: &Trace, conditions: &Conditions) -> Vec<f64> {
    let planned = conditions.service.service_seconds * conditions.planned_service;
    let usable = usable_utilisation(REFERENCE_VCPU, 0.95, conditions.latency_target / planned);
    let each = usable * f64::from(REFERENCE_VCPU) / planned;
    trace.rates(each * HIGH_REPLICAS * conditions.scale)
}

/// What a number of replicas of one type carries within the latency target and its memory.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// vCPU that may be busy, by number of replicas from 0 on.
    room: Vec<f64>,
    min: u32,
}

impl Carrier {
    /// Works it out for one of the world's types.
    pub fn of(world: &World, index: usize) -> Self {
        let conditions = &world.conditions;
        let machine = &world.types[index];
        let service = &conditions.service;
        let mut table = world.latency.clone();
        let base = service.memory.base_at(std::time::Duration::ZERO).0;
        let memory_free = machine.memory.0 - base;
        // A replica whose memory is full swaps: its busy vCPU are bounded by the memory that they take.
        let by_memory = if service.memory.per_busy_vcpu > 0.0 {
            (memory_free / service.memory.per_busy_vcpu).max(0.0)
        } else if memory_free > 0.0 {
            f64::INFINITY
        } else {
            0.0
        };
        let each = f64::from(machine.vcpu);
        let mut usable = |servers: u32| {
            let (mut low, mut high) = (0.0, HIGHEST_UTILISATION);
            for _ in 0..24 {
                let middle = f64::midpoint(low, high);
                let (_, p95) = table.quantiles(servers, middle);
                if p95 * service.service_seconds <= conditions.latency_target {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            low
        };
        let own = usable(machine.vcpu);
        let room = (0..=conditions.max)
            .map(|count| {
                let share = match service.queue {
                    QueueModel::Own => own,
                    QueueModel::Shared => usable((count * machine.vcpu).max(1)),
                };
                f64::from(count) * (share * each).min(by_memory)
            })
            .collect();
        Self { room, min: conditions.min }
    }

    /// Fewest replicas that carry `busy` vCPU; one more than the most where none do.
    pub fn needed(&self, busy: f64) -> u32 {
        let at = self.room.partition_point(|room| *room < busy);
        u32::try_from(at).unwrap_or(u32::MAX).max(self.min)
    }

    /// vCPU that may be busy on `replicas`.
    pub fn room(&self, replicas: u32) -> f64 {
        let index = (replicas as usize).min(self.room.len() - 1);
        self.room[index]
    }
}

#[expect(clippy::cast_possible_truncation, reason = "counts and rates need no more than seven digits")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
