//! The load one boot time from now: several simple predictors, each with the error it has been measured to have.
//!
//! Every predictor names a load for the moment at which a replica ordered now would serve. When that moment comes,
//! what was is compared with what had been said, and the error counted (see `tail`): in two scales, relative to the
//! prediction, and relative to how large such errors have lately been. So each pair of predictor and scale is a
//! candidate that runs in shadow: the margin it would have needed to stay within the budget of violations, and what
//! that would have cost in replicas, held for a boot time as they are in truth. The cheapest candidate is used. Nothing
//! is set for one load or another, and nothing is replayed.

mod loads;
mod regression;
mod tail;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use loads::{Loads, PREDICTORS, SLOT, SLOTS, narrow, slot_of};
use regression::{FEATURES, Regression};
use tail::Tail;

use crate::config::GroupConfig;
use crate::snapshot::Snapshot;
use crate::trigger::Trigger;

/// Share of the load that may meet too little capacity. Half a percent is what the service's owner is promised; the
/// rest is for what is not forecast (launches that fail, metrics that are missing).
const BUDGET: f64 = 0.004;

/// Margin before anything was measured.
const PRIOR_MARGIN: f64 = 0.2;

/// What the prior counts, in seconds of mean load.
const PRIOR_SECONDS: f64 = 3_600.0;

/// Half of what was measured is forgotten in this time.
const HALF_LIFE_SECONDS: f64 = 3.0 * 86_400.0;

/// One candidate after the other forgets and gets new margins, one in this time.
const REVIEW_SECONDS: i64 = 450;

/// Another candidate is taken when it is cheaper by this share.
const LEAST_GAIN: f64 = 0.01;

/// Time constant of what each candidate costs.
const COST_SECONDS: f64 = 2.0 * 86_400.0;

/// What holds longer in truth than in shadow (cooldowns, whole steps) keeps more of the target than was asked for. So the
/// budget in shadow grows with what is left of it in truth over this time, by so much a review, up to this logarithm.
const MISSED_SECONDS: f64 = 6.0 * 86_400.0;
const EASING: f64 = 0.003;
const EASED_MOST: f64 = 1.8;

/// Time constants of how much the load moves, lately and usually.
const USUAL_SECONDS: f64 = 2.0 * 86_400.0;
const LATEST_SECONDS: f64 = 1800.0;

/// So long the present load is planned for at the target load besides, whatever the forecast says: a prior is no
/// measurement, and the small hours of a day say nothing of its noon.
const MEASURED_SECONDS: f64 = 43_200.0;

/// Observations before the forecast has an opinion. Few: until its errors were measured, a prior stands for them.
const LEAST_HISTORY: u32 = 3;

/// Metrics that are later than this are stale.
const MOST_LATE: Duration = Duration::from_secs(600);

/// Predictions that are kept at most: a boot of an hour, looked at every minute.
const MOST_PENDING: usize = 90;

/// The predictor that is fitted.
const FITTED: usize = 0;

/// The predictor that says the load stays as it is.
const LAST: usize = 1;

/// What the margin is a share of, by candidate: a predictor's value, or that times how much the load has lately moved.
const CANDIDATES: [(usize, bool); 8] =
    [(0, false), (1, false), (2, false), (3, false), (4, false), (5, false), (0, true), (2, true)];

/// The second scale is so many times the latest mean change, which is taken to be this at least.
const MOVES: f64 = 4.0;
const LEAST_MOVE: f64 = 0.005;

/// Not rising, rising: by more than this times what the load usually moves.
const CONTEXTS: usize = 2;
const RISING: f64 = 0.7;

/// Time constant of the fit.
const FIT_SECONDS: f64 = 3.0 * 86_400.0;

