//! The shipped load: a seeded week of a web service.
//!
//! The figures are fitted, not copied, from published traces: the hourly curve and the weekend factor from the
//! NASA Kennedy Space Center server logs of July 1995, the minute noise (5 %, correlation 0.6 from minute to
//! minute) and the height of match-time crowds from the 1998 World Cup logs.

use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;

use super::Load;

/// Relative load by hour of a working day (UTC), mean 1. NASA-HTTP, July 1995, weekdays without the launch day.
const WEEKDAY: [f64; 24] = [
    0.85, 0.87, 0.85, 0.83, 0.69, 0.56, 0.51, 0.43, 0.37, 0.37, 0.41, 0.68, 1.04, 1.23, 1.35, 1.50, 1.61,
    1.64, 1.68, 1.68, 1.60, 1.30, 1.00, 0.92,
];

/// Weekend load over weekday load. NASA-HTTP, July 1995.
const WEEKEND: f64 = 0.6;

/// Standard deviation of the minute noise, and its correlation from one minute to the next. World Cup 98.
const NOISE: (f64, f64) = (0.05, 0.6);

const MINUTES: usize = 7 * 24 * 60;

/// A week of load, minute by minute, the same for the same seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeekProfile {
    /// Mean rate of a working day without its bursts, in requests per second. The mean of the week is about a tenth lower:
    /// weekends weigh more in it than bursts and crowd.
    pub mean_rate: f64,
    /// Everything random is drawn from it.
    pub seed: u64,
}

impl WeekProfile {
    /// Draws the week that begins at `start` (taken as a Monday, 00:00 UTC).
    pub fn draw(self, start: Timestamp) -> Load {
        let mut random = Pcg64::seed_from_u64(self.seed);
        let mut rates = quiet_week();
        add_bursts(&mut rates, &mut random);
        add_crowd(&mut rates, &mut random);
        add_noise(&mut rates, &mut random);
        for rate in &mut rates {
            *rate *= self.mean_rate;
        }
        Load::new(start, Duration::from_secs(60), rates)
    }
}

/// The curve by hour, straight lines between the hours' middles, lower on the two last days.
fn quiet_week() -> Vec<f64> {
    (0..MINUTES)
        .map(|minute| {
            let (day, of_day) = (minute / 1440, minute % 1440);
            let hours = of_day as f64 / 60.0 - 0.5;
            let below = hours.floor();
            let share = hours - below;
            let hour = if below < 0.0 { 23 } else { of_day.saturating_sub(30) / 60 };
            let curve = WEEKDAY[hour] * (1.0 - share) + WEEKDAY[(hour + 1) % 24] * share;
            curve * if day >= 5 { WEEKEND } else { 1.0 }
        })
        .collect()
}

/// Two short bursts a day: up 20 to 60 % within five minutes, gone after about twenty.
fn add_bursts(rates: &mut [f64], random: &mut Pcg64) {
    for day in 0..7 {
        for _ in 0..2 {
            let start = day * 1440 + random.random_range(0..1440_usize);
            let height = random.random_range(0.2..0.6);
            add_bump(rates, start, (5, 15), height);
        }
    }
}

/// One flash crowd a week, at a busy hour of a working day: 1.8 to 2.4 times the load within half an hour, decaying
/// over two hours.
fn add_crowd(rates: &mut [f64], random: &mut Pcg64) {
    let day = random.random_range(0..5_usize);
    let start = day * 1440 + random.random_range(13 * 60..19 * 60_usize);
    add_bump(rates, start, (30, 90), random.random_range(0.8..1.4));
}

/// Multiplies the rates from `start` by a bump of `height` that rises for `rise` minutes and then decays with a
/// time constant of `decay` minutes.
fn add_bump(rates: &mut [f64], start: usize, (rise, decay): (usize, usize), height: f64) {
    for (offset, rate) in rates.iter_mut().skip(start).take(rise + 5 * decay).enumerate() {
        let share = if offset < rise {
            offset as f64 / rise as f64
        } else {
            (-((offset - rise) as f64) / decay as f64).exp()
        };
        *rate *= 1.0 + height * share;
    }
}

/// First-order autoregressive noise, never more than three standard deviations.
fn add_noise(rates: &mut [f64], random: &mut Pcg64) {
    let (deviation, correlation) = NOISE;
    let fresh = (1.0 - correlation * correlation).sqrt();
    let mut level: f64 = 0.0;
    for rate in rates {
        let draw: f64 = StandardNormal.sample(random);
        level = (level * correlation + draw * fresh).clamp(-3.0, 3.0);
        *rate *= 1.0 + deviation * level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(seed: u64) -> Load {
        WeekProfile { mean_rate: 300.0, seed }.draw(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_same_seed_gives_the_same_week() {
        assert_eq!(week(1), week(1));
        assert_ne!(week(1), week(2));
    }

    #[test]
    fn every_week_has_a_daily_cycle_and_a_crowd() {
        for seed in 1..=20 {
            let load = week(seed);
            let hour = |hour: i64| load.rate(Timestamp::from_second(hour * 3600).unwrap());
            assert!(load.peak() > 2.0 * load.mean(), "seed {seed}: {} of {}", load.peak(), load.mean());
            assert!(hour(9) < hour(18), "seed {seed}");
            assert_eq!(load.end().as_second(), 7 * 86_400);
        }
    }
}
