use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_control::{Evaluation, GroupOutcome, Outcome, PortError, TickReport};
use scaling_fleet::{Mebibytes, UsdPerHour, Vcpu};
use scaling_policy::config::{Config, ConfigVersion, GroupConfig, GroupName, Layers};
use scaling_policy::decision::{Action, Decision, Reason, Wanted};
use scaling_policy::operation::{Operation, OperationState};
use scaling_policy::snapshot::{GroupView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer};
use scaling_policy::trigger::{PerTrigger, Reading};
use scaling_policy::{Learned, Snapshot};
use serde_json::{Value, json};

use super::*;
use crate::emf::{EmbeddedMetrics, TickFigures};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_438_400 + seconds).unwrap()
}

fn config(name: &str) -> Arc<GroupConfig> {
    let file = json!({"mode": "hybrid", "group": name}).to_string();
    Arc::clone(&Config::parse(file.as_bytes(), &Layers::none()).unwrap().config.groups[0])
}

fn offer() -> TypeOffer {
    TypeOffer {
        name: "m7i.large".into(),
        vcpu: Vcpu(2.0),
        memory: Mebibytes(8192.0),
        price: UsdPerHour(0.125),
    }
}

/// Four replicas serve and one boots; CPU at 40 %, 6000 requests a minute, both as of 10 s ago; no latency, no memory.
fn snapshot(taken_at: Timestamp) -> Snapshot {
    let fresh = |value: f64| Reading::Fresh { value, ended: taken_at - jiff::SignedDuration::from_secs(10) };
    Snapshot {
        taken_at,
        group: GroupView {
            min: 1,
            max: 10,
            desired: 5,
            launch_type: offer(),
            replicas: vec![ReplicaCount { offer: offer(), serving: 4, warming: 0, pending: 1, protected: 0 }],
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement: None,
            foreign: Vec::new(),
        },
        readings: PerTrigger {
            cpu_usage: fresh(0.4),
            memory_usage: Reading::Unbound,
            request_count: fresh(6000.0),
            request_latency: Reading::Missing,
        },
        ladder: Arc::from(Vec::new()),
    }
}

fn evaluation(group: &GroupConfig, taken_at: Timestamp) -> Evaluation {
    let decision = Decision {
        group: group.name.clone(),
        at: taken_at,
        config_version: ConfigVersion(7),
        action: Action::Hold,
        reason: Reason::CapacityPending { replicas: 1 },
        loads: PerTrigger { cpu_usage: Some(0.5), ..PerTrigger::default() },
        driver: None,
        wanted: Wanted { vcpu: Vcpu(9.5), ..Wanted::default() },
        guards: Vec::new(),
        in_force: Vec::new(),
        alternatives: Vec::new(),
        cost_before: UsdPerHour(0.625),
        cost_after: UsdPerHour(0.625),
    };
    // The highest wanted capacity was 15 vCPU: eight replicas, 1 USD an hour.
    let learned: Learned = serde_json::from_value(json!({"recent": {"peaks": [[1, 15.0]]}})).unwrap();
    let state = OperationState {
        reference_type: Some("m7i.large".into()),
        take_over_cost: Some(UsdPerHour(0.5)),
        ..OperationState::default()
    };
    Evaluation {
        snapshot: snapshot(taken_at),
        decision,
        state,
        learned,
        warm_up_seconds: 0,
        spot_share: 0.0,
        missing_tag: None,
        unread: Vec::new(),
        step_error: None,
    }
}

fn outcome(name: &str, taken_at: Timestamp) -> GroupOutcome {
    let config = config(name);
    let result = Outcome::Decided(Box::new(evaluation(&config, taken_at)));
    GroupOutcome { config, result, acted: None, ended: Vec::new() }
}

fn report(outcomes: Vec<GroupOutcome>) -> TickReport {
    TickReport { outcomes, ..TickReport::default() }
}

fn tick(ended: Timestamp) -> Tick {
    Tick { ended, took: Duration::from_millis(20), config_version: ConfigVersion(7) }
}

