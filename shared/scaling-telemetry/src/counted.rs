//! The ports with every call counted, timed and logged: a decorator, so that neither the loop nor an adapter has to
//! think of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::Ports;
use scaling_control::ports::{
    Accepted, Described, Expected, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader,
    MetricSeries, NewRecord, Quota, Record, StateStore,
};
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::metrics::Metrics;
use crate::targets;

/// The same ports, with every call recorded in `metrics`.
#[must_use]
pub fn count(ports: Ports, metrics: &Metrics) -> Ports {
    Ports {
        groups: Arc::new(Counted { inner: ports.groups, metrics: metrics.clone() }),
        writer: Arc::new(Counted { inner: ports.writer, metrics: metrics.clone() }),
        metrics: Arc::new(Counted { inner: ports.metrics, metrics: metrics.clone() }),
        store: Arc::new(Counted { inner: ports.store, metrics: metrics.clone() }),
        clock: ports.clock,
    }
}

/// A port whose calls are recorded.
#[derive(Debug, Clone)]
struct Counted<P: ?Sized> {
    metrics: Metrics,
    inner: Arc<P>,
}

impl<P: ?Sized> Counted<P> {
    async fn call<T>(
        &self,
        port: &'static str,
        operation: &'static str,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let span =
            tracing::info_span!(target: targets::INTEGRATION, "call", port, operation, outcome = Empty);
        let started = Instant::now();
        let result = call.instrument(span.clone()).await;
        let within = span.entered();
        let took = started.elapsed();
        let outcome = result.as_ref().err().map_or("ok", PortError::kind);
        within.record("outcome", outcome);
        self.metrics.record_call(port, operation, outcome, took);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(_) => tracing::debug!(target: targets::INTEGRATION, port, operation, milliseconds, "called"),
            // A version that has moved on is how two invocations find out about each other.
            Err(error @ PortError::Conflict { .. }) => {
                tracing::debug!(target: targets::INTEGRATION, port, operation, milliseconds, %error, "met another change");
            }
            Err(error) => {
                tracing::warn!(target: targets::INTEGRATION, port, operation, milliseconds, %error, "call failed");
            }
        }
        result
    }
}

#[async_trait]
impl GroupReader for Counted<dyn GroupReader> {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        self.call("groups", "describe", self.inner.describe(groups)).await
    }

    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        self.call("groups", "describe", self.inner.describe_each(groups)).await
    }

    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        self.call("groups", "replacement", self.inner.replacement(group)).await
    }

    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        self.call("groups", "launch_failures", self.inner.launch_failures(group, since)).await
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        self.call("groups", "foreign_controllers", self.inner.foreign_controllers(groups)).await
    }

    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        self.call("groups", "quotas", self.inner.quotas(types)).await
    }

    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        self.inner.programs_not_run(groups)
    }
}

#[async_trait]
impl GroupWriter for Counted<dyn GroupWriter> {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        self.call("groups", "apply", self.inner.apply(group, step)).await
    }
}

#[async_trait]
impl MetricReader for Counted<dyn MetricReader> {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        self.call("metrics", "read", self.inner.read(queries)).await
    }

    async fn read_within(
        &self,
        queries: &[MetricQuery],
        longest: Duration,
    ) -> Result<Vec<MetricSeries>, PortError> {
        self.call("metrics", "read", self.inner.read_within(queries, longest)).await
    }
}

#[async_trait]
impl StateStore for Counted<dyn StateStore> {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.call("store", "get", self.inner.get(key)).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.call("store", "get_many", self.inner.get_many(keys)).await
    }

    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        self.call("store", "put", self.inner.put_with(record, expected, along)).await
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.call("store", "append", self.inner.append(records)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.call("store", "list", self.inner.list(prefix, after, limit)).await
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.call("store", "delete", self.inner.delete(key)).await
    }
}

#[cfg(test)]
mod tests {
    use scaling_control::fakes::{MemoryStore, SteppedClock};
    use serde_json::Value;

    use super::*;
    use crate::metrics::Format;

    fn store(metrics: &Metrics) -> Counted<dyn StateStore> {
        let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH));
        Counted { metrics: metrics.clone(), inner: Arc::new(MemoryStore::new(clock)) }
    }

    #[tokio::test]
    async fn every_call_is_counted_by_its_outcome_and_answered_as_before() {
        let metrics = Metrics::new();
        let store = store(&metrics);
        let record = || NewRecord { key: "group/web".to_owned(), body: "{}".to_owned(), expires: None };
        assert_eq!(store.put(record(), Expected::Absent).await.unwrap(), 1);
        let conflict = store.put(record(), Expected::Absent).await.unwrap_err();
        assert!(matches!(conflict, PortError::Conflict { .. }), "{conflict}");
        assert_eq!(store.get("group/web").await.unwrap().map(|record| record.version), Some(1));
        let json: Value = serde_json::from_str(&metrics.render(Format::Json)).unwrap();
        let calls: Vec<(&str, &str, u64)> = json["controller"]["scaling_port_calls_total"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| {
                let text = |key: &str| call[key].as_str().unwrap();
                (text("operation"), text("outcome"), call["count"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(calls, [("get", "ok", 1), ("put", "conflict", 1), ("put", "ok", 1)]);
    }
}
