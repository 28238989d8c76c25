//! The routes: one file for each thing they are about.

mod config;
mod groups;
mod health;
mod metrics;
mod operations;
mod pause;
mod scale;
mod validation;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{Method, Uri, header};
use scaling_telemetry::Format;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::idempotency;
use crate::problem::{Kind, Problem};
use crate::request;
use crate::state::ApiState;

/// The whole interface.
pub fn router(state: ApiState) -> Router {
    let reads = Router::new()
        .route("/health", get(health::health))
        .route("/config/schema", get(config::schema))
        .route("/validation", get(validation::validation))
        .route("/groups", get(groups::groups))
        .route("/groups/{name}/decisions", get(groups::decisions))
        .route("/operations", get(operations::operations))
        .route("/operations/{id}", get(operations::operation))
        .route("/config", get(config::current));
    let writes = Router::new()
        .route("/config", post(config::replace))
        .route("/scale", post(scale::scale))
        .route("/groups/{name}/pause", post(pause::pause))
        .route("/groups/{name}/resume", post(pause::resume))
        .route_layer(middleware::from_fn_with_state(state.clone(), idempotency::around_writes));
    reads
        .merge(writes)
        .route_layer(middleware::from_fn(json_only))
        .route("/metrics", get(metrics::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(request::around))
        .with_state(state)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(Kind::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}

/// Everything but the metrics has one format.
async fn json_only(request: Request, next: Next) -> Response {
    let accept = accept(request.headers());
    if Format::Json.is_accepted(accept.as_deref()) {
        next.run(request).await
    } else {
        Problem::new(Kind::NotAcceptable, "the answer is application/json").into_response()
    }
}

/// All Accept headers as one.
fn accept(headers: &http::HeaderMap) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// An answer or a problem.
type Answer = Result<Json<Value>, Problem>;

/// Query parameters, where a bad one is a problem.
struct Query<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error: QueryRejection| Problem::new(Kind::BadParameter, error.body_text()))
    }
}

/// One parameter of the path, where a bad one is a problem.
struct Path(String);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(path)| Self(path))
            .map_err(|error: PathRejection| Problem::new(Kind::BadParameter, error.body_text()))
    }
}
