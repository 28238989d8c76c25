//! The loop: metrics to the policy, its wish to the group, an interval of load, figures.

use crate::STEP_SECONDS;
use crate::figures::{Figures, Meter};
use crate::group::Group;
use crate::metrics::{Metrics, is_due};
use crate::policy::{Policy, Seen, Wish};
use crate::world::World;

/// One point of a play for a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds since the start.
    pub now: u64,
    /// Replicas that the load needed.
    pub needed: u32,
    /// Replicas that served.
    pub serving: u32,
    /// Whether the target was missed.
    pub over: bool,
}

/// Plays a policy over a world. `needed` is what each interval needs of the first type. The group starts with what the
/// first minute needs, for every policy alike.
pub fn play(world: &World, needed: &[u32], policy: &mut dyn Policy, name: (&str, Option<f64>)) -> Figures {
    play_with(world, needed, policy, name, |_| {})
}

/// The same, handing each interval out.
pub fn play_with(
    world: &World,
    needed: &[u32],
    policy: &mut dyn Policy,
    (name, setting): (&str, Option<f64>),
    mut each: impl FnMut(Point),
) -> Figures {
    let conditions = &world.conditions;
    let first = first_replicas(world, needed);
    let mut group = Group::new(world, first);
    let feed = policy.feed();
    let mut metrics = Metrics::new(feed, conditions.missing, conditions.seed);
    let mut meter = Meter::new(conditions.latency_target);
    for (step, (requests, needed)) in world.arrivals.iter().zip(needed).enumerate() {
        let now = step as u64 * u64::from(STEP_SECONDS);
        if step > 0 && is_due(feed, now) {
            let seen = Seen { now, period: metrics.read(now), group: &group };
            let wish = policy.decide(&seen);
            carry_out(wish, now, &mut group, &mut meter);
        }
        let interval = group.advance(f64::from(*requests));
        metrics.add(now + u64::from(STEP_SECONDS), interval);
        meter.add(*needed, &interval);
        each(Point {
            now,
            needed: *needed,
            serving: interval.serving,
            over: interval.is_over(conditions.latency_target),
        });
    }
    meter.finish(&world.name, name, setting)
}

/// What the group starts with: the most that the first five minutes need.
pub fn first_replicas(world: &World, needed: &[u32]) -> u32 {
    needed.iter().take(20).copied().max().unwrap_or(world.conditions.min).min(world.conditions.max)
}

fn carry_out(wish: Wish, now: u64, group: &mut Group, meter: &mut Meter) {
    let before = group.desired();
    let desired = match wish {
        Wish::Keep => return,
        Wish::Desired(desired) => desired,
        Wish::Retype(index, desired) => {
            if index != group.launch_type() {
                meter.retype();
            }
            group.replace_by(index);
            desired
        }
    };
    if group.set_desired(desired) {
        meter.change(now, desired > before);
    }
}
