//! The kill switch: no change is asked for while it is on.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use scaling_control::record::KillSwitch;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audit, Change};
use crate::body;
use crate::problem::Problem;
use crate::request::{Caller, author};
use crate::state::ApiState;

/// The body of throwing it. It may be left out: who is in a hurry gives reasons later.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct KillSwitchRequest {
    /// Why.
    reason: Option<String>,
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// The body of releasing it. It may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ReleaseRequest {
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// Whether it is on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct KillSwitchAnswer {
    /// Who has thrown it and why; null while it is off.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::KillSwitch>))]
    kill_switch: Option<KillSwitch>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/kill-switch", tag = "controller",
    responses((status = 200, description = "Whether it is on", body = KillSwitchAnswer)),
))]
/// Whether the kill switch is on
pub(super) async fn current(State(state): State<ApiState>) -> Result<Response, Problem> {
    Ok(Json(KillSwitchAnswer { kill_switch: state.control().kill_switch().await? }).into_response())
}

#[cfg_attr(test, utoipa::path(
    put, path = "/kill-switch", tag = "controller", request_body = Option<KillSwitchRequest>,
    responses((status = 200, description = "It is on", body = KillSwitchAnswer)),
))]
/// Throws the kill switch: no change of any group is asked for
///
/// Groups are observed and decided on as before; no change is asked for, not even on request, and what the platform has
/// begun goes on.
pub(super) async fn throw(
    State(state): State<ApiState>,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: KillSwitchRequest = body::parse_or_default(&bytes)?;
    let by = author(caller, request.by)?;
    let reason = body::reason(request.reason)?;
    store(&state, Some(KillSwitch { by: by.clone(), reason }), ("stopped", by), &audit).await
}

#[cfg_attr(test, utoipa::path(
    delete, path = "/kill-switch", tag = "controller", request_body = Option<ReleaseRequest>,
    responses((status = 200, description = "It is off", body = KillSwitchAnswer)),
))]
/// Releases the kill switch
pub(super) async fn release(
    State(state): State<ApiState>,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: Option<ReleaseRequest> = body::parse_or_default(&bytes)?;
    let by = author(caller, request.and_then(|request| request.by))?;
    store(&state, None, ("released", by), &audit).await
}

async fn store(
    state: &ApiState,
    kill_switch: Option<KillSwitch>,
    (what, by): (&'static str, String),
    audit: &Audit,
) -> Result<Response, Problem> {
    let change = |before: &Option<KillSwitch>| {
        // Where there was nothing to end, nothing was changed.
        (before.is_some() || kill_switch.is_some()).then(|| Change {
            what,
            by: by.clone(),
            group: None,
            before: json!(before),
            after: json!(kill_switch),
        })
    };
    let along = |before: &Option<KillSwitch>| audit.along(change(before));
    let before = state.control().set_kill_switch(kill_switch.clone(), along).await?;
    audit.told(change(&before));
    Ok(Json(KillSwitchAnswer { kill_switch }).into_response())
}
