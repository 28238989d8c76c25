//! Rate limits of the services: token buckets, refilled as the emulator's time passes.
//!
//! The published ones are those of *Request throttling for the Amazon EC2 API* (buckets and refills) and *CloudWatch
//! service quotas* (transactions per second). "Each API is evaluated individually": every operation has a bucket of its
//! own, and those that start and end instances another one for the instances. Auto Scaling has one bucket for all its calls, whose size is not published;
//! the one here is a guess that an ordinary client does not meet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::faults::means;

/// A limit: one bucket for all operations that the name means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Such as `EC2.RunInstances`, `EC2.Describe*` or `*`.
    pub operation: String,
    /// Calls that may be made at once.
    pub burst: f64,
    /// Calls a second after that.
    pub per_second: f64,
}

/// The published limits, the most special first: the first that means an operation holds for it.
/// Where a name ends in `*`, each operation that it means has such a bucket.
const PUBLISHED: [(&str, f64, f64); 22] = [
    ("EC2.RunInstances", 5.0, 2.0),
    ("EC2.StartInstances", 5.0, 2.0),
    ("EC2.TerminateInstances", 100.0, 5.0),
    ("EC2.CreateTags", 100.0, 10.0),
    ("EC2.CreateLaunchTemplateVersion", 100.0, 5.0),
    ("EC2.ModifyLaunchTemplate", 100.0, 5.0),
    ("EC2.Describe*", 100.0, 20.0),
    ("EC2.Get*", 100.0, 20.0),
    ("EC2.*", 50.0, 5.0),
    ("CloudWatch.GetMetricData", 50.0, 50.0),
    ("CloudWatch.GetMetricStatistics", 400.0, 400.0),
    ("CloudWatch.PutMetricData", 500.0, 500.0),
    ("CloudWatch.ListMetrics", 25.0, 25.0),
    ("CloudWatch.DescribeAlarmHistory", 20.0, 20.0),
    ("CloudWatch.DescribeAlarmsForMetric", 9.0, 9.0),
    ("CloudWatch.DescribeAlarms", 9.0, 9.0),
    ("CloudWatch.DeleteAlarms", 3.0, 3.0),
    ("CloudWatch.PutMetricAlarm", 3.0, 3.0),
    ("CloudWatch.PutCompositeAlarm", 3.0, 3.0),
    ("CloudWatch.SetAlarmState", 3.0, 3.0),
    ("CloudWatch.*", 10.0, 10.0),
    ("AutoScaling.*", 100.0, 20.0),
];

/// Operations that have a bucket apart for calls that neither filter nor page: those of "unfiltered and unpaginated
/// non-mutating actions", with its size and refill.
const UNFILTERED: [&str; 7] = [
    "EC2.DescribeInstances",
    "EC2.DescribeInstanceStatus",
    "EC2.DescribeNetworkInterfaces",
    "EC2.DescribeSecurityGroups",
    "EC2.DescribeSnapshots",
    "EC2.DescribeSpotInstanceRequests",
    "EC2.DescribeVolumes",
];
const UNFILTERED_LIMIT: (f64, f64) = (50.0, 10.0);

/// The published limits of instances, whatever the number of calls: operation, instances at once, instances a second.
const RESOURCES: [(&str, f64, f64); 4] = [
    ("EC2.RunInstances", 1_000.0, 2.0),
    ("EC2.StartInstances", 1_000.0, 2.0),
    ("EC2.StopInstances", 1_000.0, 20.0),
    ("EC2.TerminateInstances", 1_000.0, 20.0),
];

/// The one bucket that all operations of a service share.
const SHARED: &str = "AutoScaling.*";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bucket {
    limit: Limit,
    level: f64,
    filled: Timestamp,
    /// Whether each operation that the limit means has a bucket of its own, made with its first call.
    #[serde(default)]
    each: bool,
    /// Whether it is for calls alone that neither filter nor page.
    #[serde(default)]
    unfiltered: bool,
    /// Whether it is one of those that the services publish.
    #[serde(default)]
    published: bool,
}

impl Bucket {
    fn full(limit: Limit, each: bool, now: Timestamp) -> Self {
        Self { level: limit.burst, limit, filled: now, each, unfiltered: false, published: false }
    }

    fn of_unfiltered(operation: &str, now: Timestamp) -> Self {
        let (burst, per_second) = UNFILTERED_LIMIT;
        let limit = Limit { operation: operation.to_owned(), burst, per_second };
        Self { unfiltered: true, published: true, ..Self::full(limit, false, now) }
    }

    fn published((operation, burst, per_second): (&str, f64, f64), now: Timestamp) -> Self {
        let each = operation.ends_with('*') && operation != SHARED;
        let limit = Limit { operation: operation.to_owned(), burst, per_second };
        Self { published: true, ..Self::full(limit, each, now) }
    }

    /// Takes tokens. False, and nothing taken, if there are too few.
    fn take(&mut self, tokens: f64, now: Timestamp) -> bool {
        let passed = now.duration_since(self.filled).as_secs_f64().max(0.0);
        self.level = (self.level + passed * self.limit.per_second).min(self.limit.burst);
        self.filled = now;
        let taken = self.level >= tokens;
        if taken {
            self.level -= tokens;
        }
        taken
    }
}

/// A call, as far as limits look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    /// Whether it neither filters nor pages.
    pub(crate) unfiltered: bool,
}