fn ended_operation(from: u32, to: u32, seconds: i64, phase: &str) -> Operation {
    serde_json::from_value(json!({
        "id": "op-1", "kind": {"kind": "scale", "from": from, "to": to}, "phase": phase,
        "reason": {"code": "within_target"}, "config_version": 7, "planned_at": at(0), "accepted_at": null,
        "ended_at": at(seconds), "platform_id": null, "attempts": 1, "not_before": null, "failure": null,
    }))
    .unwrap()
}

fn recorded() -> Metrics {
    recorded_tick().0
}

/// A tick with one evaluated group, an operation that ended after 75 s, and a group left over.
fn recorded_tick() -> (Metrics, Vec<Recorded>) {
    let metrics = Metrics::new();
    let mut web = outcome("web", at(0));
    web.ended = vec![ended_operation(4, 5, 75, "verified")];
    let report = TickReport { outcomes: vec![web], left_over: vec!["batch".into()], ..TickReport::default() };
    let recorded = metrics.record_tick(&report, tick(at(1)));
    metrics.record_call("store", "put", "conflict", Duration::from_millis(3));
    (metrics, recorded)
}

/// One sample of a text exposition.
#[derive(Debug, Clone, PartialEq)]
struct Parsed {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// Reads a text exposition by the rules of both formats; fails on anything that is neither comment nor sample.
fn parse(text: &str) -> Vec<Parsed> {
    text.lines().filter(|line| !line.starts_with('#')).map(parse_sample).collect()
}

fn parse_sample(line: &str) -> Parsed {
    let (name, labels, value) = if let Some((name, rest)) = line.split_once('{') {
        let (labels, value) = parse_labels(rest);
        (name, labels, value)
    } else {
        let (name, value) = line.split_once(' ').unwrap();
        (name, Vec::new(), value)
    };
    Parsed { name: name.to_owned(), labels, value: value.trim().parse().unwrap() }
}

fn parse_labels(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut labels = Vec::new();
    loop {
        if let Some(value) = rest.strip_prefix('}') {
            return (labels, value);
        }
        let (key, after) = rest.trim_start_matches(',').split_once("=\"").unwrap();
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (index, '"') => break index,
                (_, '\\') => value.push(match characters.next().unwrap().1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push((key.to_owned(), value));
        rest = &after[end + 1..];
    }
}

fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels: Vec<(String, String)> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    parse(text)
        .into_iter()
        .find(|sample| sample.name == name && sample.labels == labels)
        .map(|sample| sample.value)
}

/// Compares with a file beside this one. `UPDATE_GOLDEN=1` writes it; look at the difference before committing it.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/metrics/tests").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap(), "{name}");
}

#[test]
fn prometheus_text_is_exactly_this() {
    golden("prometheus.txt", &recorded().render(Format::Prometheus));
}

#[test]
fn openmetrics_text_is_exactly_this() {
    golden("openmetrics.txt", &recorded().render(Format::OpenMetrics));
}

#[test]
fn json_is_exactly_this() {
    let json: Value = serde_json::from_str(&recorded().render(Format::Json)).unwrap();
    golden("metrics.json", &format!("{json:#}\n"));
}

#[test]
fn embedded_metric_format_is_exactly_this() {
    let (_, recorded) = recorded_tick();
    let settings = EmbeddedMetrics { groups: BTreeSet::from(["web".into()]), ..EmbeddedMetrics::default() };
    let lines =
        settings.lines(TickFigures { ended: at(1), seconds: 0.02, left_over: 1, not_due: 0 }, &recorded, &[]);
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    golden("embedded.json", &format!("{:#}\n", Value::from(lines)));
}

#[test]
fn what_adds_up_nothing_is_nought_and_not_less() {
    let tick = TickFigures { ended: at(1), seconds: 0.02, left_over: 0, not_due: 0 };
    let mut texts = EmbeddedMetrics::default().lines(tick, &[], &[]);
    texts.extend(
        [Format::Prometheus, Format::OpenMetrics, Format::Json].map(|format| Metrics::new().render(format)),
    );
    for text in texts {
        assert!(!text.contains("-0"), "{text}");
    }
}

