//! A controller behind a gateway that asks what the deployed stack's asks: a signature (SigV4), checked by the published
//! rules, and an API key beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use ring::{digest, hmac};
use serde_json::json;
use tokio::process::Command;

use crate::process::{Ended, ended, eventually, http_with, program};
use crate::run::{ask, controller};
use crate::server::serve;

/// May do what an operator may; the other only reads.
const OPERATOR: &str = "AKIDOPERATOR";
const READER: &str = "AKIDREADER";

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "session-session-session";
const API_KEY: &str = "api-key-api-key-api-key";
const REGION: &str = "eu-central-1";

/// Lets signed requests with the key through to the controller at `controller`, without the stage.
async fn gateway(controller: String) -> String {
    serve(move |request| {
        let controller = controller.clone();
        async move {
            let (status, text) = match refusal(&request) {
                Some(message) => (403, json!({"message": message}).to_string()),
                None => passed_on(&controller, &request).await,
            };
            Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap()
        }
    })
    .await
}

async fn passed_on(controller: &str, request: &Request<Bytes>) -> (u16, String) {
    let path = request.uri().path_and_query().unwrap().as_str().strip_prefix("/v1").unwrap();
    let body = std::str::from_utf8(request.body()).unwrap();
    let url = format!("{controller}{path}");
    http_with((request.method().as_str(), &url), "accept", "application/json", body).await
}

/// API Gateway's words.
fn refusal(request: &Request<Bytes>) -> Option<String> {
    let text = |name: &str| header(request.headers(), name);
    let authorization = text("authorization");
    let parts: BTreeMap<&str, &str> = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .unwrap_or_default()
        .split(", ")
        .filter_map(|part| part.split_once('='))
        .collect();
    let Some((key, scope)) = parts.get("Credential").and_then(|credential| credential.split_once('/')) else {
        return Some("Missing Authentication Token".to_owned());
    };
    if !request.uri().path().starts_with("/v1/") {
        return Some("Missing Authentication Token".to_owned());
    }
    if text("x-amz-security-token") != SESSION {
        return Some("The security token included in the request is invalid.".to_owned());
    }
    if signature(request, scope, parts["SignedHeaders"]) != parts["Signature"] {
        return Some(
            "The request signature we calculated does not match the signature you provided.".to_owned(),
        );
    }
    assert!(scope.ends_with(&format!("/{REGION}/execute-api/aws4_request")), "{scope}");
    if key == READER && request.method() != "GET" {
        return Some(
            "User: arn:aws:iam::1:user/ann is not authorized to perform: execute-api:Invoke".to_owned(),
        );
    }
    (text("x-api-key") != API_KEY).then(|| "Forbidden".to_owned())
}

/// The signature that a request should have. Source: *AWS Identity and Access Management User Guide*, "Create a signed
/// AWS API request".
fn signature(request: &Request<Bytes>, scope: &str, signed: &str) -> String {
    assert!(signed.split(';').any(|name| name == "host"), "{signed}");
    let mut query: Vec<&str> = request.uri().query().into_iter().flat_map(|query| query.split('&')).collect();
    query.sort_unstable();
    let mut canonical =
        format!("{}\n{}\n{}\n", request.method(), encoded(request.uri().path()), query.join("&"));
    for name in signed.split(';') {
        writeln!(canonical, "{name}:{}", header(request.headers(), name)).unwrap();
    }
    write!(canonical, "\n{signed}\n{}", sha256(request.body())).unwrap();
    let date = header(request.headers(), "x-amz-date");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for step in scope.split('/').chain([text.as_str()]) {
        let with = hmac::Key::new(hmac::HMAC_SHA256, &key);
        key = hmac::sign(&with, step.as_bytes()).as_ref().to_vec();
    }
    hex(&key)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// A path is encoded once more, percent signs included.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(one).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The program of somebody with temporary credentials and the API key, who signs.
fn caller(folder: &Path, api: &str, key: &str, arguments: &[&str]) -> Command {
    let mut command = program(folder, None);
    command.args(arguments).env("SCALING_API", api).env("SCALING_SIGN", "true");
    command.env("AWS_REGION", REGION).env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_SESSION_TOKEN", SESSION).env("SCALING_API_KEY", API_KEY);
    command
}

fn told_nothing_secret(ended: &Ended) {
    for secret in [SECRET, SESSION, API_KEY] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:?}");
    }
}

#[tokio::test]
async fn every_command_that_asks_a_controller_reaches_one_behind_the_stack_s_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, controller, _) = controller(folder.path()).await;
    eventually("a decision to explain", || async {
        let explained = ask(folder.path(), &controller, &["explain", "demo"]).await;
        (explained.code == Some(0)).then_some(())
    })
    .await;
    let api = gateway(controller).await + "/v1";
    for (arguments, said) in [
        (&["status"][..], "demo"),
        (&["pause", "--reason", "migration \u{fc}ber Nacht", "--for", "2h"], "demo is paused"),
        (&["resume", "--group", "demo"], "demo is controlled again"),
        (&["override", "--max", "9", "--for", "1d", "--reason", "launch day"], "demo is overridden"),
        (&["override", "--end"], "demo has the bounds"),
        (&["hold", "--for", "90m", "--reason", "looking"], "demo keeps at least"),
        (&["scale", "--replicas", "40", "--dry-run"], ""),
        (&["kill-switch", "on", "--reason", "incident"], "the kill switch is on"),
        (&["kill-switch", "off"], "the kill switch is off"),
        (&["explain", "demo"], "demo"),
    ] {
        // As somebody has it who also runs a controller of another kind: a token is not for the gateway.
        let mut command = caller(folder.path(), &api, OPERATOR, arguments);
        command.env("SCALING_TOKEN", "a-token-of-another-controller");
        let ended = ended(command).await;
        assert!(ended.code == Some(0) && ended.out.contains(said), "{arguments:?}: {ended:?}");
        told_nothing_secret(&ended);
    }
    // A name that has to be encoded is signed as it is sent: it is the controller that does not know it.
    let strange = ended(caller(folder.path(), &api, OPERATOR, &["explain", "a group/\u{e4}"])).await;
    assert!(strange.code == Some(1) && strange.err.contains("404"), "{strange:?}");
}

#[tokio::test]
async fn what_the_gateway_refuses_comes_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, controller, _) = controller(folder.path()).await;
    let door = gateway(controller).await;
    let api = format!("{door}/v1");
    let operator = |api: &str| caller(folder.path(), api, OPERATOR, &["status"]);
    let without = |variables: &[&str]| {
        let mut command = operator(&api);
        for name in variables {
            command.env_remove(name);
        }
        command
    };
    let mut wrong_secret = operator(&api);
    wrong_secret.env("AWS_SECRET_ACCESS_KEY", "another");
    let pause = caller(folder.path(), &api, READER, &["pause", "--reason", "r"]);
    for (command, word) in [
        (without(&["SCALING_API_KEY"]), "ApiKeyId"),
        (without(&["SCALING_SIGN"]), "--sign"),
        (without(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]), "AWS_PROFILE"),
        (without(&["AWS_REGION"]), "AWS_REGION"),
        (without(&["AWS_SESSION_TOKEN"]), "aws sso login"),
        (wrong_secret, "clock"),
        (operator(&door), "ApiUrl"),
        (pause, "ApiOperatePolicyArn"),
    ] {
        let ended = ended(command).await;
        assert!(ended.code == Some(1) && ended.err.contains(word), "{word}: {ended:?}");
        told_nothing_secret(&ended);
    }
}
