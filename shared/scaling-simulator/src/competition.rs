//! Policies by traces by settings, on all cores.

use std::sync::Arc;

use rayon::prelude::*;
use scaling_policy::config::GroupConfig;

use crate::conditions::Conditions;
use crate::figures::Figures;
use crate::hybrid::Hybrid;
use crate::oracle;
use crate::play::{Point, play, play_with};
use crate::policy::Policy;
use crate::rivals::Rival;
use crate::trace::Trace;
use crate::world::{Carrier, MachineType, World};

/// What can take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// The product's policy under its default configuration.
    Hybrid,
    /// The same with the `cooldown_period` of 300 s that the first configuration format has.
    HybridWithCooldown,
    /// A rival at its usual setting.
    Usual(Rival),
    /// A rival at its cheapest setting that holds the target, found in hindsight for each trace.
    Tuned(Rival),
    /// The clairvoyant oracle.
    Oracle,
    /// The noise-blind oracle.
    NoiseBlind,
}

impl Contender {
    /// The name on the command line and in tables.
    pub fn name(self) -> String {
        match self {
            Self::Hybrid => "hybrid".to_owned(),
            Self::HybridWithCooldown => "hybrid-cooldown-300".to_owned(),
            Self::Usual(rival) => rival.name().to_owned(),
            Self::Tuned(rival) => format!("{rival}-tuned"),
            Self::Oracle => "oracle".to_owned(),
            Self::NoiseBlind => "noise-blind".to_owned(),
        }
    }

    /// Everybody.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Hybrid, Self::HybridWithCooldown];
        all.extend(Rival::ALL.into_iter().map(Self::Usual));
        all.extend(Rival::ALL.into_iter().map(Self::Tuned));
        all.extend([Self::Oracle, Self::NoiseBlind]);
        all
    }

    /// The contender of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|contender| contender.name() == name)
    }
}

/// A world with what its intervals need.
#[derive(Debug, Clone)]
pub struct Course {
    /// The world.
    pub world: World,
    /// What its first type carries.
    pub carrier: Carrier,
    /// Replicas of the first type that each interval needs.
    pub needed: Vec<u32>,
}

impl Course {
    /// Works out what a world needs.
    pub fn new(world: World) -> Self {
        let carrier = Carrier::of(&world, world.first);
        let needed =
            world.arrivals.iter().map(|requests| carrier.needed(world.busy(f64::from(*requests)))).collect();
        Self { world, carrier, needed }
    }

    /// A trace under conditions with one type only.
    pub fn of(trace: &Trace, conditions: &Conditions, machine: &MachineType) -> Self {
        let types: Arc<[MachineType]> = Arc::from([machine.clone()]);
        Self::new(World::new(trace, conditions.clone(), types, 0))
    }

    /// The most replicas that it ever needs.
    pub fn peak(&self) -> u32 {
        self.needed.iter().copied().max().unwrap_or(0)
    }

    /// Plays one contender. `None` for a tuned one of which no setting holds the target.
    pub fn enter(&self, contender: Contender) -> Option<Figures> {
        self.enter_with(contender).0
    }

    /// The same, with every setting that a tuned one was tried at.
    fn enter_with(&self, contender: Contender) -> (Option<Figures>, Vec<Figures>) {
        let figures = match contender {
            Contender::Oracle => Some(oracle::clairvoyant(&self.world, &self.needed)),
            Contender::NoiseBlind => Some(oracle::noise_blind(&self.world, &self.carrier, &self.needed)),
            Contender::Tuned(rival) => {
                let sweep = self.sweep(rival);
                let best = best(&sweep).map(|best| Figures { policy: contender.name(), ..best });
                return (best, sweep);
            }
            Contender::Hybrid | Contender::HybridWithCooldown | Contender::Usual(_) => {
                self.policy(contender).map(|(mut policy, setting)| {
                    play(&self.world, &self.needed, policy.as_mut(), (&contender.name(), setting))
                })
            }
        };
        (figures, Vec::new())
    }

