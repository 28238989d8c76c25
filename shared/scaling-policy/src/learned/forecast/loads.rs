//! What is remembered of the load, and what each predictor says of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::regression::FEATURES;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Newest loads that are kept.
const NEWEST: usize = 24;

/// Means of minutes that are kept: an hour.
const MINUTES: usize = 60;

/// The day is remembered in slots of five minutes.
pub(super) const SLOTS: usize = 288;
pub(super) const SLOT: Duration = Duration::from_secs(300);

/// Weight of one more minute in its slot of the day.
const SLOT_WEIGHT: f64 = 0.15;

/// Weight of one more hour in its minute of the hour.
const PHASE_WEIGHT: f64 = 0.2;

/// Minutes of an hour, and how long their highest values are remembered: from half of this to all of it.
const PHASES: usize = 60;
const PHASE_MEMORY_SECONDS: i64 = 172_800;

/// Predictors.
pub(super) const PREDICTORS: usize = 6;

/// The load in busy vCPU, lately and by time of day and of the hour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Loads {
    /// One a period, oldest first.
    newest: VecDeque<f32>,
    /// Mean of each minute, oldest first.
    minutes: VecDeque<f32>,
    /// The minute that is not complete: when it began, sum and count.
    open: Option<(i64, f64, u32)>,
    /// By time of day; empty until the first observation, 0 where nothing was seen.
    day: Vec<f32>,
    /// Highest load by minute of the hour over the mean of the hour before, in this block of time and in the last.
    phases: [Vec<f32>; 2],
    /// Highest load by minute of the hour over what it had been when it was predicted, likewise.
    rises: [Vec<f32>; 2],
    /// Mean change by minute of the hour since it was predicted, as a logarithm.
    changes: Vec<f32>,
    /// The same by time of day.
    day_changes: Vec<f32>,
    /// Number of the present block.
    block: i64,
}

impl Loads {
    /// Load by time of day, in slots of five minutes.
    pub(super) fn day(&self) -> &[f32] {
        &self.day
    }

    /// Takes in the mean load of a period around `centre`.
    pub(super) fn observe(&mut self, centre: Timestamp, load: f64) {
        let load = finite(load);
        push(&mut self.newest, load, NEWEST);
        self.observe_phase(centre, load);
        self.observe_minute(centre, load);
        if self.day.is_empty() {
            self.day = vec![0.0; SLOTS];
        }
        let slot = &mut self.day[slot_of(centre)];
        let before = f64::from(*slot);
        *slot = if before > 0.0 { short(before + SLOT_WEIGHT * (load - before)) } else { short(load) };
    }

    fn observe_minute(&mut self, centre: Timestamp, load: f64) {
        let minute = centre.as_second().div_euclid(60);
        match &mut self.open {
            Some((open, sum, count)) if *open == minute => (*sum, *count) = (*sum + load, *count + 1),
            open => {
                if let Some((_, sum, count)) = open.replace((minute, load, 1)) {
                    push(&mut self.minutes, sum / f64::from(count), MINUTES);
                }
            }
        }
    }

    fn observe_phase(&mut self, centre: Timestamp, load: f64) {
        let block = centre.as_second().div_euclid(PHASE_MEMORY_SECONDS / 2);
        if block != self.block || self.phases[0].is_empty() {
            for memory in [&mut self.phases, &mut self.rises] {
                memory.swap(0, 1);
                memory[0] = vec![0.0; PHASES];
            }
            self.block = block;
        }
        let level = self.mean_minutes(MINUTES, load);
        let phase = &mut self.phases[0][phase_of(centre)];
        *phase = phase.max(short(load / level));
    }

    /// Takes in how much the load around `centre` is over what it was when it was predicted.
    pub(super) fn observe_rise(&mut self, centre: Timestamp, rise: f64) {
        if let Some(highest) = self.rises[0].get_mut(phase_of(centre)) {
            *highest = highest.max(short(rise));
        }
        if self.changes.is_empty() {
            self.changes = vec![0.0; PHASES];
            self.day_changes = vec![0.0; SLOTS];
        }
        let change = rise.ln().clamp(-1.0, 1.0);
        for (mean, weight) in [
            (&mut self.changes[phase_of(centre)], PHASE_WEIGHT),
            (&mut self.day_changes[slot_of(centre)], SLOT_WEIGHT),
        ] {
            *mean = short(f64::from(*mean) + weight * (change - f64::from(*mean)));
        }
    }

