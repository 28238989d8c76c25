//! Who has changed what: one record of each write that went through, with what was before and after. It is logged as
//! well, so that a record that could not be stored is not lost.

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use jiff::Timestamp;
use scaling_control::ports::NewRecord;
use scaling_control::record::{HISTORY, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::{Caller, REQUEST_ID};
use crate::state::ApiState;

/// What every entry's key begins with; a time follows.
pub(crate) const PREFIX: &str = "audit/all/";

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = AuditEntry))]
pub(crate) struct Entry {
    /// When.
    pub(crate) at: Timestamp,
    /// Who: the principal or the token's name where a layer in front knows it, else what the request said.
    pub(crate) by: String,
    /// Whether `by` was checked by the layer in front.
    pub(crate) checked: bool,
    /// What was done, in a word.
    pub(crate) what: String,
    /// The group, where it concerns one.
    pub(crate) group: Option<String>,
    /// The id of the request.
    pub(crate) request: String,
    /// What was before.
    pub(crate) before: Value,
    /// What is since.
    pub(crate) after: Value,
}

/// What a handler says about the write that it has made; it travels in the response's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// In a word.
    pub(crate) what: &'static str,
    /// Who, as the handler knows.
    pub(crate) by: String,
    /// The group, where it concerns one.
    pub(crate) group: Option<String>,
    /// What was before.
    pub(crate) before: Value,
    /// What is since.
    pub(crate) after: Value,
}

/// The layer around every write, inside that of the idempotency key: an answer that is given again is no new write.
pub(crate) async fn around_writes(
    State(state): State<ApiState>,
    caller: Option<Extension<Caller>>,
    request: Request,
    next: Next,
) -> Response {
    let id = id(request.headers());
    let mut response = next.run(request).await;
    if let Some(change) = response.extensions_mut().remove::<Change>() {
        note(&state, change, caller.is_some(), id).await;
    }
    response
}

/// The id that the outermost layer has given the request.
fn id(headers: &HeaderMap) -> String {
    headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

async fn note(state: &ApiState, change: Change, checked: bool, request: String) {
    let Change { what, by, group, before, after } = change;
    let at = state.now();
    let entry = Entry { at, by, checked, what: what.to_owned(), group, request, before, after };
    let body = match to_json("note a write", &entry) {
        Ok(body) => body,
        Err(error) => return tracing::error!(target: "scaling::monitor", %error, ?entry, "no audit record"),
    };
    tracing::info!(target: "scaling::monitor", audit = body, "{what} by {}", entry.by);
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let key =
        format!("{PREFIX}{}-{}", at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"), unique.get(..8).unwrap_or_default());
    let record = NewRecord { key, body, expires: Some(at + HISTORY) };
    // The write is done and cannot be refused any more; the line above tells of it.
    if let Err(error) = state.store().append(vec![record]).await {
        tracing::error!(target: "scaling::monitor", %error, "the audit record could not be stored");
    }
}
