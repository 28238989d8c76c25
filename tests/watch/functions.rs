//! `cargo lambda watch` in a process of its own, and what a client asks of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use scaling_tests::{environment, project};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Long enough for anything here, the wait for another build of the same folder included; only a function that never
/// starts takes it.
const PATIENCE: Duration = Duration::from_secs(600);

/// As the README says: state lies in a file.
const FEATURES: [&str; 2] = ["--features", "sqlite"];

/// Variables of this process that must not reach the functions.
const FOREIGN: [&str; 7] = [
    "SCALING_ALARM_FUNCTION",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "SCALING_TABLE",
    "SCALING_GROUP",
    "SCALING_GROUPS",
    "SCALING_ENVIRONMENT",
];

/// The three functions behind one address.
pub(crate) struct Functions {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Functions {
    /// Starts them with their state, their log and `config.json` in `folder`, against the emulator at `emulator`, and with
    /// `variables` besides.
    pub(crate) async fn start(port: u16, folder: &Path, emulator: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(project::installed("cargo-lambda").unwrap());
        command.args(["lambda", "watch"]).args(here(port)).args(FEATURES);
        let settings: [(&str, OsString); 3] = [
            ("SCALING_STATE", folder.join("scaling.db").into()),
            ("SCALING_CONFIG", folder.join("config.json").into()),
            ("SCALING_CLOCK", format!("{emulator}/_emulator/clock").into()),
        ];
        clean(&mut command);
        command.envs(environment::client(emulator)).envs(settings).envs(variables.iter().copied());
        Self::run(command, port, folder).await
    }

    /// Runs a command that starts them at this port; their log is in `folder`.
    pub(crate) async fn run(mut command: Command, port: u16, folder: &Path) -> Self {
        build().await;
        let log = folder.join("functions.log");
        let output = std::fs::File::create(&log).unwrap();
        let child = command
            .current_dir(project::root())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut functions = Self { child, port, log };
        functions.wait_until_they_answer().await;
        functions
    }

    /// The first request to each starts it; from then on an invocation takes milliseconds.
    async fn wait_until_they_answer(&mut self) {
        let address = ("127.0.0.1", self.port);
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none(), "cargo lambda watch ended: {}", self.log());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening).await.expect("cargo lambda watch does not listen");
        let (status, answer) = self.invoke("alarm", &json!({"alarmData": {"alarmName": "of nobody"}})).await;
        assert_eq!((status, &answer["unknown_alarms"]), (200, &json!(["of nobody"])), "{}", self.log());
        assert_eq!(self.invoke("schedule", &json!({})).await.0, 200, "{}", self.log());
        assert_eq!(self.api("GET", "/health", None).await.0, 200, "{}", self.log());
    }

    /// Invokes a function as Lambda's own interface does.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> (u16, Value) {
        self.ask("POST", &format!("/2015-03-31/functions/{function}/invocations"), Some(event)).await
    }

    /// Asks the function `api` over its function URL.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask(method, &format!("/lambda-url/api{path}"), body).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default())
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<String>();
        let answered = async {
            let response = client.request(request).await.unwrap();
            let status = response.status().as_u16();
            (status, response.into_body().collect().await.unwrap().to_bytes())
        };
        let Ok((status, bytes)) = tokio::time::timeout(PATIENCE, answered).await else {
            panic!("{method} {path} is not answered: {}", self.log());
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// What they have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Functions {
    /// Ended politely, it ends the functions it has started.
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            let _ = std::process::Command::new("kill").arg(id.to_string()).status();
            while matches!(self.child.try_wait(), Ok(None)) {
                std::thread::yield_now();
            }
        }
    }
}

/// Arguments with which `cargo lambda watch` listens at this port and leaves changes of the sources alone.
pub(crate) fn here(port: u16) -> [String; 5] {
    let arguments = ["--ignore-changes", "--invoke-address", "127.0.0.1", "--invoke-port"];
    let [ignore, address, loopback, at] = arguments.map(str::to_owned);
    [ignore, address, loopback, at, port.to_string()]
}

/// Takes away what the functions must not have of this process.
pub(crate) fn clean(command: &mut Command) {
    for variable in FOREIGN {
        command.env_remove(variable);
    }
}

/// Builds what `cargo lambda watch` runs, as it would: a function that does not compile is never answered by it.
async fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--bin", "alarm", "--bin", "api", "--bin", "schedule"]).args(FEATURES);
    let output = command.current_dir(project::root()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A port that nothing listens on.
pub(crate) async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
