use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Running, ended, eventually, http, program, repository};
use crate::run::controller;

const CONFIG: &str = "examples/local-process/scaling.json";

/// The shipped programs over a state folder of the test's own.
struct Workers<'a>(&'a Path);

impl Workers<'_> {
    async fn call(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new("python3");
        command.arg(repository().join("examples/local-process/workers.py")).args(arguments);
        let output = command.env("WORKERS_STATE", self.0).stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn count(&self) -> usize {
        self.call(&["describe"]).await["instances"].as_array().unwrap().len()
    }

    fn scaling(&self, arguments: &[&str]) -> Command {
        let mut command = program(&repository(), None);
        command.args(arguments).env("WORKERS_STATE", self.0);
        command
    }

    async fn until(&self, what: &str, holds: impl Fn(usize) -> bool) {
        eventually(what, || async { holds(self.count().await).then_some(()) }).await;
    }
}

impl Drop for Workers<'_> {
    /// A test that fails leaves no workers behind.
    fn drop(&mut self) {
        let mut command = std::process::Command::new("python3");
        command.arg(repository().join("examples/local-process/workers.py")).arg("stop");
        let _ = command.env("WORKERS_STATE", self.0).stdout(Stdio::null()).status();
    }
}

#[tokio::test]
async fn busy_workers_get_help_and_idle_ones_go() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let workers = Workers(state.path());
    let (database, logs) = (files.path().join("scaling.db"), files.path().join("logs"));
    let mut command = workers.scaling(&["run", "--config", CONFIG, "--api", "127.0.0.1:0"]);
    command.args(["--prometheus", "127.0.0.1:0", "--state"]).arg(&database).arg("--logs").arg(&logs);
    workers.call(&["load", "0.5"]).await;
    let mut running = Running::start(command);
    workers.until("the least number", |count| count == 1).await;
    workers.call(&["load", "2.5"]).await;
    workers.until("enough for the load", |count| count >= 3).await;
    workers.call(&["load", "0.1"]).await;
    workers.until("one left", |count| count == 1).await;
    assert_eq!(running.signal("INT").await.code(), Some(130));
    workers.call(&["stop"]).await;
    assert_eq!(workers.count().await, 0);
}

#[tokio::test]
async fn a_plan_asks_the_programs_and_starts_nothing() {
    let state = tempfile::tempdir().unwrap();
    let workers = Workers(state.path());
    workers.call(&["load", "2"]).await;
    let planned =
        ended(workers.scaling(&["plan", "--json", "--config", CONFIG, "--state", "no.db"])).await.json();
    assert_eq!(planned["groups"][0]["decision"]["action"]["kind"], "scale", "{planned}");
    assert_eq!(planned["controller_usd_per_month"], 0.0, "programs cost nothing to ask");
    assert_eq!(workers.count().await, 0);
}

#[tokio::test]
async fn a_configuration_that_comes_later_brings_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, api, _) = controller(folder.path()).await;
    let trace = folder.path().join("was-here");
    let script = format!("touch {}", trace.display());
    let program = json!(["sh", "-c", script]);
    let programs = json!({"describe": program, "apply": program, "metrics": program});
    let group = json!({"name": "pool", "platform": "standalone", "control": "act", "programs": programs});
    let body = json!({"mode": "horizontal", "groups": [{"name": "demo"}, group]}).to_string();
    let (status, answer) = http("POST", &format!("{api}/config"), &body).await;
    assert_eq!(status, 200, "{answer}");
    eventually("the group is refused", || async {
        let (_, validation) = http("GET", &format!("{api}/validation"), "").await;
        validation.contains("brings no new command").then_some(())
    })
    .await;
    assert!(!trace.exists());
    running.signal("INT").await;
}
