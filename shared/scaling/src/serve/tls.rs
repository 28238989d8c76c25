//! Encryption: a certificate and its key from PEM files, read anew when they change (certificates of today live for
//! weeks).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and the root, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// Why nothing can be encrypted.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("cannot read {what} from {path}: {source}")]
    File {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("{path} holds no certificate; it must be in PEM, the server's own first")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key are not of one pair, or of a kind that is not known.
    #[error("the certificate of {path} cannot be used with its key: {source}")]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// Certificate and key as they were read last.
pub(super) struct Tls {
    files: TlsFiles,
    loaded: Mutex<(Stamp, TlsAcceptor)>,
}

/// How one version of the two files is told from the next.
type Stamp = [Option<SystemTime>; 2];

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    pub(super) fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let stamp = stamp(&files);
        let acceptor = load(&files)?;
        Ok(Self { files, loaded: Mutex::new((stamp, acceptor)) })
    }

    /// What the next connection is encrypted with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.files);
        if stamp != loaded.0 {
            loaded.0 = stamp;
            match load(&self.files) {
                Ok(acceptor) => {
                    tracing::info!(target: "scaling::integration", "the certificate was read anew");
                    loaded.1 = acceptor;
                }
                // One of the two may have been written and the other not yet.
                Err(error) => {
                    tracing::error!(target: "scaling::integration", %error, "the certificate before goes on to be used");
                }
            }
        }
        loaded.1.clone()
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    [modified(&files.certificate), modified(&files.key)]
}

fn load(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let TlsFiles { certificate, key } = files;
    let unreadable = |what, path: &PathBuf| {
        let path = path.clone();
        move |source| TlsError::File { what, path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable("the certificate", certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable("the key", key))?;
    let pair = |source| TlsError::Pair { path: certificate.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, certificate: &str, key: &str) -> TlsFiles {
        let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
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
        let missing = TlsFiles { certificate: "no/such.pem".into(), key: "no/such.pem".into() };
        assert!(Tls::read(missing).unwrap_err().to_string().contains("no/such.pem"));
        assert!(Tls::read(files(folder.path(), &certificate, &key)).is_ok());
    }
}
