//! What can be read of a group: complete periods, some time after they ended.

use std::collections::VecDeque;

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;

use crate::STEP_SECONDS;
use crate::conditions::{Conditions, Feed};
use crate::group::Interval;

/// A complete period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// When it ended, in seconds since the start.
    pub ended: u64,
    /// Requests in it; `None` when the point never arrived.
    pub requests: Option<f64>,
    /// Mean CPU utilisation of what served, 0 to 1.
    pub cpu: Option<f64>,
    /// Mean memory utilisation of what served, 0 to 1.
    pub memory: Option<f64>,
    /// 95th percentile of the response time over all requests, in seconds.
    pub latency_p95: Option<f64>,
}

/// Collects intervals into periods and gives them out when they can be read.
#[derive(Debug, Clone)]
pub struct Metrics {
    feed: Feed,
    open: Vec<Interval>,
    closed: VecDeque<Period>,
    missing: f64,
    random: Pcg64,
    noise: Noise,
}

/// What measuring adds: a factor of its own for each value, normal around 1.
#[derive(Debug, Clone)]
struct Noise {
    /// Standard deviation of the factor.
    deviation: f64,
    random: Pcg64,
}

impl Noise {
    fn on(&mut self, period: &mut Period) {
        if self.deviation <= 0.0 {
            return;
        }
        let mut off = |value: f64, most: f64| {
            let normal: f64 = StandardNormal.sample(&mut self.random);
            (value * (1.0 + self.deviation * normal)).clamp(0.0, most.max(value))
        };
        period.requests = period.requests.map(|value| off(value, f64::INFINITY));
        period.cpu = period.cpu.map(|value| off(value, 1.0));
        period.memory = period.memory.map(|value| off(value, 1.0));
        period.latency_p95 = period.latency_p95.map(|value| off(value, f64::INFINITY));
    }
}

impl Metrics {
    /// Nothing read yet. `feed` is that of the policy, the rest that of the conditions.
    pub fn new(feed: Feed, conditions: &Conditions) -> Self {
        let Conditions { missing, noise, seed, .. } = *conditions;
        Self {
            feed,
            open: Vec::new(),
            closed: VecDeque::new(),
            missing,
            random: Pcg64::seed_from_u64(seed ^ 0x51ed_270b),
            noise: Noise { deviation: noise, random: Pcg64::seed_from_u64(seed ^ 0x2545_f491) },
        }
    }

    /// Takes an interval in that ended at `ended` seconds.
    pub fn add(&mut self, ended: u64, interval: Interval) {
        self.open.push(interval);
        if ended.is_multiple_of(u64::from(self.feed.period)) {
            let mut period = summary(ended, &self.open);
            self.open.clear();
            self.noise.on(&mut period);
            if self.missing > 0.0 {
                let mut lost = || self.random.random::<f64>() < self.missing;
                period.requests = period.requests.filter(|_| !lost());
                period.cpu = period.cpu.filter(|_| !lost());
                period.memory = period.memory.filter(|_| !lost());
                period.latency_p95 = period.latency_p95.filter(|_| !lost());
            }
            self.closed.push_back(period);
        }
    }

    /// The newest period that can be read at `now` seconds, if that is a new one.
    pub fn read(&mut self, now: u64) -> Option<Period> {
        let mut newest = None;
        while self.closed.front().is_some_and(|period| period.ended + u64::from(self.feed.delay) <= now) {
            newest = self.closed.pop_front();
        }
        newest
    }
}

fn summary(ended: u64, intervals: &[Interval]) -> Period {
    let mean = |value: fn(&Interval) -> Option<f64>| {
        let (sum, count) =
            intervals.iter().filter_map(value).fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    Period {
        ended,
        requests: Some(intervals.iter().map(|interval| interval.requests).sum()),
        cpu: mean(|interval| interval.served.cpu),
        memory: mean(|interval| interval.served.memory),
        latency_p95: latency_p95(intervals),
    }
}

/// -ln(1 - 0.95).
const EXPONENT_P95: f64 = 2.995_732_273_553_991;

/// Periods whose intervals differ by less than this share are averaged.
const ALIKE: f64 = 1.05;

/// The 95th percentile of all requests together. Each interval is taken as a Weibull distribution through its median
/// and 95th percentile, which is exact for the exponential response times of one server.
fn latency_p95(intervals: &[Interval]) -> Option<f64> {
    let known = || {
        intervals.iter().filter(|interval| interval.requests > 0.0).filter_map(|interval| {
            Some((interval.requests, interval.served.latency_p50?, interval.served.latency_p95?))
        })
    };
    let requests: f64 = known().map(|(requests, ..)| requests).sum();
    if requests <= 0.0 {
        return None;
    }
    let (low, high) =
        known().fold((f64::INFINITY, 0.0_f64), |(low, high), (.., p95)| (low.min(p95), high.max(p95)));
    if high <= low * ALIKE {
        return Some(known().map(|(count, _, p95)| count * p95).sum::<f64>() / requests);
    }
    let above = |time: f64| -> f64 {
        known()
            .map(|(count, p50, p95)| {
                // Equal quantiles (all requests at the time-out) would need an infinite shape.
                let spread = (p95 / p50.max(1e-9)).ln().max(0.015);
                let shape = (EXPONENT_P95 / std::f64::consts::LN_2).ln() / spread;
                count * (-EXPONENT_P95 * (time / p95).powf(shape)).exp()
            })
            .sum()
    };
    let (mut low, mut high) = (low, high);
    for _ in 0..10 {
        let middle = f64::midpoint(low, high);
        if above(middle) > 0.05 * requests { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high))
}

/// Whether a look is due at `now` seconds.
pub(crate) fn is_due(feed: Feed, now: u64) -> bool {
    now.is_multiple_of(u64::from(feed.tick.max(STEP_SECONDS)))
}

#[cfg(test)]
mod tests {
    use scaling_fleet::station::Served;

    use super::*;

    /// What a minute's periods say of 100 requests at half of the capacity.
    fn measured(noise: f64, seed: u64) -> Vec<Period> {
        let conditions = Conditions { noise, seed, ..Conditions::prompt() };
        let mut metrics = Metrics::new(conditions.feed, &conditions);
        let served = Served {
            cpu: Some(0.5),
            memory: Some(0.9),
            latency_p95: Some(0.2),
            latency_p50: Some(0.1),
            ..Served::default()
        };
        let interval = Interval { requests: 100.0, served, serving: 4, cost_usd: 0.0, instances: 4 };
        (1..=2000)
            .filter_map(|step| {
                metrics.add(step * 15, interval);
                metrics.read(step * 15)
            })
            .collect()
    }

    #[test]
    fn without_noise_what_is_measured_is_exact() {
        assert!(
            measured(0.0, 1).iter().all(|period| period.requests == Some(100.0) && period.cpu == Some(0.5))
        );
    }

    #[test]
    fn noise_is_relative_the_same_for_a_seed_and_keeps_shares_shares() {
        let values =
            |seed| measured(0.1, seed).iter().filter_map(|period| period.requests).collect::<Vec<f64>>();
        let counts = values(1);
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let deviation =
            (counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64).sqrt();
        assert!((mean - 100.0).abs() < 1.0 && (deviation - 10.0).abs() < 1.0, "{mean} {deviation}");
        assert_eq!(counts, values(1));
        assert_ne!(counts, values(2));
        let memory = || measured(0.5, 1).into_iter().filter_map(|period| period.memory);
        assert!(memory().all(|share| (0.0..=1.0).contains(&share)) && memory().any(|share| share < 0.5));
    }
}
