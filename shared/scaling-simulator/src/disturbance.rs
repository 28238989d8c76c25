//! Conditions that are not as they were planned: what a ranking of policies has to survive.

use scaling_fleet::Mebibytes;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::service::QueueModel;

use crate::conditions::Conditions;

/// What is otherwise than planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// An instance can take a fifth more than it was planned to.
    MoreCapacity,
    /// An instance can take a fifth less.
    LessCapacity,
    /// Instances take twice as long to boot.
    SlowBoot,
    /// Metrics can be read two minutes after they ended, by everybody.
    LateMetrics,
    /// One of twenty datapoints never arrives.
    MissingPoints,
    /// A request takes half the time.
    ShortRequests,
    /// A request takes twice the time. So does the latency target: with 100 ms of exponential service even an idle
    /// instance has its 95th percentile at 300 ms, and no fleet holds 250.
    LongRequests,
    /// One queue before all instances instead of one each, or the other way round.
    OtherQueue,
    /// Three times the memory per replica and ten times as much for the work it does.
    MoreMemory,
}

impl Disturbance {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MoreCapacity,
        Self::LessCapacity,
        Self::SlowBoot,
        Self::LateMetrics,
        Self::MissingPoints,
        Self::ShortRequests,
        Self::LongRequests,
        Self::OtherQueue,
        Self::MoreMemory,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MoreCapacity => "capacity +20 %",
            Self::LessCapacity => "capacity -20 %",
            Self::SlowBoot => "boot x2",
            Self::LateMetrics => "metrics 2 min late",
            Self::MissingPoints => "5 % of points missing",
            Self::ShortRequests => "service time x0.5",
            Self::LongRequests => "service time x2",
            Self::OtherQueue => "other queue",
            Self::MoreMemory => "more memory",
        }
    }

    /// These conditions, disturbed.
    pub fn of(self, conditions: &Conditions) -> Conditions {
        let mut disturbed = conditions.clone();
        let service = &mut disturbed.service;
        match self {
            Self::MoreCapacity => disturbed.planned_service *= 1.2,
            Self::LessCapacity => disturbed.planned_service *= 0.8,
            Self::SlowBoot => {
                let BootModel { shortest, longest } = disturbed.boot;
                disturbed.boot = BootModel { shortest: shortest * 2, longest: longest * 2 };
            }
            Self::LateMetrics => disturbed.feed.delay = 120,
            Self::MissingPoints => disturbed.missing = 0.05,
            Self::ShortRequests => service.service_seconds *= 0.5,
            Self::LongRequests => {
                service.service_seconds *= 2.0;
                disturbed.latency_target *= 2.0;
            }
            Self::OtherQueue => {
                service.queue = match service.queue {
                    QueueModel::Own => QueueModel::Shared,
                    QueueModel::Shared => QueueModel::Own,
                };
            }
            Self::MoreMemory => {
                for (_, base) in &mut service.memory.base {
                    *base = Mebibytes(base.0 * 3.0);
                }
                service.memory.per_busy_vcpu *= 10.0;
            }
        }
        disturbed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_disturbance_changes_something_and_has_a_name_of_its_own() {
        let planned = Conditions::product();
        let mut names = Vec::new();
        for disturbance in Disturbance::ALL {
            assert_ne!(disturbance.of(&planned), planned, "{disturbance:?}");
            assert!(!names.contains(&disturbance.name()), "{disturbance:?}");
            names.push(disturbance.name());
        }
    }

    #[test]
    fn the_other_queue_of_the_other_is_the_first() {
        let planned = Conditions::product();
        assert_eq!(Disturbance::OtherQueue.of(&Disturbance::OtherQueue.of(&planned)), planned);
    }
}
