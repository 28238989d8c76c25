//! Encryption: a certificate and its key in PEM, from files or secrets, read anew when they change (certificates of today
//! live for weeks).

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::document::{self, Document, Place};
use super::tokens::AGAIN;

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and those between it and the root, in PEM.
    pub certificate: Arc<Document>,
    /// Its key, in PEM.
    pub key: Arc<Document>,
}

/// Why nothing can be encrypted.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file or a secret cannot be read.
    #[error("cannot read {what} from {place}: {source}")]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// Where.
        place: Place,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds nothing of the kind.
    #[error("cannot read {what} from {place}: {source}")]
    NoPem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        place: Place,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// It holds no certificate.
    #[error("{place} holds no certificate; it must be in PEM, the server's own first")]
    NoCertificate {
        /// Where it was looked for.
        place: Place,
    },
    /// Certificate and key are not of one pair, or of a kind that is not known.
    #[error("the certificate of {place} cannot be used with its key: {source}")]
    Pair {
        /// Where the certificate lies.
        place: Place,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// Certificate and key as they were read last.
pub(super) struct Tls {
    files: TlsFiles,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    stamp: Stamp,
    acceptor: TlsAcceptor,
    /// When files that could not be used were last tried.
    tried: Option<Instant>,
}

/// How one version of the two is told from the next.
type Stamp = [Option<document::Stamp>; 2];

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads both.
    pub(super) fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let stamp = stamp(&files);
        let acceptor = load(&files)?;
        Ok(Self { files, loaded: Mutex::new(Loaded { stamp, acceptor, tried: None }) })
    }

    /// What the next connection is encrypted with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.files);
        let is_new = stamp != loaded.stamp;
        if is_new || loaded.tried.is_some_and(|tried| tried.elapsed() >= AGAIN) {
            loaded.stamp = stamp;
            match load(&self.files) {
                Ok(acceptor) => {
                    tracing::info!(target: "scaling::integration", "the certificate was read anew");
                    (loaded.acceptor, loaded.tried) = (acceptor, None);
                }
                // One of the two may have been written and the other not yet.
                Err(error) => {
                    if is_new {
                        tracing::error!(target: "scaling::integration", %error, "the certificate before goes on to be used");
                    }
                    loaded.tried = Some(Instant::now());
                }
            }
        }
        loaded.acceptor.clone()
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    [files.certificate.stamp(), files.key.stamp()]
}

fn load(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let TlsFiles { certificate, key } = files;
    let chain =
        read(certificate, "the certificate", |bytes| CertificateDer::pem_slice_iter(bytes).collect())?;
    let chain: Vec<CertificateDer<'static>> = chain;
    let place = || certificate.place().clone();
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { place: place() });
    }
    let key = read(key, "the key", PrivateKeyDer::from_pem_slice)?;
    let pair = |source| TlsError::Pair { place: place(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read<T>(
    document: &Document,
    what: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T, pem::Error>,
) -> Result<T, TlsError> {
    let place = || document.place().clone();
    let bytes = document.bytes().map_err(|source| TlsError::Unreadable { what, place: place(), source })?;
    parse(&bytes).map_err(|source| TlsError::NoPem { what, place: place(), source })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn files(folder: &Path, certificate: &str, key: &str) -> TlsFiles {
        let at = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            Arc::new(Document::from(path))
        };
        TlsFiles { certificate: at("cert.pem", certificate), key: at("key.pem", key) }
    }

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let ((certificate, key), (_, other)) = (pair(), pair());
        for (certificate, key, word) in [
            (certificate.as_str(), other.as_str(), "cannot be used with its key"),
            ("", &key, "no certificate"),
            (&certificate, "", "the key"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &key, "the certificate"),
        ] {
            let error = Tls::read(files(folder.path(), certificate, key)).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(".pem"), "{word}: {error}");
        }
        let nowhere = Arc::new(Document::from("no/such.pem"));
        let missing = TlsFiles { certificate: nowhere.clone(), key: nowhere };
        assert!(Tls::read(missing).unwrap_err().to_string().contains("no/such.pem"));
        assert!(Tls::read(files(folder.path(), &certificate, &key)).is_ok());
    }
}
