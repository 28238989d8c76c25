//! Statistics over the samples of a period.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::trimmed::Trimmed;
use crate::wire::AwsError;

/// Which statistic is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Statistic {
    /// Number of samples.
    SampleCount,
    /// Their mean.
    Average,
    /// Their sum.
    Sum,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// The value that this share of the samples, 0 to 1, does not exceed.
    Percentile(f64),
    /// Over a part of the samples.
    Trimmed(Trimmed),
}

impl Statistic {
    /// Whether it is an extended one, as opposed to the five that every sample set has.
    pub fn is_extended(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Trimmed(_))
    }

    /// The statistic of that name, such as `Average`, `p99.9` or `tm90`.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an unknown one.
    pub fn parse(name: &str) -> Result<Self, AwsError> {
        Ok(match name {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let percent = name.strip_prefix('p').and_then(|text| text.parse::<f64>().ok());
                let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
                let percentile = percent.map(|percent| Self::Percentile(percent / 100.0));
                return percentile.or_else(|| Trimmed::named(name).map(Self::Trimmed)).ok_or_else(|| {
                    AwsError::new(
                        "InvalidParameterValue",
                        format!("The value {name} for parameter Stat is not supported."),
                    )
                });
            }
        })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleCount => formatter.write_str("SampleCount"),
            Self::Average => formatter.write_str("Average"),
            Self::Sum => formatter.write_str("Sum"),
            Self::Minimum => formatter.write_str("Minimum"),
            Self::Maximum => formatter.write_str("Maximum"),
            Self::Percentile(share) => write!(formatter, "p{}", (share * 1e4).round() / 100.0),
            Self::Trimmed(trimmed) => trimmed.fmt(formatter),
        }
    }
}

/// Samples of which only quantiles are known: straight lines between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// How many samples.
    pub samples: f64,
    /// Share of the samples (0 to 1) and the value it does not exceed, rising in both, from 0 to 1.
    pub quantiles: Vec<(f64, f64)>,
}

impl Curve {
    /// How many of its samples are at most `value`.
    fn up_to(&self, value: f64) -> f64 {
        let after = self.quantiles.partition_point(|(_, quantile)| *quantile <= value);
        let share =
            match (after.checked_sub(1).and_then(|i| self.quantiles.get(i)), self.quantiles.get(after)) {
                (None, _) => 0.0,
                (Some(_), None) => 1.0,
                (Some((low, from)), Some((high, to))) => low + (high - low) * (value - from) / (to - from),
            };
        share * self.samples
    }

    /// The sum of so many of its smallest samples.
    fn sum_of_first(&self, samples: f64) -> f64 {
        let wanted = samples / self.samples;
        let mut sum = 0.0;
        for pair in self.quantiles.windows(2) {
            let [(low, from), (high, to)] = *pair else { break };
            let end = high.min(wanted);
            if end <= low {
                break;
            }
            let reached = from + (to - from) * (end - low) / (high - low);
            sum += (end - low) * f64::midpoint(from, reached);
        }
        sum * self.samples
    }
}

/// A value, in the order of numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Exact(f64);

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

/// The samples of one period of one metric, as far as they are known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    samples: f64,
    sum: f64,
    min: f64,
    max: f64,
    /// How often single values occurred.
    values: BTreeMap<Exact, f64>,
    curves: Vec<Curve>,
    /// Whether some samples are known by their statistics only.
    opaque: bool,
}

impl Bucket {
    /// A value that occurred `count` times.
    pub fn of_value(value: f64, count: f64) -> Self {
        Self {
            values: BTreeMap::from([(Exact(value), count)]),
            ..Self::summary(count, value * count, value, value)
        }
    }

    /// Samples of which only the statistics are known. Percentiles are not, unless all samples are equal or there is one.
    pub fn of_statistics(samples: f64, sum: f64, min: f64, max: f64) -> Self {
        if samples == 1.0 {
            let values = BTreeMap::from([(Exact(sum), samples)]);
            return Self { values, ..Self::summary(samples, sum, min, max) };
        }
        if min == max {
            let values = BTreeMap::from([(Exact(min), samples)]);
            return Self { values, ..Self::summary(samples, sum, min, max) };
        }
        Self { opaque: true, ..Self::summary(samples, sum, min, max) }
    }

