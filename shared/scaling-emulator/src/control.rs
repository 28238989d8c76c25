//! Paths under `/_emulator/`: time, workloads, faults and figures, for programs that do not hold the handle.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::service::ServiceModel;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::Shared;
use crate::faults::Fault;
use crate::workload::Workload;

type Emulator = State<Arc<Shared>>;

/// The control paths.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_emulator/health", get(health))
        .route("/_emulator/clock", get(health).post(advance))
        .route("/_emulator/workload", post(workload))
        .route("/_emulator/faults", get(faults).post(inject).delete(clear))
        .route("/_emulator/requests", get(requests))
        .route("/_emulator/groups/{name}", get(group))
        .route("/moto-api/reset", post(reset))
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

async fn advance(State(shared): Emulator, Json(body): Json<Advance>) -> Response {
    let Ok(by) = Duration::try_from_secs_f64(body.advance) else {
        return refused(StatusCode::BAD_REQUEST, "`advance` must be seconds, 0 or more");
    };
    match shared.advance(by).await {
        Ok(now) => Json(json!({ "now": now })).into_response(),
        Err(error) => refused(StatusCode::CONFLICT, &error.to_string()),
    }
}

/// Body of `POST /_emulator/workload`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadBody {
    /// The group; it may be made later.
    group: String,
    /// Requests per second over time.
    load: LoadBody,
    /// The service, the demo's when absent.
    service: Option<ServiceModel>,
    /// Shortest and longest boot in seconds.
    boot_seconds: Option<(f64, f64)>,
    /// Of arrivals and boots.
    seed: Option<u64>,
    /// 95th percentile in seconds.
    latency_target: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadBody {
    /// The same rate for ever.
    Constant(f64),
    /// Rates at the start of each step of so many seconds, from now.
    Rates { step: f64, rates: Vec<f64> },
    /// The shipped week, from now.
    Week { mean_rate: f64, seed: u64 },
}

async fn workload(State(shared): Emulator, Json(body): Json<WorkloadBody>) -> Response {
    let mut state = shared.state();
    let now = state.region.now;
    let usable = |rate: &f64| rate.is_finite() && *rate >= 0.0;
    let load = match body.load {
        LoadBody::Constant(rate) if usable(&rate) => Load::constant(now, rate),
        LoadBody::Rates { step, rates } if step > 0.0 && rates.iter().all(usable) => {
            match Duration::try_from_secs_f64(step) {
                Ok(step) if !step.is_zero() => Load::new(now, step, rates),
                _ => return refused(StatusCode::BAD_REQUEST, "`step` must be seconds above 0"),
            }
        }
        LoadBody::Week { mean_rate, seed } if usable(&mean_rate) => WeekProfile { mean_rate, seed }.draw(now),
        _ => return refused(StatusCode::BAD_REQUEST, "rates must be numbers of at least 0, `step` above 0"),
    };
    let mut made = Workload::new(load, body.service.unwrap_or_else(ServiceModel::demo));
    if let Some((shortest, longest)) = body.boot_seconds {
        let seconds = (Duration::try_from_secs_f64(shortest), Duration::try_from_secs_f64(longest));
        let (Ok(shortest), Ok(longest)) = seconds else {
            return refused(StatusCode::BAD_REQUEST, "`boot_seconds` must be two numbers of at least 0");
        };
        made.boot = BootModel { shortest, longest };
    }
    made.seed = body.seed.unwrap_or(made.seed);
    made.latency_target = body.latency_target.unwrap_or(made.latency_target);
    state.region.set_workload(&body.group, made);
    Json(json!({ "group": body.group })).into_response()
}

async fn faults(State(shared): Emulator) -> Json<Value> {
    let state = shared.state();
    let launch = &state.region.launch_faults;
    Json(json!({
        "calls": state.faults.faults(),
        "without_capacity": launch.without_capacity,
        "failing": launch.failing,
        "zone_shortages": launch.zone_shortages,
        "zones_down": launch.zones_down,
        "lost_metrics": state.region.lost_metrics,
    }))
}

async fn inject(State(shared): Emulator, Json(fault): Json<Fault>) -> Json<Value> {
    let mut state = shared.state();
    let state = &mut *state;
    let answer = json!({ "fault": fault });
    state.faults.inject(fault, &mut state.region);
    Json(answer)
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
    }))
    .into_response()
}

async fn reset(State(shared): Emulator) -> Json<Value> {
    shared.reset();
    Json(json!({ "status": "ok" }))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
