//! What an SDK error means to the caller of a port.
//!
//! The kinds of [`PortError`] say what the caller can do. They are chosen by the error code that the service
//! sent; where it sent none that is known here, by the HTTP status; where there was no answer, by what kept it
//! away. The SDK has used up its retries by then.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use scaling_control::PortError;

/// One operation of one service, for error messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The service's prefix in IAM actions, such as `autoscaling`.
    pub service: &'static str,
    /// The operation, such as `SetDesiredCapacity`.
    pub operation: &'static str,
}

impl Call {
    /// An operation of EC2 Auto Scaling.
    pub const fn autoscaling(operation: &'static str) -> Self {
        Self { service: "autoscaling", operation }
    }

    /// An operation of CloudWatch.
    pub const fn cloudwatch(operation: &'static str) -> Self {
        Self { service: "cloudwatch", operation }
    }

    /// Translates an error of this call, which was about `subject` (`group web`).
    pub fn error<E>(self, subject: &str, error: SdkError<E, HttpResponse>) -> PortError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match &error {
            // A good answer whose body is not what it should be arrives here, without a code.
            SdkError::ServiceError(context) if context.raw().status().is_success() => {
                self.unavailable(unreadable(context.raw(), &error), error)
            }
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let code = context.err().code().unwrap_or_default();
                let message = context.err().message().unwrap_or_default();
                let meaning = Meaning::of(code, message, status);
                let words = describe_answer(code, message, status);
                self.port_error(meaning, subject, words, error)
            }
            SdkError::ResponseError(context) => self.unavailable(unreadable(context.raw(), &error), error),
            SdkError::TimeoutError(_) => self.unavailable("no answer in time".to_owned(), error),
            SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => self.not_sent(error),
            _ => self.unavailable(chain(&error), error),
        }
    }

    /// An answer that makes no sense.
    pub fn malformed(self, message: impl Into<String>) -> PortError {
        PortError::Unavailable { operation: self.operation, message: message.into(), source: None }
    }

    fn port_error<E>(
        self,
        meaning: Meaning,
        subject: &str,
        message: String,
        error: SdkError<E, HttpResponse>,
    ) -> PortError
    where
        E: Error + Send + Sync + 'static,
    {
        let Self { operation, service } = self;
        match meaning {
            Meaning::NotFound => PortError::NotFound { what: subject.to_owned() },
            Meaning::Throttled => PortError::Throttled { operation },
            Meaning::Denied => PortError::Denied {
                operation,
                message: format!("{message} (the action needed is {service}:{operation})"),
            },
            Meaning::Conflict => PortError::Conflict { operation, message },
            Meaning::Invalid => PortError::Invalid { operation, message },
            Meaning::Unavailable => self.unavailable(message, error),
        }
    }

    /// The request never left: no credentials, no region, or no connection.
    fn not_sent<E>(self, error: SdkError<E, HttpResponse>) -> PortError
    where
        E: Error + Send + Sync + 'static,
    {
        let words = chain(&error);
        let credentials = causes(&error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)) => {
                PortError::Denied {
                    operation: self.operation,
                    message: format!("no usable credentials: {words}"),
                }
            }
            // The second is how the rules of the endpoints say that they cannot make an address: no region.
            None if matches!(error, SdkError::ConstructionFailure(_))
                || words.contains("Invalid Configuration") =>
            {
                PortError::Invalid { operation: self.operation, message: words }
            }
            _ => self.unavailable(words, error),
        }
    }

    fn unavailable<E>(self, message: String, error: SdkError<E, HttpResponse>) -> PortError
    where
        E: Error + Send + Sync + 'static,
    {
        // The inner cause without the raw response, which may be long and may name what should not be logged.
        let source = error.into_source().ok();
        PortError::Unavailable { operation: self.operation, message, source }
    }
}

/// What the service meant, in the port's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    NotFound,
    Throttled,
    Denied,
    Conflict,
    Invalid,
    Unavailable,
}

