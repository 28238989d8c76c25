//! Metrics that callers put.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::metric::MetricKey;
use super::statistic::Bucket;

/// How long samples are kept. CloudWatch keeps one-minute points for 15 days, and coarser ones for longer, which this
/// emulator does not.
pub const KEPT: SignedDuration = SignedDuration::from_hours(15 * 24);

/// How long a metric without new samples is listed.
const LISTED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The samples of one metric.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Series {
    /// By unit, then by the second that they belong to.
    #[serde(deserialize_with = "crate::kept::forms::units")]
    units: BTreeMap<&'static str, BTreeMap<i64, Bucket>>,
    last_put: Timestamp,
}

/// Metrics that callers put.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CustomMetrics {
    #[serde(with = "crate::kept::forms::pairs")]
    series: BTreeMap<MetricKey, Series>,
}

impl CustomMetrics {
    /// Adds samples at `second`, which is a whole minute unless the metric has a high resolution.
    pub fn put(&mut self, key: MetricKey, unit: &'static str, second: i64, samples: &Bucket, now: Timestamp) {
        let series = self.series.entry(key).or_default();
        series.last_put = now;
        let points = series.units.entry(unit).or_default();
        points.entry(second).or_default().absorb(samples);
        let oldest = now.as_second() - KEPT.as_secs();
        while points.first_key_value().is_some_and(|(second, _)| *second < oldest) {
            points.pop_first();
        }
    }

    /// Whether the metric was ever put.
    pub fn contains(&self, key: &MetricKey) -> bool {
        self.series.contains_key(key)
    }

    /// Samples of the seconds in `[from, to)` with their unit, oldest first for each unit.
    pub fn samples(
        &self,
        key: &MetricKey,
        unit: Option<&str>,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (i64, &'static str, &Bucket)> {
        let units = self.series.get(key).into_iter().flat_map(|series| &series.units);
        units.filter(move |(known, _)| unit.is_none_or(|unit| unit == **known)).flat_map(
            move |(known, points)| {
                points.range(from..to.max(from)).map(move |(second, bucket)| (*second, *known, bucket))
            },
        )
    }

    /// Metrics with samples in the last two weeks, or since `since`.
    pub fn listed(&self, now: Timestamp, since: Option<Timestamp>) -> impl Iterator<Item = &MetricKey> {
        let since = since.unwrap_or(now - LISTED);
        self.series.iter().filter(move |(_, series)| series.last_put >= since).map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_kept_for_fifteen_days_and_listed_for_fourteen() {
        let mut metrics = CustomMetrics::default();
        let key = MetricKey::new("Shop", "Orders", &[]);
        let start = Timestamp::from_second(1_767_571_200).unwrap();
        metrics.put(key.clone(), "Count", start.as_second(), &Bucket::of_value(1.0, 1.0), start);
        assert_eq!(metrics.listed(start + SignedDuration::from_hours(24 * 13), None).count(), 1);
        assert_eq!(metrics.listed(start + SignedDuration::from_hours(24 * 15), None).count(), 0);
        let later = start + KEPT + SignedDuration::from_secs(60);
        metrics.put(key.clone(), "Count", later.as_second(), &Bucket::of_value(1.0, 1.0), later);
        assert_eq!(metrics.samples(&key, None, 0, i64::MAX).count(), 1);
        assert_eq!(metrics.samples(&key, Some("None"), 0, i64::MAX).count(), 0);
    }
}
