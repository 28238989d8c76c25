//! Other bounds or another type for a while, and holding what is there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use scaling_control::ports::GroupDescription;
use scaling_control::record::{GroupRecord, group_from_json, group_key};
use scaling_control::{PortError, observe, within};
use scaling_fleet::TypeName;
use scaling_policy::config::GroupConfig;
use scaling_policy::operation::Override;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Path, groups};
use crate::audit::{Audit, Change};
use crate::problem::{Kind, Problem};
use crate::request::{Caller, author};
use crate::state::ApiState;
use crate::{body, moment};

/// Longest time for a look that only explains.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// The body of an override: what shall hold meanwhile, and until when. At least one of `min`, `max` and
/// `instance_type` is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct OverrideRequest {
    /// Least replicas meanwhile.
    #[cfg_attr(test, schema(minimum = 1))]
    min: Option<u32>,
    /// Most replicas meanwhile; not fewer than `min`.
    #[cfg_attr(test, schema(minimum = 1))]
    max: Option<u32>,
    /// Type meanwhile, of the catalogue and within the bounds.
    instance_type: Option<String>,
    /// Until when. It must be in the future, and within 366 days.
    until: Timestamp,
    /// Why.
    reason: String,
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// The body of a hold. It may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct HoldRequest {
    /// Until when; without it for the configuration's `manual_hold`. It must be in the future, and
    /// within 366 days.
    until: Option<Timestamp>,
    /// Why.
    reason: Option<String>,
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// The body of ending an override or a hold. It may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct EndRequest {
    /// Who, where the layer in front does not know.
    by: Option<String>,
}

/// The override of a group.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct OverrideAnswer {
    /// The group.
    group: String,
    /// Its override; null without one.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Override>))]
    r#override: Option<Override>,
    /// Which of its bounds the group's own do not let it have, so that it goes no further than these; null where it can have
    /// them, and where the platform does not tell the group's own.
    note: Option<String>,
}

#[cfg_attr(test, utoipa::path(
    put, path = "/groups/{name}/override", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name")),
    request_body = OverrideRequest,
    responses((status = 200, description = "It is in force", body = OverrideAnswer)),
))]
/// Sets other bounds or another type for a while
///
/// It takes the place of the configuration's bounds, and of an override before it, until `until`; the group's own bounds
/// still hold. The next evaluation acts on it.
pub(super) async fn set(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: OverrideRequest = body::parse(&bytes)?;
    let group = configured(&state, &name).await?;
    check(state.now(), &request)?;
    if let Some(name) = request.instance_type.as_deref() {
        check_type(&state, &group, &TypeName::new(name)).await?;
    }
    let temporary = Override {
        by: author(caller, request.by)?,
        reason: body::short("reason", request.reason)?,
        until: request.until,
        min: request.min,
        max: request.max,
        instance_type: request.instance_type.as_deref().map(TypeName::new),
    };
    let by = temporary.by.clone();
    let note = beyond(&state, &group, &temporary).await;
    store(&state, &group, (Some(temporary), note), ("overridden", by), &audit).await
}

#[cfg_attr(test, utoipa::path(
    delete, path = "/groups/{name}/override", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name")),
    request_body = Option<EndRequest>,
    responses((status = 200, description = "The configuration\'s bounds are in force", body = OverrideAnswer)),
))]
/// Ends an override or a hold
pub(super) async fn end(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let group = configured(&state, &name).await?;
    let request: Option<EndRequest> = body::parse_or_default(&bytes)?;
    let by = author(caller, request.and_then(|request| request.by))?;
    store(&state, &group, (None, None), ("override ended", by), &audit).await
}

#[cfg_attr(test, utoipa::path(
    post, path = "/groups/{name}/hold", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name")),
    request_body = Option<HoldRequest>,
    responses((status = 200, description = "It is held", body = OverrideAnswer)),
))]
/// Keeps what a group has against scale-down
///
/// An override whose least replicas are those desired at this moment; more may be added meanwhile. It takes the place of
/// another hold. Where an override is in force that has a maximum or a type, or holds for longer, it is refused (409): it
/// would end that one.
pub(super) async fn hold(
    State(state): State<ApiState>,
    Path(name): Path,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let request: HoldRequest = body::parse_or_default(&bytes)?;
    let group = configured(&state, &name).await?;
    let until = request.until.unwrap_or_else(|| state.now() + group.manual_hold);
    moment::check(state.now(), "until", until)?;
    let desired = described(&state, &group).await?.desired;
    let running = state.control().override_of(&group.name).await?;
    let running = running.filter(|running| running.until > state.now());
    let sets_more = |running: &&Override| {
        running.max.is_some() || running.instance_type.is_some() || running.until > until
    };
    if let Some(running) = running.as_ref().filter(sets_more) {
        return Err(Problem::new(Kind::Conflict, in_the_way(running)));
    }
    let least = running.and_then(|running| running.min).unwrap_or(1);
    let by = author(caller, request.by)?;
    let temporary = Override {
        by: by.clone(),
        reason: body::reason(request.reason)?,
        until,
        min: Some(desired.max(least)),
        max: None,
        instance_type: None,
    };
    store(&state, &group, (Some(temporary), None), ("held", by), &audit).await
}

