//! Operations: listing them, and looking at one.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use scaling_control::ports::Record;
use scaling_control::record::{OPERATIONS_PREFIX, OperationRecord, from_json, operation_key};
use serde::{Deserialize, Serialize};

use super::{Path, Query};
use crate::cursor;
use crate::history::{History, Listed, Page};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::views::OperationView;

/// Longer than any id. No store is asked for more.
const LONGEST_ID: usize = 128;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct OperationsQuery {
    /// Only operations of this group.
    group: Option<String>,
    /// Most operations of a page, 1 to 500. Default 50.
    #[cfg_attr(test, param(minimum = 1, maximum = 500))]
    limit: Option<usize>,
    /// Only operations before this one: the `next` of the page before.
    #[cfg_attr(test, param(max_length = 128, pattern = "^[0-9]{8}[!-~]*$"))]
    before: Option<String>,
}

/// A page of operations, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct OperationPage<'a> {
    /// The operations.
    operations: Vec<OperationView<'a>>,
    /// The `before` of the next page; null on the last one.
    next: Option<String>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/operations", tag = "history", params(OperationsQuery),
    responses((status = 200, description = "Operations, newest first", body = OperationPage<'_>)),
))]
/// Operations, newest first
///
/// They are kept for 90 days.
pub(super) async fn operations(
    State(state): State<ApiState>,
    Query(query): Query<OperationsQuery>,
) -> Result<Response, Problem> {
    let page = Page::new(query.limit, query.before)?;
    let of_group = |record: &Record| {
        query
            .group
            .as_ref()
            .is_none_or(|group| parse(record).is_ok_and(|operation| operation.group.as_str() == group))
    };
    let history = History { prefix: OPERATIONS_PREFIX, day: cursor::Day::Compact };
    let Listed { records, next } = history.page(&state, &page, of_group).await?;
    let operations: Vec<OperationRecord> = records.iter().map(parse).collect::<Result<_, Problem>>()?;
    let operations = operations.iter().map(render).collect();
    Ok(Json(OperationPage { operations, next }).into_response())
}

#[cfg_attr(test, utoipa::path(
    get, path = "/operations/{id}", tag = "history",
    params(("id" = String, Path, description = "The operation's id, as in `Location`")),
    responses((status = 200, description = "The operation", body = OperationView<'_>)),
))]
/// One operation
///
/// Asked again it shows how far the operation is, until its `phase` is one of the ends: `verified`, `failed`,
/// `rolled_back`, `superseded`.
pub(super) async fn operation(State(state): State<ApiState>, Path(id): Path) -> Result<Response, Problem> {
    let record = match id.len() {
        0..=LONGEST_ID => state.store().get(&operation_key(&id)).await?,
        _ => None,
    };
    let record = record.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("there is no operation {id:?}; they are kept for 90 days"))
    })?;
    Ok(Json(render(&parse(&record)?)).into_response())
}

fn parse(record: &Record) -> Result<OperationRecord, Problem> {
    Ok(from_json(&record.key, &record.body)?)
}

fn render(record: &OperationRecord) -> OperationView<'_> {
    OperationView::new(record.group.as_str(), &record.operation)
}
