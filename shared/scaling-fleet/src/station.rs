//! What serving replicas do with the requests of one interval: the arithmetic of the fleet's model, without instances.
//!
//! Both [`Fleet`](crate::fleet::Fleet) and the simulator of policies serve through [`serve`], so that they can not
//! drift apart. The model is described there.
//!
//! Its percentiles are those of the steady state. Customers simulated one by one meet them within 2 %, at instances with a
//! queue each and in one shared queue (`scaling-simulator/tests/model.rs`); where instances differ in size, the percentiles
//! are those of the slowest, and too high for all together.

use crate::latency::Quantiles;
use crate::service::{QueueModel, ServiceModel};
use crate::units::{Mebibytes, Vcpu};

/// Share of its speed that a replica keeps once its memory is full and it swaps.
pub const SWAPPING_SPEED: f64 = 0.3;

/// Replicas of one machine: routing in proportion to vCPU makes them alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// vCPU of each.
    pub servers: u32,
    /// Memory of each.
    pub memory: Mebibytes,
    /// How many there are.
    pub count: u32,
}

impl Station {
    /// vCPU of all of them.
    pub fn vcpu(&self) -> f64 {
        f64::from(self.servers) * f64::from(self.count)
    }
}

/// What there is to do in an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// Requests that arrive in it.
    pub requests: f64,
    /// Requests left over from before.
    pub backlog: f64,
    /// Its length; greater than 0.
    pub seconds: f64,
    /// What each replica holds in memory whatever it does.
    pub memory_base: Mebibytes,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Served {
    /// Mean CPU utilisation, 0 to 1; `None` when no replica serves.
    pub cpu: Option<f64>,
    /// Mean memory utilisation, 0 to 1; `None` when no replica serves.
    pub memory: Option<f64>,
    /// Median response time in seconds; `None` without requests.
    pub latency_p50: Option<f64>,
    /// 95th percentile of the response time in seconds; `None` without requests.
    pub latency_p95: Option<f64>,
    /// Requests given up after the time-out.
    pub timed_out: f64,
    /// Requests left over for the next interval.
    pub backlog: f64,
}

/// Serves one interval.
pub fn serve(
    service: &ServiceModel,
    latency: &mut impl Quantiles,
    stations: &[Station],
    work: Work,
) -> Served {
    let busy = (work.requests + work.backlog) * service.service_seconds / work.seconds;
    let vcpu: f64 = stations.iter().map(Station::vcpu).sum();
    let utilisation = if vcpu > 0.0 { (busy / vcpu).min(1.0) } else { 0.0 };
    let memory = |station: &Station| {
        let used =
            work.memory_base.0 + service.memory.per_busy_vcpu * utilisation * f64::from(station.servers);
        used / station.memory.0
    };
    let speed = |station: &Station| if memory(station) >= 1.0 { SWAPPING_SPEED } else { 1.0 };
    let capacity: f64 = stations.iter().map(|station| station.vcpu() * speed(station)).sum();
    let mut served = Served::default();
    let replicas: u32 = stations.iter().map(|station| station.count).sum();
    if replicas > 0 {
        served.cpu = Some(if capacity > 0.0 { (busy / capacity).min(1.0) } else { 1.0 });
        let filled: f64 = stations.iter().map(|s| memory(s).min(1.0) * f64::from(s.count)).sum();
        served.memory = Some(filled / f64::from(replicas));
    }
    // Work that was not done waits, in vCPU seconds; what would wait too long is given up.
    let undone = ((busy - capacity) * work.seconds).max(0.0);
    let waiting = undone.min(service.timeout_seconds * capacity);
    served.backlog = waiting / service.service_seconds;
    served.timed_out = (undone - waiting) / service.service_seconds;
    if work.requests > 0.0 {
        let delay = if capacity > 0.0 { waiting / capacity } else { service.timeout_seconds };
        let (p50, p95) = queueing(service, latency, stations, (busy, capacity));
        let seconds =
            |quantile: f64| (quantile * service.service_seconds + delay).min(service.timeout_seconds);
        (served.latency_p50, served.latency_p95) = (Some(seconds(p50)), Some(seconds(p95)));
    }
    served
}

/// Median and 95th percentile from the stations' queues, in service times, without the backlog of an overload: an
/// overloaded interval is taken at the highest utilisation that has a steady state, where the backlog dominates anyway.
fn queueing(
    service: &ServiceModel,
    latency: &mut impl Quantiles,
    stations: &[Station],
    (busy, capacity): (f64, f64),
) -> (f64, f64) {
    if capacity <= 0.0 {
        return (0.0, 0.0);
    }
    let utilisation = busy / capacity;
    match service.queue {
        QueueModel::Shared => latency.quantiles(Vcpu(capacity).servers(), utilisation),
        QueueModel::Own => stations.iter().fold((0.0, 0.0), |slowest, station| {
            let (p50, p95) = latency.quantiles(station.servers, utilisation);
            (slowest.0.max(p50), slowest.1.max(p95))
        }),
    }
}
