//! Reading and replacing the configuration.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, header};
use scaling_control::ConfigRefusal;
use scaling_policy::config::{self, Config, ConfigVersion, Layers, Loaded};
use serde_json::json;

use crate::body;
use crate::problem::{Kind, Problem, faults};
use crate::state::ApiState;

pub(super) async fn current(State(state): State<ApiState>) -> Result<impl IntoResponse, Problem> {
    let config = state.control().refresh().await?;
    Ok(([(header::ETAG, etag(config.version))], Json(config.source().clone())))
}

pub(super) async fn schema() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/schema+json")], config::schema().to_string())
}

pub(super) async fn replace(
    State(state): State<ApiState>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<impl IntoResponse, Problem> {
    body::check_type(&headers)?;
    let current = state.control().refresh().await?;
    check_if_match(&headers, &current)?;
    let parsed = Config::parse(&bytes, &Layers::none());
    let Loaded { config, warnings } = parsed.map_err(|error| Problem::invalid_configuration(&error))?;
    let replaced = state.control().replace_config(config.source().clone(), current.version, "api").await;
    let version = replaced.map_err(|refusal| refused(refusal, &headers))?;
    state.metrics().keep_groups(config.groups.iter().map(|group| &group.name));
    tracing::info!(
        target: "scaling::validator",
        version = version.0,
        replaced = current.version.0,
        warnings = warnings.len(),
        "configuration replaced"
    );
    let answer = json!({"version": version, "replaced": current.version, "warnings": faults(&warnings)});
    Ok(([(header::ETAG, etag(version))], Json(answer)))
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

fn etag(version: ConfigVersion) -> String {
    format!("\"{}\"", version.0)
}

fn check_if_match(headers: &HeaderMap, current: &Config) -> Result<(), Problem> {
    let etag = etag(current.version);
    let Some(given) = headers.get(header::IF_MATCH) else {
        return if current.require_if_match {
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
    Err(Problem::new(Kind::VersionMismatch, detail).with("version", current.version.0))
}
