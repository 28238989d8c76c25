//! Reading and replacing the configuration.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use scaling_control::ConfigRefusal;
use scaling_policy::config::{self, Config, ConfigFault, ConfigVersion, Layers, Loaded};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Query;
use crate::audit::{Audit, Change};
use crate::problem::{Kind, Problem};
use crate::request::{Caller, author};
use crate::state::ApiState;
use crate::{body, idempotency};

#[cfg_attr(test, utoipa::path(
    get, path = "/config", tag = "configuration",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of a version that is known")),
    responses(
        (status = 200, description = "The configuration as it was written", body = crate::openapi::schemas::Configuration,
            headers(("ETag" = String, description = "Its version, for `If-Match`"))),
        (status = 304, description = "It is the version that `If-None-Match` names",
            headers(("ETag" = String, description = "Its version"))),
    ),
))]
/// The configuration in force
pub(super) async fn current(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, Problem> {
    let config = state.control().refresh().await?;
    let etag = etag(version_of(&state, &config), config.source());
    let known = headers.get(header::IF_NONE_MATCH).and_then(|given| given.to_str().ok()).unwrap_or_default();
    // Where a tag is only known, a weak one is as good (RFC 9110, section 13.1.2).
    let mut known = known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
    if known.any(|tag| tag == "*" || tag == etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    Ok(([(header::ETAG, etag)], Json(config.source())).into_response())
}

#[cfg_attr(test, utoipa::path(
    get, path = "/config/schema", tag = "configuration",
    responses((status = 200, description = "JSON Schema, draft 2020-12", content_type = "application/schema+json",
        body = serde_json::Value)),
))]
/// JSON Schema of the configuration
pub(super) async fn schema() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/schema+json")], config::schema().to_string())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct ReplaceQuery {
    /// Who, where the layer in front does not know; the body is the configuration alone.
    by: Option<String>,
}

/// A configuration is in force.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Replaced {
    /// Its version.
    version: u64,
    /// The version that it replaced.
    #[serde(rename = "replaced")]
    before: u64,
    /// What somebody should look at.
    #[cfg_attr(test, schema(value_type = [crate::openapi::schemas::ConfigFault]))]
    warnings: Vec<ConfigFault>,
}

#[cfg_attr(test, utoipa::path(
    post, path = "/config", tag = "configuration",
    request_body = crate::openapi::schemas::Configuration,
    params(ReplaceQuery, ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is based on")),
    responses((status = 200, description = "It is in force", body = Replaced,
        headers(("ETag" = String, description = "Its version")))),
))]
/// Replaces the configuration
///
/// Compare and swap: where another change came between, nothing is done. `If-Match` is honoured, and required only
/// where the configuration says `require_if_match`. One with faults changes nothing, and all of them are listed.
pub(super) async fn replace(
    State(state): State<ApiState>,
    Query(query): Query<ReplaceQuery>,
    caller: Option<Extension<Caller>>,
    audit: Audit,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    body::check_type(&headers)?;
    let in_force = state.control().refresh().await?;
    let current = version_of(&state, &in_force);
    check_if_match(&headers, &in_force, current)?;
    let parsed = Config::parse(&bytes, &Layers::none());
    let Loaded { config, mut warnings } = parsed.map_err(|error| Problem::invalid_configuration(&error))?;
    warnings.extend(config::left_out(&in_force, &config));
    let not_run = state.control().ports().groups.programs_not_run(&config.groups);
    warnings.extend(config::programs_not_run(&not_run));
    let by = author(caller, query.by)?;
    let change = |version: &ConfigVersion| Change {
        what: "configured",
        by: by.clone(),
        group: None,
        before: json!({"version": current}),
        after: json!({"version": version}),
    };
    let along = |version: &ConfigVersion| audit.along(Some(change(version)));
    let control = state.control();
    let replaced = control.replace_config(config.source().clone(), current, &by, along).await;
    let version = replaced.map_err(|refusal| refused(refusal, &headers))?;
    state.metrics().keep_groups(config.groups.iter().map(|group| &group.name));
    tracing::info!(
        target: "scaling::validator",
        version = version.0,
        replaced = current.0,
        warnings = warnings.len(),
        "configuration replaced"
    );
    audit.told(Some(change(&version)));
    let answer = Replaced { version: version.0, before: current.0, warnings };
    Ok(([(header::ETAG, etag(version, config.source()))], Json(answer)).into_response())
}

/// The version that is replaced next: that of the configuration that was read, so that a tag never belongs to another one
/// that has come into force since; or the stored one that this program refuses, because only so can it be replaced.
fn version_of(state: &ApiState, read: &Config) -> ConfigVersion {
    state.control().refused_config().map_or(read.version, |refused| refused.version)
}

fn refused(refusal: ConfigRefusal, headers: &HeaderMap) -> Problem {
    match refusal {
        ConfigRefusal::Faults(error) => Problem::invalid_configuration(&error),
        ConfigRefusal::Replaced { active, .. } => {
            // With a condition it is the condition that failed; without one two writers have met.
            let kind =
                if headers.contains_key(header::IF_MATCH) { Kind::VersionMismatch } else { Kind::Conflict };
            Problem::new(kind, refusal.to_string()).with("version", active)
        }
        ConfigRefusal::Port(error) => error.into(),
    }
}

/// The tag of a version. What was never stored is the file of a process, and another process's may differ: its tag holds a
/// hash of what it says.
fn etag(version: ConfigVersion, source: &Value) -> String {
    match version.0 {
        0 => format!("\"0-{:.16}\"", idempotency::hash(source.to_string().as_bytes(), b"")),
        stored => format!("\"{stored}\""),
    }
}

fn check_if_match(headers: &HeaderMap, in_force: &Config, current: ConfigVersion) -> Result<(), Problem> {
    let etag = etag(current, in_force.source());
    let Some(given) = headers.get(header::IF_MATCH) else {
        return if in_force.require_if_match {
            let detail = format!("read GET /config, and send its ETag (now {etag}) as If-Match");
            Err(Problem::new(Kind::IfMatchRequired, detail))
        } else {
            Ok(())
        };
    };
    let given = given.to_str().unwrap_or_default();
    // A weak tag never matches here (RFC 9110, section 13.1.1).
    if given.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag) {
        return Ok(());
    }
    let detail = format!("the version in force is {etag}, not {given}; read it and look at the difference");
    Err(Problem::new(Kind::VersionMismatch, detail).with("version", current.0))
}
