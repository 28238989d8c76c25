//! Under which conditions policies are compared.

use std::time::Duration;

use scaling_fleet::Mebibytes;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::service::{MemoryModel, QueueModel, ServiceModel};
use scaling_policy::config::GroupConfig;

/// When a controller looks, and what it can then read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Length of a metric's period, in seconds: a multiple of [`STEP_SECONDS`](crate::STEP_SECONDS).
    pub period: u32,
    /// How long after its end a period can be read, in seconds.
    pub delay: u32,
    /// Time between two looks, in seconds: a multiple of [`STEP_SECONDS`](crate::STEP_SECONDS).
    pub tick: u32,
}

impl Feed {
    /// CloudWatch with detailed monitoring, looked at every minute: a minute is read 60 s after it ended.
    pub const CLOUDWATCH: Self = Self { period: 60, delay: 60, tick: 60 };

    /// Fifteen seconds without delay: what the prototype of the policy was measured with, and about what a metrics
    /// server inside a cluster gives.
    pub const PROMPT: Self = Self { period: 15, delay: 0, tick: 15 };
}

/// Everything of a comparison but the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// What the policy under test can read.
    pub feed: Feed,
    /// The service.
    pub service: ServiceModel,
    /// The service time that the load is scaled for is the true one times this: how far the capacity planning of the
    /// load was off. 1 is exact.
    pub planned_service: f64,
    /// How instances boot.
    pub boot: BootModel,
    /// How long an instance that has booted warms up: it is billed and the controller sees it warming, but it takes no
    /// load, and is in no metric.
    pub warm_up: Duration,
    /// The 95th percentile above which an interval is over, in seconds.
    pub latency_target: f64,
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// The `cpu_threshold` of the policy under test.
    pub cpu_threshold: f64,
    /// Share of metric periods that never arrive, 0 to 1.
    pub missing: f64,
    /// Noise of what is measured: each value of each period is off by a factor of its own, normal around 1 with this
    /// standard deviation. 0 is exact. What chance does to arrivals is apart from it, and always there.
    pub noise: f64,
    /// Size of the load: 1 puts the trace's high value at 40 replicas of the reference type.
    pub scale: f64,
    /// Everything random is drawn from it.
    pub seed: u64,
}

impl Conditions {
    /// A controller on CloudWatch: 50 ms a request, own queues, 250 ms at the 95th percentile, 120 s of boot, at least 2
    /// replicas.
    pub fn product() -> Self {
        let boot = Duration::from_secs(120);
        Self {
            feed: Feed::CLOUDWATCH,
            service: ServiceModel {
                service_seconds: 0.05,
                queue: QueueModel::Own,
                memory: MemoryModel {
                    base: vec![(Duration::ZERO, Mebibytes(1_500.0))],
                    per_busy_vcpu: 150.0,
                },
                timeout_seconds: 10.0,
            },
            planned_service: 1.0,
            boot: BootModel { shortest: boot, longest: boot },
            warm_up: Duration::ZERO,
            latency_target: 0.25,
            min: 2,
            max: 400,
            cpu_threshold: GroupConfig::with_defaults("simulated").triggers.cpu_usage.threshold,
            missing: 0.0,
            noise: 0.0,
            scale: 1.0,
            seed: 1,
        }
    }

    /// The same with metrics of 15 s without delay.
    pub fn prompt() -> Self {
        Self { feed: Feed::PROMPT, ..Self::product() }
    }

    /// From an instance's launch until it takes load at the latest.
    pub fn longest_start(&self) -> Duration {
        self.boot.longest + self.warm_up
    }

    /// The same with another queue model.
    #[must_use]
    pub fn with_queue(mut self, queue: QueueModel) -> Self {
        self.service.queue = queue;
        self
    }
}
