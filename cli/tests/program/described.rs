//! The description of the REST interface against the interface: everything that it promises is asked for by
//! schemathesis, and what comes back must be what it says.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::process::{program, repository};
use crate::run::controller_at;

/// A tool that `make setup` installs.
fn installed(name: &str) -> PathBuf {
    let path = repository().join(".venv/bin").join(name);
    assert!(path.exists(), "{} is not there; `make setup` installs it", path.display());
    path
}

/// Has schemathesis ask a controller of its own, which must hold to its description.
async fn holds(selection: [&str; 2]) {
    let folder = tempfile::tempdir().unwrap();
    // Not faster: on a busy machine a lease would be over before its step is taken, which is told as it should be (503).
    let (_running, api, _) = controller_at("20", program(folder.path(), None), &[]).await;
    let until = Timestamp::now() + SignedDuration::from_hours(30 * 24);
    let output = tokio::process::Command::new(installed("schemathesis"))
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(repository().join("tests/api/schemathesis.toml"))
        .args(["run", "--no-color"])
        .args(selection)
        .arg(format!("{api}/openapi.json"))
        .env("NO_PROXY", "127.0.0.1")
        .env("SCALING_UNTIL", until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let from = said.find("FAILURES").or(said.find("ERRORS")).unwrap_or_default();
    assert!(output.status.success(), "{}{}", &said[from..], String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Tested: "), "{said}");
}

/// What stops everything else, so that it is asked for alone.
const STOPS: &str = "^/kill-switch$|/pause$";

#[tokio::test]
async fn nothing_comes_back_that_the_description_does_not_say() {
    holds(["--exclude-path-regex", STOPS]).await;
}

#[tokio::test]
async fn nothing_comes_back_of_what_stops_everything_that_the_description_does_not_say() {
    holds(["--include-path-regex", STOPS]).await;
}

#[tokio::test]
async fn the_description_is_valid_openapi() {
    let output = tokio::process::Command::new(installed("openapi-spec-validator"))
        .arg(repository().join("shared/scaling-api/openapi.json"))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
