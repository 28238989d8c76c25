//! What protects a listener lies in a file, or in Secrets Manager; either may change while the program runs.
//!
//! A file is looked at whenever it is needed. A secret is asked for at the start and once a minute from then on
//! ([`Document::follow`]), and never written anywhere. While Secrets Manager does not answer, the text that it gave last
//! goes on to hold for [`UNANSWERED`]; once it says that the secret is gone or not to be read, it holds no more.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use scaling_aws::secrets::{NoReference, Secret, SecretError, SecretReader, SecretReference};

/// How often a secret is asked for: a month of it costs about 0.22 USD a secret (0.05 USD for 10,000 requests).
pub const EVERY: Duration = Duration::from_secs(60);

/// How long a text holds that cannot be asked for again: a quarter of an hour, well over a passing fault, and no longer
/// than whoever revokes a token during one can wait.
pub const UNANSWERED: Duration = Duration::from_secs(900);

/// Where a document lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In Secrets Manager.
    Secret(SecretReference),
}

impl FromStr for Place {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        if SecretReference::is_meant_by(text) {
            return text.parse().map(Self::Secret);
        }
        Ok(Self::File(PathBuf::from(text)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Secret(reference) => reference.fmt(f),
        }
    }
}

/// A document, as it is now.
pub struct Document {
    place: Place,
    /// What a secret holds; a file is read where it lies.
    kept: Mutex<Kept>,
}

struct Kept {
    secret: Option<Secret>,
    /// When Secrets Manager last gave it.
    given: Instant,
}

/// How one version of a document is told from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stamp {
    /// When the file was changed, and its bytes.
    File(SystemTime, u64),
    /// The secret's version.
    Secret(String),
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("place", &self.place).finish_non_exhaustive()
    }
}

impl From<PathBuf> for Document {
    fn from(path: PathBuf) -> Self {
        Self::new(Place::File(path), None)
    }
}

impl From<&str> for Document {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl Document {
    fn new(place: Place, secret: Option<Secret>) -> Self {
        Self { place, kept: Mutex::new(Kept { secret, given: Instant::now() }) }
    }

    /// Finds it. A secret is read, a file is not yet.
    ///
    /// # Errors
    /// A secret that cannot be read.
    pub async fn open(place: Place, secrets: &SecretReader) -> Result<Self, SecretError> {
        let secret = match &place {
            Place::File(_) => None,
            Place::Secret(reference) => Some(secrets.read(reference).await?),
        };
        Ok(Self::new(place, secret))
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Asks for a secret again and again, until nobody has the document any more.
    pub async fn follow(document: Weak<Self>, secrets: Arc<SecretReader>) {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(document) = document.upgrade() else { return };
            document.ask(&secrets).await;
        }
    }

    /// Asks for a secret once more.
    pub async fn ask(&self, secrets: &SecretReader) {
        if let Place::Secret(reference) = &self.place {
            self.keep(secrets.read(reference).await, Instant::now());
        }
    }

    fn keep(&self, answer: Result<Secret, SecretError>, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(secret) => *kept = Kept { secret: Some(secret), given: now },
            Err(error) => {
                let unanswered = now.saturating_duration_since(kept.given);
                if !matches!(error, SecretError::Unavailable { .. }) || unanswered >= UNANSWERED {
                    kept.secret = None;
                }
                let seconds = unanswered.as_secs();
                let holds = kept.secret.is_some();
                tracing::error!(target: "scaling::integration", %error, seconds, holds, "a secret was not read anew");
            }
        }
    }

    /// Which version of it this is; `None` while there is none.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        if let Place::File(path) = &self.place {
            let metadata = fs::metadata(path).ok()?;
            return Some(Stamp::File(metadata.modified().ok()?, metadata.len()));
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.secret.as_ref().map(|secret| Stamp::Secret(secret.version.clone()))
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        if let Place::File(path) = &self.place {
            return fs::read(path);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || io::Error::new(io::ErrorKind::NotFound, "Secrets Manager no longer gives it");
        kept.secret.as_ref().map(|secret| secret.text.clone().into_bytes()).ok_or_else(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> SecretReference {
        "secretsmanager:tokens".parse().unwrap()
    }

    fn secret(version: &str) -> Secret {
        Secret { text: format!("text {version}"), version: version.to_owned() }
    }

    fn refused() -> SecretError {
        SecretError::Refused { reference: reference(), message: "no".to_owned(), advice: "ask" }
    }

    fn unavailable() -> SecretError {
        SecretError::Unavailable { reference: reference(), message: "no route".to_owned() }
    }

    #[test]
    fn a_place_is_a_file_unless_it_names_a_secret() {
        assert_eq!("secretsmanager:tokens".parse(), Ok(Place::Secret(reference())));
        assert_eq!("a/tokens.json".parse(), Ok(Place::File("a/tokens.json".into())));
        assert!("arn:aws:s3:::bucket".parse::<Place>().is_err());
    }

    #[test]
    fn a_secret_holds_until_it_is_refused_or_nobody_has_answered_for_long() {
        let start = Instant::now();
        let last = UNANSWERED.saturating_sub(Duration::from_secs(1));
        for (answer, after, expected) in [
            (Ok(secret("2")), EVERY, Some("2")),
            (Err(unavailable()), EVERY, Some("1")),
            (Err(unavailable()), last, Some("1")),
            (Err(unavailable()), UNANSWERED + EVERY, None),
            (Err(refused()), EVERY, None),
            (Err(SecretError::Binary { reference: reference() }), EVERY, None),
        ] {
            let document = Document::new(Place::Secret(reference()), Some(secret("1")));
            document.keep(answer, start + after);
            assert_eq!(document.stamp(), expected.map(|version| Stamp::Secret(version.to_owned())));
            match expected {
                Some(version) => assert_eq!(document.bytes().unwrap(), secret(version).text.into_bytes()),
                None => assert!(document.bytes().is_err()),
            }
        }
    }
}
