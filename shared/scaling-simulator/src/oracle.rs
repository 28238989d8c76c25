//! Bounds: what a policy that knows the future would pay.
//!
//! The clairvoyant oracle knows every interval's arrivals. It is exact for the count of a given type: the k-th replica
//! is needed in some intervals and not in others; between two needs it is kept when that is cheaper than a boot, and
//! ended otherwise, and a boot is launched just in time and billed. The first replicas are there at the start, as for
//! everybody.
//!
//! With several types it chooses the type as well, hour by hour, and pays for each change what a rolling replacement bills:
//! the new fleet's boot beside the old one. What is restricted: it begins on the first type as everybody does, types
//! change at most hourly, never are two of them mixed, the ladder has at most [`MOST_TYPES`], and a type's count is what it
//! would be if that type had been there throughout. Within these it is exact (a shortest path over hours and types).
//!
//! The noise-blind oracle knows the load for ever, but only smoothed (a Gaussian of 5 minutes, centred), with the
//! smallest margin on it that holds the target; it keeps to the first type. The distance between the two is the price of chance.

mod types;

pub use types::{Path, cheapest_path};

use crate::STEP_SECONDS;
use crate::figures::{Figures, Meter, types_in_words};
use crate::group::{Interval, steps};
use crate::world::{Carrier, World};
use scaling_fleet::latency::Quantiles;
use scaling_fleet::station::{self, Station, Work};

/// Most types of the clairvoyant type choice.
pub const MOST_TYPES: usize = 8;

/// Standard deviation of the smoothing of the noise-blind oracle, in seconds.
const SMOOTHING: f64 = 300.0;

/// Figures of the clairvoyant choice of count and, where the world has several types, of the type. `needed` is what each
/// interval needs of the first type.
pub fn clairvoyant(world: &World, needed: &[u32]) -> Figures {
    let plan = if world.types.len() > 1 {
        types::clairvoyant(world)
    } else {
        Plan::of_one_type(supply_for(world, needed), world.first)
    };
    judge(world, needed, &plan, "oracle")
}

/// Figures of the noise-blind oracle for the world's first type.
pub fn noise_blind(world: &World, carrier: &Carrier, needed: &[u32]) -> Figures {
    let smooth = smoothed(&world.rates);
    let with = |margin: f64| {
        let wanted: Vec<u32> = smooth
            .iter()
            .map(|rate| carrier.needed(world.busy(rate * f64::from(STEP_SECONDS)) * (1.0 + margin)))
            .collect();
        let plan = Plan::of_one_type(supply_for(world, &wanted), world.first);
        judge(world, needed, &plan, "noise-blind")
    };
    let (mut low, mut high) = (-0.2, 0.1);
    while !with(high).holds() && high < 50.0 {
        high *= 2.0;
    }
    for _ in 0..10 {
        let middle = f64::midpoint(low, high);
        if with(middle).holds() { high = middle } else { low = middle }
    }
    with(high)
}

/// What serves in each interval when `wanted` is known beforehand: gaps of a replica shorter than a boot are kept.
fn supply_for(world: &World, wanted: &[u32]) -> Supply {
    let boot = boot_steps(world);
    let mut serving: Vec<u32> = wanted.to_vec();
    let most = wanted.iter().copied().max().unwrap_or(0);
    // Interval after which the k-th replica was last needed.
    let mut last: Vec<Option<usize>> = vec![None; most as usize + 1];
    let mut boots = vec![0_u32; wanted.len()];
    let mut before = 0;
    let first = crate::play::first_replicas(world, wanted);
    for (step, count) in wanted.iter().copied().enumerate() {
        for level in before + 1..=count {
            match last[level as usize] {
                Some(ended) if step - ended <= boot => {
                    for gap in &mut serving[ended..step] {
                        *gap = (*gap).max(level);
                    }
                }
                None if level <= first => {
                    for gap in &mut serving[..step] {
                        *gap = (*gap).max(level);
                    }
                }
                _ => {
                    for launch in &mut boots[step.saturating_sub(boot)..step] {
                        *launch += 1;
                    }
                }
            }
        }
        for level in count + 1..=before {
            last[level as usize] = Some(step);
        }
        before = count;
    }
    Supply { serving, booting: boots }
}

struct Supply {
    serving: Vec<u32>,
    booting: Vec<u32>,
}

/// A supply with the type of each interval.
struct Plan {
    supply: Supply,
    /// (First interval, index of the type that serves from then on), in their order.
    types: Vec<(usize, usize)>,
}

impl Plan {
    fn of_one_type(supply: Supply, index: usize) -> Self {
        Self { supply, types: vec![(0, index)] }
    }
}

/// Plays a given supply: the same arithmetic, without a policy.
fn judge(world: &World, needed: &[u32], Plan { supply, types }: &Plan, name: &str) -> Figures {
    let conditions = &world.conditions;
    let mut latency = world.latency.clone();
    for machine in world.types.iter() {
        latency.quantiles(machine.vcpu, 0.5);
    }
    let mut meter = Meter::new(conditions.latency_target);
    let (mut backlog, mut before) = (0.0, supply.serving.first().copied().unwrap_or(0));
    let seconds = f64::from(STEP_SECONDS);
    let memory_base = conditions.service.memory.base_at(std::time::Duration::ZERO);
    let mut used = vec![0.0; world.types.len()];
    let mut types = types.iter().copied().peekable();
    let mut index = world.first;
    for (step, requests) in world.arrivals.iter().enumerate() {
        if let Some((_, next)) = types.next_if(|(from, _)| *from == step) {
            if next != index {
                meter.retype();
            }
            index = next;
        }
        let machine = &world.types[index];
        let serving = supply.serving[step];
        if serving != before {
            meter.change(step as u64 * u64::from(STEP_SECONDS), serving > before);
            before = serving;
        }
        let instances = serving + supply.booting[step];
        let requests = f64::from(*requests);
        let work = Work { requests, backlog, seconds, memory_base };
        let station = [Station { servers: machine.vcpu, memory: machine.memory, count: serving }];
        let served = station::serve(&conditions.service, &mut latency, &station, work);
        backlog = served.backlog;
        let cost_usd = machine.price.0 * f64::from(instances) * seconds / 3600.0;
        used[index] += f64::from(instances);
        meter.add(needed[step], &Interval { requests, served, serving, cost_usd, instances });
    }
    let names = world.types.iter().map(|machine| machine.name.as_str());
    let types = types_in_words(names.zip(used));
    Figures { types, ..meter.finish(&world.name, name, None) }
}

/// Intervals from a launch until load is taken.
fn boot_steps(world: &World) -> usize {
    steps(world.conditions.longest_start().as_secs_f64())
}

/// Gaussian smoothing, centred.
fn smoothed(rates: &[f32]) -> Vec<f64> {
    let deviation = SMOOTHING / f64::from(STEP_SECONDS);
    // Three passes of a moving mean are a Gaussian to within a few percent: width^2 = 12 sigma^2 / 3 + 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small width")]
    let half = (((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0).round() as usize;
    let mut values: Vec<f64> = rates.iter().map(|rate| f64::from(*rate)).collect();
    for _ in 0..3 {
        let mut sums = Vec::with_capacity(values.len() + 1);
        sums.push(0.0);
        for value in &values {
            sums.push(sums[sums.len() - 1] + value);
        }
        values = (0..values.len())
            .map(|index| {
                let (from, to) = (index.saturating_sub(half), (index + half + 1).min(values.len()));
                (sums[to] - sums[from]) / (to - from) as f64
            })
            .collect();
    }
    values
}
