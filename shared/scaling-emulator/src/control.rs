//! Paths under `/_emulator/`: time, workloads, faults, states and figures, for programs that do not hold the handle. The
//! crate's README documents them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::emulator::Shared;
use crate::faults::Fault;
use crate::kept::StateError;
use crate::load_request::WorkloadRequest;
use crate::page;
use crate::scenario::Scenario;

/// Largest state that is read, in bytes: a few hundred groups over a day.
const LARGEST_STATE: usize = 256 * 1024 * 1024;

type Emulator = State<Arc<Shared>>;

/// The control paths.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_emulator/health", get(health))
        .route("/_emulator/clock", get(health).post(advance))
        .route("/_emulator/workload", post(workload))
        .route("/_emulator/faults", get(faults).post(inject).delete(clear))
        .route("/_emulator/requests", get(requests))
        .route("/_emulator/events", get(events))
        .route("/_emulator/groups/{name}", get(group))
        .route("/_emulator/scenario", post(scenario))
        .route("/_emulator/snapshots", get(snapshots))
        .route("/_emulator/snapshots/{name}", post(save).put(load).delete(forget))
        .route("/_emulator/state", get(written).put(replaced).layer(DefaultBodyLimit::max(LARGEST_STATE)))
        .route("/_emulator/view", get(view))
        .route("/_emulator/reset", post(reset))
        .route("/moto-api/reset", post(reset))
}

/// The body of a request, which is JSON. One that cannot be read is answered as every other refusal is.
struct Said<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused(rejection.status(), &rejection.body_text())),
        }
    }
}

async fn health(State(shared): Emulator) -> Json<Value> {
    Json(json!({ "status": "ok", "now": shared.state().region.now }))
}

/// Body of `POST /_emulator/clock`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Seconds.
    advance: f64,
}

async fn advance(State(shared): Emulator, Said(body): Said<Advance>) -> Response {
    let Ok(by) = Duration::try_from_secs_f64(body.advance) else {
        return refused(StatusCode::BAD_REQUEST, "`advance` must be seconds, 0 or more");
    };
    match shared.advance(by).await {
        Ok(now) => Json(json!({ "now": now })).into_response(),
        Err(error) => refused(StatusCode::CONFLICT, &error.to_string()),
    }
}

async fn workload(State(shared): Emulator, Said(body): Said<WorkloadRequest>) -> Response {
    let mut state = shared.state();
    match body.workload(state.region.now) {
        Err(why) => refused(StatusCode::BAD_REQUEST, why),
        Ok(made) => {
            state.region.set_workload(&body.group, made);
            Json(json!({ "group": body.group })).into_response()
        }
    }
}

async fn faults(State(shared): Emulator) -> Json<Value> {
    Json(shared.state().faults_in_force())
}

async fn inject(State(shared): Emulator, Said(fault): Said<Fault>) -> Response {
    let mut state = shared.state();
    let state = &mut *state;
    let answer = json!({ "fault": fault });
    match state.faults.inject(fault, &mut state.region) {
        Ok(()) => Json(answer).into_response(),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn clear(State(shared): Emulator) -> StatusCode {
    let mut state = shared.state();
    let state = &mut *state;
    state.faults.clear(&mut state.region);
    StatusCode::NO_CONTENT
}

async fn requests(State(shared): Emulator) -> Json<Value> {
    Json(json!(shared.state().requests.counts()))
}

/// Query of `GET /_emulator/events`.
#[derive(Debug, Deserialize)]
struct After {
    /// Number of the last event that is known already.
    #[serde(default)]
    after: u64,
}

async fn events(State(shared): Emulator, query: Result<Query<After>, QueryRejection>) -> Response {
    let after = match query {
        Ok(Query(query)) => query.after,
        Err(rejection) => return refused(rejection.status(), &rejection.body_text()),
    };
    let state = shared.state();
    Json(json!({ "events": state.region.events.after(after).collect::<Vec<_>>() })).into_response()
}

async fn group(State(shared): Emulator, Path(name): Path<String>) -> Response {
    let state = shared.state();
    let Some(group) = state.region.group(&name) else {
        return refused(StatusCode::NOT_FOUND, "there is no such group");
    };
    let sizes = group.sizes();
    Json(json!({
        "totals": group.totals(),
        "desired": sizes.desired,
        "in_service": sizes.in_service,
        "pending": sizes.pending,
        "terminating": sizes.terminating,
        "standby": sizes.standby,
        "warm_pool": sizes.warm,
    }))
    .into_response()
}

async fn scenario(State(shared): Emulator, Said(scenario): Said<Scenario>) -> Response {
    match scenario.begin(&mut shared.state()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(StatusCode::BAD_REQUEST, &with_cause(&error)),
    }
}

async fn snapshots(State(shared): Emulator) -> Json<Value> {
    let snapshots = shared.snapshots();
    let shown = snapshots.iter().map(|(name, state)| json!({ "name": name, "now": state.region.now }));
    Json(json!({ "snapshots": shown.collect::<Value>() }))
}

async fn save(State(shared): Emulator, Path(name): Path<String>) -> StatusCode {
    shared.save(name);
    StatusCode::NO_CONTENT
}

async fn load(State(shared): Emulator, Path(name): Path<String>) -> Response {
    match shared.load(&name) {
        Some(now) => Json(json!({ "now": now })).into_response(),
        None => refused(StatusCode::NOT_FOUND, "there is no such snapshot"),
    }
}

async fn forget(State(shared): Emulator, Path(name): Path<String>) -> Response {
    match shared.snapshots().remove(&name) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => refused(StatusCode::NOT_FOUND, "there is no such snapshot"),
    }
}

async fn written(State(shared): Emulator) -> Response {
    match tokio::task::spawn_blocking(move || shared.write()).await {
        Ok(Ok(document)) => ([(http::header::CONTENT_TYPE, "application/json")], document).into_response(),
        Ok(Err(error)) => refused(StatusCode::INTERNAL_SERVER_ERROR, &with_cause(&error)),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn replaced(State(shared): Emulator, document: Result<Bytes, BytesRejection>) -> Response {
    let document = match document {
        Ok(document) => document,
        Err(rejection) => return refused(rejection.status(), &rejection.body_text()),
    };
    match tokio::task::spawn_blocking(move || shared.read(&document)).await {
        Ok(Ok(now)) => Json(json!({ "now": now })).into_response(),
        Ok(Err(error @ StateError::Ahead { .. })) => refused(StatusCode::CONFLICT, &with_cause(&error)),
        Ok(Err(error)) => refused(StatusCode::BAD_REQUEST, &with_cause(&error)),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn view(State(shared): Emulator) -> Json<Value> {
    Json(page::view(&shared.state()))
}

async fn reset(State(shared): Emulator) -> Json<Value> {
    shared.reset();
    Json(json!({ "status": "ok" }))
}

/// An error and why it came to it.
fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
