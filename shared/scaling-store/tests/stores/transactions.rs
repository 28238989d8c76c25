//! What is written together in DynamoDB, on moto's server: dynalite knows no transactions.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use scaling_control::fakes::store_contract::SharedStore;
use scaling_store::DynamoStore;
use scaling_store::dynamo::create_table;
use tokio::net::TcpStream;

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

    /// Waits until it listens. A client that is refused and tries again spends the budget of retries that all clients of
    /// a process share, which other tests count.
    async fn listening(&self) {
        let address = self.endpoint.trim_start_matches("http://").to_owned();
        while TcpStream::connect(&address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// A client of it.
    fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
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
    server.listening().await;
    create_table(&server.client(), "state").await.expect("the table is created");
    let connect = move || {
        let client = server.client();
        async { Ok(client) }
    };
    Arc::new(DynamoStore::new("state", connect))
}
