//! What one simulated service needs: processor time per request, memory per replica, and how it queues.
//!
//! This is the simulated truth. The policy never sees it; it estimates what it needs from metrics.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::Mebibytes;

/// How requests find a free vCPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueModel {
    /// Each replica has its own queue in front of its vCPU, and requests are spread in proportion to vCPU.
    #[default]
    Own,
    /// One queue in front of all vCPU.
    Shared,
}

/// A service as the fleet simulates it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceModel {
    /// Mean processor time of one request on one vCPU, in seconds.
    pub service_seconds: f64,
    /// How requests queue.
    pub queue: QueueModel,
    /// Memory.
    pub memory: MemoryModel,
    /// A request that would wait longer than this is given up and counts as over any target, in seconds.
    pub timeout_seconds: f64,
}

/// Memory that a replica has in use: a resident base, and a part that grows with the work it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryModel {
    /// Resident base over time since the start: the value holds from its moment on, with straight lines between.
    pub base: Vec<(Duration, Mebibytes)>,
    /// MiB for each busy vCPU.
    pub per_busy_vcpu: f64,
}

impl MemoryModel {
    /// The resident base at `since_start`.
    pub fn base_at(&self, since_start: Duration) -> Mebibytes {
        let after = self.base.partition_point(|(moment, _)| *moment <= since_start);
        let Some(&(t0, b0)) = after.checked_sub(1).and_then(|before| self.base.get(before)) else {
            return self.base.first().map_or(Mebibytes(0.0), |&(_, base)| base);
        };
        let Some(&(t1, b1)) = self.base.get(after) else { return b0 };
        let share = since_start.saturating_sub(t0).as_secs_f64() / t1.saturating_sub(t0).as_secs_f64();
        Mebibytes(b0.0 + (b1.0 - b0.0) * share)
    }
}

impl ServiceModel {
    /// The service the demo runs: 50 ms a request, own queues, and a resident base of 1.5 GiB that grows to
    /// 6.5 GiB in the course of the fourth day (a larger ephemeris in memory, say).
    pub fn demo() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            service_seconds: 0.05,
            queue: QueueModel::Own,
            memory: MemoryModel {
                base: vec![
                    (Duration::ZERO, Mebibytes(1_500.0)),
                    (day * 3 + day / 4, Mebibytes(1_500.0)),
                    (day * 3 + day * 3 / 4, Mebibytes(6_500.0)),
                ],
                per_busy_vcpu: 150.0,
            },
            timeout_seconds: 10.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_flat_then_grows_then_stays() {
        let memory = ServiceModel::demo().memory;
        let hours = |h: u64| memory.base_at(Duration::from_secs(h * 3600)).0;
        assert_eq!(
            [hours(0), hours(78), hours(84), hours(90), hours(160)],
            [1500.0, 1500.0, 4000.0, 6500.0, 6500.0]
        );
    }
}