#[test]
fn groups_that_are_not_due_stay_in_the_sums_and_add_nothing() {
    let (metrics, recorded) = recorded_tick();
    let evaluated: Vec<GroupName> = recorded.iter().map(|group| group.group.clone()).collect();
    let standing = metrics.standing(&evaluated);
    let line = |not_due, recorded: &[Recorded], standing: &[Recorded]| {
        let tick = TickFigures { ended: at(1), seconds: 0.02, left_over: 0, not_due };
        serde_json::from_str::<Value>(&EmbeddedMetrics::default().lines(tick, recorded, standing)[0]).unwrap()
    };
    let (due, not_due) = (line(0, &recorded, &[]), line(evaluated.len(), &[], &standing));
    for held in ["scaling_cost", "scaling_savings", "scaling_groups", "scaling_controller_cost"] {
        assert_eq!(due[held], not_due[held], "{held}");
        assert_ne!(due[held], 0.0, "{held}");
    }
    for added in ["scaling_cost_usd_total", "scaling_requests_total"] {
        assert_ne!(due[added], 0.0, "{added}");
        assert_eq!(not_due[added], 0.0, "{added}");
    }
}

#[test]
fn the_cost_of_embedded_metrics_counts_every_one_of_them() {
    let (_, recorded) = recorded_tick();
    let settings = EmbeddedMetrics { groups: BTreeSet::from(["web".into()]), ..EmbeddedMetrics::default() };
    let lines =
        settings.lines(TickFigures { ended: at(1), seconds: 0.02, left_over: 1, not_due: 0 }, &recorded, &[]);
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let metrics = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len();
    // Memory and latency, which this group does not have, are metrics of others.
    assert_eq!((metrics(&lines[0]), metrics(&lines[1]) + 2), (13, 12));
    let own = lines[0]["scaling_controller_cost"].as_f64().unwrap();
    assert!((own - (0.876 + 25.0 * 0.30)).abs() < 1e-9, "{own}");
}

#[test]
fn all_three_formats_say_the_same() {
    let metrics = recorded();
    let web = [("group", "web")];
    let json: Value = serde_json::from_str(&metrics.render(Format::Json)).unwrap();
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let text = metrics.render(format);
        for (name, expected) in [
            ("scaling_cpu_usage", 40.0),
            ("scaling_request_count", 6000.0),
            ("scaling_cost", 0.625),
            ("scaling_savings", 0.375),
            ("scaling_wanted_vcpu", 9.5),
            ("scaling_requests_total", 6000.0),
        ] {
            assert_eq!(value(&text, name, &web), Some(expected), "{name}");
            assert_eq!(json["groups"][0][name], json!(expected), "{name}");
        }
        assert_eq!(
            value(
                &text,
                "scaling_operations_total",
                &[("group", "web"), ("kind", "up"), ("outcome", "verified")]
            ),
            Some(1.0)
        );
        assert_eq!(
            value(&text, "scaling_operation_duration_sum", &[("group", "web"), ("kind", "up")]),
            Some(75.0)
        );
    }
}

#[test]
fn what_was_not_read_is_absent_rather_than_zero() {
    let text = recorded().render(Format::Prometheus);
    assert_eq!(value(&text, "scaling_request_latency", &[("group", "web")]), None);
    assert_eq!(value(&text, "scaling_memory_usage", &[("group", "web")]), None);
    let json: Value = serde_json::from_str(&recorded().render(Format::Json)).unwrap();
    assert_eq!(json["groups"][0]["scaling_request_latency"], Value::Null);
}

