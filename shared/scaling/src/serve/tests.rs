use std::path::Path;
use std::sync::Mutex;

use axum::Json;
use axum::http::StatusCode;
use axum::routing::post;
use jiff::Timestamp;
use scaling_api::Role;
use scaling_api::access::ENDPOINTS;
use scaling_aws::secrets::SecretReader;
use scaling_aws::{AwsClients, AwsSettings};
use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
use scaling_control::{ControlLoop, Ports};
use scaling_policy::config::{Config, Layers};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::document::{Document, Place};
use super::*;

const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A token of each role.
fn secret(role: Role) -> String {
    format!("a-token-of-the-role-{}-and-long-enough", role.name())
}

fn write_tokens(path: &Path, roles: &[Role]) {
    let one = |role: &Role| {
        format!(r#"{{"name": "{0}", "role": "{0}", "token": "{1}"}}"#, role.name(), secret(*role))
    };
    let all: Vec<String> = roles.iter().map(one).collect();
    std::fs::write(path, format!(r#"{{"tokens": [{}]}}"#, all.join(", "))).unwrap();
}

fn tokens(folder: &Path) -> Arc<Tokens> {
    let path = folder.join("tokens.json");
    write_tokens(&path, &Role::ALL);
    Arc::new(Tokens::read(Document::from(path)).unwrap())
}

fn certificate(folder: &Path) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let at = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        Arc::new(Document::from(path))
    };
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    TlsFiles { certificate: at("cert.pem", certificate), key: at("key.pem", key) }
}

fn state() -> ApiState {
    let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
    let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
    let ports = Ports {
        groups: Arc::new(platform.clone()),
        writer: Arc::new(platform.clone()),
        metrics: Arc::new(platform),
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock,
    };
    let source = br#"{"mode": "horizontal", "control": "act", "group": "web"}"#;
    let config = Config::parse(source, &Layers::none()).unwrap().config;
    ApiState::new(Arc::new(ControlLoop::new(ports, config)), Metrics::new()).streaming()
}

/// Status, head and body of the answer to a request with these header lines.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    line: &str,
    headers: &str,
) -> (u16, String, String) {
    let request = format!("{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

async fn plain(server: &Server, line: &str, headers: &str) -> (u16, String, String) {
    ask(TcpStream::connect(server.address()).await.unwrap(), line, headers).await
}

fn with_token(role: Role) -> String {
    format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", secret(role))
}

#[tokio::test]
async fn a_page_that_calls_loopback_by_a_name_of_its_own_gets_nothing() {
    let server = Server::prometheus(FREE, Metrics::new(), &Protection::default()).await.unwrap();
    let own = format!("Host: {}\r\n", server.address());
    assert_eq!(plain(&server, "GET /metrics", &own).await.0, 200);
    let (status, head, body) = plain(&server, "GET /metrics", "Host: rebound.example\r\n").await;
    assert!(status == 421 && head.contains("application/problem+json"), "{head}");
    assert!(body.contains("urn:scaling:problem:wrong-host"), "{body}");
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_others_can_reach_takes_a_certificate_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, tokens) = (Some(certificate(folder.path())), Some(tokens(folder.path())));
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    for (protection, missing) in [
        (Protection::default(), "both are"),
        (Protection { tls: tls.clone(), ..Protection::default() }, "the token file is"),
        (Protection { tokens: tokens.clone(), ..Protection::default() }, "the certificate is"),
    ] {
        for error in [
            Server::rest(everywhere, state(), &protection).await.unwrap_err(),
            Server::prometheus(everywhere, Metrics::new(), &protection).await.unwrap_err(),
        ] {
            assert!(matches!(error, ServeError::Unprotected { .. }), "{error}");
            assert!(error.to_string().contains(missing), "{error}");
        }
    }
    let protection = Protection { tls, tokens, requests_per_second: None };
    let server = Server::rest(everywhere, state(), &protection).await.unwrap();
    assert!(server.url().starts_with("https://0.0.0.0:"));
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let first = Server::prometheus(FREE, Metrics::new(), &Protection::default()).await.unwrap();
    let error =
        Server::prometheus(first.address(), Metrics::new(), &Protection::default()).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
    first.stop().await;
}

#[tokio::test]
async fn a_token_opens_what_its_role_may_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace("{name}", "web").replace("{id}", "none");
        let line = format!("{} {path}", endpoint.method);
        let (stranger, head, _) = plain(&server, &line, "Host: localhost\r\n").await;
        assert_eq!(stranger == 401, endpoint.role.is_some(), "{line}: {stranger}");
        assert_eq!(head.contains("www-authenticate: bearer"), stranger == 401, "{head}");
        for role in Role::ALL {
            let (status, _, body) = plain(&server, &line, &with_token(role)).await;
            let allowed = endpoint.role.is_none_or(|needed| role >= needed);
            assert_eq!(status != 403, allowed, "{line} as {role:?}: {status} {body}");
            assert_ne!(status, 401, "{line} as {role:?}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_page_of_the_console_is_open_and_its_data_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let console = scaling_console::Console::new();
    let server = Server::rest_with(FREE, state(), console.router(), &protection).await.unwrap();
    let stranger = async |line| plain(&server, line, "Host: localhost\r\n").await.0;
    assert_eq!(stranger("GET /").await, 200);
    assert_eq!(stranger("GET /console/app.js").await, 200);
    assert_eq!(stranger("GET /console/data/fleet").await, 401);
    assert_eq!(plain(&server, "GET /console/data/fleet", &with_token(Role::Read)).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_wherever_one_asks() {
    let console = scaling_console::Console::new();
    let protection = Protection::default();
    let rest = Server::rest_with(FREE, state(), console.router(), &protection).await.unwrap();
    let prometheus = Server::prometheus(FREE, Metrics::new(), &protection).await.unwrap();
    for (server, path) in [
        (&rest, "/"),
        (&rest, "/console/app.js"),
        (&rest, "/console/data/fleet"),
        (&rest, "/groups"),
        (&prometheus, "/"),
        (&prometheus, "/metrics"),
    ] {
        let (status, head, _) = plain(server, &format!("OPTIONS {path}"), "Host: localhost\r\n").await;
        let head = head.to_lowercase();
        assert!(status == 204 && head.contains("allow: get,head"), "{path}: {status} {head}");
        let (status, head, body) = plain(server, &format!("DELETE {path}"), "Host: localhost\r\n").await;
        let head = head.to_lowercase();
        assert!(status == 405 && head.contains("application/problem+json"), "{path}: {status} {head}");
        assert!(
            head.contains("allow: get,head") && body.contains("method-not-allowed"),
            "{path}: {head} {body}"
        );
    }
    rest.stop().await;
    prometheus.stop().await;
}

#[tokio::test]
async fn a_token_that_is_not_one_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    for value in ["Bearer wrong", "Bearer", "Basic YTpi", "Bearer \u{7f}", &secret(Role::Admin)] {
        let headers = format!("Host: localhost\r\nAuthorization: {value}\r\n");
        let (status, _, body) = plain(&server, "GET /groups", &headers).await;
        assert!(status == 401 || status == 400, "{value}: {status} {body}");
    }
    let (status, _, _) = plain(&server, "GET /no/such/path", "Host: localhost\r\n").await;
    assert_eq!(status, 401, "what there is and is not is not told to strangers");
    let prometheus = Server::prometheus(FREE, Metrics::new(), &protection).await.unwrap();
    assert_eq!(plain(&prometheus, "GET /metrics", "Host: localhost\r\n").await.0, 401);
    assert_eq!(plain(&prometheus, "GET /metrics", &with_token(Role::Read)).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn tokens_change_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let ask = async |role| plain(&server, "GET /kill-switch", &with_token(role)).await.0;
    assert_eq!((ask(Role::Read).await, ask(Role::Admin).await), (200, 200));
    write_tokens(&folder.path().join("tokens.json"), &[Role::Admin]);
    assert_eq!((ask(Role::Read).await, ask(Role::Admin).await), (401, 200));
}

/// A change of owner or mode makes a file readable, and shows neither in its time nor in its size.
#[tokio::test]
async fn tokens_that_could_not_be_read_are_tried_again_although_the_file_looks_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let ask = async |role| plain(&server, "GET /kill-switch", &with_token(role)).await.0;
    write_tokens(&path, &[Role::Admin]);
    let good = std::fs::read(&path).unwrap();
    let at = std::time::SystemTime::now() + Duration::from_secs(60);
    let write = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    };
    write(&vec![b' '; good.len()]);
    assert_eq!((ask(Role::Read).await, ask(Role::Admin).await), (200, 200), "those before");
    write(&good);
    for _ in 0..100 {
        if ask(Role::Read).await == 401 {
            assert_eq!(ask(Role::Admin).await, 200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the file was not read anew");
}

/// Secrets Manager, as far as it is asked here: it gives the text that it holds, or says that there is none.
async fn secrets_manager(held: Arc<Mutex<Option<String>>>) -> SecretReader {
    let answer = move || async move {
        let Some(text) = held.lock().unwrap().clone() else {
            let refusal = json!({"__type": "ResourceNotFoundException", "Message": "no such secret"});
            return (StatusCode::BAD_REQUEST, Json(refusal));
        };
        let version = format!("{:x?}", ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
        (StatusCode::OK, Json(json!({"Name": "tokens", "VersionId": version, "SecretString": text})))
    };
    let routes = Router::new().route("/", post(answer));
    let listener = TcpListener::bind(FREE).await.unwrap();
    let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async { axum::serve(listener, routes).await });
    let credentials = Some(scaling_aws::Credentials::new("test", "test", None, None, "test"));
    let region = Some("us-east-1".to_owned());
    SecretReader::new(AwsClients::new(AwsSettings {
        endpoint,
        region,
        credentials,
        ..AwsSettings::default()
    }))
}

#[tokio::test]
async fn tokens_of_a_secret_change_with_it_and_are_revoked_by_deleting_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = |roles: &[Role]| {
        write_tokens(&folder.path().join("tokens.json"), roles);
        Some(std::fs::read_to_string(folder.path().join("tokens.json")).unwrap())
    };
    let held = Arc::new(Mutex::new(text(&Role::ALL)));
    let secrets = secrets_manager(Arc::clone(&held)).await;
    let place: Place = "secretsmanager:tokens".parse().unwrap();
    let document = Arc::new(Document::open(place.clone(), &secrets).await.unwrap());
    let tokens = Tokens::read(Arc::clone(&document)).unwrap().with_grace(Duration::ZERO);
    let known = || Role::ALL.map(|role| tokens.bearer(&secret(role)).is_some());
    assert_eq!(known(), [true, true, true]);
    *held.lock().unwrap() = text(&[Role::Admin]);
    document.ask(&secrets).await;
    assert_eq!(known(), [false, false, true]);
    *held.lock().unwrap() = None;
    document.ask(&secrets).await;
    assert_eq!(known(), [false, false, false]);
    let error = Document::open(place, &secrets).await.unwrap_err().to_string();
    assert!(error.contains("secretsmanager:tokens") && error.contains("list-secrets"), "{error}");
}

#[tokio::test]
async fn who_writes_is_the_token_s_name() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tokens: Some(tokens(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let (status, _, body) = plain(&server, "POST /groups/web/pause", &with_token(Role::Operate)).await;
    assert!(status == 200 && body.contains(r#""by":"operate""#), "{body}");
    let (_, _, audit) = plain(&server, "GET /audit", &with_token(Role::Admin)).await;
    assert!(audit.contains(r#""by":"operate","checked":true"#), "{audit}");
    assert!(!audit.contains(&secret(Role::Operate)), "{audit}");
}

#[tokio::test]
async fn a_client_that_asks_too_much_is_told_when_to_go_on() {
    let protection = Protection { requests_per_second: NonZeroU32::new(1), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let mut refused = None;
    for _ in 0..50 {
        let answer = plain(&server, "GET /health", "Host: localhost\r\n").await;
        if answer.0 == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.0, 200);
    }
    let (_, head, body) = refused.expect("fifty requests at once are more than two");
    assert!(head.contains("retry-after: 1") && body.contains("too-many-requests"), "{head}");
}

/// A connection that trusts this certificate.
async fn encrypted(
    server: &Server,
    certificate: &Path,
) -> std::io::Result<impl AsyncRead + AsyncWrite + Unpin> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn requests_are_encrypted_and_the_certificate_changes_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tls: Some(certificate(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let first = folder.path().join("first.pem");
    let second = folder.path().join("cert.pem");
    std::fs::copy(&second, &first).unwrap();
    let stream = encrypted(&server, &first).await.unwrap();
    assert_eq!(ask(stream, "GET /health", "Host: localhost\r\n").await.0, 200);
    certificate(folder.path());
    assert!(encrypted(&server, &first).await.is_err());
    let stream = encrypted(&server, &second).await.unwrap();
    assert_eq!(ask(stream, "GET /health", "Host: localhost\r\n").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_encrypt_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let protection = Protection { tls: Some(certificate(folder.path())), ..Protection::default() };
    let server = Server::rest(FREE, state(), &protection).await.unwrap();
    let _silent = TcpStream::connect(server.address()).await.unwrap();
    let mut plain = TcpStream::connect(server.address()).await.unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let certificate = folder.path().join("cert.pem");
    let stream = encrypted(&server, &certificate).await.unwrap();
    assert_eq!(ask(stream, "GET /health", "Host: localhost\r\n").await.0, 200);
}

#[tokio::test]
async fn a_server_that_is_stopped_takes_no_more() {
    let server = Server::rest(FREE, state(), &Protection::default()).await.unwrap();
    let address = server.address();
    // Open and quiet: it does not keep the server from ending.
    let _idle = TcpStream::connect(address).await.unwrap();
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::rest(FREE, state(), &Protection::default()).await.unwrap();
    let long = format!("Host: localhost\r\nX-Long: {}\r\n", "x".repeat(64 << 10));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET /health HTTP/1.1\r\n{long}\r\n");
    // The server may hang up before everything is written.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
