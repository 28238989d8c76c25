//! The state store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::PortError;
use crate::key;
use crate::ports::{Clock, Expected, NewRecord, Record, StateStore};

/// Keeps records in memory, by the same contract as the durable stores.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    records: Mutex<BTreeMap<String, Record>>,
}

impl MemoryStore {
    /// An empty store that tells expiry by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, records: Mutex::default() }
    }

    /// Every record that has not expired, in key order: what a test compares.
    pub fn snapshot(&self) -> Vec<Record> {
        let now = self.clock.now();
        self.lock().values().filter(|record| is_alive(record, now)).cloned().collect()
    }

    /// The keys that start with `prefix`, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.snapshot().into_iter().map(|record| record.key).filter(|key| key.starts_with(prefix)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_alive(record: &Record, now: Timestamp) -> bool {
    record.expires.is_none_or(|expires| expires >= now)
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        key::check("get", key)?;
        let now = self.clock.now();
        Ok(self.lock().get(key).filter(|record| is_alive(record, now)).cloned())
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        let now = self.clock.now();
        let keys: BTreeSet<&String> = keys.iter().collect();
        keys.iter().try_for_each(|key| key::check("get_many", key))?;
        let records = self.lock();
        Ok(keys
            .into_iter()
            .filter_map(|key| records.get(key))
            .filter(|r| is_alive(r, now))
            .cloned()
            .collect())
    }

    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        key::check_along("put", &record, &along)?;
        let now = self.clock.now();
        let mut records = self.lock();
        let present = records.get(&record.key).filter(|r| is_alive(r, now)).map(|r| r.version);
        let version = match (expected, present) {
            (Expected::Absent, None) => 1,
            (Expected::Version(wanted), Some(version)) if wanted == version => version + 1,
            _ => {
                let message = format!("{} is at version {present:?}, expected {expected:?}", record.key);
                return Err(PortError::Conflict { operation: "put", message });
            }
        };
        let NewRecord { key, body, expires } = record;
        records.insert(key.clone(), Record { key, version, body, expires });
        for NewRecord { key, body, expires } in along {
            records.insert(key.clone(), Record { key, version: 1, body, expires });
        }
        Ok(version)
    }

    async fn append(&self, new: Vec<NewRecord>) -> Result<(), PortError> {
        new.iter().try_for_each(|record| key::check("append", &record.key))?;
        let mut records = self.lock();
        for NewRecord { key, body, expires } in new {
            records.insert(key.clone(), Record { key, version: 1, body, expires });
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        key::check_prefix("list", prefix)?;
        let now = self.clock.now();
        let records = self.lock();
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = records.range::<str, _>((start, Bound::Unbounded));
        Ok(range
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(_, record)| record)
            .filter(|record| is_alive(record, now))
            .take(limit)
            .cloned()
            .collect())
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        key::check("delete", key)?;
        self.lock().remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::fakes::SteppedClock;
    use crate::ports::StateStore;

    #[expect(clippy::unused_async, reason = "the suite awaits its store")]
    async fn store() -> Arc<dyn StateStore> {
        Arc::new(MemoryStore::new(Arc::new(SteppedClock::at("2026-03-02T08:00:00Z".parse().unwrap()))))
    }

    crate::store_contract_tests!(store);
    crate::store_transaction_tests!(store);
}