impl Meaning {
    fn of(code: &str, message: &str, status: u16) -> Self {
        // On the wire some codes end in `Fault` or `Exception`, depending on the protocol.
        let bare = code.trim_end_matches("Exception").trim_end_matches("Fault");
        match bare {
            "Throttling"
            | "Throttled"
            | "RequestThrottled"
            | "RequestLimitExceeded"
            | "TooManyRequests"
            | "EC2Throttled"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "SlowDown" => Self::Throttled,
            "AccessDenied"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "AuthFailure"
            | "OptInRequired"
            | "InvalidClientTokenId"
            | "UnrecognizedClient"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => Self::Denied,
            // Temporary credentials run out and are fetched anew; a clock can be set right.
            "ExpiredToken" | "RequestExpired" | "RequestTimeTooSkewed" => Self::Unavailable,
            "ScalingActivityInProgress"
            | "ResourceContention"
            | "InstanceRefreshInProgress"
            | "ResourceInUse"
            // Asked to roll back what has just ended: whoever asked has to look again.
            | "ActiveInstanceRefreshNotFound" => Self::Conflict,
            "ResourceNotFound" => Self::NotFound,
            "ValidationError" | "Validation" if names_a_missing_group(message) => Self::NotFound,
            _ => Self::of_status(status),
        }
    }

    const fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Throttled,
            401 | 403 => Self::Denied,
            400..=499 => Self::Invalid,
            _ => Self::Unavailable,
        }
    }
}

/// EC2 Auto Scaling has no error code of its own for a group that does not exist.
fn names_a_missing_group(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("name not found") || message.contains("group not found")
}

fn unreadable(answer: &HttpResponse, error: &(dyn Error + 'static)) -> String {
    format!("the answer (HTTP {}) could not be read: {}", answer.status().as_u16(), chain(error))
}

fn describe_answer(code: &str, message: &str, status: u16) -> String {
    match (code, message) {
        ("", "") => format!("HTTP {status}"),
        ("", message) => format!("HTTP {status}: {message}"),
        (code, "") => format!("{code} (HTTP {status})"),
        (code, message) => format!("{code}: {message}"),
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The error and its causes as one sentence, without repetitions.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error) {
        let said = cause.to_string();
        if !words.iter().any(|before| before.contains(&said)) {
            words.push(said);
        }
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(code: &str, message: &str, status: u16, meaning: Meaning) {
        assert_eq!(Meaning::of(code, message, status), meaning, "{code} {message} {status}");
    }

    #[test]
    fn codes_say_what_the_caller_can_do() {
        means("Throttling", "Rate exceeded", 400, Meaning::Throttled);
        means("ThrottlingException", "", 400, Meaning::Throttled);
        means("RequestLimitExceeded", "", 503, Meaning::Throttled);
        means("AccessDenied", "", 403, Meaning::Denied);
        means("UnauthorizedOperation", "", 403, Meaning::Denied);
        means("ScalingActivityInProgress", "", 400, Meaning::Conflict);
        means("ScalingActivityInProgressFault", "", 400, Meaning::Conflict);
        means("ResourceContention", "", 500, Meaning::Conflict);
        means("InstanceRefreshInProgress", "", 400, Meaning::Conflict);
        means("ActiveInstanceRefreshNotFound", "", 400, Meaning::Conflict);
        means("IrreversibleInstanceRefresh", "", 400, Meaning::Invalid);
        means("LimitExceeded", "", 400, Meaning::Invalid);
        means(
            "ValidationError",
            "New SetDesiredCapacity value 9 is above max value 4",
            400,
            Meaning::Invalid,
        );
        means("ExpiredToken", "", 403, Meaning::Unavailable);
    }

    #[test]
    fn a_missing_group_is_told_by_its_message() {
        means("ValidationError", "AutoScalingGroup name not found - null", 400, Meaning::NotFound);
        means(
            "ValidationError",
            "AutoScalingGroup name not found - AutoScalingGroup 'x'",
            400,
            Meaning::NotFound,
        );
        means("ValidationError", "Subnet not found", 400, Meaning::Invalid);
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_status() {
        means("Novelty", "", 429, Meaning::Throttled);
        means("Novelty", "", 403, Meaning::Denied);
        means("Novelty", "", 400, Meaning::Invalid);
        means("Novelty", "", 500, Meaning::Unavailable);
        means("", "", 503, Meaning::Unavailable);
    }
}