/// The limits in force.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rates {
    buckets: Vec<Bucket>,
    /// Those of instances.
    #[serde(default)]
    resources: Vec<Bucket>,
}

impl Rates {
    /// Puts a limit in force, before those that are.
    pub(crate) fn add(&mut self, limit: Limit, now: Timestamp) {
        self.buckets.insert(0, Bucket::full(limit, false, now));
    }

    /// Puts the published limits in force, behind those that are.
    pub(crate) fn add_published(&mut self, now: Timestamp) {
        self.buckets.extend(UNFILTERED.map(|operation| Bucket::of_unfiltered(operation, now)));
        self.buckets.extend(PUBLISHED.map(|limit| Bucket::published(limit, now)));
        self.resources.extend(RESOURCES.map(|limit| Bucket::published(limit, now)));
    }

    /// Ends all limits.
    pub(crate) fn clear(&mut self) {
        self.buckets.clear();
        self.resources.clear();
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Vec<&Limit> {
        self.buckets.iter().map(|bucket| &bucket.limit).collect()
    }

    /// Those of the limits in force that were asked for one by one.
    pub(crate) fn own(&self) -> Vec<&Limit> {
        self.buckets.iter().filter(|bucket| !bucket.published).map(|bucket| &bucket.limit).collect()
    }

    /// Whether the published limits are in force.
    pub(crate) fn are_published(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.published)
    }

    /// Takes a token for a call, and one for each of the instances that it is about. False if there are too few.
    pub(crate) fn take(&mut self, asked: Asked<'_>, instances: impl FnOnce() -> u32, now: Timestamp) -> bool {
        let operation = asked.operation;
        let is_meant = |bucket: &Bucket| {
            means(&bucket.limit.operation, operation) && (asked.unfiltered || !bucket.unfiltered)
        };
        if let Some(place) = self.buckets.iter().position(is_meant) {
            if self.buckets[place].each {
                let limit = Limit { operation: operation.to_owned(), ..self.buckets[place].limit.clone() };
                self.buckets.insert(place, Bucket { published: true, ..Bucket::full(limit, false, now) });
            }
            if !self.buckets[place].take(1.0, now) {
                return false;
            }
        }
        let resources = self.resources.iter_mut().find(|bucket| bucket.limit.operation == operation);
        resources.is_none_or(|bucket| bucket.take(f64::from(instances()), now))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn filtered(operation: &str) -> Asked<'_> {
        Asked { operation, unfiltered: false }
    }

    #[test]
    fn a_bucket_empties_by_calls_and_fills_as_time_passes() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        let one = || 1;
        let calls = |rates: &mut Rates, now| {
            (0..20).filter(|_| rates.take(filtered("EC2.RunInstances"), one, now)).count()
        };
        assert_eq!(calls(&mut rates, start), 5);
        assert_eq!(calls(&mut rates, start + SignedDuration::from_secs(2)), 4);
        assert_eq!(calls(&mut rates, start + SignedDuration::from_secs(600)), 5);
        assert!(rates.take(filtered("STS.GetCallerIdentity"), one, start));
    }

    #[test]
    fn a_limit_of_ones_own_comes_before_the_published_ones() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        rates.add(Limit { operation: "AutoScaling.*".to_owned(), burst: 1.0, per_second: 0.0 }, start);
        assert!(rates.take(filtered("AutoScaling.SetDesiredCapacity"), || 0, start));
        assert!(
            !rates.take(filtered("AutoScaling.DescribePolicies"), || 0, start),
            "one bucket for all that is meant"
        );
    }

    #[test]
    fn every_operation_of_ec2_has_a_bucket_of_its_own() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        let mut calls =
            |operation: &str| (0..200).filter(|_| rates.take(filtered(operation), || 0, start)).count();
        assert_eq!(calls("EC2.DescribeInstances"), 100);
        assert_eq!(calls("EC2.DescribeVpcs"), 100, "another operation is not held up");
        assert_eq!(calls("EC2.DeleteTags"), 50);
        assert_eq!((calls("AutoScaling.DescribePolicies"), calls("AutoScaling.DescribeTags")), (100, 0));
    }

    #[test]
    fn calls_that_neither_filter_nor_page_have_a_smaller_bucket_apart() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        let mut calls = |operation: &str, unfiltered: bool, after: i64| {
            let now = start + SignedDuration::from_secs(after);
            (0..200).filter(|_| rates.take(Asked { operation, unfiltered }, || 0, now)).count()
        };
        assert_eq!(calls("EC2.DescribeInstances", true, 0), 50);
        assert_eq!(calls("EC2.DescribeInstances", true, 2), 20, "ten come back a second");
        assert_eq!(calls("EC2.DescribeInstances", false, 2), 100);
        assert_eq!(calls("EC2.DescribeVpcs", true, 2), 100, "not every operation has one");
    }

    #[test]
    fn instances_are_limited_beside_the_calls_that_run_them() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        let mut run = |count: u32, after: i64| {
            rates.take(filtered("EC2.RunInstances"), || count, start + SignedDuration::from_secs(after))
        };
        assert_eq!([run(600, 0), run(600, 0), run(400, 0)], [true, false, true]);
        assert_eq!([run(201, 100), run(200, 100)], [false, true], "two come back a second");
    }
}
