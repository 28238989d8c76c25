//! The description of the REST interface against the interface: everything that it promises is asked for by
//! schemathesis, and what comes back must be what it says.

use std::path::PathBuf;

use crate::process::repository;
use crate::run::controller;

/// A tool that `make setup` installs.
fn installed(name: &str) -> PathBuf {
    let path = repository().join(".venv/bin").join(name);
    assert!(path.exists(), "{} is not there; `make setup` installs it", path.display());
    path
}

#[tokio::test]
async fn nothing_comes_back_that_the_description_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let output = tokio::process::Command::new(installed("schemathesis"))
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(repository().join("tests/api/schemathesis.toml"))
        .args(["run", "--no-color", &format!("{api}/openapi.json")])
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let from = said.find("FAILURES").or(said.find("ERRORS")).unwrap_or_default();
    assert!(output.status.success(), "{}{}", &said[from..], String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Tested: "), "{said}");
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
