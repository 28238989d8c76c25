//! What a group's instances have to do.

use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;

/// The load on a group and the service that answers it.
#[derive(Debug, Clone)]
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
