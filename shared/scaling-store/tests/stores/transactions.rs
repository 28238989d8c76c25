//! What is written together in DynamoDB, on moto's server: dynalite knows no transactions.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use scaling_control::fakes::store_contract::SharedStore;
use scaling_store::DynamoStore;
use scaling_store::dynamo::create_table;

scaling_control::store_transaction_tests!(store);

/// A server of its own on a free port; it ends when this is dropped.
struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = root.join(".venv/bin/python");
        assert!(program.exists(), "moto's server is not installed; run `make setup`");
        // Given back before moto takes it: moto cannot say which port it has chosen.
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let process = Command::new(program)
            .arg(root.join("tests/moto_in_turn.py"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto's server starts");
        Self { process, endpoint: format!("http://127.0.0.1:{port}") }
    }

    /// A client that is patient while the server starts.
    fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(100)
                    .with_max_backoff(std::time::Duration::from_millis(200)),
            )
            .endpoint_url(&self.endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Client::from_conf(config.build())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn store() -> SharedStore {
    let server = Arc::new(Moto::start());
    create_table(&server.client(), "state").await.expect("the table is created");
    let connect = move || {
        let client = server.client();
        async { Ok(client) }
    };
    Arc::new(DynamoStore::new("state", connect))
}
