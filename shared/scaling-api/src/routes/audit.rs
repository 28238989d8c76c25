//! Who has changed what.

use axum::Json;
use axum::extract::State;
use scaling_control::record::from_json;
use serde::{Deserialize, Serialize};

use super::Query;
use crate::audit::{Entry, PREFIX};
use crate::cursor;
use crate::history::{History, Listed, Page};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct AuditQuery {
    /// Most entries of a page, 1 to 500. Default 50.
    #[cfg_attr(test, param(minimum = 1, maximum = 500))]
    limit: Option<usize>,
    /// Only entries before this one: the `next` of the page before.
    #[cfg_attr(test, param(max_length = 128, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[!-~]*$"))]
    before: Option<String>,
}

/// A page of writes, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct AuditPage {
    /// The entries.
    entries: Vec<Entry>,
    /// The `before` of the next page; null on the last one.
    next: Option<String>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/audit", tag = "history", params(AuditQuery),
    responses((status = 200, description = "Writes, newest first", body = AuditPage)),
))]
/// Who has changed what
///
/// Each write that went through: who, what, before and after. Kept for 90 days.
pub(super) async fn audit(
    State(state): State<ApiState>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let page = Page::new(query.limit, query.before)?;
    let history = History { prefix: PREFIX, day: cursor::Day::Dashed };
    let Listed { records, next } = history.page(&state, &page, |_| true).await?;
    let entries = records.iter().map(|record| Ok(from_json(&record.key, &record.body)?));
    Ok(Json(AuditPage { entries: entries.collect::<Result<_, Problem>>()?, next }))
}
