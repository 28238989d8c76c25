//! A store after whose first write nothing moves for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::SteppedClock;
use crate::error::PortError;
use crate::ports::{Expected, NewRecord, Record, StateStore};

/// Delays its caller after the first write.
pub struct Stalling {
    inner: Arc<dyn StateStore>,
    clock: Arc<SteppedClock>,
    seconds: u64,
    stalled: AtomicBool,
}

impl Stalling {
    /// Lets `seconds` pass on `clock` after the first write.
    pub fn after_put(inner: Arc<dyn StateStore>, clock: Arc<SteppedClock>, seconds: u64) -> Self {
        Self { inner, clock, seconds, stalled: AtomicBool::new(false) }
    }
}

#[async_trait]
impl StateStore for Stalling {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.inner.get(key).await
    }
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.inner.get_many(keys).await
    }
    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        let version = self.inner.put_with(record, expected, along).await?;
        if !self.stalled.swap(true, Ordering::SeqCst) {
            self.clock.advance_seconds(self.seconds);
        }
        Ok(version)
    }
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.inner.append(records).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.inner.delete(key).await
    }
}
