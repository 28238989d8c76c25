//! Spans to an OpenTelemetry collector, over HTTP with protobuf.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use super::LogError;

/// Sends what is left when it is dropped.
#[derive(Debug)]
pub(super) struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        // A collector that is gone loses the last spans; nothing else depends on them.
        drop(self.0.shutdown());
    }
}

/// A layer that exports to the collector at `endpoint`, such as `http://127.0.0.1:4318`.
pub(super) fn layer<S>(endpoint: &str) -> Result<(OpenTelemetryLayer<S, SdkTracer>, Exporting), LogError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| LogError::Collector { endpoint: endpoint.to_owned(), message: error.to_string() })?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("scaling").build())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("scaling"));
    Ok((layer, Exporting(provider)))
}