/// Load ahead of one boot time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Forecast {
    loads: Loads,
    regression: Regression,
    /// Errors of each predictor, by context.
    tails: Vec<[Tail; CONTEXTS]>,
    /// Running mean of each candidate's replicas.
    costs: Vec<f32>,
    /// Margins of each predictor, by context.
    margins: Vec<[f32; CONTEXTS]>,
    /// Latest mean change of the load within a prediction's reach, as a share, and the mean over days.
    changes: (f64, f64),
    /// Predictions, oldest first: those whose moment has not come, and those of the last boot time.
    pending: VecDeque<Prediction>,
    /// Observations so far.
    seen: u32,
    /// Time over which errors were counted.
    measured_seconds: f64,
    /// Running mean of the load, in busy vCPU.
    mean: f64,
    /// Running share of the load that met too little capacity in truth.
    missed: f64,
    /// Natural logarithm of the budget in shadow over the real one.
    eased: f64,
    /// When margins and choice were last reviewed.
    reviewed: Option<Timestamp>,
    /// The candidate whose turn it is.
    turn: usize,
    /// The candidate in use.
    chosen: usize,
    /// The present forecast with its margin, in busy vCPU.
    ahead: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Prediction {
    /// The middle of the period it is about.
    due: Timestamp,
    /// Predicted loads.
    loads: [f32; PREDICTORS],
    /// The context in which it was made.
    context: usize,
    /// How much the load had lately moved, as a share.
    moves: f32,
    /// What the regression saw.
    features: [f32; FEATURES],
    judged: bool,
}

/// What the count is like, for judging candidates as whole replicas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fleet {
    /// Busy vCPU that one replica carries.
    pub(super) unit: f64,
    /// Fewest replicas.
    pub(super) min: u32,
    /// Time from an order to serving.
    pub(super) boot: Duration,
}

impl Forecast {
    /// Busy vCPU to be ready for one boot time from now; `None` without enough history.
    pub fn ahead(&self) -> Option<f64> {
        self.ahead
    }

    /// Whether its errors have been measured for long enough to be the only distance kept from the limit.
    pub fn is_measured(&self) -> bool {
        self.measured_seconds >= MEASURED_SECONDS
    }

    /// The margin in use, as a share of the forecast.
    pub fn headroom(&self) -> f64 {
        self.pending.back().map_or(0.0, |newest| {
            let said = f64::from(newest.loads[CANDIDATES[self.chosen].0]);
            newest.with_margin(self.chosen, &self.margins) / said - 1.0
        })
    }

    /// How much higher the load was yesterday within `length` from this time of day, over what it was at this time
    /// of day; `None` on the first day.
    pub fn rise_within(&self, now: Timestamp, length: Duration) -> Option<f64> {
        let day = self.loads.day();
        let present = day.get(slot_of(now)).copied().filter(|load| *load > 0.0)?;
        let slots = (length.as_secs_f64() / SLOT.as_secs_f64()).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day")]
        let slots = slots.clamp(1.0, SLOTS as f64) as usize;
        let start = slot_of(now);
        let highest = (1..=slots).filter_map(|ahead| day.get((start + ahead) % SLOTS)).copied();
        Some(f64::from(highest.fold(0.0, f32::max) / present))
    }

