//! What choosing the type is worth: the same count policy with a ladder of types, on one default type, and on each fixed
//! type, for services of four sizes and five appetites for memory.

use std::sync::Arc;

use rayon::prelude::*;
use scaling_fleet::Mebibytes;
use serde::Serialize;

use crate::competition::{Contender, Course};
use crate::conditions::Conditions;
use crate::figures::{Figures, HELD};
use crate::hybrid::Hybrid;
use crate::oracle;
use crate::play::play_with;
use crate::ranking::median;
use crate::trace::Trace;
use crate::world::{MachineType, World};

/// Sizes of the load over 40 replicas of the reference type at its highest.
pub const SCALES: [f64; 4] = [0.1, 0.3, 1.0, 4.0];

/// The ladder that the cases have where no other is given; the first type is the default that they are compared with.
pub const LADDER: [&str; 8] = [
    "m7i.xlarge",
    "c7i.large",
    "c7i.xlarge",
    "c7i.2xlarge",
    "m7i.large",
    "m7i.2xlarge",
    "r7i.large",
    "r7i.xlarge",
];

/// How much a service grows in the growing case.
pub const GROWTH: f64 = 40.0;

/// A service's appetite for memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appetite {
    /// Its name in tables.
    pub name: &'static str,
    /// MiB that each replica holds.
    pub base: f64,
    /// MiB for each busy vCPU.
    pub per_busy_vcpu: f64,
}

/// From a service that needs hardly any to one that fills 8 GiB a vCPU.
pub const APPETITES: [Appetite; 5] = [
    Appetite { name: "little", base: 512.0, per_busy_vcpu: 300.0 },
    Appetite { name: "some", base: 1_024.0, per_busy_vcpu: 1_024.0 },
    Appetite { name: "middle", base: 1_536.0, per_busy_vcpu: 2_048.0 },
    Appetite { name: "large base", base: 6_144.0, per_busy_vcpu: 300.0 },
    Appetite { name: "by load", base: 2_048.0, per_busy_vcpu: 5_120.0 },
];

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeCase {
    /// Trace.
    pub trace: String,
    /// Size of the load at its highest, over 40 replicas of the reference type.
    pub scale: f64,
    /// Name of the [`Appetite`].
    pub memory: &'static str,
    /// Whether the service grows 40-fold over the trace.
    pub growing: bool,
    /// What the policy pays that may choose, in USD.
    pub chosen_usd: f64,
    /// Its share of requests over the target.
    pub chosen_share: f64,
    /// Its changes of the type a day.
    pub type_changes_a_day: f64,
    /// What the same count policy pays on the default type, in USD.
    pub default_usd: f64,
    /// Its share of requests over the target.
    pub default_share: f64,
    /// The cheapest fixed type in hindsight, among those that miss no more than half a percent, or no more than the choice.
    pub best_type: String,
    /// What the same count policy pays on it, in USD.
    pub best_usd: f64,
    /// What it would pay with the clairvoyant choice of type, in USD: hour by hour from the default type on, or the best
    /// type throughout. Restricted to types that over the whole trace miss no more than half a percent, or no more than
    /// the choice: one that fails at the end only, as a service grows, is not taken at the begin.
    pub clairvoyant_usd: f64,
}

impl TypeCase {
    /// Cost over that on the default type.
    pub fn over_default(&self) -> f64 {
        self.chosen_usd / self.default_usd
    }

    /// Cost over that on the best fixed type.
    pub fn over_best(&self) -> f64 {
        self.chosen_usd / self.best_usd
    }

    /// Cost over that of the clairvoyant choice.
    pub fn over_clairvoyant(&self) -> f64 {
        self.chosen_usd / self.clairvoyant_usd
    }
}

/// Plays all cases: traces by scales by appetites, and a growing service of middle appetite for each trace. `done` is
/// called after each case, from any thread.
pub fn play_all(
    traces: &[Trace],
    conditions: &Conditions,
    types: &Arc<[MachineType]>,
    done: &(impl Fn() + Sync),
) -> Vec<TypeCase> {
    let mut cases: Vec<(&Trace, f64, Appetite, bool)> = Vec::new();
    for trace in traces {
        for scale in SCALES {
            cases.extend(APPETITES.map(|appetite| (trace, scale, appetite, false)));
        }
        cases.push((trace, SCALES[SCALES.len() - 1], APPETITES[2], true));
    }
    cases
        .into_par_iter()
        .map(|(trace, scale, appetite, growing)| {
            let mut conditions = Conditions { scale, ..conditions.clone() };
            for (_, base) in &mut conditions.service.memory.base {
                *base = Mebibytes(appetite.base);
            }
            conditions.service.memory.per_busy_vcpu = appetite.per_busy_vcpu;
            let case = play_one(trace, &conditions, types, growing);
            done();
            TypeCase { memory: appetite.name, ..case }
        })
        .collect()
}

/// The cases that [`play_all`] plays for so many traces.
pub fn count(traces: usize) -> usize {
    traces * (SCALES.len() * APPETITES.len() + 1)
}

