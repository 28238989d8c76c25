//! The interface's own description.

use axum::response::IntoResponse;
use http::header;

use crate::openapi::DOCUMENT;

#[cfg_attr(test, utoipa::path(
    get, path = "/openapi.json", tag = "controller",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
))]
/// This description
pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
