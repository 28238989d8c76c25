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
    let resource = Resource::builder().with_service_name("scaling").build();
    Ok(over(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
}

fn over<S>(provider: SdkTracerProvider) -> (OpenTelemetryLayer<S, SdkTracer>, Exporting)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("scaling"));
    (layer, Exporting(provider))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use jiff::Timestamp;
    use opentelemetry::trace::SpanId;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::SpanData;
    use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
    use scaling_control::{ControlLoop, Ports};
    use scaling_policy::config::{Config, Layers};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::counted::count;
    use crate::metrics::Metrics;

    /// Keeps what is exported.
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl opentelemetry_sdk::trace::SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    impl Kept {
        /// The span with its attributes, below those that it hangs from.
        fn way(&self, span: &SpanData) -> String {
            let attribute = |name: &str| {
                let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
                found.map(|attribute| attribute.value.to_string())
            };
            let told = ["group", "action", "port", "operation", "outcome"].into_iter().filter_map(attribute);
            let own = [span.name.to_string()].into_iter().chain(told).collect::<Vec<_>>().join(" ");
            if span.parent_span_id == SpanId::INVALID {
                return own;
            }
            let all = self.0.lock().unwrap().clone();
            let above = all.iter().find(|above| above.span_context.span_id() == span.parent_span_id);
            format!("{} > {own}", above.map_or_else(|| "not exported".to_owned(), |above| self.way(above)))
        }

        fn ways(&self) -> Vec<String> {
            let all = self.0.lock().unwrap().clone();
            all.iter().map(|span| self.way(span)).collect()
        }
    }

    /// A controller of a group with much load.
    fn controller() -> ControlLoop {
        let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
        let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
        platform.group().busy_vcpu = Some(3.9);
        let ports = Ports {
            groups: Arc::new(platform.clone()),
            writer: Arc::new(platform.clone()),
            metrics: Arc::new(platform),
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock,
        };
        let source = br#"{"mode": "horizontal", "control": "act", "group": "web"}"#;
        let config = Config::parse(source, &Layers::none()).unwrap().config;
        ControlLoop::new(count(ports, &Metrics::new()), config)
    }

    #[tokio::test]
    async fn what_is_exported_leads_from_the_tick_over_the_group_to_the_call() {
        let kept = Kept::default();
        let (layer, exporting) =
            over(SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build());
        let subscribed = tracing::subscriber::set_default(Registry::default().with(layer));
        controller().tick(Duration::from_secs(60)).await.unwrap();
        drop(subscribed);
        drop(exporting);
        let ways = kept.ways();
        for expected in [
            "tick",
            "tick > group web up",
            "tick > call groups describe ok",
            "tick > call metrics read ok",
            "tick > group web up > call groups apply ok",
            "tick > group web up > call store put ok",
        ] {
            assert!(ways.iter().any(|way| way == expected), "{expected} is not among {ways:#?}");
        }
        assert!(!ways.iter().any(|way| way.contains("not exported")), "{ways:#?}");
    }
}
