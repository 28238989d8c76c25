//! The sizing of Kubernetes' VerticalPodAutoscaler: how much CPU and memory a replica should have, and when that is
//! reason enough to replace it.
//!
//! Source: the autoscaler's documentation (`kubernetes/autoscaler`, `vertical-pod-autoscaler/docs/flags.md`, and the
//! comments in `pkg/recommender/logic/recommender.go` whose examples the tests repeat), its defaults kept:
//! - CPU: percentiles of samples of one minute, a sample's weight halved every 24 hours;
//! - memory: percentiles of the daily peaks of the last 8 days, weights halved likewise;
//! - target: the 90th percentile, lower bound the 50th, upper bound the 95th;
//! - 15 % on top of all of them;
//! - with little history the bounds are wide: the upper one times 1 + 1/days, the lower one times (1 + 0.001/days)^-2;
//! - none of them is less than 25 mCPU and 250 MiB (the flag is called `pod-recommendation-min-memory-mb`, but the code takes
//!   mebibytes, and the floor is the last thing that it applies);
//! - running out of memory counts as a peak of 1.2 times the use, or 100 MiB more where that is more;
//! - the updater replaces a replica whose request is outside of the bounds at once, and one within them only after 12
//!   hours of life and for a difference of a tenth; with fewer than two replicas nothing.
//!
//! The worked example is the hamster of `vertical-pod-autoscaler/examples/hamster.yaml`, which keeps half a CPU busy; the
//! *Amazon EKS User Guide*, page "Adjust pod resources with Vertical Pod Autoscaler", shows its recommendation: 587m and
//! 262144k. For half-life, window and floor there is text only; the tests hold these to figures of their own.
//!
//! Buckets grow by 5 % as in the recommender, so a percentile is the upper end of its bucket.

/// Half-life of a sample's weight, in seconds.
const HALF_LIFE: f64 = 86_400.0;

/// What is added to the percentile.
const MARGIN: f64 = 1.15;

/// The least that is recommended, in vCPU and in MiB.
const LEAST_VCPU: f64 = 0.025;
const LEAST_MEMORY: f64 = 250.0;

/// The percentiles of lower bound, target and upper bound.
const PERCENTILES: [f64; 3] = [0.5, 0.9, 0.95];

/// Out of memory: the use times this, or so many MiB more.
const OUT_OF_MEMORY: (f64, f64) = (1.2, 100.0);

/// A request within the bounds is changed after this time, in seconds, and for this share of itself.
const LEAST_LIFE: u64 = 12 * 3600;
const LEAST_CHANGE: f64 = 0.1;

/// Replicas without which none is replaced.
const LEAST_REPLICAS: u32 = 2;

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

    fn percentile(&self, share: f64) -> Option<f64> {
        let total: f64 = self.weights.iter().sum();
        let mut sum = 0.0;
        let bucket = self.weights.iter().position(|weight| {
            sum += weight;
            sum >= share * total
        });
        bucket.filter(|_| total > 0.0).map(|bucket| self.start_of(bucket + 1))
    }
}

/// A quantity that a replica should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Less than this is too little.
    pub lower: f64,
    /// What it should be.
    pub target: f64,
    /// More than this is too much.
    pub upper: f64,
}

impl Range {
    /// Percentiles with margin, the bounds widened for a history of `days`, none below the floor.
    fn of(histogram: &Histogram, floor: f64, days: f64) -> Option<Self> {
        let [lower, target, upper] = PERCENTILES.map(|share| histogram.percentile(share));
        // The floor comes last: the confidence in a short history moves what was measured, not the least there is.
        let least = |value: f64, confidence: f64| (value * MARGIN * confidence).max(floor);
        Some(Self {
            lower: least(lower?, (1.0 + 0.001 / days).powi(-2)),
            target: least(target?, 1.0),
            upper: least(upper?, 1.0 + 1.0 / days),
        })
    }

    /// Whether the updater replaces a replica that has `request`, and would get `offered`, after a life of `life`
    /// seconds in a set of `replicas`.
    pub fn replaces(&self, request: f64, offered: f64, life: u64, replicas: u32) -> bool {
        let outside = request < self.lower || request > self.upper;
        let change = (offered - request).abs() / request;
        replicas >= LEAST_REPLICAS
            && change > 0.0
            && (outside || (life >= LEAST_LIFE && change >= LEAST_CHANGE))
    }
}

/// What a replica should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// vCPU.
    pub vcpu: Range,
    /// MiB.
    pub memory: Range,
}

