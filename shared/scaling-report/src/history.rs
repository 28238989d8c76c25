//! What metrics say of the past.

use std::time::Duration;

use jiff::Timestamp;
use scaling_policy::snapshot::{GroupView, RetypeSupport, TypeOffer};

/// One period of the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// When it ended.
    pub at: Timestamp,
    /// Mean CPU utilisation, 0 to 1.
    pub cpu: Option<f64>,
    /// Mean memory utilisation, 0 to 1.
    pub memory: Option<f64>,
    /// Requests per minute of the whole group.
    pub requests: Option<f64>,
    /// Response time in seconds.
    pub latency: Option<f64>,
    /// Replicas that served, in the mean of the period.
    pub replicas: f64,
}

/// The past of one group, oldest period first, on one type.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Length of a period.
    pub period: Duration,
    /// What ran.
    pub offer: TypeOffer,
    /// The periods that are known; those without CPU are left out of the comparison.
    pub points: Vec<Past>,
    /// Whether the number of replicas was read for each period, or is that of now for all of them.
    pub replicas_known: bool,
    /// What the group allows, as it is now.
    pub limits: GroupLimits,
}

/// What a group allows, whatever the configuration would.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupLimits {
    /// Its own minimum.
    pub min: u32,
    /// Its own maximum.
    pub max: u32,
    /// Whether its type can be changed.
    pub retype: RetypeSupport,
}

impl GroupLimits {
    /// Those of a group as the platform shows it.
    pub fn of(group: &GroupView) -> Self {
        Self { min: group.min, max: group.max, retype: group.retype.clone() }
    }
}

impl History {
    /// The periods that can be compared.
    pub fn known(&self) -> impl Iterator<Item = (&Past, f64)> {
        self.points.iter().filter_map(|past| Some((past, past.cpu?))).filter(|(past, _)| past.replicas > 0.0)
    }
}
