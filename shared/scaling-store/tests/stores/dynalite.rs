//! Starts the third-party DynamoDB server, and makes stores on it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use scaling_control::ports::{Clock, SystemClock};
use scaling_store::DynamoStore;
use scaling_store::dynamo::create_table;

/// A server of its own, in memory, on a free port; it ends when this is dropped.
pub(crate) struct Dynalite {
    process: Child,
    endpoint: String,
}

impl Dynalite {
    /// Starts it and waits until it listens.
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dynamodb");
        let program = folder.join("node_modules/.bin/dynalite");
        assert!(
            program.exists(),
            "dynalite is not installed; run `make setup` (or `npm ci` in tests/dynamodb)"
        );
        let mut process = Command::new(program)
            // With the blank it is no number to dynalite, which takes 0 for "not given", and is 0 to node, which
            // then chooses a free port.
            .args(["--host", "127.0.0.1", "--port", " 0", "--createTableMs", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dynalite starts (it needs node)");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("dynalite tells where it listens");
        let endpoint = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(endpoint.starts_with("http://127.0.0.1:"), "dynalite said: {line}");
        Self { process, endpoint }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(&self.endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Client::from_conf(config.build())
    }
}

impl Drop for Dynalite {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A store with a server of its own.
pub(crate) async fn store() -> DynamoStore {
    store_on(Arc::new(Dynalite::start()), "state", Arc::new(SystemClock)).await
}

/// A store in a new table on a server, which lives as long as the store.
pub(crate) async fn store_on(server: Arc<Dynalite>, table: &str, clock: Arc<dyn Clock>) -> DynamoStore {
    create_table(&server.client(), table).await.expect("the table is created");
    let connect = move || {
        let client = server.client();
        async { Ok(client) }
    };
    DynamoStore::new(table, connect).with_clock(clock)
}