/// The recommender of one container.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommender {
    cpu: Histogram,
    /// (Day, highest MiB in it), oldest first.
    peaks: Vec<(u64, f64)>,
    /// When the first sample came, in seconds, and how many came.
    first: Option<u64>,
    samples: u64,
}

impl Default for Recommender {
    fn default() -> Self {
        Self::new()
    }
}

impl Recommender {
    /// A recommender that has seen nothing yet.
    pub fn new() -> Self {
        Self { cpu: Histogram::new(0.01, 176), peaks: Vec::new(), first: None, samples: 0 }
    }

    /// Takes in what one replica used in the minute that ended at `now` seconds: busy vCPU and MiB.
    pub fn observe(&mut self, now: u64, vcpu: f64, memory: f64) {
        self.first.get_or_insert(now);
        self.samples += 1;
        self.cpu.add(vcpu, now);
        self.observe_peak(now, memory);
    }

    /// Takes in that a replica ran out of memory at `now` seconds while it used so many MiB.
    pub fn ran_out_of_memory(&mut self, now: u64, memory: f64) {
        let (factor, more) = OUT_OF_MEMORY;
        self.observe_peak(now, (memory * factor).max(memory + more));
    }

    fn observe_peak(&mut self, now: u64, memory: f64) {
        let day = now / 86_400;
        match self.peaks.last_mut() {
            Some((last, peak)) if *last == day => *peak = peak.max(memory),
            _ => self.peaks.push((day, memory)),
        }
        self.peaks.retain(|(seen, _)| seen + DAYS > day);
    }