fn play_one(trace: &Trace, conditions: &Conditions, types: &Arc<[MachineType]>, growing: bool) -> TypeCase {
    let world = |types: Arc<[MachineType]>| {
        let conditions = conditions.clone();
        if growing {
            World::growing(trace, conditions, types, 0, GROWTH)
        } else {
            World::new(trace, conditions, types, 0)
        }
    };
    let all = world(Arc::clone(types));
    let fixed: Vec<Fixed> =
        types.iter().map(|machine| Fixed::play(&world(Arc::from([machine.clone()])))).collect();
    let course = Course::new(all);
    let chosen = course.enter(Contender::Hybrid).unwrap_or_default();
    let allowed = HELD.max(chosen.violation_requests_share);
    let best = fixed
        .iter()
        .filter(|fixed| fixed.figures.violation_requests_share <= allowed)
        .min_by(|a, b| a.figures.cost_usd.total_cmp(&b.figures.cost_usd));
    let hours = (0..fixed[0].hours.len()).map(|hour| {
        let able = |fixed: &Fixed| fixed.figures.violation_requests_share <= allowed;
        let price = |fixed: &Fixed| {
            let (cost, count) = fixed.hours[hour];
            (if able(fixed) { cost } else { f64::INFINITY }, count)
        };
        fixed.iter().map(price).collect()
    });
    let hours: Vec<Vec<(f64, u32)>> = hours.collect();
    let changing = oracle::cheapest_path(&course.world, &hours).map_or(f64::INFINITY, |path| path.cost_usd);
    let best_usd = best.map_or(f64::NAN, |best| best.figures.cost_usd);
    TypeCase {
        trace: trace.name.clone(),
        scale: conditions.scale,
        memory: "",
        growing,
        chosen_usd: chosen.cost_usd,
        chosen_share: chosen.violation_requests_share,
        type_changes_a_day: f64::from(chosen.type_changes) / chosen.days,
        default_usd: fixed[0].figures.cost_usd,
        default_share: fixed[0].figures.violation_requests_share,
        best_type: best.map_or_else(String::new, |best| best.name.clone()),
        best_usd,
        // Who knows everything may also begin on the best type and stay there. Infinite without any: no figure.
        clairvoyant_usd: Some(changing.min(best_usd)).filter(|usd| usd.is_finite()).unwrap_or(f64::NAN),
    }
}

/// The count policy on one type.
struct Fixed {
    name: String,
    figures: Figures,
    /// Cost in USD and first count of each hour.
    hours: Vec<(f64, u32)>,
}

impl Fixed {
    fn play(world: &World) -> Self {
        let course = Course::new(world.clone());
        let mut policy = Hybrid::new(world);
        let mut hours: Vec<(f64, u32)> = Vec::new();
        let figures = play_with(world, &course.needed, &mut policy, ("hybrid", None), |point| {
            if point.now.is_multiple_of(3600) {
                hours.push((0.0, point.serving));
            }
            if let Some((cost, _)) = hours.last_mut() {
                *cost += point.cost_usd;
            }
        });
        Self { name: world.types[0].name.to_string(), figures, hours }
    }
}

/// What many cases come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// Cases.
    pub cases: usize,
    /// Geometric mean of the cost over that on the default type.
    pub over_default: f64,
    /// The worst of these.
    pub worst_over_default: f64,
    /// Median of the cost over that on the best fixed type.
    pub over_best: f64,
    /// The worst of these.
    pub worst_over_best: f64,
    /// Median of the cost over that of the clairvoyant choice.
    pub over_clairvoyant: f64,
    /// The worst of these.
    pub worst_over_clairvoyant: f64,
    /// Most changes of the type a day.
    pub type_changes_a_day: f64,
    /// Cases in which the choice holds the target, and in which the default type does.
    pub held: (usize, usize),
}

impl Gain {
    /// Of these cases; `None` without any.
    pub fn of<'a>(cases: impl Iterator<Item = &'a TypeCase>) -> Option<Self> {
        let cases: Vec<&TypeCase> = cases.collect();
        let sorted = |value: fn(&TypeCase) -> f64| {
            let mut values: Vec<f64> =
                cases.iter().map(|case| value(case)).filter(|value| value.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (default, best) = (sorted(TypeCase::over_default), sorted(TypeCase::over_best));
        let clairvoyant = sorted(TypeCase::over_clairvoyant);
        let middle = |values: &[f64]| median(values).unwrap_or(f64::NAN);
        let held = |share: fn(&TypeCase) -> f64| cases.iter().filter(|case| share(case) <= HELD).count();
        let logarithms: f64 = default.iter().map(|ratio| ratio.ln()).sum();
        Some(Self {
            cases: cases.len(),
            over_default: (logarithms / default.len() as f64).exp(),
            worst_over_default: *default.last()?,
            over_best: middle(&best),
            worst_over_best: *best.last()?,
            over_clairvoyant: middle(&clairvoyant),
            worst_over_clairvoyant: *clairvoyant.last()?,
            type_changes_a_day: sorted(|case| case.type_changes_a_day).last().copied()?,
            held: (held(|case| case.chosen_share), held(|case| case.default_share)),
        })
    }
}
