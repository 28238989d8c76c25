//! A process that dies at its n-th call: everything it asks for after that has no effect and no answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};

use crate::error::PortError;
use crate::ports::{
    Accepted, Described, Expected, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader,
    MetricSeries, NewRecord, Record, StateStore,
};
use crate::ports_set::Ports;

/// When the fatal call dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it had its effect.
    Before,
    /// After its effect, before its answer.
    After,
}

struct Dying {
    inner: Ports,
    calls: AtomicUsize,
    fatal: usize,
    moment: Moment,
}

/// The same ports, dead from the `fatal`-th call on (counted from 1 over all of them).
pub fn dying(inner: Ports, fatal: usize, moment: Moment) -> Ports {
    let clock = Arc::clone(&inner.clock);
    let dying = Arc::new(Dying { inner, calls: AtomicUsize::new(0), fatal, moment });
    Ports { groups: dying.clone(), writer: dying.clone(), metrics: dying.clone(), store: dying, clock }
}

impl Dying {
    async fn call<T>(&self, call: impl Future<Output = Result<T, PortError>> + Send) -> Result<T, PortError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let dead = || PortError::Unavailable {
            operation: "call",
            message: "the process has died".to_owned(),
            source: None,
        };
        if number > self.fatal || (number == self.fatal && self.moment == Moment::Before) {
            return Err(dead());
        }
        let answer = call.await;
        if number == self.fatal { Err(dead()) } else { answer }
    }
}

#[async_trait]
impl GroupReader for Dying {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        self.call(self.inner.groups.describe(groups)).await
    }
    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        self.call(self.inner.groups.describe_each(groups)).await
    }
    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        self.call(self.inner.groups.replacement(group)).await
    }
    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        self.call(self.inner.groups.launch_failures(group, since)).await
    }
    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        self.call(self.inner.groups.foreign_controllers(groups)).await
    }
}

#[async_trait]
impl GroupWriter for Dying {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        self.call(self.inner.writer.apply(group, step)).await
    }
}

#[async_trait]
impl MetricReader for Dying {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        self.call(self.inner.metrics.read(queries)).await
    }
}

#[async_trait]
impl StateStore for Dying {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.call(self.inner.store.get(key)).await
    }
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.call(self.inner.store.get_many(keys)).await
    }
    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        self.call(self.inner.store.put_with(record, expected, along)).await
    }
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.call(self.inner.store.append(records)).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.call(self.inner.store.list(prefix, after, limit)).await
    }
    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.call(self.inner.store.delete(key)).await
    }
}
