//! A store that counts what it is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord, Record, StateStore};

pub(crate) struct Counted {
    inner: Arc<dyn StateStore>,
    calls: Mutex<BTreeMap<&'static str, Vec<usize>>>,
}

impl Counted {
    pub(crate) fn over(inner: Arc<dyn StateStore>) -> Self {
        Self { inner, calls: Mutex::default() }
    }

    /// The calls since this was last asked, by operation: how many records each was about.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, Vec<usize>> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn count(&self, operation: &'static str, records: usize) {
        self.calls.lock().unwrap().entry(operation).or_default().push(records);
    }
}

#[async_trait]
impl StateStore for Counted {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.count("get", 1);
        self.inner.get(key).await
    }
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.count("get_many", keys.len());
        self.inner.get_many(keys).await
    }
    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        self.count("put", 1 + along.len());
        self.inner.put_with(record, expected, along).await
    }
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.count("append", records.len());
        self.inner.append(records).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.count("list", limit);
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.count("delete", 1);
        self.inner.delete(key).await
    }
}