#[test]
fn nothing_is_claimed_before_the_first_tick() {
    let metrics = Metrics::new();
    let text = metrics.render(Format::Prometheus);
    assert!(parse(&text).iter().all(|sample| sample.value == 0.0), "{text}");
    assert!(!text.contains("scaling_last_tick_timestamp_seconds"), "{text}");
    assert!(metrics.render(Format::OpenMetrics).ends_with("# EOF\n"));
}

#[test]
fn histogram_buckets_are_cumulative_up_to_infinity() {
    let text = recorded().render(Format::Prometheus);
    let bucket = |bound: &str| {
        value(&text, "scaling_operation_duration_bucket", &[("group", "web"), ("kind", "up"), ("le", bound)])
            .unwrap_or_else(|| panic!("no bucket {bound} in {text}"))
    };
    assert_eq!((bucket("60"), bucket("120"), bucket("7200"), bucket("+Inf")), (0.0, 1.0, 1.0, 1.0));
}

#[test]
fn names_of_groups_are_escaped() {
    let name = r#"a "quoted" \ name"#;
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome(name, at(0))]));
    for format in [Format::Prometheus, Format::OpenMetrics] {
        assert_eq!(value(&metrics.render(format), "scaling_cpu_usage", &[("group", name)]), Some(40.0));
    }
}

#[test]
fn totals_integrate_over_the_time_between_evaluations() {
    let metrics = Metrics::new();
    // The first stands for one period of 60 s, the second for the 120 s since; repeating it adds nothing.
    for seconds in [0, 120, 120] {
        metrics.record(&report(vec![outcome("web", at(seconds))]));
    }
    let text = metrics.render(Format::Prometheus);
    let total = |name: &str| value(&text, name, &[("group", "web")]).unwrap();
    assert!((total("scaling_cost_usd_total") - 0.625 * 180.0 / 3600.0).abs() < 1e-12);
    assert!((total("scaling_savings_usd_total") - 0.375 * 180.0 / 3600.0).abs() < 1e-12);
    assert_eq!(total("scaling_excess_usd_total"), 0.0);
    assert!((total("scaling_requests_total") - 18_000.0).abs() < 1e-6);
}

#[test]
fn what_nobody_looked_at_is_not_counted() {
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome("web", at(0))]));
    metrics.record(&report(vec![outcome("web", at(86_400))]));
    let total =
        value(&metrics.render(Format::Prometheus), "scaling_cost_usd_total", &[("group", "web")]).unwrap();
    assert!((total - 0.625 * (60.0 + LONGEST_GAP_SECONDS) / 3600.0).abs() < 1e-12, "{total}");
}

#[test]
fn a_fleet_dearer_than_the_fixed_one_is_excess_and_never_takes_from_savings() {
    let metrics = Metrics::new();
    let mut dear = outcome("web", at(0));
    if let Outcome::Decided(evaluation) = &mut dear.result {
        evaluation.learned = Learned::default();
    }
    metrics.record(&report(vec![dear]));
    let text = metrics.render(Format::Prometheus);
    assert_eq!(value(&text, "scaling_savings", &[("group", "web")]), Some(-0.125));
    assert_eq!(value(&text, "scaling_savings_usd_total", &[("group", "web")]), Some(0.0));
    let excess = value(&text, "scaling_excess_usd_total", &[("group", "web")]).unwrap();
    assert!((excess - 0.125 / 60.0).abs() < 1e-12, "{excess}");
}

#[test]
fn the_reference_type_is_remembered_when_it_has_left_the_snapshot() {
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome("web", at(0))]));
    let mut retyped = outcome("web", at(60));
    if let Outcome::Decided(evaluation) = &mut retyped.result {
        let other = TypeOffer { name: "r7i.large".into(), price: UsdPerHour(0.15), ..offer() };
        evaluation.snapshot.group.launch_type = other.clone();
        evaluation.snapshot.group.replicas[0].offer = other;
    }
    metrics.record(&report(vec![retyped]));
    let savings = value(&metrics.render(Format::Prometheus), "scaling_savings", &[("group", "web")]).unwrap();
    assert!((savings - (1.0 - 0.75)).abs() < 1e-12, "{savings}");
}

