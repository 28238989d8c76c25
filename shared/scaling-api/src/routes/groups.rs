//! Groups and their decisions.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use scaling_control::ports::Record;
use scaling_control::record::{GroupRecord, OperationRecord, decisions_prefix, from_json, group_key};
use scaling_policy::config::{Config, GroupConfig, GroupName};
use scaling_policy::decision::Decision;
use scaling_telemetry::Metrics;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Path, Query, operations};
use crate::history::{History, Page};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

pub(super) async fn groups(State(state): State<ApiState>) -> Answer {
    let config = state.control().refresh().await?;
    let keys: Vec<String> = config.groups.iter().map(|group| group_key(&group.name)).collect();
    let records = state.store().get_many(&keys).await?;
    let records: HashMap<&str, &Record> =
        records.iter().map(|record| (record.key.as_str(), record)).collect();
    let metrics = state.fresh_metrics(&config).await;
    let groups = config.groups.iter().zip(&keys).map(|(group, key)| {
        let record = records.get(key.as_str()).map(|record| from_json(key, &record.body)).transpose()?;
        Ok(render(group, &record.unwrap_or_default(), metrics))
    });
    let groups: Vec<Value> = groups.collect::<Result<_, Problem>>()?;
    Ok(Json(json!({"config_version": config.version, "groups": groups})))
}

fn render(config: &GroupConfig, record: &GroupRecord, metrics: &Metrics) -> Value {
    let state = &record.state;
    let running = [state.open_operation(), state.open_type_change()].into_iter().flatten();
    let running: Vec<Value> = running
        .map(|operation| {
            operations::render(&OperationRecord { group: config.name.clone(), operation: operation.clone() })
        })
        .collect();
    let figures = metrics.figures(&config.name).map(|figures| {
        json!({
            "at": figures.at,
            "replicas": figures.replicas.into_iter().collect::<HashMap<_, _>>(),
            "loads": figures.loads,
            "cost_usd_per_hour": figures.cost,
            "savings_usd_per_hour": figures.savings,
            "action": figures.action,
            "reason": figures.reason,
        })
    });
    json!({
        "name": config.name,
        "platform": config.platform,
        "control": config.control,
        "mode": config.mode,
        "replicas": config.replicas,
        "desired": state.known_desired,
        "instance_type": state.known_type,
        "taken_over": state.taken_over,
        "pause": state.pause,
        "override": state.temporary,
        "breaker_open": state.breaker.is_open(),
        "running": running,
        "figures": figures,
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionsQuery {
    limit: Option<usize>,
    before: Option<String>,
}

pub(super) async fn decisions(
    State(state): State<ApiState>,
    Path(name): Path,
    Query(query): Query<DecisionsQuery>,
) -> Answer {
    let page = Page::new(query.limit, query.before)?;
    let name = known(&*state.control().refresh().await?, &name)?;
    let prefix = decisions_prefix(&name);
    let records = History { prefix: &prefix, day: "%Y-%m-%d" }.page(&state, &page, |_| true).await?;
    let next = (records.len() == page.limit)
        .then(|| records.last().and_then(|last| last.key.strip_prefix(&prefix)))
        .flatten();
    let decisions: Vec<Value> = records
        .iter()
        .map(|record| Ok(render_decision(&from_json(&record.key, &record.body)?)))
        .collect::<Result<_, Problem>>()?;
    Ok(Json(json!({"decisions": decisions, "next": next})))
}

/// A decision with its reason as a sentence.
pub(super) fn render_decision(decision: &Decision) -> Value {
    let mut value = json!(decision);
    value["explanation"] = decision.reason.to_string().into();
    value
}

/// The group of that name.
pub(super) fn known(config: &Config, name: &str) -> Result<GroupName, Problem> {
    config.group(name).map(|group| group.name.clone()).ok_or_else(|| {
        let detail = format!("the configuration has no group {name:?}");
        Problem::new(Kind::NotFound, detail).with("groups", names(config))
    })
}

/// All names, for whoever has to choose one.
pub(super) fn names(config: &Config) -> Vec<String> {
    config.groups.iter().map(|group| group.name.to_string()).collect()
}