/// What to do about an override that would be ended by the way.
fn in_the_way(running: &Override) -> String {
    let Override { by, reason, until, .. } = running;
    format!("an override by {by} holds until {until} ({reason}); end it first, or set another one")
}

/// The group as its platform has it.
async fn described(state: &ApiState, group: &Arc<GroupConfig>) -> Result<GroupDescription, Problem> {
    let found = state.control().ports().groups.describe(std::slice::from_ref(group)).await?;
    found.into_iter().next().ok_or_else(|| {
        Problem::from(PortError::NotFound { what: format!("the group {} on its platform", group.name) })
    })
}

/// What the group's own bounds keep from an override. It is told and not refused: they may be widened meanwhile, and what a
/// person needs on a bad night is not to wait for a platform that does not answer.
async fn beyond(state: &ApiState, group: &Arc<GroupConfig>, temporary: &Override) -> Option<String> {
    if temporary.min.is_none() && temporary.max.is_none() {
        return None;
    }
    let found = within(
        LONGEST_LOOK,
        "look at the group",
        state.control().ports().groups.describe(std::slice::from_ref(group)),
    );
    let own = found.await.ok()?.into_iter().next()?;
    let missed = [
        temporary.min.filter(|min| *min > own.max).map(|min| format!("min {min}")),
        temporary.max.filter(|max| *max < own.min).map(|max| format!("max {max}")),
    ];
    let missed = missed.into_iter().flatten().next()?;
    Some(format!(
        "{missed} is outside the group's own bounds, {} to {}, which still hold: widen those for it",
        own.min, own.max
    ))
}

/// Whether the group may be given the type: by the rules of `POST /scale`, so that nothing is set that never happens.
async fn check_type(state: &ApiState, group: &Arc<GroupConfig>, wanted: &TypeName) -> Result<(), Problem> {
    let found = described(state, group).await?;
    // Most groups leave the type to their launch template, so that only their instances tell it.
    let running = observe::launch_type(&record_of(state, group).await?.state, &found);
    let market = state.control().market();
    let retype = observe::retype(&found, &running, &market);
    Ok(scaling_control::check_type(group, (&retype, &running), wanted, &market)?)
}

/// What is stored of a group; nothing before its first evaluation.
async fn record_of(state: &ApiState, group: &GroupConfig) -> Result<GroupRecord, Problem> {
    let key = group_key(&group.name);
    let stored = state.store().get(&key).await?;
    let record = stored.map(|stored| group_from_json(&key, &stored.body)).transpose()?;
    Ok(record.unwrap_or_default())
}

async fn configured(state: &ApiState, name: &str) -> Result<Arc<GroupConfig>, Problem> {
    let config = state.control().refresh().await?;
    groups::known(&config, name)?;
    let group = config.group(name).map(Arc::clone);
    group.ok_or_else(|| Problem::new(Kind::NotFound, format!("the configuration has no group {name:?}")))
}

/// What one field cannot say alone.
fn check(now: Timestamp, request: &OverrideRequest) -> Result<(), Problem> {
    let invalid = |member: &str, detail: &str| Err(Problem::invalid(member, detail));
    moment::check(now, "until", request.until)?;
    match (request.min, request.max) {
        (None, None) if request.instance_type.is_none() => {
            return invalid("", "give min, max, instance_type, or several of them");
        }
        (Some(0), _) => return invalid("min", "min must be at least 1"),
        (_, Some(0)) => return invalid("max", "max must be at least 1"),
        (Some(min), Some(max)) if min > max => return invalid("min", "min must not be more than max"),
        _ => {}
    }
    if request.reason.trim().is_empty() {
        return invalid("reason", "say why, as `reason`");
    }
    Ok(())
}

async fn store(
    state: &ApiState,
    group: &GroupConfig,
    (temporary, note): (Option<Override>, Option<String>),
    (what, by): (&'static str, String),
    audit: &Audit,
) -> Result<Response, Problem> {
    let now = state.now();
    let change = |before: &Option<Override>| {
        // One that has run out held no more.
        let held = before.as_ref().filter(|before| before.until > now);
        // Where there was nothing to end, nothing was changed.
        (held.is_some() || temporary.is_some()).then(|| Change {
            what,
            by: by.clone(),
            group: Some(group.name.to_string()),
            before: json!(held),
            after: json!(temporary),
        })
    };
    let along = |before: &Option<Override>| audit.along(change(before));
    let before = state.control().set_override(&group.name, temporary.clone(), along).await?;
    audit.told(change(&before));
    Ok(Json(OverrideAnswer { group: group.name.to_string(), r#override: temporary, note }).into_response())
}