    pub(super) fn observe(
        &mut self,
        config: &GroupConfig,
        fleet: Fleet,
        load: Option<f64>,
        snapshot: &Snapshot,
    ) {
        let Some(load) = load.filter(|load| *load > 0.0) else {
            self.ahead = None;
            return;
        };
        self.begin();
        let now = snapshot.taken_at;
        let period = SignedDuration::try_from(config.evaluation_period).unwrap_or_default();
        let ended = [Trigger::RequestCount, Trigger::CpuUsage]
            .into_iter()
            .find_map(|trigger| snapshot.readings[trigger].ended())
            .unwrap_or(now);
        let ended = ended.max(now - SignedDuration::try_from(MOST_LATE).unwrap_or_default());
        let centre = ended - period / 2;
        let arrivals = snapshot
            .readings
            .request_count
            .value()
            .map(|per_minute| per_minute * config.evaluation_period.as_secs_f64() / 60.0);
        self.judge(centre, period, load, fleet, arrivals);
        self.loads.observe(centre, load);
        self.seen = self.seen.saturating_add(1);
        let step = config.evaluation_period.as_secs_f64();
        let weight = (step / 86_400.0).max(1.0 / f64::from(self.seen));
        self.mean += weight * (load - self.mean);
        // A replica ordered now serves after the boot, and the next one is ordered a period later.
        let due = now + fleet.boot + config.evaluation_period / 2;
        let mut loads = self.loads.predict(due, config.evaluation_period).map(narrow);
        let features = self.loads.features(due, config.evaluation_period);
        loads[FITTED] = (loads[LAST] * narrow(self.regression.predict(&features).exp())).min(f32::MAX);
        let moves = narrow(MOVES * self.changes.0.max(LEAST_MOVE));
        let context = self.context(config.evaluation_period);
        self.pending.push_back(Prediction { due, loads, context, moves, features, judged: false });
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_front();
        }
        self.review(now);
        self.ahead = (self.seen >= LEAST_HISTORY)
            .then(|| self.pending.back().map(|newest| newest.with_margin(self.chosen, &self.margins)))
            .flatten();
    }

    /// Takes in what share of a period's load met too little capacity in truth: 0 to 1.
    pub(super) fn spend(&mut self, missed: f64, seconds: f64) {
        let last = self.pending.back().map_or(0.0, |newest| f64::from(newest.loads[0]));
        let weight = if self.mean > 0.0 { last / self.mean } else { 1.0 };
        let share = (seconds / MISSED_SECONDS).max(1.0 / f64::from(self.seen.max(1))).min(1.0);
        self.missed += share * (missed * weight - self.missed);
    }

    fn begin(&mut self) {
        if self.tails.len() != CANDIDATES.len() {
            let prior = || Tail::with_prior(PRIOR_SECONDS / 60.0 / CONTEXTS as f64, PRIOR_MARGIN, BUDGET);
            self.tails = (0..CANDIDATES.len()).map(|_| std::array::from_fn(|_| prior())).collect();
            self.margins = vec![[narrow(PRIOR_MARGIN); CONTEXTS]; CANDIDATES.len()];
            self.costs = vec![0.0; CANDIDATES.len()];
            self.chosen = LAST;
        }
    }

    fn context(&self, period: Duration) -> usize {
        usize::from(self.loads.rising(period) > RISING * self.changes.1)
    }

    /// Compares the predictions for the period around `centre` with its load.
    fn judge(
        &mut self,
        centre: Timestamp,
        period: SignedDuration,
        load: f64,
        fleet: Fleet,
        arrivals: Option<f64>,
    ) {
        let hold = SignedDuration::try_from(fleet.boot).unwrap_or_default() + period;
        while self.pending.front().is_some_and(|oldest| oldest.due + hold < centre) {
            self.pending.pop_front();
        }
        let half = period / 2;
        let Some(index) = self
            .pending
            .iter()
            .rposition(|prediction| prediction.due <= centre + half && prediction.due > centre - half)
        else {
            return;
        };
        if std::mem::replace(&mut self.pending[index].judged, true) {
            return;
        }
        let met = whole_need(load, fleet, arrivals);
        let weight = if self.mean > 0.0 { load / self.mean } else { 1.0 };
        let period_weight = period.as_secs_f64() / 60.0;
        self.measured_seconds += period.as_secs_f64();
        let judged = &self.pending[index];
        let rise = load / f64::from(judged.loads[LAST]);
        let keep = (-period.as_secs_f64() / FIT_SECONDS).exp();
        self.regression.observe(&judged.features, rise.ln(), keep);
        self.loads.observe_rise(centre, rise);
        for (tails, (predictor, moving)) in self.tails.iter_mut().zip(CANDIDATES) {
            let said = f64::from(judged.loads[predictor]);
            let scale = if moving { f64::from(judged.moves) } else { 1.0 };
            let error = met.map_or(f64::NEG_INFINITY, |met| (met / said - 1.0) / scale);
            tails[judged.context].add(error, weight * period_weight);
        }
        let change = rise.ln().abs().min(1.0);
        let towards = |mean: f64, seconds: f64| {
            let share = (period.as_secs_f64() / seconds).max(1.0 / f64::from(self.seen.max(1))).min(1.0);
            mean + share * (change - mean)
        };
        self.changes = (towards(self.changes.0, LATEST_SECONDS), towards(self.changes.1, USUAL_SECONDS));
        self.cost(index, fleet, period);
    }

    /// Adds up what each candidate would have held in the period of the prediction at `index`: the highest of what it
    /// wanted since a boot time before.
    fn cost(&mut self, index: usize, fleet: Fleet, period: SignedDuration) {
        let hold = SignedDuration::try_from(fleet.boot).unwrap_or_default();
        let due = self.pending[index].due;
        let wanted = self.pending.iter().skip(index).take_while(|later| later.due <= due + hold);
        let mut most = [0.0_f64; CANDIDATES.len()];
        for prediction in wanted {
            for (candidate, most) in most.iter_mut().enumerate() {
                *most = most.max(prediction.with_margin(candidate, &self.margins));
            }
        }
        let weight = (period.as_secs_f64() / COST_SECONDS).max(1.0 / f64::from(self.seen.max(1)));
        for (cost, most) in self.costs.iter_mut().zip(most) {
            let replicas = (most / fleet.unit).ceil().max(f64::from(fleet.min));
            *cost = (*cost + narrow(weight * (replicas - f64::from(*cost)))).min(f32::MAX);
        }
    }

    /// Now and then one candidate after the other: forgets, sets the margins, and the cheapest is chosen.
    fn review(&mut self, now: Timestamp) {
        let since = self.reviewed.map_or(REVIEW_SECONDS, |at| now.duration_since(at).as_secs());
        if since < REVIEW_SECONDS {
            return;
        }
        self.reviewed = Some(now);
        let short = (BUDGET / self.missed.max(1e-5)).ln().clamp(-2.0, 1.0);
        if self.measured_seconds > 86_400.0 || short < 0.0 {
            self.eased = (self.eased + EASING * short).clamp(0.0, EASED_MOST);
        }
        let turn = self.turn % CANDIDATES.len();
        self.turn = (turn + 1) % CANDIDATES.len();
        let round = (since as f64).min(3600.0) * CANDIDATES.len() as f64;
        for tail in &mut self.tails[turn] {
            tail.forget(0.5_f64.powf(round / HALF_LIFE_SECONDS));
        }
        self.margins[turn] = tail::margins(&self.tails[turn], BUDGET * self.eased.exp()).map(narrow);
        let cost = |candidate: usize| f64::from(self.costs[candidate]);
        let cheapest = (0..CANDIDATES.len()).min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let better = |cheapest: &usize| cost(*cheapest) < cost(self.chosen) * (1.0 - LEAST_GAIN);
        if self.measured_seconds > 7200.0 {
            self.chosen = cheapest.filter(better).unwrap_or(self.chosen);
        }
    }
}

impl Prediction {
    fn with_margin(&self, candidate: usize, margins: &[[f32; CONTEXTS]]) -> f64 {
        let (predictor, moving) = CANDIDATES[candidate];
        let margin = margins.get(candidate).map_or(0.0, |margins| f64::from(margins[self.context]));
        let scale = if moving { f64::from(self.moves) } else { 1.0 };
        f64::from(self.loads[predictor]) * (1.0 + margin * scale)
    }
}

/// The load that a margin must reach for the whole replicas that the period needed: at most one replica less than
/// what it needed may not do. `None` where the minimum was enough. Within a period arrivals come and go by chance,
/// and latency is judged over less than a period.
fn whole_need(load: f64, fleet: Fleet, arrivals: Option<f64>) -> Option<f64> {
    let chance = arrivals.filter(|count| *count > 0.0).map_or(0.0, |count| CHANCE / count.sqrt());
    let replicas = (load * (1.0 + chance) / fleet.unit).ceil();
    (replicas > f64::from(fleet.min)).then_some((replicas - 1.0) * fleet.unit)
}

/// Standard deviations of the arrivals of a period that are kept for what happens within it.
const CHANCE: f64 = 2.0;