    /// Plays one contender, a tuned one at the setting that it was tuned to before, under other conditions. `None` where
    /// there was none.
    pub fn enter_as_tuned(&self, contender: Contender, setting: Option<f64>) -> Option<Figures> {
        let Contender::Tuned(rival) = contender else { return self.enter(contender) };
        let setting = setting?;
        let mut policy = rival.start(&self.world, setting, self.peak());
        Some(play(&self.world, &self.needed, policy.as_mut(), (&contender.name(), Some(setting))))
    }

    /// Plays a rival at all of its settings.
    pub fn sweep(&self, rival: Rival) -> Vec<Figures> {
        rival
            .settings()
            .into_par_iter()
            .map(|setting| {
                let mut policy = rival.start(&self.world, setting, self.peak());
                play(&self.world, &self.needed, policy.as_mut(), (rival.name(), Some(setting)))
            })
            .collect()
    }

    /// The points of a play, for a plot. Empty for what is no single play.
    pub fn points(&self, contender: Contender) -> Vec<Point> {
        let mut points = Vec::new();
        if let Some((mut policy, setting)) = self.policy(contender) {
            let name = contender.name();
            play_with(&self.world, &self.needed, policy.as_mut(), (&name, setting), |point| {
                points.push(point);
            });
        }
        points
    }

    fn policy(&self, contender: Contender) -> Option<(Box<dyn Policy>, Option<f64>)> {
        let hybrid = |change: fn(&mut GroupConfig)| -> Box<dyn Policy> {
            let mut config = crate::hybrid::configuration(&self.world);
            change(&mut config);
            Box::new(Hybrid::configured(&self.world, config))
        };
        match contender {
            Contender::Hybrid => Some((hybrid(|_| {}), None)),
            Contender::HybridWithCooldown => Some((
                hybrid(|config| {
                    let five_minutes = std::time::Duration::from_secs(300);
                    config.cooldown = scaling_policy::config::Cooldown::Fixed(five_minutes);
                }),
                None,
            )),
            Contender::Usual(rival) => {
                Some((rival.start(&self.world, rival.usual(), self.peak()), Some(rival.usual())))
            }
            Contender::Tuned(_) | Contender::Oracle | Contender::NoiseBlind => None,
        }
    }
}

/// The cheapest of those that hold the target.
pub fn best(figures: &[Figures]) -> Option<Figures> {
    figures.iter().filter(|figures| figures.holds()).min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd)).cloned()
}

/// What came of a competition.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// Everybody over everything, trace by trace.
    pub figures: Vec<Figures>,
    /// Rivals at each setting that they were tuned by.
    pub sweeps: Vec<Figures>,
}

/// Plays everybody over everything. `done` is called after each play, from any thread.
pub fn compete(courses: &[Course], contenders: &[Contender], done: &(impl Fn() + Sync)) -> Results {
    each(courses, contenders, done, Course::enter_with)
}

/// The same under other conditions, the tuned at the settings that they have in `tuned`: nobody knows beforehand what will
/// be otherwise than planned.
pub fn compete_as_tuned(
    courses: &[Course],
    contenders: &[Contender],
    tuned: &[Figures],
    done: &(impl Fn() + Sync),
) -> Vec<Figures> {
    let enter = |course: &Course, contender: Contender| {
        let name = contender.name();
        let before = tuned.iter().find(|other| other.trace == course.world.name && other.policy == name);
        (course.enter_as_tuned(contender, before.and_then(|before| before.setting)), Vec::new())
    };
    each(courses, contenders, done, enter).figures
}

fn each(
    courses: &[Course],
    contenders: &[Contender],
    done: &(impl Fn() + Sync),
    enter: impl Fn(&Course, Contender) -> (Option<Figures>, Vec<Figures>) + Sync,
) -> Results {
    let entered: Vec<Vec<(Option<Figures>, Vec<Figures>)>> = courses
        .par_iter()
        .map(|course| {
            let one = |contender: &Contender| {
                let entered = enter(course, *contender);
                done();
                entered
            };
            contenders.par_iter().map(one).collect()
        })
        .collect();
    let mut results = Results::default();
    for (figures, sweep) in entered.into_iter().flatten() {
        results.figures.extend(figures);
        results.sweeps.extend(sweep);
    }
    results
}
