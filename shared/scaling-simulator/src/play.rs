//! The loop: an interval of load, metrics to the policy, its wish to the group, figures.
//!
//! It is the one virtual-time loop of the project: `scaling simulate`, the comparison at the end of `scaling demo` and
//! the closed-loop tests of the policy all go through [`Play`].

use crate::STEP_SECONDS;
use crate::conditions::Feed;
use crate::figures::{Figures, Meter, types_in_words};
use crate::group::{Group, Interval};
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
    /// Money spent, in USD.
    pub cost_usd: f64,
}

/// A group under a world's load, interval by interval.
#[derive(Debug, Clone)]
pub struct Play {
    world: World,
    group: Group,
    feed: Feed,
    metrics: Metrics,
    meter: Meter,
    step: usize,
}

impl Play {
    /// The start of a world, with `replicas` of its first type serving, for a policy that looks as `feed` says.
    pub fn new(world: &World, replicas: u32, feed: Feed) -> Self {
        let conditions = &world.conditions;
        Self {
            group: Group::new(world, replicas),
            feed,
            metrics: Metrics::new(feed, conditions),
            meter: Meter::new(conditions.latency_target),
            step: 0,
            world: world.clone(),
        }
    }

    /// Plays one interval, which needs `needed` replicas of the first type, and lets the policy look where it is its
    /// time. `None` at the end of the world.
    pub fn advance(&mut self, needed: u32, policy: &mut dyn Policy) -> Option<Interval> {
        let requests = f64::from(*self.world.arrivals.get(self.step)?);
        let interval = self.group.advance(requests);
        self.step += 1;
        let now = self.now();
        self.metrics.add(now, interval);
        self.meter.add(needed, &interval);
        if is_due(self.feed, now) {
            let seen = Seen { now, period: self.metrics.read(now), group: &self.group };
            let wish = policy.decide(&seen);
            self.carry_out(wish);
        }
        Some(interval)
    }

    /// Seconds since the start.
    pub fn now(&self) -> u64 {
        self.step as u64 * u64::from(STEP_SECONDS)
    }

    /// The group.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The group, to make things happen to it that no policy wants.
    pub fn group_mut(&mut self) -> &mut Group {
        &mut self.group
    }

    /// The figures so far, under the policy's name and setting.
    pub fn figures(&self, (name, setting): (&str, Option<f64>)) -> Figures {
        let hours = self.group.hours();
        let types = self.world.types.iter().map(|machine| machine.name.as_str()).zip(hours);
        let figures = self.meter.clone().finish(&self.world.name, name, setting);
        Figures { types: types_in_words(types), ..figures }
    }

    fn carry_out(&mut self, wish: Wish) {
        let before = self.group.desired();
        let desired = match wish {
            Wish::Keep => return,
            Wish::Desired(desired) => desired,
            Wish::Retype(index, desired) => {
                if index != self.group.launch_type() {
                    self.meter.retype();
                }
                self.group.replace_by(index);
                desired
            }
        };
        let now = self.now();
        if self.group.set_desired(desired) {
            self.meter.change(now, desired > before);
        }
    }
}

/// Plays a policy over a world. `needed` is what each interval needs of the first type. The group starts with what the
/// first minutes need, for every policy alike.
pub fn play(world: &World, needed: &[u32], policy: &mut dyn Policy, name: (&str, Option<f64>)) -> Figures {
    play_with(world, needed, policy, name, |_| {})
}

/// The same, handing each interval out.
pub fn play_with(
    world: &World,
    needed: &[u32],
    policy: &mut dyn Policy,
    name: (&str, Option<f64>),
    mut each: impl FnMut(Point),
) -> Figures {
    let mut play = Play::new(world, first_replicas(world, needed), policy.feed());
    for needed in needed.iter().copied() {
        let now = play.now();
        let Some(interval) = play.advance(needed, policy) else { break };
        each(Point {
            now,
            needed,
            serving: interval.serving,
            over: interval.is_over(world.conditions.latency_target),
            cost_usd: interval.cost_usd,
        });
    }
    play.figures(name)
}

/// What the group starts with: the most that the first five minutes need.
pub fn first_replicas(world: &World, needed: &[u32]) -> u32 {
    needed.iter().take(20).copied().max().unwrap_or(world.conditions.min).min(world.conditions.max)
}
