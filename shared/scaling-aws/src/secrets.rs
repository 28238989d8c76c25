//! Secrets by reference: what a command line or a unit file names lies in Secrets Manager, and nowhere else.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tokio::sync::OnceCell;

use aws_sdk_secretsmanager::error::{DisplayErrorContext, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use crate::clients::AwsClients;
use crate::spans::CallSpans;

/// What a reference by name begins with; one by ARN begins with `arn:`.
const BY_NAME: &str = "secretsmanager:";

/// Which secret is meant: `secretsmanager:prod/scaling/tokens`, or the secret's ARN. Says nothing secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReference {
    id: String,
}

/// A text that looks like a reference and is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no reference to a secret: write secretsmanager:NAME, or the ARN of a secret in Secrets Manager, such as \
     arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/scaling/tokens-AbCdEf"
)]
pub struct NoReference {
    text: String,
}

impl SecretReference {
    /// Whether this text means a secret, rather than a file.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(BY_NAME) || text.starts_with("arn:")
    }

    /// The region in an ARN: a secret may lie in another one than the groups.
    fn region(&self) -> Option<&str> {
        self.id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2))
    }
}

impl FromStr for SecretReference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        let is_arn = || {
            let parts: Vec<&str> = text.splitn(7, ':').collect();
            matches!(parts[..], ["arn", partition, "secretsmanager", region, account, "secret", name]
                if [partition, region, account, name].iter().all(|part| !part.is_empty()))
        };
        let id = match text.strip_prefix(BY_NAME) {
            Some(name) if is_name(name) => name,
            None if is_arn() => text,
            _ => return Err(NoReference { text: text.to_owned() }),
        };
        Ok(Self { id: id.to_owned() })
    }
}

/// The characters that Secrets Manager allows in a name, and its longest.
fn is_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@-".contains(letter);
    (1..=512).contains(&name.len()) && name.chars().all(allowed)
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.region().is_some() { "" } else { BY_NAME };
        write!(f, "{scheme}{}", self.id)
    }
}

/// Why a secret was not read. No message holds any of it.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Secrets Manager says no: there is no such secret, or these credentials may not read it.
    #[error("{reference} cannot be had: {message}; {advice}")]
    Refused {
        /// Which.
        reference: SecretReference,
        /// Secrets Manager's own words.
        message: String,
        /// What to do.
        advice: &'static str,
    },
    /// Nobody answered, or not with an answer.
    #[error("{reference} cannot be read now: {message}")]
    Unavailable {
        /// Which.
        reference: SecretReference,
        /// Why.
        message: String,
    },
    /// It is binary.
    #[error(
        "{reference} is not text; store it with `aws secretsmanager put-secret-value --secret-string file://FILE`"
    )]
    Binary {
        /// Which.
        reference: SecretReference,
    },
}

/// What a secret holds now.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its text.
    pub text: String,
    /// Which version of it this is; another text has another.
    pub version: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Reads secrets with the credentials, limits and connections of [`AwsClients`].
#[derive(Debug)]
pub struct SecretReader {
    clients: AwsClients,
    client: OnceCell<aws_sdk_secretsmanager::Client>,
}

impl SecretReader {
    /// A reader of the secrets of these clients' account. Builds nothing yet.
    pub fn new(clients: AwsClients) -> Self {
        Self { clients, client: OnceCell::new() }
    }

    /// The present version (`AWSCURRENT`) of a secret.
    ///
    /// # Errors
    /// A refusal, no answer within the clients' limits, or a secret that is no text.
    pub async fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let mut region = aws_sdk_secretsmanager::config::Config::builder();
        region.set_region(reference.region().map(|name| aws_types::region::Region::new(name.to_owned())));
        let call = self.client().await.get_secret_value().secret_id(&reference.id).customize();
        let answer = match reference.region() {
            Some(_) => call.config_override(region).send().await,
            None => call.send().await,
        };
        let answer = answer.map_err(|error| failure(reference, &error))?;
        let text =
            answer.secret_string.ok_or_else(|| SecretError::Binary { reference: reference.clone() })?;
        Ok(Secret { text, version: answer.version_id.unwrap_or_default() })
    }

    async fn client(&self) -> &aws_sdk_secretsmanager::Client {
        let build = || async {
            let config = aws_sdk_secretsmanager::config::Builder::from(self.clients.sdk_config().await)
                .interceptor(self.clients.counter().clone())
                .interceptor(CallSpans)
                .build();
            aws_sdk_secretsmanager::Client::from_conf(config)
        };
        self.client.get_or_init(build).await
    }
}

fn failure<R: fmt::Debug + Send + Sync + 'static>(
    reference: &SecretReference,
    error: &SdkError<GetSecretValueError, R>,
) -> SecretError {
    let reference = reference.clone();
    let SdkError::ServiceError(refusal) = error else {
        return SecretError::Unavailable { reference, message: DisplayErrorContext(error).to_string() };
    };
    let meta = refusal.err().meta();
    let message = meta.message().or(meta.code()).unwrap_or("no reason was given").to_owned();
    let advice = match meta.code() {
        Some("ResourceNotFoundException") => {
            "see `aws secretsmanager list-secrets` for the names in this region"
        }
        Some("AccessDeniedException") => {
            "allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key where that is your own"
        }
        Some("InvalidRequestException") => "it may be deleted: see `aws secretsmanager describe-secret`",
        Some("DecryptionFailure") => "allow kms:Decrypt on its key",
        _ => return SecretError::Unavailable { reference, message },
    };
    SecretError::Refused { reference, message, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_name_or_an_arn_and_prints_as_it_was_written() {
        for text in [
            "secretsmanager:prod/scaling/tokens",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/scaling/tokens-AbCdEf",
            "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:tokens",
        ] {
            assert!(SecretReference::is_meant_by(text));
            let reference: SecretReference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
        let far: SecretReference = "arn:aws:secretsmanager:eu-west-1:1:secret:x".parse().unwrap();
        assert_eq!(far.region(), Some("eu-west-1"));
    }

    #[test]
    fn what_is_no_reference_is_told_what_one_looks_like() {
        for text in [
            "secretsmanager:",
            "secretsmanager:two words",
            "arn:aws:ssm:eu-central-1:123456789012:parameter/x",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
            "arn:aws:secretsmanager",
            "tokens.json",
        ] {
            let error = text.parse::<SecretReference>().unwrap_err().to_string();
            assert!(error.contains("secretsmanager:NAME"), "{text}: {error}");
        }
        assert!(!SecretReference::is_meant_by("tokens.json"));
    }

    #[test]
    fn nothing_that_prints_a_secret_prints_its_text() {
        let secret = Secret { text: "hidden".to_owned(), version: "1".to_owned() };
        assert!(!format!("{secret:?}").contains("hidden"));
    }
}
