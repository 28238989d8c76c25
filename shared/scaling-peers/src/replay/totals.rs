//! Running totals of a replay.

use scaling_fleet::fleet::Interval;
use serde::Serialize;

/// Running totals of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Totals {
    /// Requests that arrived.
    pub requests: f64,
    /// Requests that arrived in intervals (15 s) whose 95th percentile was over the target, or in which requests
    /// were given up.
    pub requests_over: f64,
    /// Time of such intervals, in minutes.
    pub minutes_over: f64,
    /// Requests given up after the time-out.
    pub timed_out: f64,
    /// Hours of instances, booting included.
    pub instance_hours: f64,
    /// Money spent, in USD.
    pub cost_usd: f64,
    /// Changes of the desired capacity.
    pub operations: u32,
    /// Changes of the type that were begun.
    pub type_changes_begun: u32,
    /// Changes of the type after which every instance had the new type.
    pub type_changes: u32,
}

impl Totals {
    /// Share of the requests that arrived in intervals over the target, 0 to 1; 0 without requests.
    pub fn share_over(&self) -> f64 {
        if self.requests > 0.0 { self.requests_over / self.requests } else { 0.0 }
    }

    pub(super) fn add(&mut self, seconds: f64, interval: &Interval, target: f64) {
        self.requests += interval.requests;
        self.timed_out += interval.timed_out;
        self.instance_hours += interval.instance_hours;
        self.cost_usd += interval.cost_usd;
        if interval.is_over(target) {
            self.requests_over += interval.requests;
            self.minutes_over += seconds / 60.0;
        }
    }
}
