//! A running controller's REST interface, with errors that say what to do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use super::gateway::{self, Gateway};
use crate::arguments::ApiArguments;
use crate::failure::Refused;

/// The first cloud call of an explicit request is made before its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Problem types by which a controller refuses what it has understood, beside every 409.
const REFUSALS: [&str; 1] = ["urn:scaling:problem:out-of-bounds"];

/// The problem type of a controller that answers, and whose loop does not run.
const NOT_TICKING: &str = "urn:scaling:problem:not-ticking";

/// A controller says of itself that its loop does not run. Whatever else keeps an answer away says nothing about that.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotTicking(String);

/// A controller that can be asked.
pub(super) struct Controller {
    address: String,
    token: Option<HeaderValue>,
    gateway: Option<Gateway>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Controller {
    /// The one that the arguments name.
    pub(super) fn new(arguments: &ApiArguments) -> Result<Self> {
        let address = arguments.api.trim_end_matches('/').to_owned();
        let uri = parse(&address, "")?;
        let gateway = Gateway::at(&uri, arguments.sign)?;
        // Both go into the same header, and a token for another controller is none of the gateway's business.
        let token = if gateway.is_some() { None } else { token(arguments)? };
        if token.is_some() && uri.scheme_str() == Some("http") && !is_loopback(&uri) {
            bail!("{address} is not encrypted, and a token would be seen on the way; use https://");
        }
        let client = Client::builder(TokioExecutor::new()).build(connector(&uri, arguments.ca.as_deref())?);
        Ok(Self { address, token, gateway, client })
    }

    /// What time the controller has: on an emulator another one than this machine. A controller that does not say so has
    /// the same.
    pub(super) async fn now(&self) -> Timestamp {
        let health = self.get("/health").await.ok();
        let told = health.and_then(|health| health["now"].as_str().and_then(|now| now.parse().ok()));
        told.unwrap_or_else(Timestamp::now)
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Writes.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Sets.
    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Takes back.
    pub(super) async fn delete(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::DELETE, path, Some(body)).await
    }

    /// Reads what not every controller has; `None` where it is not there.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>> {
        let (status, answer) = self.exchange(Method::GET, path, None).await?;
        // A gateway says of a path that it does not know that nobody may read it.
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) {
            return Ok(None);
        }
        self.taken(&Method::GET, status, answer).map(Some)
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.exchange(method.clone(), path, body).await?;
        self.taken(&method, status, answer)
    }

    fn taken(&self, method: &Method, status: StatusCode, answer: serde_json::Result<Value>) -> Result<Value> {
        let api = &self.address;
        if status.is_success() {
            return answer.with_context(|| format!("{api} did not answer with JSON; is it a controller?"));
        }
        Err(problem(status, &answer.unwrap_or_default(), method))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, serde_json::Result<Value>)> {
        let api = &self.address;
        let mut request = Request::builder()
            .method(method)
            .uri(parse(api, path)?)
            .header("content-type", "application/json")
            .header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let mut request = request.body(Bytes::from(body.map(Value::to_string).unwrap_or_default()))?;
        if let Some(gateway) = &self.gateway {
            gateway.let_in(&mut request).await?;
        }
        let answer = async {
            let response =
                self.client.request(request.map(Full::new)).await.map_err(|error| nobody(api, error))?;
            let status = response.status();
            Ok::<_, anyhow::Error>((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, bytes) = tokio::time::timeout(TIMEOUT, answer)
            .await
            .with_context(|| format!("{api} did not answer within {} s", TIMEOUT.as_secs()))??;
        Ok((status, serde_json::from_slice(&bytes)))
    }
}

fn parse(api: &str, path: &str) -> Result<Uri> {
    let uri: Option<Uri> = format!("{api}{path}").parse().ok();
    let is_known = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    uri.filter(is_known).with_context(|| {
        format!("--api takes an address such as http://127.0.0.1:8001 or https://host:8001, not {api}")
    })
}

/// Whether nobody else sees what is sent there.
pub(super) fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The token of the file, or that of the variable.
fn token(arguments: &ApiArguments) -> Result<Option<HeaderValue>> {
    let text = match &arguments.token_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            Some(read.with_context(|| format!("cannot read the token from {}", path.display()))?)
        }
        None => std::env::var("SCALING_TOKEN").ok(),
    };
    let Some(text) = text.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let value = HeaderValue::from_str(&format!("Bearer {text}"));
    // The error would show the token.
    let mut value = value.map_err(|_| anyhow!("the token has characters that no header takes"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Connections, encrypted where the address says so. The system's certificates are read only then.
fn connector(uri: &Uri, ca: Option<&Path>) -> Result<HttpsConnector<HttpConnector>> {
    let mut roots = RootCertStore::empty();
    if uri.scheme_str() == Some("https") {
        match ca {
            Some(path) => {
                let read = || format!("cannot read certificates from {}", path.display());
                for certificate in CertificateDer::pem_file_iter(path).with_context(read)? {
                    roots.add(certificate.with_context(read)?).with_context(read)?;
                }
            }
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}

fn nobody(api: &str, error: hyper_util::client::legacy::Error) -> anyhow::Error {
    if !error.is_connect() {
        return anyhow::Error::new(error).context(format!("{api} broke off"));
    }
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        if inner.is::<rustls::Error>() || inner.to_string().contains("certificate") {
            let is_authority = inner.to_string().contains("CaUsedAsEndEntity");
            let fix = if is_authority {
                "its certificate is an authority's: make one for the server (openssl req ... -addext \
                 basicConstraints=critical,CA:FALSE)"
            } else {
                "name the authority of its certificate with --ca"
            };
            let context = format!("{api} could not be trusted; {fix}");
            return anyhow::Error::new(error).context(context);
        }
        cause = inner.source();
    }
    anyhow!(
        "no controller listens at {api}; start one with `scaling run` (`scaling run --emulator` needs no account), or \
         name its address with --api"
    )
}

/// What a problem (RFC 9457), or a gateway before the controller, says.
fn problem(status: StatusCode, answer: &Value, method: &Method) -> anyhow::Error {
    let text = |member: &str| answer[member].as_str();
    let said = text("detail").or(text("title")).or(gateway::said(answer));
    let mut said = said.unwrap_or("no explanation").to_owned();
    if let Some(advice) = gateway::said(answer).and_then(|said| gateway::advice(status, said, method)) {
        said = format!("{said}; {advice}");
    }
    if let Some(groups) = answer["groups"].as_array() {
        let names: Vec<&str> = groups.iter().filter_map(Value::as_str).collect();
        said = format!("{said}; its groups are {}", names.join(", "));
    }
    if status == StatusCode::UNAUTHORIZED {
        said = format!("{said}; put it into SCALING_TOKEN, or name its file with --token-file");
    }
    let refused = status == StatusCode::CONFLICT || text("type").is_some_and(|name| REFUSALS.contains(&name));
    match text("type") {
        _ if refused => Refused(said).into(),
        Some(NOT_TICKING) => NotTicking(format!("{said} ({status})")).into(),
        _ => anyhow!("{said} ({status})"),
    }
}

/// A name as one segment of a path or one value of a query.
pub(super) fn segment(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A member that has to be there.
pub(super) fn array<'a>(answer: &'a Value, member: &str) -> Result<&'a [Value]> {
    match answer[member].as_array() {
        Some(found) => Ok(found),
        None => bail!("the answer has no `{member}`; is this program as old as the controller?"),
    }
}

/// A name as one segment of a path, or as a value of a query.
pub(super) fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(api: &str) -> ApiArguments {
        ApiArguments { api: api.to_owned(), ca: None, token_file: None, sign: false }
    }

    #[test]
    fn only_addresses_are_taken() {
        assert_eq!(parse("http://127.0.0.1:8001", "/groups").unwrap(), "http://127.0.0.1:8001/groups");
        assert!(Controller::new(&arguments("http://127.0.0.1:8001/")).is_ok());
        for bad in ["ftp://127.0.0.1", "127.0.0.1:8001", "", "http://"] {
            let error = Controller::new(&arguments(bad)).err().unwrap();
            assert!(error.to_string().contains("http://127.0.0.1:8001"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_token_goes_only_where_nobody_listens_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "a-secret\n").unwrap();
        let with_token =
            |api: &str| Controller::new(&ApiArguments { token_file: Some(file.clone()), ..arguments(api) });
        for good in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://host.example"] {
            let token = with_token(good).unwrap().token.unwrap();
            assert!(token == "Bearer a-secret" && token.is_sensitive(), "{good}");
        }
        let error = with_token("http://host.example").err().unwrap().to_string();
        assert!(error.contains("https://") && !error.contains("a-secret"), "{error}");
        let missing =
            ApiArguments { token_file: Some("no/such/file".into()), ..arguments("http://localhost") };
        assert!(Controller::new(&missing).err().unwrap().to_string().contains("no/such/file"));
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
            assert_eq!(problem(status, &answer, &Method::GET).is::<Refused>(), refused, "{status} {answer}");
        }
        let text = problem(StatusCode::UNPROCESSABLE_ENTITY, &unnamed, &Method::GET).to_string();
        assert!(text.contains("which?") && text.contains("a, b"), "{text}");
        let text = problem(StatusCode::UNAUTHORIZED, &json!({"detail": "send a token"}), &Method::GET);
        let text = text.to_string();
        assert!(text.contains("SCALING_TOKEN"), "{text}");
    }

    #[test]
    fn only_the_controller_itself_says_that_its_loop_does_not_run() {
        let of = |name: &str| json!({"type": format!("urn:scaling:problem:{name}"), "detail": "no tick"});
        for (status, answer, expected) in [
            (StatusCode::SERVICE_UNAVAILABLE, of("not-ticking"), true),
            (StatusCode::SERVICE_UNAVAILABLE, of("platform-unavailable"), false),
            (StatusCode::TOO_MANY_REQUESTS, of("too-many-requests"), false),
            (StatusCode::SERVICE_UNAVAILABLE, Value::Null, false),
            (StatusCode::FORBIDDEN, json!({"message": "Forbidden"}), false),
        ] {
            assert_eq!(
                problem(status, &answer, &Method::GET).is::<NotTicking>(),
                expected,
                "{status} {answer}"
            );
        }
        let text = problem(StatusCode::SERVICE_UNAVAILABLE, &of("not-ticking"), &Method::GET).to_string();
        assert_eq!(text, "no tick (503 Service Unavailable)");
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        assert_eq!(escaped("team a/web-1.\u{e4}"), "team%20a%2Fweb-1.%C3%A4");
    }
}
