//! What is written together in DynamoDB, on moto's server: dynalite knows no transactions.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use scaling_control::fakes::store_contract::SharedStore;
use scaling_store::DynamoStore;
use scaling_store::dynamo::create_table;
use tokio::net::TcpStream;

scaling_control::store_transaction_tests!(store);

/// How long it may take to listen. A busy machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server of its own on a free port; it ends when this is dropped.
struct Moto {
    process: Child,
    endpoint: String,
    /// What it tells on its standard error: a file, which unlike a pipe holds whatever nobody reads.
    told: File,
}

impl Moto {
    /// Starts a script that serves moto.
    fn start(script: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = root.join(".venv/bin/python");
        assert!(program.exists(), "moto's server is not installed; run `make setup`");
        // Given back before moto takes it: moto cannot say which port it has chosen.
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let told = tempfile::tempfile().expect("a file for what it tells");
        let process = Command::new(program)
            .arg(root.join(script))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(told.try_clone().expect("the file is shared"))
            .spawn()
            .expect("moto's server starts");
        Self { process, endpoint: format!("http://127.0.0.1:{port}"), told }
    }

    /// Waits until it listens. A client that is refused and tries again spends the budget of retries that all clients of
    /// a process share, which other tests count.
    async fn listening(&mut self) {
        let address = self.endpoint.trim_start_matches("http://").to_owned();
        let began = Instant::now();
        while TcpStream::connect(&address).await.is_err() {
            let ended = self.process.try_wait().expect("its state is known");
            assert!(ended.is_none(), "moto's server ended: {}", self.told());
            assert!(began.elapsed() < PATIENCE, "moto's server does not listen: {}", self.told());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What it has told on its standard error.
    fn told(&mut self) -> String {
        let mut told = Vec::new();
        self.told.rewind().and_then(|()| self.told.read_to_end(&mut told)).expect("the file is read");
        String::from_utf8_lossy(&told).into_owned()
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
    let mut server = Moto::start("tests/moto_in_turn.py");
    server.listening().await;
    let server = Arc::new(server);
    create_table(&server.client(), "state").await.expect("the table is created");
    let connect = move || {
        let client = server.client();
        async { Ok(client) }
    };
    Arc::new(DynamoStore::new("state", connect))
}

#[tokio::test]
#[should_panic(expected = "can't open file")]
async fn a_server_that_ends_at_its_start_is_not_waited_for_and_what_it_told_is_told() {
    Moto::start("tests/no_such_server.py").listening().await;
}