    /// What it recommends at `now` seconds; `None` before the first sample.
    pub fn recommend(&self, now: u64) -> Option<Recommendation> {
        let mut memory = Histogram::new(10.0, 176);
        for (day, peak) in &self.peaks {
            memory.add(*peak, day * 86_400);
        }
        // A minute of history at least: there is a sample.
        let days =
            (now.saturating_sub(self.first?).max(60) as f64).min(self.samples as f64 * 60.0) / 86_400.0;
        Some(Recommendation {
            vcpu: Range::of(&self.cpu, LEAST_VCPU, days)?,
            memory: Range::of(&memory, LEAST_MEMORY, days)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After so many minutes of 2 vCPU and 3000 MiB.
    fn after(minutes: u64) -> Recommendation {
        let mut recommender = Recommender::new();
        (0..=minutes).for_each(|minute| recommender.observe(minute * 60, 2.0, 3000.0));
        recommender.recommend(minutes * 60).unwrap()
    }

    #[test]
    fn a_steady_use_is_recommended_with_fifteen_percent_on_top() {
        let found = after(1440);
        // A bucket is 5 % wide.
        assert!((2.3..=2.42).contains(&found.vcpu.target), "{found:?}");
        assert!((3450.0..=3650.0).contains(&found.memory.target), "{found:?}");
    }

    #[test]
    fn the_recommender_s_examples_of_the_upper_bound_are_3_after_12_hours_2_after_a_day_and_1_14_after_a_week()
     {
        for (hours, factor) in [(12, 3.0), (24, 2.0), (7 * 24, 1.14)] {
            let found = after(hours * 60).vcpu;
            assert!((found.upper / found.target / factor - 1.0).abs() < 0.01, "{hours} h: {found:?}");
        }
    }

    #[test]
    fn the_recommender_s_examples_of_the_lower_bound_are_0_6_after_5_minutes_0_9_after_30_and_0_95_after_60()
    {
        for (minutes, factor) in [(5, 0.6), (30, 0.9), (60, 0.95)] {
            let found = after(minutes).vcpu;
            assert!((found.lower / found.target / factor - 1.0).abs() < 0.02, "{minutes} min: {found:?}");
        }
    }

    #[test]
    fn lower_bound_target_and_upper_bound_are_the_50th_90th_and_95th_percentile() {
        let mut recommender = Recommender::new();
        (0..1000_u32).for_each(|sample| recommender.observe(0, f64::from(sample) / 1000.0, 500.0));
        // Weeks later the bounds are hardly widened; of the samples only the shape is left.
        let found = recommender.cpu;
        for (share, expected) in [(0.5, 0.5), (0.9, 0.9), (0.95, 0.95)] {
            let value = found.percentile(share).unwrap();
            assert!((value / expected - 1.0).abs() < 0.06, "{share}: {value}");
        }
    }

    #[test]
    fn a_sample_counts_half_after_24_hours() {
        // Two samples of 4 vCPU, and three of 1 vCPU some days later: the 90th percentile is 4 while the former have a tenth
        // of the weight. After 2 days that is 0.5 of 3.5, after 3 days 0.25 of 3.25. With a half-life of 12 hours it would be
        // 0.13 of 3.13 after 2 days, with 48 hours 0.71 of 3.71 after 3.
        for (days, target) in [(2, 4.0), (3, 1.0)] {
            let mut recommender = Recommender::new();
            (0..2).for_each(|_| recommender.observe(0, 4.0, 500.0));
            (0..3).for_each(|_| recommender.observe(days * 86_400, 1.0, 500.0));
            let found = recommender.recommend(days * 86_400).unwrap().vcpu.target;
            assert!((1.0..1.06).contains(&(found / (target * MARGIN))), "{days} days: {found}");
        }
    }

    #[test]
    fn the_peak_of_a_day_is_kept_for_eight_days_and_no_longer() {
        let mut recommender = Recommender::new();
        recommender.observe(3600, 1.0, 9000.0);
        recommender.observe(7 * 86_400 + 86_399, 1.0, 1000.0);
        assert_eq!(recommender.peaks, vec![(0, 9000.0), (7, 1000.0)]);
        recommender.observe(8 * 86_400, 1.0, 1000.0);
        assert_eq!(recommender.peaks, vec![(7, 1000.0), (8, 1000.0)]);
    }

    #[test]
    fn memory_is_recommended_by_the_peaks_of_days() {
        let mut recommender = Recommender::new();
        recommender.observe(0, 1.0, 9000.0);
        recommender.observe(86_400, 1.0, 1000.0);
        assert!(recommender.recommend(86_400).unwrap().memory.target > 1000.0);
        (2..12).for_each(|day| recommender.observe(day * 86_400, 1.0, 1000.0));
        assert!(recommender.recommend(12 * 86_400).unwrap().memory.target < 1300.0);
    }

    #[test]
    fn running_out_of_memory_asks_for_a_fifth_or_100_mib_more() {
        for (used, bumped) in [(3000.0, 3600.0), (300.0, 400.0)] {
            let mut recommender = Recommender::new();
            recommender.observe(0, 1.0, used);
            recommender.ran_out_of_memory(60, used);
            let target = recommender.recommend(60).unwrap().memory.target;
            assert!((1.0..1.06).contains(&(target / (bumped * MARGIN))), "{used}: {target}");
        }
    }

    #[test]
    fn the_documentation_s_hamster_of_half_a_cpu_and_no_memory_is_recommended_587m_and_262144k() {
        let mut recommender = Recommender::new();
        (0..=5).for_each(|minute| recommender.observe(minute * 60, 0.5, 2.0));
        let found = recommender.recommend(300).unwrap();
        assert_eq!((found.vcpu.target * 1000.0).floor(), 587.0);
        assert_eq!(found.memory.target * 1_048_576.0, 262_144_000.0);
    }

    #[test]
    fn there_is_a_floor_under_target_and_bounds_alike() {
        let mut recommender = Recommender::new();
        recommender.observe(0, 0.0, 0.0);
        // So short a history multiplies the lower bound by 0.17 and the upper one by 1441.
        let found = recommender.recommend(0).unwrap();
        assert_eq!((found.vcpu.lower, found.vcpu.target), (0.025, 0.025));
        assert_eq!((found.memory.lower, found.memory.target), (250.0, 250.0));
        // After weeks the upper bound of a replica that does nothing is the floor, too.
        let mut recommender = Recommender::new();
        (0..20 * 1440).for_each(|minute| recommender.observe(minute * 60, 0.0, 0.0));
        let found = recommender.recommend(20 * 86_400).unwrap();
        assert_eq!((found.vcpu.upper, found.memory.upper), (0.025, 250.0));
    }

    #[test]
    fn within_the_bounds_a_replica_is_replaced_after_twelve_hours_for_a_tenth_and_outside_at_once() {
        let range = Range { lower: 1000.0, target: 2000.0, upper: 4000.0 };
        let hours = |hours: u64| hours * 3600;
        for (request, offered, life, replicas, expected) in [
            (1500.0, 2000.0, hours(11), 2, false),
            (1500.0, 2000.0, hours(12), 2, true),
            (1900.0, 2000.0, hours(99), 2, false),
            (900.0, 2000.0, 0, 2, true),
            (5000.0, 2000.0, 0, 2, true),
            (900.0, 2000.0, 0, 1, false),
            (900.0, 900.0, hours(99), 2, false),
        ] {
            assert_eq!(
                range.replaces(request, offered, life, replicas),
                expected,
                "{request} to {offered} after {life} s of {replicas}"
            );
        }
    }
}
