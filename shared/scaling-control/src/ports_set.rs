//! The ports together, as the loop holds them.

use std::sync::Arc;

use crate::ports::{Clock, GroupReader, GroupWriter, MetricReader, StateStore};

/// One of each port.
#[derive(Clone)]
pub struct Ports {
    /// Reads groups.
    pub groups: Arc<dyn GroupReader>,
    /// Changes groups.
    pub writer: Arc<dyn GroupWriter>,
    /// Reads metrics.
    pub metrics: Arc<dyn MetricReader>,
    /// Keeps state.
    pub store: Arc<dyn StateStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}
