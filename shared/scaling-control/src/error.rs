//! Errors of the ports, by what the caller can do about them.

use thiserror::Error;

/// Why a port could not answer.
#[derive(Debug, Error)]
pub enum PortError {
    /// The thing asked for does not exist.
    #[error("{what} was not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// Too many calls; the retry budget is used up.
    #[error("{operation} was throttled")]
    Throttled {
        /// The call.
        operation: &'static str,
    },
    /// Not permitted: a person has to grant it.
    #[error("{operation} was denied: {message}")]
    Denied {
        /// The call.
        operation: &'static str,
        /// The platform's words.
        message: String,
    },
    /// Another change is running, or the record has another version.
    #[error("{operation} met another change: {message}")]
    Conflict {
        /// The call.
        operation: &'static str,
        /// The platform's words.
        message: String,
    },
    /// The platform refused the request as it is; asking again will not help.
    #[error("{operation} was refused: {message}")]
    Invalid {
        /// The call.
        operation: &'static str,
        /// The platform's words.
        message: String,
    },
    /// No answer, a server fault, or an answer that makes no sense.
    #[error("{operation} failed: {message}")]
    Unavailable {
        /// The call.
        operation: &'static str,
        /// What happened.
        message: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl PortError {
    /// Stable label for metrics and problem types.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Throttled { .. } => "throttled",
            Self::Denied { .. } => "denied",
            Self::Conflict { .. } => "conflict",
            Self::Invalid { .. } => "invalid",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The same for another of the groups that one call was made for; without its source, which cannot be had twice.
    #[must_use]
    pub fn for_another(&self) -> Self {
        match self {
            Self::NotFound { what } => Self::NotFound { what: what.clone() },
            Self::Throttled { operation } => Self::Throttled { operation },
            Self::Denied { operation, message } => Self::Denied { operation, message: message.clone() },
            Self::Conflict { operation, message } => Self::Conflict { operation, message: message.clone() },
            Self::Invalid { operation, message } => Self::Invalid { operation, message: message.clone() },
            Self::Unavailable { operation, message, .. } => {
                Self::Unavailable { operation, message: message.clone(), source: None }
            }
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Conflict { .. } | Self::Unavailable { .. })
    }
}
