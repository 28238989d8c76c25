//! Counts what is sent, by operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
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
    tally: Tally,
}

/// How the calls to one operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls that were answered, each once however often it was tried.
    pub succeeded: u64,
    /// Calls that ended in an error, retries included.
    pub failed: u64,
    /// Answers, among all tries, that asked for fewer calls.
    pub throttled: u64,
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

    /// How the calls that have ended did so, by operation.
    pub fn tallies(&self) -> BTreeMap<String, Tally> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(operation, counts)| (operation.clone(), counts.tally)).collect()
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

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().is_some_and(asks_for_fewer) {
            self.add(cfg, |counts| counts.tally.throttled += 1);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match context.output_or_error() {
            Some(Ok(_)) => self.add(cfg, |counts| counts.tally.succeeded += 1),
            Some(Err(_)) | None => self.add(cfg, |counts| counts.tally.failed += 1),
        }
        Ok(())
    }
}

/// Codes of answers that ask for fewer calls, as AWS's services spell them.
const THROTTLES: [&str; 5] =
    ["Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown", "ThroughputExceeded"];

/// Bytes of an error's answer in which its code stands.
const HEAD: usize = 1024;

pub(crate) fn asks_for_fewer(response: &HttpResponse) -> bool {
    let status = response.status();
    if status.is_success() {
        return false;
    }
    let body = response.body().bytes().unwrap_or_default();
    let head = String::from_utf8_lossy(&body[..body.len().min(HEAD)]);
    status.as_u16() == 429 || THROTTLES.iter().any(|code| head.contains(code))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn throttles_are_told_by_status_or_code() {
        for (status, body, expected) in [
            (400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", true),
            (400, r#"{"__type":"ThrottlingException"}"#, true),
            (503, "<Code>SlowDown</Code>", true),
            (429, "", true),
            (400, "<Code>ValidationError</Code>", false),
            (500, "", false),
            (200, "Throttling", false),
        ] {
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            assert_eq!(asks_for_fewer(&response), expected, "{status} {body}");
        }
    }
}
