//! The load one boot time from now: several simple predictors, each with the error it has been measured to have.
//!
//! Every predictor names a load for the moment at which a replica ordered now would serve. When that moment comes,
//! the ratio of what was to what had been said moves the predictor's own quantile. The one with the lowest cost
//! (pinball loss: a shortfall costs many times what a surplus does) is used. On top comes a headroom that grows with
//! each minute over the latency target and shrinks in between, so that such minutes settle at a small budget.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::GroupConfig;
use crate::snapshot::Snapshot;

/// The share of moments for which a predictor's upper value should be enough.
const QUANTILE: f64 = 0.98;

/// How far one observation moves the logarithm of a predictor's error quantile.
const STEP: f64 = 0.03;

/// Weight of one more observation in a predictor's cost.
const COST_WEIGHT: f64 = 0.01;

/// Share of minutes over the latency target that the headroom aims at, and what one such minute adds to it.
const BUDGET: f64 = 0.001;
const HEADROOM_STEP: f64 = 0.05;
const HEADROOM_MOST: f64 = 0.5;

/// Observations before the forecast has an opinion. Few: until its errors were measured, a prior stands for them.
const LEAST_HISTORY: u32 = 3;

/// Logarithm of the error quantile that a predictor is taken to have before it was measured.
const PRIOR_QUANTILE: f64 = 0.1;

/// The day is remembered in slots of five minutes.
const SLOTS: usize = 288;
const SLOT: Duration = Duration::from_secs(300);

/// Metrics that are later than this are stale.
const MOST_LATE: Duration = Duration::from_secs(600);

/// Newest loads that are kept.
const KEPT: usize = 60;

const PREDICTORS: usize = 6;

/// Load ahead of one boot time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Forecast {
    /// Newest loads in busy vCPU, oldest first.
    loads: VecDeque<f32>,
    /// Load by time of day, in busy vCPU; empty until the first observation, 0 where nothing was seen.
    day: Vec<f32>,
    /// How each predictor has done.
    records: [Record; PREDICTORS],
    /// Predictions whose moment has not come, oldest first.
    pending: VecDeque<(Timestamp, [f32; PREDICTORS])>,
    /// Observations so far.
    seen: u32,
    /// Extra share on top of the forecast, 0 to 0.5.
    headroom: f64,
    /// The present forecast with its headroom, in busy vCPU.
    ahead: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Record {
    /// Logarithm of the error ratio that `QUANTILE` of the moments stay under.
    quantile: f64,
    /// Running mean of the pinball loss, as a share of the load.
    cost: f64,
}

impl Default for Record {
    fn default() -> Self {
        Self { quantile: PRIOR_QUANTILE, cost: 0.0 }
    }
}

impl Forecast {
    /// Busy vCPU to be ready for one boot time from now; `None` without enough history.
    pub fn ahead(&self) -> Option<f64> {
        self.ahead.map(|busy| busy * (1.0 + self.headroom))
    }

    /// Extra share that is kept on top because the latency target was missed.
    pub fn headroom(&self) -> f64 {
        self.headroom
    }

    /// How much higher the load was yesterday within `length` from this time of day, over what it was at this time
    /// of day; `None` on the first day.
    pub fn rise_within(&self, now: Timestamp, length: Duration) -> Option<f64> {
        let present = self.day.get(slot_of(now)).copied().filter(|load| *load > 0.0)?;
        let slots = (length.as_secs_f64() / SLOT.as_secs_f64()).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day")]
        let slots = slots.clamp(1.0, SLOTS as f64) as usize;
        let start = slot_of(now);
        let highest = (1..=slots).filter_map(|ahead| self.day.get((start + ahead) % SLOTS)).copied();
        Some(f64::from(highest.fold(0.0, f32::max) / present))
    }

    pub(super) fn spend_budget(&mut self, missed: bool) {
        let change = if missed { HEADROOM_STEP } else { -HEADROOM_STEP * BUDGET };
        self.headroom = (self.headroom + change).clamp(0.0, HEADROOM_MOST);
    }

