//! The algorithms of scaling-peers as [`Policy`], each at its own published interval, with its one setting.

use std::collections::VecDeque;
use std::fmt;

use scaling_peers::fixed;
use scaling_peers::hpa::{self, Hpa};
use scaling_peers::hpa_vpa::{self, HpaVpa, Size};
use scaling_peers::predictive::{self, Predictive};
use scaling_peers::step_scaling::{self, StepScaling};
use scaling_peers::target_tracking::{self, TargetTracking};
use scaling_peers::threshold::{self, Threshold};

use crate::conditions::Feed;
use crate::policy::{Policy, Seen, Wish};
use crate::world::{MachineType, World};

/// A kind of rival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rival {
    /// EC2 target tracking on mean CPU.
    TargetTracking,
    /// EC2 step scaling around the target, as its documentation's example.
    StepScaling,
    /// EC2 predictive scaling with target tracking.
    Predictive,
    /// Kubernetes HPA on mean CPU.
    Hpa,
    /// The same with VPA sizing the replicas by memory; with one type it is HPA alone.
    HpaVpa,
    /// Over the setting times 1.5, under a quarter of it times 0.75.
    Threshold,
    /// The same count for ever: the setting is its share of the peak.
    Fixed,
}

impl Rival {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::TargetTracking,
        Self::StepScaling,
        Self::Predictive,
        Self::Hpa,
        Self::HpaVpa,
        Self::Threshold,
        Self::Fixed,
    ];

    /// The name on the command line and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetTracking => "target-tracking",
            Self::StepScaling => "step-scaling",
            Self::Predictive => "predictive",
            Self::Hpa => "hpa",
            Self::HpaVpa => "hpa-vpa",
            Self::Threshold => "threshold",
            Self::Fixed => "fixed",
        }
    }

    /// The rival of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rival| rival.name() == name)
    }

    /// The setting that people start with: 50 % CPU; for the plain rule its 80 %; all of the peak.
    pub const fn usual(self) -> f64 {
        match self {
            Self::Threshold => 0.8,
            Self::Fixed => 1.0,
            _ => 0.5,
        }
    }

    /// The settings that are tried for the best one in hindsight, in 20 steps.
    pub fn settings(self) -> Vec<f64> {
        match self {
            // Its alarms keep their documented distance of 10 points, so it cannot aim as high.
            Self::StepScaling => (0..16).map(|step| 0.1 + 0.04 * f64::from(step)).collect(),
            Self::Fixed => (1..=20_u32).map(|step| f64::from(step) / 20.0).collect(),
            _ => FINE.to_vec(),
        }
    }

    /// When it looks and what it reads. The AWS ones have the controller's own metrics (CloudWatch's minute), but at
    /// their own interval of a minute; Kubernetes syncs every 15 s on the metrics server's newest 15 s.
    fn feed(self, world: &World) -> Feed {
        let delay = world.conditions.feed.delay;
        match self {
            // Metrics that are late for everybody are late for it too.
            Self::Hpa | Self::HpaVpa if delay > Feed::CLOUDWATCH.delay => {
                Feed { period: 15, delay, tick: 15 }
            }
            Self::Hpa | Self::HpaVpa => Feed { period: 15, delay: delay.min(15), tick: 15 },
            _ => Feed { period: 60, delay, tick: 60 },
        }
    }

    /// The policy at the start of a world, at that setting. `peak` is the most replicas that the world ever needs.
    pub fn start(self, world: &World, setting: f64, peak: u32) -> Box<dyn Policy> {
        let (min, max) = (world.conditions.min, world.conditions.max);
        let tracking = target_tracking::Settings { target: setting, min, max };
        let core = match self {
            Self::TargetTracking => Core::TargetTracking(TargetTracking::new(tracking)),
            Self::StepScaling => {
                Core::StepScaling(StepScaling::new(step_scaling::Settings::around(setting, 0.2, (min, max))))
            }
            Self::Predictive => Core::Predictive(Box::new(Predictive::new(tracking))),
            Self::Hpa => Core::Hpa(Hpa::new(hpa::Settings { target: setting, min, max })),
            Self::HpaVpa => {
                let settings = hpa::Settings { target: setting, min, max };
                Core::HpaVpa(Box::new(HpaVpa::new(settings, sizes(world))))
            }
            Self::Threshold => Core::Threshold(Threshold::new(threshold::Settings {
                up: setting,
                down: setting / 4.0,
                ..threshold::Settings::within(min, max)
            })),
            Self::Fixed => Core::Fixed(fixed::count(peak, setting, (min, max))),
        };
        let seen = VecDeque::new();
        Box::new(Played { core, feed: self.feed(world), first: since_midnight(world), seen })
    }
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Targets from 8 to 84 %, in steps of 4 points.
const FINE: [f64; 20] = [
    0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4, 0.44, 0.48, 0.52, 0.56, 0.6, 0.64, 0.68, 0.72, 0.76,
    0.8, 0.84,
];

