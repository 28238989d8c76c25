//! Connections: plain for `http`, over TLS for `https`, given up after a while.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::net::TcpStream;
use tower::Service;

/// No certificate that the system trusts.
#[derive(Debug, Error)]
#[error(
    "the system's certificates could not be read: {0}; install them (package ca-certificates), or name a file of \
     certificates in SSL_CERT_FILE"
)]
pub(super) struct NoCertificates(String);

/// Nobody answered, or no TLS session came about.
#[derive(Debug, Error)]
#[error("no connection within {0:?}")]
pub(super) struct NotInTime(Duration);

/// The certificates that are trusted, read when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Trust(OnceLock<Arc<ClientConfig>>);

impl Trust {
    pub(super) fn is_loaded(&self) -> bool {
        self.0.get().is_some()
    }

    fn config(&self) -> Result<Arc<ClientConfig>, BoxError> {
        if let Some(config) = self.0.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(client_config()?);
        Ok(Arc::clone(self.0.get_or_init(|| config)))
    }
}

/// The suites that AWS's SDK offers, in its order: AES first, which processors of servers compute in hardware.
const SUITES: [CipherSuite; 7] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

fn client_config() -> Result<ClientConfig, BoxError> {
    let base = ring::default_provider();
    let suite = |name: &CipherSuite| base.cipher_suites.iter().find(|suite| suite.suite() == *name).copied();
    let provider = CryptoProvider { cipher_suites: SUITES.iter().filter_map(suite).collect(), ..base };
    let builder =
        ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots()?).with_no_client_auth())
}

fn roots() -> Result<RootCertStore, NoCertificates> {
    let read = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.certs);
    if roots.is_empty() {
        let faults: Vec<String> = read.errors.iter().map(ToString::to_string).collect();
        return Err(NoCertificates(if faults.is_empty() {
            "there are none".to_owned()
        } else {
            faults.join(", ")
        }));
    }
    Ok(roots)
}

/// Makes connections for hyper's pool.
#[derive(Debug, Clone)]
pub(super) struct Connect {
    tcp: HttpConnector,
    trust: Arc<Trust>,
    timeout: Option<Duration>,
}

impl Connect {
    pub(super) fn new(trust: Arc<Trust>, timeout: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new();
        // The scheme is looked at here, not there.
        tcp.enforce_http(false);
        // A request is a few small writes; none of them is to wait for the answer to the one before.
        tcp.set_nodelay(true);
        Self { tcp, trust, timeout }
    }
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Service<Uri> for Connect {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = connect(self.tcp.clone(), Arc::clone(&self.trust), uri);
        match self.timeout {
            None => Box::pin(connecting),
            Some(limit) => Box::pin(async move {
                tokio::time::timeout(limit, connecting).await.map_err(|_elapsed| NotInTime(limit))?
            }),
        }
    }
}

async fn connect(mut tcp: HttpConnector, trust: Arc<Trust>, uri: Uri) -> Result<Stream, BoxError> {
    if uri.scheme() == Some(&Scheme::HTTP) {
        return Ok(MaybeHttpsStream::Http(tcp.call(uri).await?));
    }
    HttpsConnector::from((tcp, trust.config()?)).call(uri).await
}
