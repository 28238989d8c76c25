//! What is remembered between decisions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::GroupConfig;
use crate::operation::OperationState;
use crate::snapshot::Snapshot;

/// What the controller has learned of a group; versioned, at most 32 KiB, rebuilt from history when lost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Seconds from an order to serving, `None` until one was seen.
    pub boot_seconds: Option<f64>,
}

impl Learned {
    /// Boot time until one has been learned.
    pub const DEFAULT_BOOT: Duration = Duration::from_secs(120);

    /// Time from an order to serving.
    pub fn boot_time(&self) -> Duration {
        self.boot_seconds.map_or(Self::DEFAULT_BOOT, Duration::from_secs_f64)
    }
}

/// Takes one observation in. Call it once per snapshot, before `decide`.
pub fn learn(
    _config: &GroupConfig,
    learned: Learned,
    _state: &OperationState,
    _snapshot: &Snapshot,
) -> Learned {
    learned
}
