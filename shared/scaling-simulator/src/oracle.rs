//! Bounds: what a policy that knows the future would pay.
//!
//! The clairvoyant oracle knows every interval's arrivals. It is exact for the count of a given type: the k-th replica
//! is needed in some intervals and not in others; between two needs it is kept when that is cheaper than a boot, and
//! ended otherwise, and a boot is launched just in time and billed. The first replicas are there at the start, as for
//! everybody.
//!
//! With several types the clairvoyant type choice takes, hour by hour, the type whose exact count is cheapest, and pays
//! for each change what a rolling replacement bills: the new fleet's boot beside the old one. Types change at most
//! hourly, never are two types mixed, and the ladder has at most 8 types: within these restrictions it is exact (a
//! shortest path over hours and types).
//!
//! The noise-blind oracle knows the load for ever, but only smoothed (a Gaussian of 5 minutes, centred), with the
//! smallest margin on it that holds the target. The distance between the two is the price of chance.

use crate::STEP_SECONDS;
use crate::figures::{Figures, Meter};
use crate::group::Interval;
use crate::world::{Carrier, World};
use scaling_fleet::latency::Quantiles;
use scaling_fleet::station::{self, Station, Work};

/// Most types of the clairvoyant type choice.
pub const MOST_TYPES: usize = 8;

/// Standard deviation of the smoothing of the noise-blind oracle, in seconds.
const SMOOTHING: f64 = 300.0;

/// Figures of the clairvoyant count for the world's first type.
pub fn clairvoyant(world: &World, needed: &[u32]) -> Figures {
    let supply = supply_for(world, needed);
    judge(world, needed, &supply, "oracle")
}

/// Figures of the noise-blind oracle for the world's first type.
pub fn noise_blind(world: &World, carrier: &Carrier, needed: &[u32]) -> Figures {
    let smooth = smoothed(&world.rates);
    let with = |margin: f64| {
        let wanted: Vec<u32> = smooth
            .iter()
            .map(|rate| carrier.needed(world.busy(rate * f64::from(STEP_SECONDS)) * (1.0 + margin)))
            .collect();
        judge(world, needed, &supply_for(world, &wanted), "noise-blind")
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

/// Plays a given supply: the same arithmetic, without a policy.
fn judge(world: &World, needed: &[u32], supply: &Supply, name: &str) -> Figures {
    let conditions = &world.conditions;
    let machine = &world.types[world.first];
    let mut latency = world.latency.clone();
    latency.quantiles(machine.vcpu, 0.5);
    let mut meter = Meter::new(conditions.latency_target);
    let (mut backlog, mut before) = (0.0, supply.serving.first().copied().unwrap_or(0));
    let seconds = f64::from(STEP_SECONDS);
    let memory_base = conditions.service.memory.base_at(std::time::Duration::ZERO);
    for (step, requests) in world.arrivals.iter().enumerate() {
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
        meter.add(needed[step], &Interval { requests, served, serving, cost_usd, instances });
    }
    meter.finish(&world.name, name, None)
}

/// Cost in USD of the clairvoyant choice of type and count, and how often it changes the type. `None` with more than
/// [`MOST_TYPES`] types.
pub fn clairvoyant_types(world: &World) -> Option<(f64, u32)> {
    if world.types.len() > MOST_TYPES {
        return None;
    }
    let hour_steps = 3600 / STEP_SECONDS as usize;
    let seconds = f64::from(STEP_SECONDS);
    let carriers = world.carriers();
    let unable = world.conditions.max;
    // Cost and first count of each hour by type.
    let mut hours: Vec<Vec<(f64, u32)>> = Vec::new();
    let supplies: Vec<(Supply, bool)> = carriers
        .iter()
        .map(|carrier| {
            let wanted: Vec<u32> = world
                .arrivals
                .iter()
                .map(|requests| carrier.needed(world.busy(f64::from(*requests))))
                .collect();
            let able = wanted.iter().all(|count| *count <= unable);
            (supply_for(world, &wanted), able)
        })
        .collect();
    for from in (0..world.steps()).step_by(hour_steps) {
        let to = (from + hour_steps).min(world.steps());
        hours.push(
            supplies
                .iter()
                .zip(world.types.iter())
                .map(|((supply, able), machine)| {
                    let instances: u32 =
                        (from..to).map(|step| supply.serving[step] + supply.booting[step]).sum();
                    let cost = machine.price.0 * f64::from(instances) * seconds / 3600.0;
                    (if *able { cost } else { f64::INFINITY }, supply.serving[from])
                })
                .collect(),
        );
    }
    cheapest_path(world, &hours)
}

/// The cheapest way through the hours, given what each type costs in each and how many replicas of it begin it: a change of
/// type pays the new fleet's boot beside the old one. Cost in USD, and changes. `None` without types.
pub fn cheapest_path(world: &World, hours: &[Vec<(f64, u32)>]) -> Option<(f64, u32)> {
    let boot_hours = world.conditions.boot.longest.as_secs_f64() / 3600.0;
    let mut best: Vec<(f64, u32)> = (0..world.types.len())
        .map(|index| (if index == world.first { 0.0 } else { f64::INFINITY }, 0))
        .collect();
    for prices in hours {
        let cheapest = best.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0))?;
        best = prices
            .iter()
            .zip(&best)
            .zip(world.types.iter())
            .map(|(((cost, count), stay), machine)| {
                let change = machine.price.0 * f64::from(*count) * boot_hours;
                let moved = (cheapest.0 + change, cheapest.1 + 1);
                let (so_far, changes) = if stay.0 <= moved.0 { *stay } else { moved };
                (so_far + cost, changes)
            })
            .collect();
    }
    best.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))
}

fn boot_steps(world: &World) -> usize {
    let seconds = world.conditions.boot.longest.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "boots are positive")]
    let steps = (seconds / f64::from(STEP_SECONDS)).ceil() as usize;
    steps
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
