//! A store that takes one write and then no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord, Record, StateStore};

pub(crate) struct Forgetful {
    inner: Arc<dyn StateStore>,
    puts: AtomicUsize,
}

impl Forgetful {
    pub(crate) fn after_one_put(inner: Arc<dyn StateStore>) -> Self {
        Self { inner, puts: AtomicUsize::new(0) }
    }
}

fn gone() -> PortError {
    PortError::Unavailable { operation: "write", message: "the disk is full".to_owned(), source: None }
}

#[async_trait]
impl StateStore for Forgetful {
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
        if self.puts.fetch_add(1, Ordering::SeqCst) > 0 {
            return Err(gone());
        }
        self.inner.put_with(record, expected, along).await
    }
    async fn append(&self, _records: Vec<NewRecord>) -> Result<(), PortError> {
        Err(gone())
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.inner.delete(key).await
    }
}
