//! Over TLS: servers whose certificate somebody vouches for, and others. Which certificates are trusted is read from
//! the environment, so each test runs this program again.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::clients::answer;
use crate::environment::{KEYS, run};
use crate::xml;

/// A server that answers one request over TLS, and the file with its certificate.
struct Server {
    address: String,
    folder: TempDir,
    serving: JoinHandle<io::Result<String>>,
}

impl Server {
    fn of(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("certificate.pem"), cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let serving = thread::spawn(move || {
            let connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
            let stream = StreamOwned::new(connection, listener.accept()?.0);
            answer(stream, xml::groups([xml::group("web", "")]))
        });
        Self { address, folder, serving }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// What a client prints that trusts the certificates in `file`.
    fn ask(&self, file: &str) -> String {
        let address = self.address.as_str();
        let variables = [("AWS_ENDPOINT_URL", address), ("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "")];
        run("by_variables", &[&KEYS[..], &variables].concat())
    }
}

#[test]
fn a_server_whose_certificate_is_trusted_is_asked() {
    let server = Server::of("localhost");
    let printed = server.ask(server.certificate().to_str().unwrap());
    assert!(printed.contains("found 1"), "{printed}");
    assert!(server.serving.join().unwrap().unwrap().starts_with("Action=DescribeAutoScalingGroups&"));
}

#[test]
fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let (server, other) = (Server::of("localhost"), Server::of("localhost"));
    let printed = server.ask(other.certificate().to_str().unwrap());
    assert!(printed.contains("unavailable: ") && printed.contains("certificate"), "{printed}");
    server.serving.join().unwrap().unwrap_err();
}

#[test]
fn a_certificate_of_another_name_is_refused() {
    let server = Server::of("elsewhere");
    let printed = server.ask(server.certificate().to_str().unwrap());
    assert!(printed.contains("unavailable: ") && printed.contains("not valid for name"), "{printed}");
    server.serving.join().unwrap().unwrap_err();
}

#[test]
fn without_any_certificate_the_message_says_where_they_come_from() {
    let server = Server::of("localhost");
    let printed = server.ask("no-such-file.pem");
    assert!(printed.contains("SSL_CERT_FILE") && printed.contains("ca-certificates"), "{printed}");
    assert!(!server.serving.is_finished(), "nothing is sent");
}
