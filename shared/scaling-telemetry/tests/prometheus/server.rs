//! A real Prometheus server that scrapes one target every second.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{http, tools};

/// How long the server may take for anything before the test is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; ends with this.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes `target`.
    pub(crate) fn start(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\n\
             scrape_configs: [{{job_name: scaling, static_configs: [{{targets: [\"{target}\"]}}]}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let address = free_address();
        let child = Command::new(tools::tool("prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, _folder: folder }
    }

    /// Waits until a query has an answer.
    pub(crate) async fn wait_for(&self, query: &str) {
        let asking = async {
            while self.value(query).await.is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("no data for {query}"));
    }

    /// The first value that a query has now; `None` without data or without a server.
    pub(crate) async fn value(&self, query: &str) -> Option<String> {
        let path = format!("/api/v1/query?query={}", http::encode(query));
        let answer: Value = serde_json::from_str(&http::get(self.address, &path).await?).ok()?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let first = &answer["data"]["result"][0]["value"][1];
        first.as_str().map(str::to_owned)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
