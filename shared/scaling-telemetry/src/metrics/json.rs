//! The table as one JSON object, under the same names as in the text formats.

use serde_json::{Map, Value, json};

use super::histogram::Histogram;
use super::names;
use super::table::{GroupTable, Table};

pub(super) fn render(table: &Table) -> Value {
    let groups: Vec<Value> =
        table.groups.iter().map(|(name, group)| render_group(name.as_str(), group)).collect();
    json!({"groups": groups, "controller": render_controller(table)})
}

fn render_group(name: &str, group: &GroupTable) -> Value {
    let mut members = Map::new();
    members.insert("group".to_owned(), name.into());
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(figures) = &group.newest {
        put("at", figures.at.to_string().into());
        put("action", figures.action.into());
        put("reason", figures.reason.into());
        put("instance_type", figures.instance_type.as_str().into());
        put("mode", figures.mode.into());
        put("control", figures.control.into());
        put(names::CPU_USAGE.name, json!(figures.cpu_usage));
        put(names::MEMORY_USAGE.name, json!(figures.memory_usage));
        put(names::REQUEST_LATENCY.name, json!(figures.request_latency));
        put(names::REQUEST_COUNT.name, json!(figures.request_count));
        put(names::COST.name, json!(figures.cost));
        put(names::SAVINGS.name, json!(figures.savings));
        let replicas: Map<String, Value> =
            figures.replicas.iter().map(|(state, count)| ((*state).to_owned(), (*count).into())).collect();
        put(names::REPLICAS.name, replicas.into());
        put(names::LOAD.name, json!(figures.loads));
        put(names::THRESHOLD.name, json!(figures.thresholds));
        put(names::SERVING_VCPU.name, json!(figures.serving_vcpu));
        put(names::WANTED_VCPU.name, json!(figures.wanted_vcpu));
        put(names::DATA_AGE.name, json!(figures.data_age));
    }
    if group.at.is_some() {
        put(names::REQUESTS_TOTAL.name, json!(group.totals.requests));
        put(names::COST_TOTAL.name, json!(group.totals.cost));
        put(names::SAVINGS_TOTAL.name, json!(group.totals.savings));
        put(names::EXCESS_TOTAL.name, json!(group.totals.excess));
    }
    let operations = group.operations.iter();
    put(
        names::OPERATIONS_TOTAL.name,
        operations
            .map(|([kind, outcome], count)| json!({"kind": kind, "outcome": outcome, "count": count}))
            .collect(),
    );
    let durations = group.durations.iter();
    put(
        names::OPERATION_DURATION.name,
        durations.map(|(kind, durations)| summary(json!({"kind": kind}), durations)).collect(),
    );
    let decisions = group.decisions.iter();
    put(
        names::DECISIONS_TOTAL.name,
        decisions
            .map(|([action, reason], count)| json!({"action": action, "reason": reason, "count": count}))
            .collect(),
    );
    put(names::EVALUATION_ERRORS_TOTAL.name, json!(group.errors));
    members.into()
}

fn render_controller(table: &Table) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(tick) = table.last_tick {
        put(names::LAST_TICK.name, json!(tick.ended.as_millisecond() as f64 / 1000.0));
        put(names::GROUPS.name, tick.groups.into());
        put(names::GROUPS_LEFT_OVER.name, tick.left_over.into());
        put(names::CONFIG_VERSION.name, tick.config_version.into());
    }
    put(names::TICK_DURATION.name, summary(json!({}), &table.ticks));
    let calls = table.calls.iter();
    put(
        names::PORT_CALLS_TOTAL.name,
        calls
            .map(|([port, operation, outcome], count)| {
                json!({"port": port, "operation": operation, "outcome": outcome, "count": count})
            })
            .collect(),
    );
    let durations = table.call_durations.iter();
    put(
        names::PORT_CALL_DURATION.name,
        durations
            .map(|([port, operation], took)| summary(json!({"port": port, "operation": operation}), took))
            .collect(),
    );
    let cloud = table.cloud.iter();
    put(
        names::CLOUD_CALLS_TOTAL.name,
        cloud
            .map(|calls| {
                let counts =
                    json!({"ok": calls.succeeded, "failed": calls.failed, "throttled": calls.throttled});
                json!({"operation": calls.operation, "count": counts})
            })
            .collect(),
    );
    let own: f64 = table.groups.values().filter_map(|group| Some(group.newest.as_ref()?.own_cost)).sum();
    // A sum of nothing is -0.0.
    let own = own + 0.0;
    put(names::CONTROLLER_COST.name, json!(own));
    put(names::UNKNOWN_ALARMS_TOTAL.name, table.unknown_alarms.into());
    members.into()
}

/// A distribution in JSON is its count and sum; the buckets are for Prometheus.
fn summary(mut labels: Value, histogram: &Histogram) -> Value {
    labels["count"] = histogram.count().into();
    labels["sum"] = json!(histogram.sum());
    labels
}
