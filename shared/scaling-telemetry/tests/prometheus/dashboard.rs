//! The queries of the Grafana dashboard, with its variables filled in.

use serde_json::Value;

use scaling_telemetry::metrics::names::{ALL, Kind};

use crate::tools;

/// What Grafana fills in, for a server that scrapes every second.
const VARIABLES: [(&str, &str); 4] =
    [("$group", ".+"), ("$__rate_interval", "30s"), ("$__interval", "2s"), ("$__range", "1m")];

/// Every query, of panels and annotations.
pub(crate) fn queries() -> Vec<String> {
    let text = std::fs::read_to_string(tools::root().join("dashboards/scaling.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    collect(&dashboard, &mut found);
    for query in &mut found {
        for (variable, value) in VARIABLES {
            *query = query.replace(variable, value);
        }
        assert!(!query.contains('$'), "a variable is left in {query}");
    }
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(query) = members.get("expr").and_then(Value::as_str) {
                found.push(query.to_owned());
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Names of this project's metrics in a text.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("scaling_")).map(str::to_owned).collect()
}

/// Whether series of that name are exported.
pub(crate) fn is_exported(name: &str) -> bool {
    ALL.iter().any(|metric| match metric.kind {
        Kind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| *name == format!("{}{end}", metric.name))
        }
        Kind::Gauge | Kind::Counter => metric.name == name,
    })
}
