//! Rate limits of the services: token buckets, refilled as the emulator's time passes.
//!
//! The published ones are those of *Request throttling for the Amazon EC2 API* (buckets and refills) and *CloudWatch
//! service quotas* (transactions per second). Auto Scaling has one bucket for all its calls, whose size is not published;
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

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bucket {
    limit: Limit,
    level: f64,
    filled: Timestamp,
}

/// The limits in force.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rates {
    buckets: Vec<Bucket>,
}

impl Rates {
    /// Puts a limit in force, before those that are.
    pub(crate) fn add(&mut self, limit: Limit, now: Timestamp) {
        let level = limit.burst;
        self.buckets.insert(0, Bucket { limit, level, filled: now });
    }

    /// Puts the published limits in force, behind those that are.
    pub(crate) fn add_published(&mut self, now: Timestamp) {
        self.buckets.extend(PUBLISHED.map(|(operation, burst, per_second)| Bucket {
            limit: Limit { operation: operation.to_owned(), burst, per_second },
            level: burst,
            filled: now,
        }));
    }

    /// Ends all limits.
    pub(crate) fn clear(&mut self) {
        self.buckets.clear();
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Vec<&Limit> {
        self.buckets.iter().map(|bucket| &bucket.limit).collect()
    }

    /// Takes a token for a call. False if there is none.
    pub(crate) fn take(&mut self, operation: &str, now: Timestamp) -> bool {
        let Some(bucket) = self.buckets.iter_mut().find(|bucket| means(&bucket.limit.operation, operation))
        else {
            return true;
        };
        let passed = now.duration_since(bucket.filled).as_secs_f64().max(0.0);
        bucket.level = (bucket.level + passed * bucket.limit.per_second).min(bucket.limit.burst);
        bucket.filled = now;
        let taken = bucket.level >= 1.0;
        if taken {
            bucket.level -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_bucket_empties_by_calls_and_fills_as_time_passes() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        let calls = |rates: &mut Rates, now| (0..20).filter(|_| rates.take("EC2.RunInstances", now)).count();
        assert_eq!(calls(&mut rates, start), 5);
        assert_eq!(calls(&mut rates, start + SignedDuration::from_secs(2)), 4);
        assert_eq!(calls(&mut rates, start + SignedDuration::from_secs(600)), 5);
        assert!(rates.take("STS.GetCallerIdentity", start));
    }

    #[test]
    fn a_limit_of_ones_own_comes_before_the_published_ones() {
        let mut rates = Rates::default();
        let start = Timestamp::UNIX_EPOCH;
        rates.add_published(start);
        rates.add(Limit { operation: "AutoScaling.*".to_owned(), burst: 1.0, per_second: 0.0 }, start);
        assert!(rates.take("AutoScaling.SetDesiredCapacity", start));
        assert!(!rates.take("AutoScaling.DescribePolicies", start), "one bucket for all that is meant");
    }
}
