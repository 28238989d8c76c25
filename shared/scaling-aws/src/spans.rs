//! A span for each call of the SDK, within the span of whoever makes it: where a slow evaluation has spent its time, and
//! for which group.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tracing::Span;
use tracing::field::Empty;

use crate::counter::asks_for_fewer;

/// Opens a span `cloud call` with `service` and `operation`, and closes it with `outcome`: `ok`, `throttled` or `failed`,
/// after all retries.
#[derive(Debug)]
pub(crate) struct CallSpans;

/// The span of the call that a bag belongs to.
#[derive(Debug)]
struct CallSpan(Span);

impl Storable for CallSpan {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for CallSpans {
    fn name(&self) -> &'static str {
        "CallSpans"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let called =
            cfg.load::<Metadata>().map(|called| (called.service().to_owned(), called.name().to_owned()));
        let (service, operation) = called.unwrap_or_default();
        let span = tracing::info_span!(
            target: "scaling::integration", "cloud call", service, operation, outcome = Empty
        );
        cfg.interceptor_state().store_put(CallSpan(span));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let outcome = match context.output_or_error() {
            Some(Ok(_)) => "ok",
            _ if context.response().is_some_and(asks_for_fewer) => "throttled",
            _ => "failed",
        };
        if let Some(CallSpan(span)) = cfg.load::<CallSpan>() {
            span.record("outcome", outcome);
        }
        Ok(())
    }
}
