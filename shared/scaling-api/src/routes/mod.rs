//! The routes: one file for each thing they are about.

mod audit;
mod config;
mod document;
mod events;
mod groups;
mod health;
mod kill_switch;
mod metrics;
mod operations;
mod overrides;
mod pause;
mod scale;
mod validation;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::request::Parts;
use http::{Method, StatusCode, Uri, header};
use scaling_telemetry::Format;
use serde::de::DeserializeOwned;
pub(crate) use validation::{look, look_over};

use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::words::{self, Place};
use crate::{access, idempotency, request};

/// The whole interface.
pub fn router(state: ApiState) -> Router {
    finish(routes(state))
}

/// The routes without what is around every request: a server puts its own checks between [`routes`] and [`finish`],
/// so that their refusals are answered as problems and logged with the id of the request.
pub fn routes(state: ApiState) -> Router {
    let reads = Router::new()
        .route("/health", get(health::health))
        .route("/openapi.json", get(document::document))
        .route("/config/schema", get(config::schema))
        .route("/validation", get(validation::validation))
        .route("/groups", get(groups::groups))
        .route("/groups/{name}/decisions", get(groups::decisions))
        .route("/operations", get(operations::operations))
        .route("/operations/{id}", get(operations::operation))
        .route("/audit", get(audit::audit))
        .route("/kill-switch", get(kill_switch::current))
        .route("/config", get(config::current));
    let writes = Router::new()
        .route("/scale", post(scale::scale))
        .route("/groups/{name}/pause", post(pause::pause))
        .route("/groups/{name}/resume", post(pause::resume))
        .route("/groups/{name}/override", put(overrides::set).delete(overrides::end))
        .route("/groups/{name}/hold", post(overrides::hold))
        .route("/kill-switch", put(kill_switch::throw).delete(kill_switch::release))
        .route_layer(middleware::from_fn(no_parameters))
        .route("/config", post(config::replace))
        .route_layer(middleware::from_fn_with_state(state.clone(), idempotency::around_writes));
    reads
        .merge(writes)
        .route_layer(middleware::from_fn(json_only))
        .route("/metrics", get(metrics::metrics))
        .route("/events", get(events::events))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn_with_state(state.clone(), access::check_role))
        .fallback(not_found)
        .with_state(state)
}

/// Other routes, so that they answer a method that they do not take as the interface does: OPTIONS with what they take,
/// any other with a problem.
pub fn beside(routes: Router) -> Router {
    routes.method_not_allowed_fallback(method_not_allowed)
}

/// Puts the outermost layer around routes: the id of the request, its span in the logs, and the writing of problems.
pub fn finish(routes: Router) -> Router {
    routes.layer(middleware::from_fn(request::around))
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no {}", uri.path()))
}

/// `Allow` is added by the router.
async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{} does not take {method}", uri.path());
    Problem::new(Kind::MethodNotAllowed, detail).into_response()
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

/// A write that takes no parameter refuses every one: `?dry_run=true` must not be taken for what only a body can say.
async fn no_parameters(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let name = query.split(['&', '=']).find(|name| !name.is_empty());
    match name {
        None => next.run(request).await,
        Some(name) => {
            let detail = format!("there is no parameter {name}; what is asked for stands in the body");
            Problem::new(Kind::BadParameter, detail).into_response()
        }
    }
}

/// All Accept headers as one.
fn accept(headers: &http::HeaderMap) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Query parameters, where a bad one is a problem.
struct Query<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error: QueryRejection| Problem::new(Kind::BadParameter, query_fault(&error)))
    }
}

/// What is wrong with a query, in words. The router says it as `...: NAME: COMPLAINT`, or without a name.
fn query_fault(error: &QueryRejection) -> String {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let (name, complaint) = match text.split_once(": ") {
        Some((name, complaint)) if !name.contains(' ') => (name, complaint),
        _ => ("", text.as_str()),
    };
    words::fault(Place::Parameter, name, complaint, None).sentence
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

/// The handlers, for their description.
#[cfg(test)]
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Service Scaling Framework",
        description = "Decides how many machines a group has and which instance type they are. Refusals and failures are \
            problem details (RFC 9457). Lists take `limit` and the `next` of the page before."
    ),
    paths(
        health::health,
        document::document,
        metrics::metrics,
        config::current,
        config::replace,
        config::schema,
        validation::validation,
        groups::groups,
        groups::decisions,
        pause::pause,
        pause::resume,
        overrides::set,
        overrides::end,
        overrides::hold,
        kill_switch::current,
        kill_switch::throw,
        kill_switch::release,
        scale::scale,
        operations::operations,
        operations::operation,
        events::events,
        audit::audit,
    ),
    components(schemas(crate::openapi::schemas::Problem)),
    tags(
        (name = "groups", description = "Groups, and what is asked of them"),
        (name = "history", description = "What has happened"),
        (name = "configuration", description = "What controls them"),
        (name = "controller", description = "The controller itself")
    )
)]
pub(crate) struct Described;