    /// Samples of which sum and quantiles are known.
    pub fn of_curve(curve: Curve, sum: f64) -> Self {
        let end = |point: Option<&(f64, f64)>| point.map_or(0.0, |(_, value)| *value);
        let (min, max) = (end(curve.quantiles.first()), end(curve.quantiles.last()));
        let summary = Self::summary(curve.samples, sum, min, max);
        Self { curves: vec![curve], ..summary }
    }

    fn summary(samples: f64, sum: f64, min: f64, max: f64) -> Self {
        Self { samples, sum, min, max, values: BTreeMap::new(), curves: Vec::new(), opaque: false }
    }

    /// Number of samples.
    pub fn samples(&self) -> f64 {
        self.samples
    }

    /// Adds the samples of another.
    pub fn absorb(&mut self, other: &Self) {
        if other.samples <= 0.0 {
            return;
        }
        if self.samples <= 0.0 {
            *self = other.clone();
            return;
        }
        self.samples += other.samples;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (value, count) in &other.values {
            *self.values.entry(*value).or_default() += count;
        }
        self.curves.extend(other.curves.iter().cloned());
        self.opaque |= other.opaque;
    }

    /// The statistic. `None` without samples, and for percentiles that the samples do not tell.
    pub fn statistic(&self, statistic: Statistic) -> Option<f64> {
        if self.samples <= 0.0 {
            return None;
        }
        match statistic {
            Statistic::SampleCount => Some(self.samples),
            Statistic::Average => Some(self.sum / self.samples),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => Some(self.min),
            Statistic::Maximum => Some(self.max),
            Statistic::Percentile(share) => self.percentile(share),
            Statistic::Trimmed(trimmed) => trimmed.of(self),
        }
    }

    /// Whether its samples tell more than their statistics. Negative values have no percentiles on CloudWatch.
    fn is_known(&self) -> bool {
        self.samples > 0.0 && !self.opaque && self.min >= 0.0
    }

    /// Count and sum of all samples; `None` where single ones are not known.
    pub(super) fn all(&self) -> Option<(f64, f64)> {
        self.is_known().then_some((self.samples, self.sum))
    }

    /// Count and sum of the samples up to a value; `None` where single ones are not known.
    pub(super) fn up_to(&self, value: f64) -> Option<(f64, f64)> {
        let all = self.all()?;
        if value >= self.max {
            return Some(all);
        }
        let (mut count, mut sum) = (0.0, 0.0);
        for (value, times) in self.values.range(..=Exact(value)) {
            count += times;
            sum += value.0 * times;
        }
        for curve in &self.curves {
            let samples = curve.up_to(value);
            count += samples;
            sum += curve.sum_of_first(samples);
        }
        Some((count, sum))
    }

    /// Count and sum of the smallest samples that make this share of all, 0 to 1, and the largest of them. A sample that
    /// the share ends within counts in part.
    pub(super) fn first(&self, share: f64) -> Option<(f64, f64, f64)> {
        let (samples, sum) = self.all()?;
        if share >= 1.0 {
            return Some((samples, sum, self.max));
        }
        let wanted = share * samples;
        let value = self.percentile(share)?;
        let (count, sum) = self.up_to(value)?;
        Some((wanted, sum - (count - wanted) * value, value))
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        if !self.is_known() {
            return None;
        }
        if share <= 0.0 || share >= 1.0 {
            return Some(if share <= 0.0 { self.min } else { self.max });
        }
        let wanted = share * self.samples;
        if self.curves.is_empty() {
            let mut seen = 0.0;
            let reached = self.values.iter().find(|(_, count)| {
                seen += **count;
                seen >= wanted
            });
            return Some(reached.map_or(self.max, |(value, _)| value.0));
        }
        if let ([curve], true) = (self.curves.as_slice(), self.values.is_empty())
            && let Some((_, value)) = curve.quantiles.iter().find(|(known, _)| *known == share)
        {
            return Some(*value);
        }
        Some(self.searched(wanted))
    }