    pub(super) fn observe(
        &mut self,
        config: &GroupConfig,
        boot: Duration,
        load: Option<f64>,
        snapshot: &Snapshot,
    ) {
        let Some(load) = load.filter(|load| *load > 0.0) else {
            self.ahead = None;
            return;
        };
        let now = snapshot.taken_at;
        self.judge(now, load);
        self.remember(now, load);
        // A replica ordered now serves after the boot, and the next one is ordered a period later. What happens then is
        // read as late as what is read now.
        let late = snapshot.readings.cpu_usage.ended().or(snapshot.readings.request_count.ended());
        let late = late.map_or(Duration::ZERO, |ended| {
            Duration::try_from(now.duration_since(ended)).unwrap_or_default().min(MOST_LATE)
        });
        let horizon = boot + config.evaluation_period + late;
        let predictions = self.predict(now, horizon, config.evaluation_period, load);
        self.pending.push_back((now + horizon, predictions.map(narrow)));
        self.seen = self.seen.saturating_add(1);
        self.ahead = (self.seen >= LEAST_HISTORY).then(|| {
            let best = (0..PREDICTORS).min_by(|a, b| self.records[*a].cost.total_cmp(&self.records[*b].cost));
            let best = best.unwrap_or_default();
            predictions[best] * self.records[best].quantile.exp()
        });
    }

    fn judge(&mut self, now: Timestamp, load: f64) {
        while let Some((due, predictions)) = self.pending.front().copied().filter(|(due, _)| *due <= now) {
            self.pending.pop_front();
            // A gap in the readings: the moment has passed without being seen.
            if now.duration_since(due).as_secs_f64() > 120.0 {
                continue;
            }
            for (record, predicted) in self.records.iter_mut().zip(predictions) {
                record.judge(f64::from(predicted), load);
            }
        }
    }

    fn remember(&mut self, now: Timestamp, load: f64) {
        self.loads.push_back(narrow(load));
        if self.loads.len() > KEPT {
            self.loads.pop_front();
        }
        if self.day.is_empty() {
            self.day = vec![0.0; SLOTS];
        }
        let slot = &mut self.day[slot_of(now)];
        *slot = if *slot > 0.0 { *slot + 0.15 * (narrow(load) - *slot) } else { narrow(load) };
    }

    /// One value for each predictor: last value, slope, means of 5 and 15, maxima of 5 and 60, ratio to yesterday
    /// (maximum of 60 is left to the quantile of the others).
    fn predict(&self, now: Timestamp, horizon: Duration, period: Duration, load: f64) -> [f64; PREDICTORS] {
        let mean = |count: usize| {
            let taken = self.loads.len().min(count).max(1);
            self.loads.iter().rev().take(taken).map(|value| f64::from(*value)).sum::<f64>() / taken as f64
        };
        let most =
            |count: usize| self.loads.iter().rev().take(count).copied().map(f64::from).fold(0.0, f64::max);
        let steps = horizon.as_secs_f64() / period.as_secs_f64();
        let (five, fifteen) = (mean(5), mean(15));
        // The two means are centred 5 periods apart (2 and 7 periods ago).
        let slope = (five - fifteen) / 5.0;
        let sloped = (five + slope * (steps + 2.0)).max(0.2 * five);
        let seasonal = self.season(now, horizon).map_or(five, |ratio| five * ratio);
        [load, sloped, five, fifteen, most(5), seasonal]
    }

    /// How the load changed yesterday from this time of day to `horizon` later; `None` on the first day.
    fn season(&self, now: Timestamp, horizon: Duration) -> Option<f64> {
        let (from, to) = (slot_of(now - SLOT), slot_of(now + horizon + SLOT));
        let (before, after) = (*self.day.get(from)?, *self.day.get(to)?);
        // A slot not yet written today still holds yesterday; on the first day it holds nothing.
        (before > 0.0 && after > 0.0).then(|| f64::from(after / before).clamp(0.5, 2.0))
    }
}

impl Record {
    fn judge(&mut self, predicted: f64, actual: f64) {
        if predicted <= 0.0 {
            return;
        }
        let ratio = (actual / predicted).ln();
        let upper = self.quantile;
        let over = ratio - upper;
        let loss = if over > 0.0 { QUANTILE * over } else { (1.0 - QUANTILE) * -over };
        self.cost += COST_WEIGHT * (loss - self.cost);
        self.quantile += if over > 0.0 { STEP * QUANTILE } else { -STEP * (1.0 - QUANTILE) };
        self.quantile = self.quantile.clamp(0.0, 1.5);
    }
}

fn slot_of(at: Timestamp) -> usize {
    let second = at.as_second().rem_euclid(86_400);
    usize::try_from(second / 300).unwrap_or_default().min(SLOTS - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "vCPU need no more than the seven digits of f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}
