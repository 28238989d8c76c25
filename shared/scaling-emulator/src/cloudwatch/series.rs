//! A metric by period: what was put and what the fleet did, aggregated.

use std::collections::BTreeMap;

use super::metric::{MetricKey, invalid};
use super::{fleet, statistic::Bucket};
use crate::region::Region;
use crate::wire::AwsError;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What is asked of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<'a> {
    /// Start of the first period, in seconds since the epoch.
    pub from: i64,
    /// Periods begin before this.
    pub to: i64,
    /// Length of a period in seconds, above 0.
    pub period: i64,
    /// Only samples of this unit.
    pub unit: Option<&'a str>,
}

/// Buckets of the window's periods with samples, by start and unit.
pub fn by_unit(
    region: &Region,
    key: &MetricKey,
    window: Window<'_>,
) -> BTreeMap<(i64, &'static str), Bucket> {
    let mut periods = BTreeMap::<(i64, &'static str), Bucket>::new();
    let start = |second: i64| window.from + (second - window.from).div_euclid(window.period) * window.period;
    // The last period begins before `to` and ends behind it: its samples up to there count.
    for (second, unit, bucket) in region.cloudwatch.custom.samples(key, window.unit, window.from, window.to) {
        periods.entry((start(second), unit)).or_default().absorb(bucket);
    }
    for (second, unit, bucket) in fleet::samples(region, key, window.from, window.to) {
        if window.unit.is_none_or(|wanted| wanted == unit) {
            periods.entry((start(second), unit)).or_default().absorb(&bucket);
        }
    }
    periods
}

/// Buckets of the window's periods with samples, by start.
pub fn read(region: &Region, key: &MetricKey, window: Window<'_>) -> BTreeMap<i64, Bucket> {
    let mut periods = BTreeMap::<i64, Bucket>::new();
    for ((start, _), bucket) in by_unit(region, key, window) {
        periods.entry(start).or_default().absorb(&bucket);
    }
    periods
}

/// A period, which must be 1, 5, 10, 20, 30 or a multiple of 60, and at most a day.
///
/// # Errors
/// `InvalidParameterValue` for any other.
pub fn period(seconds: i64, member: &str) -> Result<i64, AwsError> {
    let allowed = matches!(seconds, 1 | 5 | 10 | 20 | 30) || (seconds >= 60 && seconds % 60 == 0);
    match seconds {
        _ if !allowed => Err(invalid(format!(
            "The parameter {member} must be 1, 5, 10, 20, 30, or a multiple of 60; it is {seconds}."
        ))),
        _ if seconds > DAY => Err(invalid(format!("The parameter {member} must not be above {DAY}."))),
        _ => Ok(seconds),
    }
}

/// The finest period for which points that old exist: 1 s for 3 hours, 60 s for 15 days, 5 minutes for 63 days, then an
/// hour. A period that is no multiple of it finds nothing.
pub fn resolution(age: i64) -> i64 {
    match age {
        _ if age <= 3 * HOUR => 1,
        _ if age <= 15 * DAY => 60,
        _ if age <= 63 * DAY => 300,
        _ => HOUR,
    }
}

/// A start as the service rounds it down: to the minute or coarser, or to the period where that is shorter.
pub fn rounded_start(start: i64, period: i64, now: i64) -> i64 {
    let grid = if period < 60 { period } else { resolution(now - start).max(60) };
    start.div_euclid(grid) * grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_services_rule() {
        for allowed in [1, 5, 10, 20, 30, 60, 300, 86_400] {
            assert!(period(allowed, "Period").is_ok(), "{allowed}");
        }
        for refused in [0, -60, 2, 45, 61, 90, 86_460] {
            assert_eq!(period(refused, "Period").unwrap_err().code, "InvalidParameterValue", "{refused}");
        }
    }

    #[test]
    fn starts_are_rounded_by_age_and_period() {
        let now = 100 * DAY;
        assert_eq!(rounded_start(now - 1, 60, now), now - 60);
        assert_eq!(rounded_start(now - 1, 10, now), now - 10);
        assert_eq!(rounded_start(now - 20 * DAY - 1, 60, now), now - 20 * DAY - 300);
        assert_eq!(rounded_start(now - 70 * DAY - 1, 300, now), now - 70 * DAY - HOUR);
    }
}
