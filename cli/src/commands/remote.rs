//! `scaling scale` and `scaling status`: questions to a running controller over its REST interface.

use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::Refused;
use crate::arguments::{ScaleArguments, StatusArguments};

/// The first call of an explicit scale is made before the answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Asks for a count or a type.
pub(crate) async fn scale(arguments: &ScaleArguments) -> Result<()> {
    let mut body = json!({"dry_run": arguments.dry_run});
    let mode = match (arguments.replicas, &arguments.instance_type) {
        (Some(_), Some(_)) => "hybrid",
        (None, Some(_)) => "vertical",
        _ => "horizontal",
    };
    body["mode"] = mode.into();
    for (key, value) in [
        ("group", arguments.group.clone().map(Value::from)),
        ("replicas", arguments.replicas.map(Value::from)),
        ("instance_type", arguments.instance_type.clone().map(Value::from)),
    ] {
        if let Some(value) = value {
            body[key] = value;
        }
    }
    let answer = call(&arguments.api, Method::POST, "/scale", Some(body)).await?;
    let mut out = stdout().lock();
    if arguments.json {
        writeln!(out, "{answer}")?;
    } else if arguments.dry_run {
        writeln!(out, "would: {}", answer["decision"]["action"])?;
    } else {
        writeln!(out, "accepted: {}", answer["operation"])?;
    }
    Ok(())
}

/// Shows the groups.
pub(crate) async fn status(arguments: &StatusArguments) -> Result<()> {
    let answer = call(&arguments.api, Method::GET, "/groups", None).await?;
    let mut out = stdout().lock();
    if arguments.json {
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(["group", "desired", "type", "control", "last decision"]);
    for group in answer["groups"].as_array().into_iter().flatten() {
        let text = |pointer: &str| match group.pointer(pointer) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let reason = group.pointer("/last_decision/reason").or(group.pointer("/now/reason"));
        table.add_row([
            text("/name"),
            text("/desired"),
            text("/instance_type"),
            text("/control"),
            reason.and_then(Value::as_str).unwrap_or("-").to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

async fn call(api: &str, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let uri = format!("{}{path}", api.trim_end_matches('/'));
    let request = Request::builder()
        .method(method)
        .uri(&uri)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(Full::new(Bytes::from(body.map(|body| body.to_string()).unwrap_or_default())))
        .with_context(|| format!("{uri} is no address; --api takes one such as http://127.0.0.1:8001"))?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = tokio::time::timeout(TIMEOUT, client.request(request))
        .await
        .with_context(|| format!("{uri} did not answer within {} s", TIMEOUT.as_secs()))?
        .with_context(|| format!("nothing answers at {api}; start a controller with `scaling run`"))?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(answer);
    }
    let detail =
        answer["detail"].as_str().or(answer["title"].as_str()).unwrap_or("no explanation").to_owned();
    if matches!(status.as_u16(), 409 | 422) {
        return Err(Refused(detail).into());
    }
    bail!("{status}: {detail}")
}
