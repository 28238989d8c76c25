//! Listeners of the process form: the REST interface, and the page that Prometheus scrapes.
//!
//! Both take loopback addresses only, and only requests that name a loopback host: a page in a browser on the same
//! machine could otherwise reach them under a name of its own (DNS rebinding). Any other address needs encryption and
//! a token first.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use scaling_api::ApiState;
use scaling_telemetry::{Format, Metrics};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long answers that are being written may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Why nothing listens.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Not a loopback address.
    #[error(
        "{address} can be reached from other machines, and the interface can be neither encrypted nor protected by a \
         token yet; listen on 127.0.0.1 and put a proxy that does both in front of it"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for {what}: {source}; name another address, port 0 takes a free one")]
    Listen {
        /// What for.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A server that is running; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the REST interface.
    ///
    /// # Errors
    /// An address that is not loopback, or is taken.
    pub async fn rest(address: SocketAddr, state: ApiState) -> Result<Self, ServeError> {
        Self::start("the REST interface", address, scaling_api::router(state)).await
    }

    /// Serves the figures at `/metrics` for Prometheus.
    ///
    /// # Errors
    /// An address that is not loopback, or is taken.
    pub async fn prometheus(address: SocketAddr, metrics: Metrics) -> Result<Self, ServeError> {
        let router = Router::new()
            .route("/", get(|| async { Redirect::temporary("/metrics") }))
            .route("/metrics", get(scrape))
            .with_state(metrics);
        Self::start("Prometheus", address, router).await
    }

    async fn start(what: &'static str, address: SocketAddr, router: Router) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback { address });
        }
        let listen = |source| ServeError::Listen { what, address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router.layer(middleware::from_fn(loopback_host));
        let task = tokio::spawn(async move {
            // A dropped sender is a stop as well.
            let stopping = async move { drop(stopped.await) };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
                tracing::error!(target: "scaling::integration", what, %error, "the server ended");
            }
        });
        Ok(Self { address, stop, task })
    }

    /// Where it listens, with the port that was taken for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it: no new requests, and a few seconds for those that are being answered.
    pub async fn stop(self) {
        let Self { stop, mut task, .. } = self;
        drop(stop);
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn scrape(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    // A scraper that asks for something else still gets the format that every one of them reads.
    let format = Format::negotiate(accept, Format::Prometheus).unwrap_or(Format::Prometheus);
    ([(header::CONTENT_TYPE, format.content_type())], metrics.render(format)).into_response()
}

async fn loopback_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_none_or(is_loopback_host) {
        return next.run(request).await;
    }
    let text = "this address answers only to localhost and loopback addresses as its Host\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

/// Whether a Host header names this machine by a name that no stranger can give to an address of theirs.
fn is_loopback_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().or_else(|_| bare.parse()).is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_answered() {
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost:8001", true),
            ("127.0.0.1:8001", true),
            ("127.0.0.1", true),
            ("[::1]:8001", true),
            ("[::1]", true),
            ("rebound.example:8001", false),
            ("localhost.example", false),
            ("192.0.2.1:8001", false),
            ("", false),
        ] {
            assert_eq!(is_loopback_host(host), expected, "{host}");
        }
    }

    /// The status of a request that names this host.
    async fn status(server: &Server, host: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_page_that_calls_loopback_by_a_name_of_its_own_gets_nothing() {
        let server = Server::prometheus(SocketAddr::from(([127, 0, 0, 1], 0)), Metrics::new()).await.unwrap();
        assert_eq!(status(&server, &server.address().to_string()).await, "200");
        assert_eq!(status(&server, "rebound.example").await, "421");
        server.stop().await;
    }

    #[tokio::test]
    async fn an_address_that_others_can_reach_is_refused() {
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let error = Server::prometheus(address, Metrics::new()).await.unwrap_err();
        assert!(
            matches!(error, ServeError::NotLoopback { .. }) && error.to_string().contains("proxy"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = Server::prometheus(free, Metrics::new()).await.unwrap();
        let error = Server::prometheus(first.address(), Metrics::new()).await.unwrap_err();
        assert!(error.to_string().contains(&first.address().to_string()), "{error}");
        first.stop().await;
    }
}
