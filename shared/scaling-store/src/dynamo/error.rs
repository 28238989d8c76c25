//! DynamoDB's errors in the port's words.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use scaling_control::PortError;

/// Translates the error of a call on `table`.
pub(super) fn port_error<E>(operation: &'static str, table: &str, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let message = describe(table, &error);
    match error.code() {
        Some("ConditionalCheckFailedException" | "TransactionConflictException") => {
            PortError::Conflict { operation, message }
        }
        Some(
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException",
        ) => PortError::Throttled { operation },
        Some("ResourceNotFoundException") => missing_table(table),
        Some(
            "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException",
        ) => PortError::Denied { operation, message },
        Some(code) if code.contains("AccessDenied") => PortError::Denied { operation, message },
        // A stand-in for DynamoDB that knows no transactions, for example, will not know them the next time either.
        Some(
            "ItemCollectionSizeLimitExceededException" | "UnknownOperationException" | "ValidationException",
        ) => PortError::Invalid { operation, message },
        // What the service says is the message already; below it is nothing but the SDK's rendering of the same.
        Some(_) => PortError::Unavailable { operation, message, source: None },
        None => PortError::Unavailable { operation, message, source: Some(Box::new(error)) },
    }
}

/// The table does not exist where it was looked for.
pub(super) fn missing_table(table: &str) -> PortError {
    let what = format!(
        "the DynamoDB table {table} (deploying template.yaml makes one; `aws dynamodb create-table` does, with the \
         keys pk and sk, both of type S; or correct its name, the account or the region)"
    );
    PortError::NotFound { what }
}

/// An answer without something that every answer has.
pub(super) fn senseless(operation: &'static str, table: &str, what: &str) -> PortError {
    let message = format!("table {table}: {what}");
    PortError::Unavailable { operation, message, source: None }
}

/// The service's own words, or the whole chain of causes: the SDK's first line alone ("dispatch failure") says
/// nothing.
fn describe<E>(table: &str, error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let (Some(code), message) = (error.code(), error.message()) {
        return format!("table {table}: {code}: {}", message.unwrap_or("no message"));
    }
    let mut text = format!("table {table}: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
