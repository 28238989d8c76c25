//! Invokes functions at a Lambda invoke endpoint, as Lambda's asynchronous invocation does: twice more on an error.

use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::region::Region;

/// A function may take this long, compilation at its first use under a local runner included.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Tries of one invocation: the first and two more, as Lambda does for asynchronous ones.
const TRIES: usize = 3;

/// A function to invoke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// Name or ARN.
    pub function: String,
    /// The event.
    pub payload: Value,
}

impl Invocation {
    /// The function's name: the seventh part of an ARN, or the whole.
    pub fn name(&self) -> &str {
        if self.function.starts_with("arn:") {
            self.function.split(':').nth(6).unwrap_or(&self.function)
        } else {
            &self.function
        }
    }
}

/// The event that EventBridge Scheduler sends to a function when its schedule names no input.
pub(crate) fn scheduled_event(region: &Region, function: &str) -> Value {
    let name = Invocation { function: function.to_owned(), payload: Value::Null }.name().to_owned();
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": region.account_id,
        "time": region.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": region.name,
        "resources": [format!("arn:aws:scheduler:{}:{}:schedule/default/{name}", region.name, region.account_id)],
        "detail": "{}",
    })
}

/// A client of one invoke endpoint.
#[derive(Debug, Clone)]
pub struct Lambda {
    endpoint: Option<String>,
    client: Client<HttpConnector, Full<Bytes>>,
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
    /// The endpoint did not answer, or with an error.
    #[error("invoking `{function}` failed: {message}")]
    Failed {
        /// The function.
        function: String,
        /// What happened.
        message: String,
    },
}

impl Default for Lambda {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Lambda {
    /// A client of `endpoint`, such as `http://127.0.0.1:9000`. Nothing is connected yet.
    pub fn new(endpoint: Option<String>) -> Self {
        Self { endpoint, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Invokes one function and waits for its answer.
    ///
    /// # Errors
    /// Without an endpoint, and when every try has failed.
    pub async fn invoke(&self, invocation: &Invocation) -> Result<Value, LambdaError> {
        let function = invocation.name().to_owned();
        let Some(endpoint) = &self.endpoint else { return Err(LambdaError::NoEndpoint { function }) };
        let mut message = String::new();
        for _ in 0..TRIES {
            match tokio::time::timeout(TIMEOUT, self.once(endpoint, &function, &invocation.payload)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => message = error,
                Err(elapsed) => message = elapsed.to_string(),
            }
        }
        Err(LambdaError::Failed { function, message })
    }

    async fn once(&self, endpoint: &str, function: &str, payload: &Value) -> Result<Value, String> {
        let uri = format!("{}/2015-03-31/functions/{function}/invocations", endpoint.trim_end_matches('/'));
        let request = Request::post(uri)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(payload.to_string())))
            .map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let failed = response.headers().contains_key("x-amz-function-error");
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        if status.is_success() && !failed {
            return Ok(serde_json::from_slice(&body).unwrap_or(Value::Null));
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_by_the_name_in_its_arn() {
        let named = |function: &str| Invocation { function: function.to_owned(), payload: Value::Null };
        assert_eq!(named("arn:aws:lambda:us-east-1:123456789012:function:alarm").name(), "alarm");
        assert_eq!(named("arn:aws:lambda:us-east-1:123456789012:function:alarm:live").name(), "alarm");
        assert_eq!(named("alarm").name(), "alarm");
    }

    #[tokio::test]
    async fn without_an_endpoint_the_function_is_named() {
        let invocation = Invocation { function: "alarm".to_owned(), payload: Value::Null };
        let error = Lambda::default().invoke(&invocation).await.unwrap_err();
        assert!(error.to_string().contains("`alarm`"), "{error}");
    }
}
