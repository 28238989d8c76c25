//! How long an ordered replica takes to serve, measured from the orders that were seen through.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;

/// Boot time until an order was seen through: a typical image with agent and load-balancer registration.
const PRIOR: Duration = Duration::from_secs(120);

/// Weight of one more observation. Slow starts count more than quick ones: being late costs the target.
const SLOWER: f64 = 0.5;
const QUICKER: f64 = 0.1;

/// Learned time from order to serving.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BootTime {
    /// Estimate in seconds; `None` until an order was seen through.
    pub seconds: Option<f64>,
    /// An order on its way: when it was first seen, and the count it leads to.
    pub outstanding: Option<(Timestamp, u32)>,
}

impl BootTime {
    /// The estimate, or the prior of 120 s. Never under 10 s nor over an hour.
    pub fn estimate(&self) -> Duration {
        self.seconds.map_or(PRIOR, |seconds| Duration::from_secs_f64(seconds.clamp(10.0, 3600.0)))
    }

    pub(super) fn observe(&mut self, snapshot: &Snapshot) {
        let group = &snapshot.group;
        let complete = group.serving() >= group.desired;
        match self.outstanding {
            Some((since, ordered)) if complete && group.desired >= ordered => {
                let seconds = snapshot.taken_at.duration_since(since).as_secs_f64();
                self.take(seconds);
                self.outstanding = None;
            }
            Some((_, ordered)) if group.desired < ordered => self.outstanding = None,
            None if !complete => self.outstanding = Some((snapshot.taken_at, group.desired)),
            Some(_) | None => {}
        }
    }

    fn take(&mut self, seconds: f64) {
        let seconds = seconds.clamp(10.0, 3600.0);
        self.seconds = Some(match self.seconds {
            None => seconds,
            Some(before) => {
                let weight = if seconds > before { SLOWER } else { QUICKER };
                before + weight * (seconds - before)
            }
        });
    }
}
