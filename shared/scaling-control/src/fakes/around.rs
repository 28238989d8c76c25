//! Something that happens before and after every call of otherwise good ports: how a fault, a delay or a count is put in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};

use crate::error::PortError;
use crate::ports::{
    Accepted, Described, Expected, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader,
    MetricSeries, NewRecord, Quota, Record, StateStore,
};
use crate::ports_set::Ports;

/// One call of a port.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Which one it is over all ports, counted from 1.
    pub number: usize,
    /// The function of the port, such as `get_many`.
    pub name: &'static str,
    /// The key or prefix that it asks for, where it asks for one.
    pub key: Option<&'a str>,
    /// How many groups, queries or records it is about; of a list, how many at most.
    pub items: usize,
}

/// What happens around a call. By default nothing does.
#[async_trait]
pub trait Around: Send + Sync {
    /// Before it has an effect. An error is its answer, and it has none.
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        let _ = call;
        Ok(())
    }

    /// After it was made, before its answer, whichever that is. An error takes the answer's place.
    async fn after(&self, call: Call<'_>) -> Result<(), PortError> {
        let _ = call;
        Ok(())
    }
}

/// The same ports, with something around each call.
pub fn around(inner: Ports, what: Arc<dyn Around>) -> Ports {
    let clock = Arc::clone(&inner.clock);
    let ports = Arc::new(Surrounded { inner, what, calls: AtomicUsize::new(0) });
    Ports { groups: ports.clone(), writer: ports.clone(), metrics: ports.clone(), store: ports, clock }
}

struct Surrounded {
    inner: Ports,
    what: Arc<dyn Around>,
    calls: AtomicUsize,
}

impl Surrounded {
    async fn call<T: Send>(
        &self,
        name: &'static str,
        items: usize,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        self.call_of(name, None, items, call).await
    }

    async fn call_of<T: Send>(
        &self,
        name: &'static str,
        key: Option<&str>,
        items: usize,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let told = Call { number, name, key, items };
        self.what.before(told).await?;
        let answer = call.await;
        self.what.after(told).await?;
        answer
    }
}

#[async_trait]
impl GroupReader for Surrounded {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        self.call("describe", groups.len(), self.inner.groups.describe(groups)).await
    }
    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        self.call("describe_each", groups.len(), self.inner.groups.describe_each(groups)).await
    }
    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        self.call("replacement", 1, self.inner.groups.replacement(group)).await
    }
    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        self.call("launch_failures", 1, self.inner.groups.launch_failures(group, since)).await
    }
    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        self.call("foreign_controllers", groups.len(), self.inner.groups.foreign_controllers(groups)).await
    }
    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        self.call("quotas", types.len(), self.inner.groups.quotas(types)).await
    }
    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        self.inner.groups.programs_not_run(groups)
    }
}

#[async_trait]
impl GroupWriter for Surrounded {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        self.call("apply", 1, self.inner.writer.apply(group, step)).await
    }
}

#[async_trait]
impl MetricReader for Surrounded {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        self.call("read", queries.len(), self.inner.metrics.read(queries)).await
    }
}

#[async_trait]
impl StateStore for Surrounded {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.call_of("get", Some(key), 1, self.inner.store.get(key)).await
    }
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.call("get_many", keys.len(), self.inner.store.get_many(keys)).await
    }
    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        let (key, items) = (record.key.clone(), 1 + along.len());
        self.call_of("put_with", Some(&key), items, self.inner.store.put_with(record, expected, along)).await
    }
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.call("append", records.len(), self.inner.store.append(records)).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.call_of("list", Some(prefix), limit, self.inner.store.list(prefix, after, limit)).await
    }
    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.call_of("delete", Some(key), 1, self.inner.store.delete(key)).await
    }
}
