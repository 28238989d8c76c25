//! A state table as the template makes it, on moto's server: dynalite knows no transactions.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::process::repository;

/// Its name.
pub(crate) const NAME: &str = "scaling-state";

/// A server of its own with the table; it ends when this is dropped.
pub(crate) struct Table {
    process: Child,
    pub(crate) endpoint: String,
}

impl Table {
    pub(crate) fn start() -> Self {
        // Given back before moto takes it: moto cannot say which port it has chosen.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let process = Command::new(installed("moto_server"))
            .args(["--host", "127.0.0.1", "--port", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let table = Self { process, endpoint: format!("http://127.0.0.1:{port}") };
        table.make();
        table
    }

    /// Makes the table, by a client that is patient while the server starts.
    fn make(&self) {
        let made = Command::new(installed("aws"))
            .args(["dynamodb", "create-table", "--table-name", NAME, "--billing-mode", "PAY_PER_REQUEST"])
            .args([
                "--attribute-definitions",
                "AttributeName=pk,AttributeType=S",
                "AttributeName=sk,AttributeType=S",
            ])
            .args(["--key-schema", "AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE"])
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .envs([("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_MAX_ATTEMPTS", "20")])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed(program: &str) -> PathBuf {
    let path = repository().join(".venv/bin").join(program);
    assert!(path.exists(), "{program} is not installed; run `make setup`");
    path
}
