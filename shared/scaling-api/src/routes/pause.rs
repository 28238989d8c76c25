//! Pausing the control of a group, and resuming it.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use scaling_control::controls::Stopped;
use scaling_policy::operation::Pause;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Path, groups};
use crate::audit::{Audit, Change};
use crate::problem::Problem;
use crate::request::{Caller, author};
use crate::state::ApiState;
use crate::views::is_in_force;
use crate::{body, moment};

/// The body of a pause. It may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct PauseRequest {
    /// Why.
    reason: Option<String>,
    /// Who, where the layer in front does not know.
    by: Option<String>,
    /// Until when; without it until resumed. It must be in the future, and within 366 days.
    until: Option<Timestamp>,
}

/// The body of a resumption. It may be left out, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ResumeRequest {
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// The pause of a group.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct PauseAnswer {
    /// The group.
    group: String,
    /// Its pause; null while it is controlled.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Pause>))]
    pause: Option<Pause>,
}

#[cfg_attr(test, utoipa::path(
    post, path = "/groups/{name}/pause", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name")),
    request_body = Option<PauseRequest>,
    responses((status = 200, description = "It is paused", body = PauseAnswer)),
))]
/// Pauses the control of a group
///
/// It is observed as before, and nothing is changed, not even on request, until it is resumed or `until` has passed.
pub(super) async fn pause(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: PauseRequest = body::parse_or_default(&bytes)?;
    request.until.map_or(Ok(()), |until| moment::check(state.now(), "until", until))?;
    let by = author(caller, request.by)?;
    let reason = body::reason(request.reason)?;
    let pause = Pause { by: by.clone(), reason, until: request.until };
    set(&state, &name, Some(pause), Doing { what: "paused", by, audit }).await
}

#[cfg_attr(test, utoipa::path(
    post, path = "/groups/{name}/resume", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name")),
    request_body = Option<ResumeRequest>,
    responses((status = 200, description = "It is controlled", body = PauseAnswer)),
))]
/// Resumes the control of a group
///
/// It also closes an open breaker (three operations failed in a row): whoever resumes has looked.
pub(super) async fn resume(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: ResumeRequest = body::parse_or_default(&bytes)?;
    let by = author(caller, request.by)?;
    set(&state, &name, None, Doing { what: "resumed", by, audit }).await
}

/// What is done, and who does it.
struct Doing {
    what: &'static str,
    by: String,
    audit: Audit,
}

async fn set(state: &ApiState, name: &str, pause: Option<Pause>, doing: Doing) -> Result<Response, Problem> {
    let group = groups::known(&*state.control().refresh().await?, name)?;
    let Doing { what, by, audit } = doing;
    let now = state.now();
    let change = |before: &Stopped| {
        // One that has run out held no more.
        let held = before.pause.as_ref().filter(|pause| is_in_force(pause, now));
        let breaker = Some(&before.breaker).filter(|breaker| breaker.is_open());
        // Where there was nothing to end, nothing was changed.
        (pause.is_some() || held.is_some() || breaker.is_some()).then(|| Change {
            what,
            by: by.clone(),
            group: Some(group.to_string()),
            before: match breaker {
                Some(breaker) => json!({"pause": held, "breaker": breaker}),
                None => json!(held),
            },
            after: json!(pause),
        })
    };
    let along = |before: &Stopped| audit.along(change(before));
    let before = state.control().set_pause(&group, pause.clone(), along).await?;
    audit.told(change(&before));
    Ok(Json(PauseAnswer { group: group.to_string(), pause }).into_response())
}
