//! Pausing the control of a group, and resuming it.

use axum::body::Bytes;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use scaling_policy::operation::Pause;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Path, groups};
use crate::body;
use crate::problem::{Kind, Problem};
use crate::request::{Caller, author};
use crate::state::ApiState;

/// The body of a pause. It may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PauseRequest {
    /// Why.
    reason: Option<String>,
    /// Who, where the layer in front does not know.
    by: Option<String>,
    /// Until when; without it until resumed.
    until: Option<Timestamp>,
}

/// The body of a resumption. It may be left out, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ResumeRequest {
    by: Option<String>,
}

pub(super) async fn pause(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    bytes: Bytes,
) -> Answer {
    let request: PauseRequest = parse_or_default(&bytes)?;
    if let Some(until) = request.until.filter(|until| *until <= state.now()) {
        return Err(Problem::new(Kind::InvalidRequest, format!("until must be in the future, not {until}")));
    }
    let pause = Pause {
        by: author(caller, request.by),
        reason: request.reason.unwrap_or_else(|| "no reason given".to_owned()),
        until: request.until,
    };
    let group = set(&state, &name, Some(pause.clone())).await?;
    tracing::info!(target: "scaling::monitor", group, by = pause.by, reason = pause.reason, "paused");
    Ok(Json(json!({"group": group, "pause": pause})))
}

pub(super) async fn resume(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    bytes: Bytes,
) -> Answer {
    let request: ResumeRequest = parse_or_default(&bytes)?;
    let group = set(&state, &name, None).await?;
    tracing::info!(target: "scaling::monitor", group, by = author(caller, request.by), "resumed");
    Ok(Json(json!({"group": group, "pause": null})))
}

async fn set(state: &ApiState, name: &str, pause: Option<Pause>) -> Result<String, Problem> {
    let group = groups::known(&*state.control().refresh().await?, name)?;
    state.control().set_pause(&group, pause).await?;
    Ok(group.to_string())
}

fn parse_or_default<T: Default + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() { Ok(T::default()) } else { body::parse(bytes) }
}
