//! Moto's server, for the services that the emulator has not: the state table, secrets.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::process::repository;

/// What a client has to be told to reach it, beside its address.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] =
    [("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// A server of its own; it ends when this is dropped.
pub(crate) struct Moto {
    process: Child,
    pub(crate) endpoint: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        // Given back before moto takes it: moto cannot say which port it has chosen.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let process = Command::new(installed("python"))
            .arg(repository().join("tests/moto_in_turn.py"))
            .args(["--host", "127.0.0.1", "--port", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, endpoint: format!("http://127.0.0.1:{port}") }
    }

    /// What the aws CLI prints, patient while the server starts.
    pub(crate) fn aws(&self, arguments: &[&str]) -> String {
        let ended = Command::new(installed("aws"))
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_MAX_ATTEMPTS", "20")
            .envs(ENVIRONMENT)
            .output()
            .unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }
}

impl Drop for Moto {
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