    /// What the regression looks at, in logarithms.
    pub(super) fn features(&self, ahead: Timestamp, period: Duration) -> [f32; FEATURES] {
        let last = self.last();
        let over = |mean: f64| narrow((mean / last).ln().clamp(-1.0, 1.0));
        let change = self.changes.get(phase_of(ahead)).copied().unwrap_or(0.0);
        let day = self.day_changes.get(slot_of(ahead)).copied().unwrap_or(0.0);
        let means = [self.mean(3.0, period), self.mean(5.0, period), self.mean_minutes(15, last)];
        let [three, five, fifteen] = means.map(over);
        [1.0, three, five, fifteen, over(self.mean_minutes(MINUTES, last)), change, day]
    }

    /// By how much the load is over its mean of a quarter of an hour.
    pub(super) fn rising(&self, period: Duration) -> f64 {
        self.mean(3.0, period) / self.mean_minutes(15, self.last()) - 1.0
    }

    fn last(&self) -> f64 {
        self.newest.back().copied().map_or(0.0, f64::from)
    }

    fn mean(&self, minutes: f64, period: Duration) -> f64 {
        let taken = self.newest.len().min(periods(minutes, period)).max(1);
        self.newest.iter().rev().take(taken).map(|load| f64::from(*load)).sum::<f64>() / taken as f64
    }

    /// What each predictor says of the load around `ahead`, given the length of a period. Loads are over 0.
    pub(super) fn predict(&self, ahead: Timestamp, period: Duration) -> [f64; PREDICTORS] {
        let last = self.last();
        let most_minutes =
            |count: usize| self.minutes.iter().rev().take(count).copied().map(f64::from).fold(last, f64::max);
        let fifteen = self.mean_minutes(15, last);
        let level = self.mean_minutes(MINUTES, last);
        let phase = (last * highest(&self.rises, ahead)).min(level * highest(&self.phases, ahead));
        [last, last, fifteen, most_minutes(15), most_minutes(60), self.mean(3.0, period).max(phase)]
    }

    fn mean_minutes(&self, count: usize, otherwise: f64) -> f64 {
        let taken = self.minutes.len().min(count);
        if taken == 0 {
            return otherwise;
        }
        self.minutes.iter().rev().take(taken).map(|load| f64::from(*load)).sum::<f64>() / taken as f64
    }
}

/// The highest of the memory in that minute of an hour or in one beside it.
fn highest(memory: &[Vec<f32>; 2], at: Timestamp) -> f64 {
    let middle = phase_of(at) + PHASES;
    let near = [middle - 1, middle, middle + 1];
    let values = memory.iter().flat_map(|block| near.map(|phase| block.get(phase % PHASES)));
    f64::from(values.flatten().copied().fold(0.0, f32::max))
}

pub(super) fn slot_of(at: Timestamp) -> usize {
    let second = at.as_second().rem_euclid(86_400);
    usize::try_from(second / 300).unwrap_or_default().min(SLOTS - 1)
}

/// Periods in so many minutes, as far as they are kept.
fn periods(minutes: f64, period: Duration) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let count = (minutes * 60.0 / period.as_secs_f64()).round().max(1.0) as usize;
    count.min(NEWEST)
}

fn phase_of(at: Timestamp) -> usize {
    usize::try_from(at.as_second().rem_euclid(3600) / 60).unwrap_or_default().min(PHASES - 1)
}

fn push(ring: &mut VecDeque<f32>, value: f64, most: usize) {
    ring.push_back(short(value));
    if ring.len() > most {
        ring.pop_front();
    }
}

/// Four digits of a value that is remembered by the hundred: the record is stored as text.
fn short(value: f64) -> f32 {
    let value = finite(value);
    let digits = 10.0_f64.powf(3.0 - value.abs().max(1e-3).log10().floor());
    narrow((value * digits).round() / digits)
}

/// Always a number that can be stored: JSON has no infinity, and what it writes instead cannot be read again.
#[expect(clippy::cast_possible_truncation, reason = "vCPU need no more than the seven digits of f32")]
pub(super) fn narrow(value: f64) -> f32 {
    finite(value) as f32
}

/// The nearest value that f32 can hold; 0 for what is no number.
fn finite(value: f64) -> f64 {
    let most = f64::from(f32::MAX);
    if value.is_nan() { 0.0 } else { value.clamp(-most, most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_of_any_size_can_be_stored_and_read_again() {
        for load in [1e-300, 1e-40, 1.0, 1e30, 3.402_823_5e38, 1e40, 1e300, f64::MAX, f64::INFINITY, f64::NAN]
        {
            let mut loads = Loads::default();
            for minute in 0..90 {
                let centre = Timestamp::from_second(1_767_571_200 + 60 * minute).unwrap();
                loads.observe(centre, load);
                loads.observe_rise(centre, load);
            }
            let stored = serde_json::to_string(&loads).unwrap();
            assert!(serde_json::from_str::<Loads>(&stored).is_ok(), "{load}: {stored}");
        }
    }
}
