//! The figures, in three formats.

use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, header};
use scaling_telemetry::Format;

use crate::problem::{Kind, Problem};
use crate::state::ApiState;

#[cfg_attr(test, utoipa::path(
    get, path = "/metrics", tag = "controller",
    responses((status = 200, description = "The figures, in the format that `Accept` asks for", content(
        (crate::openapi::schemas::Metrics = "application/json"),
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    ))),
))]
/// Figures of the groups and of the controller
///
/// JSON by default; Prometheus or OpenMetrics text by `Accept`.
pub(super) async fn metrics(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let accept = super::accept(&headers);
    let format = Format::negotiate(accept.as_deref(), Format::Json).ok_or_else(|| {
        let detail = "metrics are application/json, text/plain;version=0.0.4 or \
            application/openmetrics-text;version=1.0.0";
        Problem::new(Kind::NotAcceptable, detail)
    })?;
    let config = state.control().refresh().await?;
    let text = state.fresh_metrics(&config).await.render(format);
    Ok(([(header::CONTENT_TYPE, format.content_type()), (header::VARY, "accept")], text))
}
