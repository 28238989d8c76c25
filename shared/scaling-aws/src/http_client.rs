//! The HTTP client, which knows no certificate until it is sent to an `https` address.
//!
//! The SDK's own client loads the system's trust store when a service client is built: milliseconds that a
//! function pays at each cold start and that a controller on a loopback endpoint never needs. It also speaks HTTP/2,
//! which none of the services called here does, and which makes a function larger by a tenth. This one speaks
//! HTTP/1.1 over rustls with ring, and reads certificates when the first `https` connection is made.

mod connect;
mod failure;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use connect::{Connect, Trust};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpInfo, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};

type Pool = Client<Connect, SdkBody>;

/// An HTTP client over rustls with ring that is built by need. Cloning shares the connections.
#[derive(Clone, Default)]
pub struct LazyHttpClient {
    /// By the time-out of connecting; in practice there is one.
    pools: Arc<Mutex<HashMap<Option<Duration>, Pool>>>,
    trust: Arc<Trust>,
}

impl LazyHttpClient {
    /// A client that has built nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the trust store has been loaded: whether an `https` request has been sent.
    pub fn trust_store_loaded(&self) -> bool {
        self.trust.is_loaded()
    }

    fn pool(&self, connect_timeout: Option<Duration>) -> Pool {
        let build = || {
            Client::builder(TokioExecutor::new())
                // Without a timer, connections that have been idle for long are not given up.
                .pool_timer(TokioTimer::new())
                .build(Connect::new(Arc::clone(&self.trust), connect_timeout))
        };
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(connect_timeout).or_insert_with(build).clone()
    }
}

impl fmt::Debug for LazyHttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loaded = self.trust_store_loaded();
        formatter.debug_struct("LazyHttpClient").field("trust_store_loaded", &loaded).finish_non_exhaustive()
    }
}

impl HttpClient for LazyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let pool = self.pool(settings.connect_timeout());
        SharedHttpConnector::new(Connector { pool, read_timeout: settings.read_timeout() })
    }
}

#[derive(Debug)]
struct Connector {
    pool: Pool,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let (answer, read_timeout) = (self.pool.request(request), self.read_timeout);
        HttpConnectorFuture::new(async move {
            let response = match read_timeout {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?,
            };
            let response = response.map_err(failure::meaning)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection in the SDK's terms: after a fault it tells not to use this one again.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let poisoned = captured.clone();
    let connected = captured.connection_metadata();
    let mut extras = http::Extensions::new();
    connected.as_ref()?.get_extras(&mut extras);
    let addresses = extras.get::<HttpInfo>();
    let mut builder = ConnectionMetadata::builder().proxied(false).poison_fn(move || {
        if let Some(connected) = poisoned.connection_metadata().as_ref() {
            connected.poison();
        }
    });
    builder
        .set_local_addr(addresses.map(HttpInfo::local_addr))
        .set_remote_addr(addresses.map(HttpInfo::remote_addr));
    Some(builder.build())
}
