//! Counts what is sent, by operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Counts SDK calls and HTTP attempts by operation name. Cloning shares the counts.
///
/// An attempt is counted just before it is sent, so what [`CallCounter::snapshot`] returns is what a server that
/// was reached each time has in its request log.
#[derive(Debug, Clone, Default)]
pub struct CallCounter {
    counts: Arc<Mutex<BTreeMap<String, Counts>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u64,
    attempts: u64,
}

impl CallCounter {
    /// A counter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// HTTP attempts since the start by operation (`SetDesiredCapacity`), retries included.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        self.collect(|counts| counts.attempts)
    }

    /// Calls since the start by operation, each counted once however often it was tried.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.collect(|counts| counts.calls)
    }

    /// Attempts after the first by operation; operations that were never retried are absent.
    pub fn retries(&self) -> BTreeMap<String, u64> {
        self.collect(|counts| counts.attempts.saturating_sub(counts.calls))
    }

    fn collect(&self, figure: impl Fn(Counts) -> u64) -> BTreeMap<String, u64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .map(|(operation, counts)| (operation.clone(), figure(*counts)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn add(&self, cfg: &ConfigBag, change: impl FnOnce(&mut Counts)) {
        let operation = cfg.load::<Metadata>().map_or("unknown", Metadata::name);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(operation) {
            Some(counts) => change(counts),
            None => change(counts.entry(operation.to_owned()).or_default()),
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.add(cfg, |counts| counts.calls += 1);
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.add(cfg, |counts| counts.attempts += 1);
        Ok(())
    }
}
