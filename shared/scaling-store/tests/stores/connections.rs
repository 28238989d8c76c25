//! Connections to DynamoDB that fail in ways that a server does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// Loses the answer to a write that went through: its repetition is refused, with what the first one wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct LosesFirstAnswer(Arc<AtomicUsize>);

impl LosesFirstAnswer {
    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl HttpConnector for LosesFirstAnswer {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = if is_first {
            (500, json!({}))
        } else {
            (400, json!({ "__type": "ConditionalCheckFailedException", "Item": body["Item"] }))
        };
        let body = SdkBody::from(answer.to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
    }
}

impl HttpClient for LosesFirstAnswer {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Cannot connect.
#[derive(Debug, Clone)]
pub(crate) struct Refused;

impl HttpConnector for Refused {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        HttpConnectorFuture::ready(Err(ConnectorError::io(error.into())))
    }
}

impl HttpClient for Refused {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
