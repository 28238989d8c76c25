//! Operations: listing them, and looking at one.

use axum::Json;
use axum::extract::State;
use scaling_control::ports::Record;
use scaling_control::record::{OPERATIONS_PREFIX, OperationRecord, from_json, operation_key};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Path, Query};
use crate::history::{History, Page};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationsQuery {
    group: Option<String>,
    limit: Option<usize>,
    before: Option<String>,
}

pub(super) async fn operations(
    State(state): State<ApiState>,
    Query(query): Query<OperationsQuery>,
) -> Answer {
    let page = Page::new(query.limit, query.before)?;
    let of_group = |record: &Record| {
        query
            .group
            .as_ref()
            .is_none_or(|group| parse(record).is_ok_and(|operation| operation.group.as_str() == group))
    };
    let history = History { prefix: OPERATIONS_PREFIX, day: "%Y%m%d" };
    let records = history.page(&state, &page, of_group).await?;
    let next = (records.len() == page.limit)
        .then(|| records.last().and_then(|last| last.key.strip_prefix(OPERATIONS_PREFIX)))
        .flatten();
    let operations: Vec<Value> =
        records.iter().map(|record| Ok(render(&parse(record)?))).collect::<Result<_, Problem>>()?;
    Ok(Json(json!({"operations": operations, "next": next})))
}

pub(super) async fn operation(State(state): State<ApiState>, Path(id): Path) -> Answer {
    let record = state.store().get(&operation_key(&id)).await?;
    let record = record.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("there is no operation {id:?}; they are kept for 90 days"))
    })?;
    Ok(Json(render(&parse(&record)?)))
}

fn parse(record: &Record) -> Result<OperationRecord, Problem> {
    Ok(from_json(&record.key, &record.body)?)
}

/// An operation with its group, what it is in one word, and why in one sentence.
pub(super) fn render(record: &OperationRecord) -> Value {
    let mut value = json!(record.operation);
    value["group"] = json!(record.group);
    value["action"] = record.operation.kind.label().into();
    value["explanation"] = record.operation.reason.to_string().into();
    value
}
