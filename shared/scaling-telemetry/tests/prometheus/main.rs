//! The figures in a real Prometheus: its lint, a scrape, every query of the dashboard, and the alert rules.
//!
//! `make setup` puts `prometheus` and `promtool` into `.tools/bin`.

#![expect(clippy::unwrap_used, reason = "what does not start or cannot be read fails its test")]

mod dashboard;
#[path = "../fixture/mod.rs"]
#[expect(dead_code, reason = "the benchmarks use the rest of it")]
mod fixture;
mod http;
mod server;
mod tools;

use scaling_telemetry::Format;
use scaling_telemetry::metrics::names::{ALL, Kind};

use fixture::Controller;
use server::Prometheus;

/// What `promtool check metrics` finds: one name that is a contract older than this project.
const EXPECTED_LINT: &str =
    "scaling_request_count non-histogram and non-summary metrics should not have \"_count\" suffix";

#[test]
fn promtool_finds_nothing_but_the_fixed_name() {
    let controller = Controller::new();
    controller.tick();
    let (_, said) = tools::promtool(&["check", "metrics"], &controller.metrics().render(Format::Prometheus));
    assert_eq!(said.trim(), EXPECTED_LINT);
}

#[test]
fn every_metric_is_exported_by_a_controller_to_which_everything_has_happened() {
    let controller = Controller::new();
    controller.tick();
    let text = controller.metrics().render(Format::Prometheus);
    for metric in ALL {
        let name = match metric.kind {
            Kind::Histogram => format!("\n{}_bucket", metric.name),
            Kind::Gauge | Kind::Counter => format!("\n{}", metric.name),
        };
        assert!(text.contains(&name), "{} is missing from\n{text}", metric.name);
    }
}

#[test]
fn alert_rules_are_sound_and_fire_when_they_should() {
    let folder = tools::root().join("dashboards");
    let rules = folder.join("alerts.yml").display().to_string();
    let (sound, said) = tools::promtool(&["check", "rules", &rules], "");
    assert!(sound, "{said}");
    let tests = folder.join("alerts.test.yml").display().to_string();
    let (passed, said) = tools::promtool(&["test", "rules", &tests], "");
    assert!(passed, "{said}");
}

#[test]
fn alert_rules_ask_for_metrics_that_exist() {
    let rules = std::fs::read_to_string(tools::root().join("dashboards/alerts.yml")).unwrap();
    let tests = std::fs::read_to_string(tools::root().join("dashboards/alerts.test.yml")).unwrap();
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "{alert} is not tested");
    }
    for name in dashboard::names_in(&rules) {
        assert!(dashboard::is_exported(&name), "{name} is asked for and not exported");
    }
}

#[test]
fn every_query_of_the_dashboard_parses() {
    let queries = dashboard::queries();
    assert!(queries.len() > 30, "{}", queries.len());
    for query in queries {
        promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

/// What CloudWatch is to show has to be written as embedded metric format.
#[test]
fn the_cloudwatch_dashboard_asks_for_embedded_metrics_only() {
    let read = |path: &str| std::fs::read_to_string(tools::root().join(path)).unwrap();
    let dashboard = read("dashboards/cloudwatch.json");
    let written = read("shared/scaling-telemetry/src/metrics/tests/embedded.json");
    let widgets: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(widgets["widgets"].as_array().unwrap().len() > 10);
    for name in dashboard::names_in(&dashboard) {
        // An alarm without a group has a line of its own.
        let is_written = written.contains(&format!("\"{name}\"")) || name == "scaling_unknown_alarms_total";
        let is_optional = ["scaling_request_latency", "scaling_memory_usage"].contains(&name.as_str());
        assert!(is_written || is_optional, "{name} is asked for and not written");
    }
}

#[test]
fn the_template_deploys_that_dashboard() {
    let read = |path: &str| std::fs::read_to_string(tools::root().join(path)).unwrap();
    let template = read("template.yaml");
    let (_, text) = template.split_once("DashboardBody: !Sub |\n").unwrap();
    let body: Vec<&str> = text.lines().take_while(|line| line.starts_with("        ")).collect();
    let deployed: serde_json::Value = serde_json::from_str(&body.join("\n").replace("${!", "${")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&read("dashboards/cloudwatch.json")).unwrap();
    assert_eq!(deployed, written);
}

#[test]
fn every_metric_of_the_controller_is_on_the_dashboard() {
    let queries = dashboard::queries().join("\n");
    for metric in ALL {
        assert!(queries.contains(metric.name), "{} is nowhere on the dashboard", metric.name);
    }
    for name in dashboard::names_in(&queries) {
        assert!(dashboard::is_exported(&name), "{name} is asked for and not exported");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_scrapes_it_and_answers_every_query_of_the_dashboard() {
    let controller = Controller::new();
    let target = http::serve(controller).await;
    let prometheus = Prometheus::start(target);
    let latest = "scaling_last_tick_timestamp_seconds";
    // Rates need two scrapes of a series, and what begins with the second needs a third.
    prometheus.wait_for(&format!("count_over_time({latest}[1m]) >= 4")).await;
    for (query, expected) in [
        ("up{job=\"scaling\"}", "1"),
        ("scaling_cpu_usage{group=\"web\"}", "40"),
        ("scaling_request_count{group=\"web\"}", "6000"),
        ("scaling_replicas{group=\"web\",state=\"serving\"}", "4"),
    ] {
        assert_eq!(prometheus.value(query).await.as_deref(), Some(expected), "{query}");
    }
    let mut silent = Vec::new();
    for query in dashboard::queries() {
        if prometheus.value(&query).await.is_none() {
            silent.push(query);
        }
    }
    assert!(silent.is_empty(), "no data for {silent:#?}");
}
