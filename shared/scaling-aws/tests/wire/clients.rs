//! Where the clients come from: late, and from the environment or an explicit endpoint.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use scaling_aws::http_client::LazyHttpClient;
use scaling_aws::{AwsClients, AwsPlatform, AwsSettings, Credentials};
use scaling_control::ports::GroupReader;

use crate::script::{Reply, Script, group};
use crate::xml;

pub(crate) fn settings(endpoint: &str) -> AwsSettings {
    AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("eu-central-1".to_owned()),
        credentials: Some(Credentials::new("key", "very secret", None, None, "test")),
        ..AwsSettings::default()
    }
}

#[tokio::test]
async fn nothing_is_built_before_it_is_needed() {
    let http = LazyHttpClient::new();
    let clients = Arc::new(AwsClients::with_http_client(settings("https://127.0.0.1:9"), http.clone()));
    let platform = AwsPlatform::new(Arc::clone(&clients));
    assert!(platform.describe(&[]).await.unwrap().is_empty());
    assert!(clients.is_idle());
    // Even a built client knows no certificate before its first request.
    clients.autoscaling().await;
    clients.cloudwatch().await;
    assert!(!clients.is_idle());
    assert!(!http.trust_store_loaded());
}

#[tokio::test]
async fn each_client_is_built_once() {
    let clients = AwsClients::new(settings("http://127.0.0.1:9"));
    assert!(std::ptr::eq(clients.autoscaling().await, clients.autoscaling().await));
    assert!(std::ptr::eq(clients.sdk_config().await, clients.sdk_config().await));
    assert_eq!(clients.sdk_config().await.endpoint_url(), Some("http://127.0.0.1:9"));
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?}", AwsClients::new(settings("http://127.0.0.1:9")));
    assert!(!printed.contains("very secret"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_is_what_was_sent() {
    let script = Script::new(|sent, before| match (sent.operation().as_str(), before) {
        (_, 0) => xml::error(503, "ServiceUnavailable", ""),
        ("DescribeAutoScalingGroups", _) => xml::groups([xml::group("web", "")]),
        (operation, _) => xml::answer(operation, ""),
    });
    let platform = script.platform();
    platform.foreign_controllers(&[group("web")]).await.unwrap();
    platform.replacement(&group("web")).await.unwrap();

    let mut log = std::collections::BTreeMap::<String, u64>::new();
    for sent in script.sent() {
        *log.entry(sent.operation()).or_default() += 1;
    }
    let counter = platform.clients().counter();
    assert_eq!(counter.snapshot(), log);
    assert_eq!(log["DescribeAutoScalingGroups"], 2);
    assert_eq!(counter.calls().values().sum::<u64>(), 4);
    assert_eq!(counter.retries().values().sum::<u64>(), 1);
}

/// Answers one request on a free port of the loopback interface and returns what was asked.
pub(crate) fn serve_once(reply: Reply) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || answer(listener.accept().unwrap().0, reply).unwrap());
    (address, serving)
}

/// Answers one request on a connection and returns what was asked.
pub(crate) fn answer(stream: impl Read + Write, reply: Reply) -> io::Result<String> {
    let Reply::Answer { status, body, .. } = reply else { panic!("an answer") };
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut asked = vec![0; length];
    reader.read_exact(&mut asked)?;
    let head = format!("HTTP/1.1 {status} OK\r\ncontent-length: {}\r\n\r\n", body.len());
    reader.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
    Ok(String::from_utf8(asked).unwrap())
}

#[tokio::test]
async fn a_plain_endpoint_is_reached_without_a_trust_store() {
    let (address, serving) = serve_once(xml::groups([xml::group("web", "")]));
    let http = LazyHttpClient::new();
    let clients = AwsClients::with_http_client(settings(&address), http.clone());
    let described = AwsPlatform::new(Arc::new(clients)).describe(&[group("web")]).await.unwrap();
    assert_eq!(described.len(), 1);
    assert!(serving.join().unwrap().starts_with("Action=DescribeAutoScalingGroups&"));
    assert!(!http.trust_store_loaded());
}