#[test]
fn a_group_that_cannot_be_evaluated_loses_its_gauges_and_keeps_its_totals() {
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome("web", at(0))]));
    let failed = GroupOutcome {
        result: Outcome::Failed(PortError::Throttled { operation: "describe" }),
        ..outcome("web", at(60))
    };
    let recorded = metrics.record(&report(vec![failed]));
    assert_eq!(recorded[0].error, Some("throttled"));
    let text = metrics.render(Format::Prometheus);
    assert_eq!(value(&text, "scaling_cpu_usage", &[("group", "web")]), None);
    assert!(value(&text, "scaling_cost_usd_total", &[("group", "web")]).is_some());
    let errors = [("group", "web"), ("kind", "throttled")];
    assert_eq!(value(&text, "scaling_evaluation_errors_total", &errors), Some(1.0));
}

#[test]
fn a_failed_step_is_counted_beside_the_figures() {
    let metrics = Metrics::new();
    let mut web = outcome("web", at(0));
    if let Outcome::Decided(evaluation) = &mut web.result {
        let denied = PortError::Denied { operation: "apply a step", message: "no".to_owned() };
        evaluation.step_error = Some(Arc::new(denied));
    }
    let recorded = metrics.record(&report(vec![web]));
    assert_eq!((recorded[0].error, recorded[0].figures.is_some()), (Some("step"), true));
}

#[test]
fn a_group_that_somebody_else_evaluates_keeps_its_figures() {
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome("web", at(0))]));
    metrics.record(&report(vec![GroupOutcome { result: Outcome::Busy, ..outcome("web", at(60)) }]));
    assert_eq!(metrics.figures(&GroupName::new("web")).map(|figures| figures.at), Some(at(0)));
}

#[test]
fn groups_that_left_the_configuration_are_forgotten() {
    let metrics = Metrics::new();
    metrics.record(&report(vec![outcome("web", at(0)), outcome("batch", at(0))]));
    metrics.keep_groups([&GroupName::new("web")]);
    let text = metrics.render(Format::Prometheus);
    assert!(text.contains("\"web\"") && !text.contains("\"batch\""), "{text}");
}

#[test]
fn only_listed_groups_get_embedded_metrics_of_their_own() {
    let (_, recorded) = recorded_tick();
    let lines = EmbeddedMetrics::default().lines(
        TickFigures { ended: at(1), seconds: 0.02, left_over: 1, not_due: 0 },
        &recorded,
        &[],
    );
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(!line.contains("\"group\"") && !line.contains('\n'), "{line}");
}

#[test]
fn every_embedded_metric_has_a_value_and_there_are_fewer_than_a_hundred() {
    let (_, mut recorded) = recorded_tick();
    let figures = recorded[0].figures.as_mut().unwrap();
    figures.savings = Some(f64::NAN);
    figures.cpu_usage = None;
    let settings = EmbeddedMetrics { groups: BTreeSet::from(["web".into()]), ..EmbeddedMetrics::default() };
    let lines =
        settings.lines(TickFigures { ended: at(1), seconds: 0.02, left_over: 0, not_due: 0 }, &recorded, &[]);
    for line in lines.iter().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        assert!(metrics.len() < 100);
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric} of {line}");
        }
        assert!(line.get("scaling_cpu_usage").is_none() && line.get("scaling_savings").is_none(), "{line}");
    }
}

#[test]
fn a_look_that_is_no_tick_shows_gauges_and_adds_to_no_total() {
    let metrics = Metrics::new();
    metrics.show(&report(vec![outcome("web", at(0))]));
    let text = metrics.render(Format::Prometheus);
    assert_eq!(value(&text, "scaling_cpu_usage", &[("group", "web")]), Some(40.0));
    assert!(
        !text.contains("scaling_cost_usd_total{") && !text.contains("scaling_decisions_total{"),
        "{text}"
    );
    assert_eq!(metrics.last_tick(), None);
}
