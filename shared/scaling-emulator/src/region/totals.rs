//! Running totals of a group since its workload was set.

/// Running totals of a group since its workload was set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupTotals {
    /// Time covered, in seconds.
    pub seconds: f64,
    /// Steps covered.
    pub intervals: u64,
    /// Requests that arrived.
    pub requests: f64,
    /// Requests given up after the time-out.
    pub timed_out: f64,
    /// Time in which the 95th percentile was over the workload's target, in seconds.
    pub seconds_over: f64,
    /// Requests that arrived in such time.
    pub requests_over: f64,
    /// Hours of instances, booting included.
    pub instance_hours: f64,
    /// Money spent, in USD.
    pub cost_usd: f64,
}
