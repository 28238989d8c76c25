//! The HTTP client, which knows no certificate until it is sent to an `https` address.
//!
//! The SDK's own client loads the system's trust store when a service client is built: milliseconds that a
//! function pays at each cold start and that a controller on a loopback endpoint never needs. This one looks at
//! the scheme of each request and builds what that scheme needs, once.

use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// An HTTP client over rustls with ring that is built by need. Cloning shares the connections.
#[derive(Debug, Clone, Default)]
pub struct LazyHttpClient {
    by_scheme: Arc<ByScheme>,
}

#[derive(Debug, Default)]
struct ByScheme {
    plain: OnceLock<SharedHttpClient>,
    secure: OnceLock<SharedHttpClient>,
}

impl LazyHttpClient {
    /// A client that has built nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the trust store has been loaded: whether an `https` request has been sent.
    pub fn trust_store_loaded(&self) -> bool {
        self.by_scheme.secure.get().is_some()
    }
}

impl ByScheme {
    fn client(&self, secure: bool) -> Result<SharedHttpClient, HttpClientError> {
        let (slot, store) = if secure {
            (&self.secure, TrustStore::default())
        } else {
            // Trusts nobody: should a plain address ever lead to a secure one, that connection fails.
            (&self.plain, TrustStore::empty())
        };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let context = TlsContext::builder().with_trust_store(store).build()?;
        let build = || {
            Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
        };
        Ok(slot.get_or_init(build).clone())
    }
}

impl HttpClient for LazyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(LazyConnector {
            by_scheme: Arc::clone(&self.by_scheme),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct LazyConnector {
    by_scheme: Arc<ByScheme>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let secure = !request.uri().starts_with("http://");
        match self.by_scheme.client(secure) {
            // The inner client keeps one connection pool for each set of settings.
            Ok(client) => client.http_connector(&self.settings, &self.components).call(request),
            Err(error) => HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        }
    }
}
