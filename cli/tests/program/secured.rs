//! A controller that others can reach: certificate, tokens, and what a token may do.

use std::path::Path;

use crate::moto::Moto;
use crate::process::{Ended, ended, program};
use crate::run::{ask, controller_of, controller_with};

const READ: &str = "read-read-read-read-read-read-read-read";
const ADMIN: &str = "admin-admin-admin-admin-admin-admin-admin";

/// Certificate, key, tokens, and a file with one of them.
fn prepare(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let tokens = format!(
        r#"{{"tokens": [{{"name": "look", "role": "read", "token": "{READ}"}},
            {{"name": "ada", "role": "admin", "token": "{ADMIN}"}}]}}"#
    );
    for (name, text) in [
        ("cert.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
        ("tokens.json", tokens),
        ("read.token", READ.to_owned()),
        ("admin.token", ADMIN.to_owned()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

const PROTECTED: [&str; 6] =
    ["--tls-certificate", "cert.pem", "--tls-key", "key.pem", "--tokens", "tokens.json"];

async fn with_token(folder: &Path, api: &str, arguments: &[&str], token: &str) -> Ended {
    let all = [arguments, &["--ca", "cert.pem", "--token-file", token]].concat();
    ask(folder, api, &all).await
}

#[tokio::test]
async fn an_encrypted_controller_lets_in_who_has_a_token_and_lets_nobody_do_more_than_its_role() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let (mut running, api, prometheus) = controller_with(folder.path(), &PROTECTED).await;
    assert!(api.starts_with("https://") && prometheus.starts_with("https://"), "{api} {prometheus}");
    let status = with_token(folder.path(), &api, &["status", "--json"], "read.token").await;
    assert_eq!(status.json()["groups"][0]["name"], "demo");
    let refused = with_token(folder.path(), &api, &["pause", "--reason", "r"], "read.token").await;
    assert!(refused.code == Some(1) && refused.err.contains("role"), "{refused:?}");
    let paused = with_token(folder.path(), &api, &["pause", "--reason", "r", "--json"], "admin.token").await;
    assert_eq!(paused.json()["pause"]["by"], "ada", "the token's name, whatever the request says");
    let stranger = ask(folder.path(), &api, &["status", "--ca", "cert.pem"]).await;
    assert!(stranger.code == Some(1) && stranger.err.contains("SCALING_TOKEN"), "{stranger:?}");
    let distrusted = ask(folder.path(), &api, &["status", "--token-file", "read.token"]).await;
    assert!(distrusted.code == Some(1) && distrusted.err.contains("--ca"), "{distrusted:?}");
    running.signal("INT").await;
    for name in ["integration", "monitor", "validator"] {
        let log = std::fs::read_to_string(folder.path().join(format!("logs/scaling_{name}.log"))).unwrap();
        assert!(!log.contains(READ) && !log.contains(ADMIN), "{name}");
    }
}

#[tokio::test]
async fn key_and_tokens_may_be_secrets_and_lie_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let server = Moto::start();
    let store = |name: &str, file: &str| {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let create =
            ["secretsmanager", "create-secret", "--output", "text", "--query", "ARN", "--name", name];
        server.aws(&[&create[..], &["--secret-string", &text]].concat()).trim().to_owned()
    };
    let arn = store("scaling/key", "key.pem");
    store("scaling/tokens", "tokens.json");
    for file in ["key.pem", "tokens.json"] {
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    let program = || program(folder.path(), Some(&server.endpoint));
    let protected = |tokens| ["--tls-certificate", "cert.pem", "--tls-key", &arn, "--tokens", tokens];
    let (mut running, api, _) = controller_of(program(), &protected("secretsmanager:scaling/tokens")).await;
    let status = with_token(folder.path(), &api, &["status", "--json"], "read.token").await;
    assert_eq!(status.json()["groups"][0]["name"], "demo");
    running.signal("INT").await;
    for (tokens, code, word) in [
        ("secretsmanager:scaling/absent", 1, "aws secretsmanager list-secrets"),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/tokens", 2, "secretsmanager:NAME"),
    ] {
        let mut command = program();
        command.args(["run", "--emulator"]).args(protected(tokens));
        let ended = ended(command).await;
        assert!(ended.code == Some(code) && ended.err.contains(word), "{ended:?}");
    }
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused_without_protection() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    for (more, word) in [
        (&[][..], "both are missing"),
        (&PROTECTED[..4], "the token file is missing"),
        (&PROTECTED[4..], "the certificate is missing"),
    ] {
        let mut command = program(folder.path(), None);
        command.args(["run", "--emulator", "--api", "0.0.0.0:0", "--prometheus", "127.0.0.1:0"]).args(more);
        let ended = ended(command).await;
        assert!(ended.code == Some(2) && ended.err.contains(word), "{ended:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    std::fs::write(folder.path().join("bad.json"), format!(r#"{{"tokens": [{{"token": "{READ}"}}]}}"#))
        .unwrap();
    for (more, word) in [
        (["--tokens", "bad.json", "--tls-certificate", "cert.pem", "--tls-key", "key.pem"], "bad.json"),
        (
            ["--tokens", "tokens.json", "--tls-certificate", "read.token", "--tls-key", "key.pem"],
            "read.token",
        ),
        (["--tokens", "tokens.json", "--tls-certificate", "cert.pem", "--tls-key", "no.pem"], "no.pem"),
    ] {
        let mut command = program(folder.path(), None);
        command.args(["run", "--emulator", "--api", "127.0.0.1:0", "--prometheus", "127.0.0.1:0"]).args(more);
        let ended = ended(command).await;
        assert!(ended.code == Some(1) && ended.err.contains(word), "{ended:?}");
        assert!(!ended.err.contains(READ), "{ended:?}");
    }
}
