//! Whether the process does its work. The one endpoint that anybody may ask, so that it costs and tells little.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;

use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// A tick is missed when this many periods have passed without one,
const PERIODS_MISSED: f64 = 3.0;

/// and at least this many seconds.
const LEAST_SECONDS: f64 = 180.0;

/// It does its work.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Health {
    /// Always `ok`; anything else is a problem.
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// What time the controller has: an emulator's, where it is on one. Ends of pauses and overrides are counted by it.
    now: Timestamp,
    /// When the last tick of this process ended; null before the first, and in a process that only answers.
    last_tick: Option<Timestamp>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/health", tag = "controller",
    responses((status = 200, description = "It does its work", body = Health)),
))]
/// Whether the process does its work
///
/// Asks nothing but the process itself, and needs no token.
pub(super) async fn health(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    let config = state.control().config();
    let last_tick = state.metrics().last_tick();
    if let Some(last) = last_tick.or(state.ticking_since()) {
        let longest =
            config.groups.iter().map(|group| group.evaluation_period.as_secs_f64()).fold(0.0, f64::max);
        let allowed = (longest * PERIODS_MISSED).max(LEAST_SECONDS);
        let since = state.now().duration_since(last).as_secs_f64();
        if since > allowed {
            let what = if last_tick.is_some() {
                "the last tick ended"
            } else {
                "no tick has succeeded since the start"
            };
            let detail = format!(
                "{what} {since:.0} s ago; one is due every {longest:.0} s. The log says why, and GET /validation where the \
                 platform is what refuses"
            );
            return Err(Problem::new(Kind::NotTicking, detail));
        }
    }
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), now: state.now(), last_tick }))
}
