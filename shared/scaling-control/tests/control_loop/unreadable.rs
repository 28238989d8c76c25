//! A store that cannot give one record the first time it is asked for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord, Record, StateStore};

pub(crate) struct UnreadableOnce {
    inner: Arc<dyn StateStore>,
    key: String,
    was_asked: AtomicBool,
}

impl UnreadableOnce {
    pub(crate) fn of(inner: Arc<dyn StateStore>, key: String) -> Self {
        Self { inner, key, was_asked: AtomicBool::new(false) }
    }
}

#[async_trait]
impl StateStore for UnreadableOnce {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        if key == self.key && !self.was_asked.swap(true, Ordering::SeqCst) {
            return Err(PortError::Throttled { operation: "get" });
        }
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
        self.inner.put_with(record, expected, along).await
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
