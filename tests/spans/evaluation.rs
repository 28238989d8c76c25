//! The spans of an evaluation, from the event to each call that was sent to AWS.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scaling::{Assembly, StoreChoice};
use scaling_aws::{AwsSettings, Credentials};
use scaling_control::ScaleRequest;
use scaling_emulator::{Emulator, GroupSetup, Settings};
use scaling_policy::config::{Config, Layers};
use scaling_telemetry::Metrics;
use scaling_tests::environment::REGION;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// A span with its fields and its parent.
#[derive(Debug, Clone, Default)]
struct Seen {
    name: String,
    fields: BTreeMap<String, String>,
    parent: Option<u64>,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

/// Keeps every span at level info, as an exporter does.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<(u64, Seen)>>>);

/// A place for the number that a span keeps: the registry gives its identifiers out again.
struct Number(u64);

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if *attributes.metadata().level() > Level::INFO {
            return;
        }
        let span = context.span(id).unwrap();
        let above = span.scope().skip(1).find_map(|above| above.extensions().get::<Number>().map(|at| at.0));
        let mut seen = Seen { name: span.name().to_owned(), parent: above, ..Seen::default() };
        attributes.record(&mut seen);
        let mut all = self.0.lock().unwrap();
        let number = all.len() as u64;
        all.push((number, seen));
        span.extensions_mut().insert(Number(number));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let number = context.span(id).and_then(|span| span.extensions().get::<Number>().map(|at| at.0));
        if let Some(number) = number {
            values.record(&mut self.0.lock().unwrap()[usize::try_from(number).unwrap()].1);
        }
    }
}

impl Spans {
    /// Where each call to AWS was made from: the names above it with what tells them apart, outermost first.
    fn ways_to_calls(&self) -> Vec<String> {
        let all = self.0.lock().unwrap();
        let told = |seen: &Seen| {
            let fields = ["group", "port", "operation", "outcome"];
            let told = fields.iter().filter_map(|name| seen.fields.get(*name).map(String::as_str));
            [seen.name.as_str()].into_iter().chain(told).collect::<Vec<_>>().join(" ")
        };
        let calls = all.iter().filter(|(_, seen)| seen.name == "cloud call");
        let way = |(_, call): &(u64, Seen)| {
            let mut way = vec![told(call)];
            let mut at = call.parent;
            while let Some(number) = at {
                let above = &all[usize::try_from(number).unwrap()].1;
                way.insert(0, told(above));
                at = above.parent;
            }
            way.join(" > ")
        };
        calls.map(way).collect()
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// An emulator with two groups of two, and a controller of them.
async fn stage() -> (Emulator, Assembly) {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    for name in ["web", "work"] {
        let setup = GroupSetup::new(name, "m7i.large", (1, 8, 2));
        emulator.with_region(|region| setup.make(region)).unwrap();
    }
    let source = json!({
        "mode": "horizontal", "control": "act", "groups": [{"name": "web"}, {"name": "work"}, {"name": "gone"}],
        "policy": {"triggers": ["cpu_usage"], "priority_triggers": ["cpu_usage"]}
    });
    let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
    let aws = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some(REGION.to_owned()),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        ..AwsSettings::default()
    };
    let assembly = Assembly::new(config, aws, &StoreChoice::Memory).unwrap().counted(&Metrics::new());
    (emulator, assembly)
}

#[tokio::test]
async fn every_call_to_aws_hangs_below_the_group_it_is_for_and_the_event_that_woke_the_controller() {
    let (_emulator, assembly) = stage().await;
    let spans = Spans::default();
    let _kept = tracing::subscriber::set_default(Registry::default().with(spans.clone()));
    assembly.control.tick(Duration::from_secs(60)).await.unwrap();
    let ways = spans.ways_to_calls();
    // One call describes all groups, so that it belongs to the tick.
    let described = "tick > call groups describe ok > cloud call DescribeAutoScalingGroups ok";
    assert!(ways.iter().any(|way| way == described), "{ways:#?}");
    assert!(ways.iter().all(|way| way.starts_with("tick > call ")), "{ways:#?}");
    let groups: Vec<_> =
        spans.0.lock().unwrap().iter().filter(|(_, seen)| seen.name == "group").cloned().collect();
    let names: Vec<&str> = groups.iter().map(|(_, seen)| seen.fields["group"].as_str()).collect();
    assert_eq!(names, ["web", "work"]);
    assert!(groups.iter().all(|(_, seen)| seen.fields["action"] == "hold"), "{groups:#?}");

    spans.clear();
    let wanted = ScaleRequest {
        group: "work".into(),
        replicas: Some(3),
        instance_type: None,
        by: "ann".to_owned(),
        until: None,
        dry_run: false,
    };
    assembly.control.request(&wanted).await.unwrap();
    let ways = spans.ways_to_calls();
    let changed = "group work > call groups apply ok > cloud call SetDesiredCapacity ok";
    assert!(ways.iter().any(|way| way == changed), "{ways:#?}");
}
