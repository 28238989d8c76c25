//! The alarms on the controller itself, and what they watch.

use std::collections::BTreeSet;

use scaling::lambda::notices::{self, Kind};
use scaling_telemetry::emf;
use scaling_telemetry::metrics::names;
use serde_json::{Value, json};

use crate::template::{resources, template};

/// (namespace, metric, dimensions) that an alarm watches.
fn watched(alarm: &Value) -> Vec<(Value, String, Value)> {
    let of = |metric: &Value| {
        let name = metric["MetricName"].as_str().unwrap().to_owned();
        (metric["Namespace"].clone(), name, metric["Dimensions"].clone())
    };
    match alarm["Metrics"].as_array() {
        Some(metrics) => metrics
            .iter()
            .filter_map(|metric| metric.get("MetricStat"))
            .map(|stat| of(&stat["Metric"]))
            .collect(),
        None => vec![of(alarm)],
    }
}

fn own_namespace() -> Value {
    json!({ "Fn::Sub": format!("{}/${{AWS::StackName}}", emf::DEFAULT_NAMESPACE) })
}

#[test]
fn every_alarm_tells_the_topic_and_says_what_to_do() {
    let template = template();
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], json!([{ "Ref": "Notices" }]), "{name}");
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 40), "{name}");
        assert!(alarm["TreatMissingData"].is_string(), "{name} says nothing of missing data");
    }
}

#[test]
fn alarms_watch_only_metrics_that_the_functions_write() {
    let template = template();
    let environment = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(environment["SCALING_METRIC_NAMESPACE"], own_namespace());
    let written: BTreeSet<&str> =
        names::ALL.iter().map(|metric| metric.name).chain([notices::METRIC]).collect();
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        for (namespace, metric, dimensions) in watched(alarm) {
            if namespace.as_str().is_some_and(|namespace| namespace.starts_with("AWS/")) {
                continue;
            }
            assert_eq!(namespace, own_namespace(), "{name}");
            assert!(written.contains(metric.as_str()), "{name}: nobody writes {metric}");
            assert_eq!(dimensions.is_null(), metric != notices::METRIC, "{name}");
        }
    }
}

/// The namespaces that a dashboard asks: the first word of each metric, and that of each search's schema in its quotes.
fn asked(dashboard: &Value) -> Vec<String> {
    let widgets = dashboard["widgets"].as_array().unwrap().iter();
    let metrics = widgets.filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let namespace = |metric: &Value| match &metric[0] {
        Value::String(namespace) => Some(namespace.clone()),
        expression => {
            let (_, schema) = expression["expression"].as_str()?.split_once("SEARCH('{")?;
            let (namespace, _) = schema.split_once(',').unwrap();
            // Without quotes a name with hyphens, as stacks have, would be no name.
            Some(namespace.strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned())
        }
    };
    metrics.filter_map(namespace).collect()
}

#[test]
fn the_dashboard_asks_the_namespace_that_the_functions_write_to() {
    let template = template();
    let [(_, dashboard)] = resources(&template, "AWS::CloudWatch::Dashboard")[..] else { panic!("one") };
    let body = dashboard["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let asked = asked(&serde_json::from_str(body).unwrap());
    assert!(asked.len() > 20, "{asked:?}");
    for namespace in asked {
        assert_eq!(json!({ "Fn::Sub": namespace }), own_namespace());
    }
}

#[test]
fn each_kind_of_notice_has_its_alarm() {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let kinds: BTreeSet<String> = alarms
        .iter()
        .flat_map(|(_, alarm)| watched(alarm))
        .filter(|(_, metric, _)| metric == notices::METRIC)
        .map(|(_, _, dimensions)| dimensions[0]["Value"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, Kind::ALL.iter().map(|kind| kind.label().to_owned()).collect());
}

#[test]
fn each_function_s_errors_and_throttles_the_queue_and_silence_are_watched() {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let all: Vec<_> = alarms.iter().flat_map(|(_, alarm)| watched(alarm)).collect();
    for (name, _) in resources(&template, "AWS::Serverless::Function") {
        let of_it = json!([{ "Name": "FunctionName", "Value": { "Ref": name } }]);
        // The interface's faults are the gateway's count: its function answers with them and does not fail.
        let by_gateway = name == "ApiFunction";
        assert!(!by_gateway || all.iter().any(|(_, found, _)| found == "5XXError"));
        let metrics: &[&str] = if by_gateway { &["Throttles"] } else { &["Errors", "Throttles"] };
        for &metric in metrics {
            assert!(all.iter().any(|(_, found, of)| found == metric && *of == of_it), "{metric} of {name}");
        }
    }
    assert!(all.iter().any(|(_, metric, _)| metric == "ApproximateNumberOfMessagesVisible"));
    let (_, silence) = alarms.iter().find(|(name, _)| *name == "NoTickAlarm").unwrap();
    assert_eq!(
        (&silence["TreatMissingData"], &silence["Statistic"]),
        (&json!("breaching"), &json!("SampleCount"))
    );
    assert_eq!(silence["EvaluationPeriods"], json!({ "Ref": "NoTickMinutes" }));
}

/// A change that the platform refuses is a 502 by design, and the gateway counts it with the faults.
#[test]
fn one_refused_change_wakes_nobody() {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let (name, alarm) = alarms.iter().find(|(_, alarm)| alarm["MetricName"] == "5XXError").unwrap();
    assert!(alarm["DatapointsToAlarm"].as_u64().is_some_and(|periods| periods > 1), "{name}");
    assert!(alarm["AlarmDescription"].as_str().unwrap().contains("platform refuses"), "{name}");
}

/// A metric without a point in a minute leaves the whole sum without one, and an alarm on it asleep.
#[test]
fn a_sum_of_metrics_has_a_point_where_one_of_them_has_none() {
    let template = template();
    let mut sums = 0;
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        let Some(metrics) = alarm["Metrics"].as_array() else { continue };
        for expression in metrics.iter().filter_map(|metric| metric["Expression"].as_str()) {
            let measured = metrics.iter().filter(|metric| metric.get("MetricStat").is_some());
            for id in measured.map(|metric| metric["Id"].as_str().unwrap()) {
                let rest = expression.replace(&format!("FILL({id}, 0)"), "");
                assert!(rest.len() < expression.len() && !rest.contains(id), "{name}: {expression}");
            }
            sums += 1;
        }
    }
    assert!(sums > 0);
}

#[test]
fn notices_reach_event_bridge_by_the_functions_answers() {
    let template = template();
    for name in ["ScheduleFunction", "AlarmFunction"] {
        let invoked = &template["Resources"][name]["Properties"]["EventInvokeConfig"];
        assert_eq!(invoked["DestinationConfig"]["OnSuccess"]["Type"], "EventBridge", "{name}");
    }
    let pattern = template["Outputs"]["NoticesEventPattern"]["Value"]["Fn::Sub"].as_str().unwrap();
    let pattern: Value = serde_json::from_str(pattern).unwrap();
    assert_eq!(pattern["detail"]["responsePayload"]["notices"]["kind"], json!([{ "exists": true }]));
}
