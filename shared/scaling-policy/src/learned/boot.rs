//! How long an ordered replica takes to serve, measured from the orders that were seen through.
//!
//! The group is looked at once a period, so an arrival is known to lie between two looks; the middle is taken.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::GroupConfig;
use crate::operation::OperationState;
use crate::snapshot::Snapshot;

/// Boot time until an order was seen through: a typical image with agent and load-balancer registration.
const PRIOR: Duration = Duration::from_secs(120);

/// Weight of one more observation. Slow starts count more than quick ones: being late costs the target.
const SLOWER: f64 = 0.3;
const QUICKER: f64 = 0.1;

/// Learned time from order to serving.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BootTime {
    /// Estimate in seconds; `None` until an order was seen through.
    pub seconds: Option<f64>,
    /// The order that is followed.
    outstanding: Option<Order>,
    /// The newest order that was followed, or left alone.
    followed: Option<Timestamp>,
    /// The last look.
    looked: Option<Timestamp>,
}

/// An order on its way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Order {
    at: Timestamp,
    /// Replicas that serve once it is there.
    count: u32,
}

impl BootTime {
    /// The estimate, or the prior of 120 s. Never under 10 s nor over an hour.
    pub fn estimate(&self) -> Duration {
        self.seconds.map_or(PRIOR, |seconds| Duration::from_secs_f64(seconds.clamp(10.0, 3600.0)))
    }

    pub(super) fn observe(&mut self, config: &GroupConfig, state: &OperationState, snapshot: &Snapshot) {
        let (group, now) = (&snapshot.group, snapshot.taken_at);
        let before = self.looked.replace(now);
        if self.outstanding.is_none() && state.last_up > self.followed {
            self.followed = state.last_up;
            // An order from before the last look may have been there at once; nobody saw when.
            let fresh = state.last_up.filter(|at| before.is_none_or(|before| *at >= before) && *at <= now);
            self.outstanding = fresh.map(|at| Order { at, count: group.desired });
        }
        let Some(order) = self.outstanding else { return };
        let since = |moment: Timestamp| moment.duration_since(order.at).as_secs_f64();
        let given_up = since(now) > config.launch_timeout.as_secs_f64();
        if group.desired < order.count || given_up {
            self.outstanding = None;
        } else if group.serving() >= order.count {
            let earliest = before.map_or(0.0, |before| since(before).max(0.0));
            self.take(f64::midpoint(earliest, since(now)));
            self.outstanding = None;
        }
    }

    fn take(&mut self, seconds: f64) {
        let before = self.seconds.unwrap_or(PRIOR.as_secs_f64());
        let weight = if seconds > before { SLOWER } else { QUICKER };
        self.seconds = Some((before + weight * (seconds - before)).clamp(10.0, 3600.0));
    }
}
