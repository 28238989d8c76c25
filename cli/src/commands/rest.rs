//! A running controller's REST interface, with errors that say what to do.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::failure::Refused;

/// The first cloud call of an explicit request is made before its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Problem types by which a controller refuses what it has understood, beside every 409.
const REFUSALS: [&str; 1] = ["urn:scaling:problem:out-of-bounds"];

/// Reads.
pub(super) async fn get(api: &str, path: &str) -> Result<Value> {
    call(api, Method::GET, path, None).await
}

/// Writes.
pub(super) async fn post(api: &str, path: &str, body: &Value) -> Result<Value> {
    call(api, Method::POST, path, Some(body)).await
}

async fn call(api: &str, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
    let uri = address(api, path)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = async {
        let response = client.request(request).await.map_err(|error| nobody(api, error))?;
        let status = response.status();
        Ok::<_, anyhow::Error>((status, response.into_body().collect().await?.to_bytes()))
    };
    let (status, bytes) = tokio::time::timeout(TIMEOUT, answer)
        .await
        .with_context(|| format!("{api} did not answer within {} s", TIMEOUT.as_secs()))??;
    let answer = serde_json::from_slice(&bytes);
    if status.is_success() {
        return answer.with_context(|| format!("{api} did not answer with JSON; is it a controller?"));
    }
    Err(problem(status, &answer.unwrap_or_default()))
}

fn address(api: &str, path: &str) -> Result<Uri> {
    let text = format!("{}{path}", api.trim_end_matches('/'));
    let uri: Option<Uri> = text.parse().ok();
    let uri = uri.filter(|uri: &Uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    uri.with_context(|| format!("--api takes an address such as http://127.0.0.1:8001, not {api}"))
}

fn nobody(api: &str, error: hyper_util::client::legacy::Error) -> anyhow::Error {
    if error.is_connect() {
        return anyhow!(
            "no controller listens at {api}; start one with `scaling run` (`scaling run --emulator` needs no account), \
             or name its address with --api"
        );
    }
    anyhow::Error::new(error).context(format!("{api} broke off"))
}

/// What a problem (RFC 9457) says.
fn problem(status: StatusCode, answer: &Value) -> anyhow::Error {
    let text = |member: &str| answer[member].as_str();
    let mut said = text("detail").or(text("title")).unwrap_or("no explanation").to_owned();
    if let Some(groups) = answer["groups"].as_array() {
        let names: Vec<&str> = groups.iter().filter_map(Value::as_str).collect();
        said = format!("{said}; its groups are {}", names.join(", "));
    }
    let refused = status == StatusCode::CONFLICT || text("type").is_some_and(|name| REFUSALS.contains(&name));
    if refused { Refused(said).into() } else { anyhow!("{said} ({status})") }
}

/// A member that has to be there.
pub(super) fn array<'a>(answer: &'a Value, member: &str) -> Result<&'a [Value]> {
    match answer[member].as_array() {
        Some(found) => Ok(found),
        None => bail!("the answer has no `{member}`; is this program as old as the controller?"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        assert_eq!(address("http://127.0.0.1:8001/", "/groups").unwrap(), "http://127.0.0.1:8001/groups");
        for bad in ["https://127.0.0.1", "127.0.0.1:8001", "", "http://"] {
            assert!(
                address(bad, "/groups").unwrap_err().to_string().contains("http://127.0.0.1:8001"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_mistake() {
        let bounds = json!({"type": "urn:scaling:problem:out-of-bounds", "detail": "too many"});
        let unnamed =
            json!({"type": "urn:scaling:problem:group-required", "detail": "which?", "groups": ["a", "b"]});
        for (status, answer, refused) in [
            (StatusCode::CONFLICT, json!({"detail": "paused"}), true),
            (StatusCode::UNPROCESSABLE_ENTITY, bounds, true),
            (StatusCode::UNPROCESSABLE_ENTITY, unnamed.clone(), false),
            (StatusCode::BAD_GATEWAY, Value::Null, false),
        ] {
            assert_eq!(problem(status, &answer).is::<Refused>(), refused, "{status} {answer}");
        }
        let text = problem(StatusCode::UNPROCESSABLE_ENTITY, &unnamed).to_string();
        assert!(text.contains("which?") && text.contains("a, b"), "{text}");
    }
}
