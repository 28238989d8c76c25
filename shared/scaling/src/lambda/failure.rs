//! What an invocation answers that failed.

use scaling_control::PortError;
use thiserror::Error;

use super::StartError;
use super::clock::ClockError;

/// Why an invocation failed: a name, by which a rule or a person tells one cause from another (`errorType` in Lambda's
/// answer), and a sentence.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{name}: {message}")]
pub struct Failure {
    /// Stable, such as `Throttled`.
    pub name: &'static str,
    /// What happened.
    pub message: String,
}

impl Failure {
    /// A failure of this name.
    pub fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let name = match error {
            StartError::Configuration(_) => "Configuration",
            StartError::Assembly(_) => "Assembly",
            StartError::Clock(_) => "Clock",
        };
        Self::new(name, error.to_string())
    }
}

impl From<ClockError> for Failure {
    fn from(error: ClockError) -> Self {
        Self::new("Clock", error.to_string())
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let name = match error {
            PortError::NotFound { .. } => "NotFound",
            PortError::Throttled { .. } => "Throttled",
            PortError::Denied { .. } => "Denied",
            PortError::Conflict { .. } => "Conflict",
            PortError::Invalid { .. } => "Invalid",
            PortError::Unavailable { .. } => "Unavailable",
        };
        Self::new(name, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_name_of_its_cause() {
        let throttled = PortError::Throttled { operation: "DescribeAutoScalingGroups" };
        let expected = Failure::new("Throttled", "DescribeAutoScalingGroups was throttled");
        assert_eq!(Failure::from(throttled), expected);
        let not_found = PortError::NotFound { what: "group web".to_owned() };
        assert_eq!(Failure::from(not_found).name, "NotFound");
    }
}
