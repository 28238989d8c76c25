//! What a group's instances have to do.

use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use serde::{Deserialize, Serialize};

/// The load on a group and the service that answers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workload {
    /// Requests per second over time.
    pub load: Load,
    /// The service. Its memory curve starts when the workload is set.
    pub service: ServiceModel,
    /// How instances boot.
    pub boot: BootModel,
    /// Arrivals and boot times are drawn from it.
    pub seed: u64,
    /// The 95th percentile above which an interval counts as over in the totals, in seconds.
    pub latency_target: f64,
}

impl Workload {
    /// A load on a service, with the default boot, seed 1 and a target of 250 ms.
    pub fn new(load: Load, service: ServiceModel) -> Self {
        Self { load, service, boot: BootModel::default(), seed: 1, latency_target: 0.25 }
    }
}
