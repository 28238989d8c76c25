//! Requests per second over time: drawn from a seeded profile, or read from a trace.

mod plausible;
mod profile;
mod rows;
mod trace;

pub use plausible::{ImplausibleStep, is_plausible_step};
pub use profile::WeekProfile;
pub use rows::{Row, RowError, rows};
pub use trace::TraceError;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A load over time, as a rate at the start of each step with straight lines between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    start: Timestamp,
    step: Duration,
    rates: Vec<f64>,
}

impl Load {
    /// A load from rates in requests per second, one at the start of each `step`. `step` is longer than 0, and
    /// an empty list is a load of 0.
    pub fn new(start: Timestamp, step: Duration, rates: Vec<f64>) -> Self {
        Self { start, step, rates }
    }

    /// The same rate for ever.
    pub fn constant(start: Timestamp, rate: f64) -> Self {
        Self::new(start, Duration::from_secs(60), vec![rate])
    }

    /// When it starts.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// When it ends; after that the last rate holds.
    pub fn end(&self) -> Timestamp {
        self.start + self.step * u32::try_from(self.rates.len()).unwrap_or(u32::MAX)
    }

    /// Requests per second at `at`. Before the start the first rate, after the end the last.
    pub fn rate(&self, at: Timestamp) -> f64 {
        let steps = at.duration_since(self.start).as_secs_f64() / self.step.as_secs_f64();
        let below = steps.floor().max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "floored and not negative"
        )]
        let index = below as usize;
        let Some(&first) = self.rates.get(index).or(self.rates.last()) else { return 0.0 };
        let second = self.rates.get(index + 1).copied().unwrap_or(first);
        first + (second - first) * (steps - below).clamp(0.0, 1.0)
    }

    /// The largest rate.
    pub fn peak(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// The mean rate.
    pub fn mean(&self) -> f64 {
        if self.rates.is_empty() { 0.0 } else { self.rates.iter().sum::<f64>() / self.rates.len() as f64 }
    }

    /// The same shape with its mean at `mean` requests per second.
    #[must_use]
    pub fn scaled_to_mean(mut self, mean: f64) -> Self {
        let present = self.mean();
        if present > 0.0 {
            self.rates.iter_mut().for_each(|rate| *rate *= mean / present);
        }
        self
    }

    /// The same load, cut to `length` from its start.
    #[must_use]
    pub fn truncated(mut self, length: Duration) -> Self {
        let steps = length.as_secs_f64() / self.step.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lengths are positive")]
        self.rates.truncate(steps.ceil() as usize);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_a_straight_line_between_steps_and_holds_outside() {
        let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(60), vec![10.0, 20.0]);
        let at = |seconds: i64| load.rate(Timestamp::from_second(seconds).unwrap());
        assert_eq!([at(-60), at(0), at(30), at(60), at(90), at(600)], [10.0, 10.0, 15.0, 20.0, 20.0, 20.0]);
    }

    #[test]
    fn scaling_keeps_the_shape() {
        let load =
            Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(60), vec![1.0, 3.0]).scaled_to_mean(10.0);
        assert_eq!((load.mean(), load.peak()), (10.0, 15.0));
    }
}