#[derive(Debug)]
enum Core {
    TargetTracking(TargetTracking),
    StepScaling(StepScaling),
    Predictive(Box<Predictive>),
    Hpa(Hpa),
    HpaVpa(Box<HpaVpa>),
    Threshold(Threshold),
    Fixed(u32),
}

#[derive(Debug)]
struct Played {
    core: Core,
    feed: Feed,
    /// Second of the day at which the world begins.
    first: u64,
    /// (When, how many served) of the last looks, oldest first.
    seen: VecDeque<(u64, u32)>,
}

/// Looks that are kept at least.
const LOOKS: usize = 16;

impl Played {
    /// Looks that are kept: more than a metric is late.
    fn looks(&self) -> usize {
        let Feed { period, delay, tick } = self.feed;
        LOOKS.max(((period + delay) / tick.max(1)) as usize + 2)
    }

    /// How many served throughout the period: those that came since are in no metric yet, and count as warming up. This
    /// is what an instance warm-up is for, and kinder to the rivals than an unlucky setting of it.
    fn served(&self, ended: u64, serving: u32) -> u32 {
        let began = ended.saturating_sub(u64::from(self.feed.period));
        let in_period = self.seen.iter().filter(|(at, _)| *at >= began && *at <= ended);
        in_period.map(|(_, count)| *count).min().unwrap_or(serving).min(serving)
    }
}

impl Policy for Played {
    fn feed(&self) -> Feed {
        self.feed
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Wish {
        let metric = seen.period.and_then(|period| period.cpu);
        let serving = seen.group.serving();
        self.seen.push_back((seen.now, serving));
        if self.seen.len() > self.looks() {
            self.seen.pop_front();
        }
        let in_service = seen.period.map_or(serving, |period| self.served(period.ended, serving));
        let pending = serving + seen.group.pending() - in_service;
        let minute = target_tracking::Minute { metric, in_service, pending };
        let sync = hpa::Sync { now: seen.now, metric, ready: in_service, unready: pending };
        let wanted = match &mut self.core {
            Core::TargetTracking(policy) => policy.observe(minute),
            Core::StepScaling(policy) => {
                policy.observe(step_scaling::Minute { metric, in_service, warming: pending })
            }
            Core::Predictive(policy) => {
                policy.observe(predictive::Minute { now: self.first + seen.now, dynamic: minute })
            }
            Core::Hpa(policy) => policy.sync(sync),
            Core::HpaVpa(policy) => {
                let wanted = policy.sync(hpa_vpa::Sync {
                    count: sync,
                    memory: seen.period.and_then(|period| period.memory),
                    size: seen.group.launch_type(),
                    replacing: seen.group.is_replacing(),
                });
                if let Some(size) = wanted.size {
                    return Wish::Retype(size, wanted.count.unwrap_or(seen.group.desired()));
                }
                wanted.count
            }
            Core::Threshold(policy) => policy.observe(seen.now, metric, seen.group.desired()),
            Core::Fixed(count) => Some(*count),
        };
        wanted.map_or(Wish::Keep, Wish::Desired)
    }
}

fn sizes(world: &World) -> Vec<Size> {
    let size = |machine: &MachineType| Size {
        vcpu: f64::from(machine.vcpu),
        memory: machine.memory.0,
        price: machine.price.0,
    };
    world.types.iter().map(size).collect()
}

fn since_midnight(world: &World) -> u64 {
    u64::try_from(world.start.as_second().rem_euclid(86_400)).unwrap_or_default()
}
