//! The sizing of Kubernetes' VerticalPodAutoscaler: how much CPU and memory a replica should have.
//!
//! Source: the autoscaler's documentation (`kubernetes/autoscaler`, `vertical-pod-autoscaler/docs/flags.md` and
//! `pkg/recommender`), its defaults kept:
//! - CPU: the 90th percentile of samples of one minute, a sample's weight halved every 24 hours;
//! - memory: the 90th percentile of the daily peaks of the last 8 days, weights halved likewise;
//! - 15 % on top of both, and at least 25 mCPU and 250 MB.
//!
//! Buckets grow by 5 % as in the recommender, so a percentile is the upper end of its bucket.

/// Half-life of a sample's weight, in seconds.
const HALF_LIFE: f64 = 86_400.0;

/// What is added to the percentile.
const MARGIN: f64 = 1.15;

/// The percentile.
const PERCENTILE: f64 = 0.9;

/// Peaks of this many days are kept.
const DAYS: u64 = 8;

/// Growth of the buckets.
const GROWTH: f64 = 1.05;

/// A histogram whose samples fade.
#[derive(Debug, Clone, PartialEq)]
struct Histogram {
    first: f64,
    weights: Vec<f64>,
}

impl Histogram {
    fn new(first: f64, buckets: usize) -> Self {
        Self { first, weights: vec![0.0; buckets] }
    }

    fn start_of(&self, bucket: usize) -> f64 {
        self.first * (GROWTH.powf(bucket as f64) - 1.0) / (GROWTH - 1.0)
    }

    fn add(&mut self, value: f64, now: u64) {
        let bucket = (value * (GROWTH - 1.0) / self.first + 1.0).ln() / GROWTH.ln();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "values are not negative"
        )]
        let bucket = (bucket.max(0.0) as usize).min(self.weights.len() - 1);
        self.weights[bucket] += (now as f64 / HALF_LIFE).exp2();
    }

    fn percentile(&self) -> Option<f64> {
        let total: f64 = self.weights.iter().sum();
        let mut sum = 0.0;
        let bucket = self.weights.iter().position(|weight| {
            sum += weight;
            sum >= PERCENTILE * total
        });
        bucket.filter(|_| total > 0.0).map(|bucket| self.start_of(bucket + 1))
    }
}

/// What a replica should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// vCPU.
    pub vcpu: f64,
    /// MiB.
    pub memory: f64,
}

/// The recommender of one container.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommender {
    cpu: Histogram,
    /// (Day, highest MiB in it), oldest first.
    peaks: Vec<(u64, f64)>,
}

impl Default for Recommender {
    fn default() -> Self {
        Self::new()
    }
}

impl Recommender {
    /// A recommender that has seen nothing yet.
    pub fn new() -> Self {
        Self { cpu: Histogram::new(0.01, 176), peaks: Vec::new() }
    }

    /// Takes in what one replica used in the minute that ended at `now` seconds: busy vCPU and MiB.
    pub fn observe(&mut self, now: u64, vcpu: f64, memory: f64) {
        self.cpu.add(vcpu, now);
        let day = now / 86_400;
        match self.peaks.last_mut() {
            Some((last, peak)) if *last == day => *peak = peak.max(memory),
            _ => self.peaks.push((day, memory)),
        }
        self.peaks.retain(|(seen, _)| seen + DAYS > day);
    }

    /// What it recommends; `None` before the first sample.
    pub fn recommend(&self) -> Option<Recommendation> {
        let mut memory = Histogram::new(10.0, 176);
        for (day, peak) in &self.peaks {
            memory.add(*peak, day * 86_400);
        }
        Some(Recommendation {
            vcpu: (self.cpu.percentile()? * MARGIN).max(0.025),
            memory: (memory.percentile()? * MARGIN).max(250.0 * 1e6 / 1_048_576.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_use_is_recommended_with_fifteen_percent_on_top() {
        let mut recommender = Recommender::new();
        (0..1440).for_each(|minute| recommender.observe(minute * 60, 2.0, 3000.0));
        let found = recommender.recommend().unwrap();
        // A bucket is 5 % wide.
        assert!((2.3..=2.42).contains(&found.vcpu), "{found:?}");
        assert!((3450.0..=3650.0).contains(&found.memory), "{found:?}");
    }

    #[test]
    fn nine_tenths_of_the_samples_are_under_the_recommended_cpu() {
        let mut recommender = Recommender::new();
        (0..1000_u32).for_each(|sample| {
            recommender.observe(0, f64::from(sample) / 1000.0, 500.0);
        });
        let found = recommender.recommend().unwrap().vcpu / MARGIN;
        assert!((0.88..0.96).contains(&found), "{found}");
    }

    #[test]
    fn yesterday_counts_half() {
        let mut recommender = Recommender::new();
        (0..100).for_each(|_| recommender.observe(0, 4.0, 500.0));
        (0..100).for_each(|_| recommender.observe(10 * 86_400, 1.0, 500.0));
        assert!(recommender.recommend().unwrap().vcpu < 1.3, "a load of ten days ago is forgotten");
    }

    #[test]
    fn memory_is_the_peak_of_eight_days() {
        let mut recommender = Recommender::new();
        recommender.observe(0, 1.0, 9000.0);
        recommender.observe(86_400, 1.0, 1000.0);
        assert!(recommender.recommend().unwrap().memory > 1000.0);
        (2..12).for_each(|day| recommender.observe(day * 86_400, 1.0, 1000.0));
        assert!(recommender.recommend().unwrap().memory < 1300.0);
    }

    #[test]
    fn there_is_a_floor() {
        let mut recommender = Recommender::new();
        recommender.observe(0, 0.0, 0.0);
        let found = recommender.recommend().unwrap();
        assert_eq!(found.vcpu, 0.025);
        assert!((found.memory - 238.4).abs() < 0.1);
    }
}