    /// The value that `wanted` samples do not exceed, by halving.
    fn searched(&self, wanted: f64) -> f64 {
        const STEPS: u32 = 60;
        let up_to = |value: f64| {
            let single = self.values.range(..=Exact(value)).map(|(_, count)| count).sum::<f64>();
            single + self.curves.iter().map(|curve| curve.up_to(value)).sum::<f64>()
        };
        let (mut low, mut high) = (self.min, self.max);
        for _ in 0..STEPS {
            let middle = f64::midpoint(low, high);
            if up_to(middle) >= wanted {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in [
            "SampleCount",
            "Average",
            "Sum",
            "Minimum",
            "Maximum",
            "p50",
            "p99.9",
            "p0",
            "p100",
            "tm90",
            "PR(:300)",
        ] {
            assert_eq!(Statistic::parse(name).unwrap().to_string(), name);
        }
        for name in ["average", "p101", "p-1", "pNaN", "tm", "", "p", "é"] {
            assert!(Statistic::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn single_values_have_all_statistics() {
        let mut bucket = Bucket::default();
        for (value, count) in [(4.0, 1.0), (1.0, 8.0), (10.0, 1.0)] {
            bucket.absorb(&Bucket::of_value(value, count));
        }
        let all = ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "p50", "p90", "p100"]
            .map(|name| bucket.statistic(Statistic::parse(name).unwrap()).unwrap());
        assert_eq!(all, [10.0, 2.2, 22.0, 1.0, 10.0, 1.0, 4.0, 10.0]);
        assert_eq!(Bucket::default().statistic(Statistic::Sum), None);
    }

    #[test]
    fn statistics_alone_tell_no_percentile_unless_all_samples_are_equal() {
        let p50 = Statistic::Percentile(0.5);
        assert_eq!(Bucket::of_statistics(10.0, 50.0, 1.0, 9.0).statistic(p50), None);
        assert_eq!(Bucket::of_statistics(10.0, 50.0, 5.0, 5.0).statistic(p50), Some(5.0));
        assert_eq!(Bucket::of_statistics(1.0, 4.0, 3.0, 5.0).statistic(p50), Some(4.0));
        assert_eq!(Bucket::of_value(-1.0, 1.0).statistic(p50), None);
    }

    #[test]
    fn percentiles_of_several_minutes_weigh_each_by_its_samples() {
        let minute = |samples: f64, p50: f64| {
            let quantiles = vec![(0.0, 0.0), (0.5, p50), (1.0, 2.0 * p50)];
            Bucket::of_curve(Curve { samples, quantiles }, samples * p50)
        };
        let p50 = Statistic::Percentile(0.5);
        assert_eq!(minute(10.0, 0.1).statistic(p50), Some(0.1));
        let mut both = minute(900.0, 0.1);
        both.absorb(&minute(100.0, 1.0));
        let median = both.statistic(p50).unwrap();
        assert!((0.1..0.13).contains(&median), "{median}");
        assert_eq!(both.statistic(Statistic::Percentile(1.0)), Some(2.0));
    }

    proptest! {
        #[test]
        fn percentiles_lie_between_the_extremes_and_rise(
            values in prop::collection::vec((0.0..1e6_f64, 1.0..50.0_f64), 1..20),
            spans in prop::collection::vec((0.0..1e3_f64, 0.0..1e3_f64, 1.0..100.0_f64), 0..4),
            shares in (0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let mut bucket = Bucket::default();
            for (value, count) in values {
                bucket.absorb(&Bucket::of_value(value, count));
            }
            for (from, width, samples) in spans {
                let quantiles = vec![(0.0, from), (1.0, from + width)];
                bucket.absorb(&Bucket::of_curve(Curve { samples, quantiles }, samples * (from + width / 2.0)));
            }
            let at = |share| bucket.statistic(Statistic::Percentile(share)).unwrap();
            let (low, high) = (at(shares.0.min(shares.1)), at(shares.0.max(shares.1)));
            prop_assert!(low <= high);
            prop_assert!(bucket.min <= low && high <= bucket.max);
        }
    }
}
