//! Counts of the requests received, by operation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of the requests received, by names such as `AutoScaling.DescribeAutoScalingGroups`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RequestLog {
    counts: BTreeMap<String, u64>,
}

impl RequestLog {
    pub(crate) fn count(&mut self, name: &str) {
        match self.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(name.to_owned(), 1)),
        }
    }

    pub(crate) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }
}
