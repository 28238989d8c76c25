//! An explicit request for a count or a type.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use scaling_control::{Requested, ScaleRequest};
use scaling_fleet::TypeName;
use scaling_policy::config::{Config, GroupName, Mode};
use scaling_policy::operation::Override;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::groups;
use crate::audit::{Audit, Change};
use crate::problem::{Kind, Problem};
use crate::request::{Caller, author};
use crate::state::ApiState;
use crate::views::{DecisionView, OperationView};
use crate::{body, moment};

/// The body. At least one of `replicas` and `instance_type` is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ScaleRequest))]
pub(crate) struct Wish {
    /// Which of the two wishes is meant. May be left out; where it is given, it must fit them.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Mode>))]
    mode: Option<Mode>,
    /// Replicas wanted.
    replicas: Option<u32>,
    /// Type wanted.
    instance_type: Option<String>,
    /// The group; may be left out while there is exactly one.
    group: Option<String>,
    /// Until then the count and the type stay as asked for; without it the controller goes on from there. It must be in the
    /// future, and within 366 days.
    expires: Option<Timestamp>,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Who asks, where the layer in front does not know.
    by: Option<String>,
}

/// What became of a wish.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ScaleAnswer<'a> {
    /// Whether only asked what would be done.
    dry_run: bool,
    /// What was decided.
    decision: DecisionView<'a>,
    /// The operation that carries it out; null for a dry run, and where the group is so already.
    operation: Option<OperationView<'a>>,
    /// The earlier request with an expiry that this one has taken the place of, whole: its count and its type are not kept any
    /// more. Null where there was none.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Override>))]
    replaced: Option<&'a Override>,
}

#[cfg_attr(test, utoipa::path(
    post, path = "/scale", tag = "groups", request_body = Wish,
    responses(
        (status = 200, description = "A dry run, or the group is so already", body = ScaleAnswer<'_>),
        (status = 202, description = "The platform has accepted it; follow the operation", body = ScaleAnswer<'_>,
            headers(("Location" = String, description = "The operation"))),
    ),
))]
/// Asks for a count, a type, or both
///
/// Acts in every control level, within the bounds. A pause and the kill switch refuse it (409). A count takes the place of
/// one that is still on its way. While a type change runs, more replicas may be asked for; fewer, and another type, are
/// refused (409).
/// The plan is stored and the platform has been asked when 202 is answered. With `expires`, count and type stay until
/// then; where an override is in force, that is refused (409), because it would end it. What the group has already needs no operation (200), and ends a plan for another count that the platform has not
/// taken yet.
pub(super) async fn scale(
    State(state): State<ApiState>,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    body::check_type(&headers)?;
    let wish: Wish = body::parse(&bytes)?;
    check(&wish, state.now())?;
    let group = group_of(&*state.control().refresh().await?, wish.group.as_deref())?;
    let request = ScaleRequest {
        group: group.clone(),
        replicas: wish.replicas,
        instance_type: wish.instance_type.as_deref().map(TypeName::new),
        by: author(caller, wish.by)?,
        until: wish.expires,
        dry_run: wish.dry_run,
    };
    let change = |Requested { decision, operation, withdrawn, replaced }: &Requested| Change {
        what: "scaled",
        by: request.by.clone(),
        group: Some(group.to_string()),
        before: json!({"cost": decision.cost_before, "override": replaced}),
        // What was asked for, too: with an expiry it is kept, and where there is no operation nothing else says it.
        after: json!({
            "replicas": wish.replicas,
            "instance_type": wish.instance_type,
            "operation": operation.as_ref().map(|operation| &operation.id),
            "kind": operation.as_ref().map(|operation| &operation.kind),
            "withdrawn": withdrawn,
            "expires": wish.expires,
        }),
    };
    let along = |requested: &Requested| audit.along(Some(change(requested)));
    let requested = state.control().request_with(&request, along).await?;
    let Requested { decision, operation, .. } = &requested;
    tracing::info!(
        target: "scaling::monitor",
        %group,
        by = request.by,
        action = decision.action.label(),
        dry_run = request.dry_run,
        operation = operation.as_ref().map(|operation| operation.id.0.as_str()),
        "requested"
    );
    let answer = ScaleAnswer {
        dry_run: request.dry_run,
        decision: DecisionView::from(decision),
        operation: operation.as_ref().map(|operation| OperationView::new(group.as_str(), operation)),
        replaced: requested.replaced.as_ref(),
    };
    let is_changed =
        !request.dry_run && (operation.is_some() || requested.withdrawn || request.until.is_some());
    audit.told(is_changed.then(|| change(&requested)));
    let Some(operation) = operation else { return Ok(Json(answer).into_response()) };
    // Relative to `/scale`, so that it is right behind a gateway's stage too.
    let location = format!("operations/{}", operation.id.0);
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::ACCEPTED, headers, Json(answer)).into_response())
}

/// What one field cannot say alone.
fn check(wish: &Wish, now: Timestamp) -> Result<(), Problem> {
    wish.expires.map_or(Ok(()), |expires| moment::check(now, "expires", expires))?;
    let (count, named) = (wish.replicas.is_some(), wish.instance_type.is_some());
    let (member, fault) = match wish.mode {
        None | Some(Mode::Hybrid) if !count && !named => ("", "give replicas, instance_type, or both"),
        Some(Mode::Horizontal) if !count || named => {
            ("mode", "horizontal takes replicas and no instance_type")
        }
        Some(Mode::Vertical) if count || !named => ("mode", "vertical takes instance_type and no replicas"),
        _ => return Ok(()),
    };
    Err(Problem::invalid(member, fault))
}

fn group_of(config: &Config, named: Option<&str>) -> Result<GroupName, Problem> {
    match (named, config.only_group()) {
        (Some(name), _) => groups::known(config, name),
        (None, Some(only)) => Ok(only.name.clone()),
        (None, None) => {
            let detail = "there is more than one group, so the request must say which it means";
            Err(Problem::new(Kind::GroupRequired, detail).with("groups", groups::names(config)))
        }
    }
}
