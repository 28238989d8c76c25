//! Starts the built program: to its end, or in the background until a test has seen enough.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a test waits before it looks again.
const PAUSE: Duration = Duration::from_millis(25);

/// What a finished run left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program in a folder, with nothing of this machine's AWS settings; `endpoint` stands for AWS.
pub(crate) fn program(folder: &Path, endpoint: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scaling"));
    let ours = |name: &str| name.starts_with("AWS_") || name.starts_with("SCALING_") || name == "RUST_LOG";
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(endpoint) = endpoint {
        command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    }
    command
}

/// Runs it to its end.
pub(crate) async fn ended(mut command: Command) -> Ended {
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs it in the repository without AWS.
pub(crate) async fn scaling(arguments: &[&str]) -> Ended {
    let mut command = program(&repository(), None);
    command.args(arguments);
    ended(command).await
}

/// A run in the background, ended when it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next `count` addresses that it prints.
    pub(crate) async fn addresses(&mut self, count: usize) -> Vec<String> {
        let mut found = Vec::new();
        while found.len() < count {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("it says where");
            let line = line.unwrap().expect("it goes on");
            let words = line.split(|c: char| c.is_whitespace() || ",;".contains(c));
            let words = words.filter(|word| word.contains("://"));
            let addresses = words.filter_map(|word| word.find("http").map(|at| word[at..].to_owned()));
            found.extend(addresses.map(|address| address.trim_end_matches("/metrics").to_owned()));
        }
        found.truncate(count);
        found
    }

    /// Waits for a line that contains `text`.
    pub(crate) async fn line_with(&mut self, text: &str) {
        let found =
            async { while !self.lines.next_line().await.unwrap().expect("it goes on").contains(text) {} };
        tokio::time::timeout(PATIENCE, found).await.expect("it says so");
    }

    /// Sends a signal, such as `INT`, and waits for the end.
    pub(crate) async fn signal(&mut self, name: &str) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }
}

/// The answer to a request: status and text.
pub(crate) async fn http(method: &str, url: &str, body: &str) -> (u16, String) {
    http_with((method, url), "x-test", "", body).await
}

/// The same with a header, in the place of one of that name.
pub(crate) async fn http_with(
    (method, url): (&str, &str),
    name: &str,
    value: &str,
    body: &str,
) -> (u16, String) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = http::Request::builder().method(method).uri(url).header("content-type", "application/json");
    let mut request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let name: http::HeaderName = name.parse().unwrap();
    request.headers_mut().insert(name, value.parse().unwrap());
    let response =
        tokio::time::timeout(PATIENCE, client.request(request)).await.expect("it answers").unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

/// Looks until there is something to see.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    seen.await.unwrap_or_else(|_| panic!("never seen: {what}"))
}
