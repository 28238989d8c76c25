//! Running totals of a group since its workload was set.

use scaling_fleet::fleet::Interval;
use serde::{Deserialize, Serialize};

/// Running totals of a group since its workload was set.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupTotals {
    /// Time covered, in seconds.
    pub seconds: f64,
    /// Steps covered.
    pub intervals: u64,
    /// Steps in which the 95th percentile was over the workload's target, or requests were given up.
    pub intervals_over: u64,
    /// Time of such steps, in seconds.
    pub seconds_over: f64,
    /// Requests that arrived.
    pub requests: f64,
    /// Requests that arrived in steps over the target.
    pub requests_over: f64,
    /// Requests given up after the time-out.
    pub timed_out: f64,
    /// Hours of instances, booting and ending included.
    pub instance_hours: f64,
    /// vCPU hours that served.
    pub serving_vcpu_hours: f64,
    /// Money spent, in USD.
    pub cost_usd: f64,
    /// Most replicas that served at once.
    pub peak_serving: u32,
}

impl GroupTotals {
    pub(crate) fn add(&mut self, seconds: f64, interval: &Interval, target: f64) {
        self.seconds += seconds;
        self.intervals += 1;
        self.requests += interval.requests;
        self.timed_out += interval.timed_out;
        self.instance_hours += interval.instance_hours;
        self.serving_vcpu_hours += interval.serving_vcpu * seconds / 3600.0;
        self.cost_usd += interval.cost_usd;
        self.peak_serving = self.peak_serving.max(interval.serving);
        if interval.is_over(target) {
            self.intervals_over += 1;
            self.seconds_over += seconds;
            self.requests_over += interval.requests;
        }
    }
}
