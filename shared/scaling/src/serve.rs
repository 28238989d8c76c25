//! Listeners of the process form: the REST interface, and the page that Prometheus scrapes.
//!
//! On a loopback address they need nothing more: who is on the machine may ask, and only requests that name a loopback
//! host are answered. Any other address takes encryption and a token file, or it is refused. With a token file every
//! request but `GET /health` needs a token, on loopback as well.
//!
//! # Layout
//! - [`tokens`], [`tls`]: what protects a listener; both lie in a [`document`], which may change while it runs
//! - `guard`: what each request has to pass; `rate`: the share of a client
//! - `connections`: accepting and ending them

mod connections;
pub mod document;
mod guard;
mod rate;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod tokens;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use scaling_api::routes::{finish, routes};
use scaling_api::{Access, ApiState};
use scaling_telemetry::{Format, Metrics};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use guard::Guard;
use rate::Limiter;
use tls::{Tls, TlsError, TlsFiles};
use tokens::Tokens;

/// How long answers that are being written may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Requests a second that a client has where nothing is said, on an address that others reach.
const SHARE: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// Why nothing listens.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Others could reach the address, and it is not protected.
    #[error(
        "{address} can be reached from other machines, so that it takes a certificate with its key and a token file \
         ({missing} missing); without them listen on 127.0.0.1"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
        /// What is missing.
        missing: &'static str,
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
    /// Nothing can be encrypted.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What protects a listener.
#[derive(Debug, Clone, Default)]
pub struct Protection {
    /// Certificate and key.
    pub tls: Option<TlsFiles>,
    /// Who may come in, as what.
    pub tokens: Option<Arc<Tokens>>,
    /// Requests a second of each client. Without it there is no limit on a loopback address, and 100 elsewhere.
    pub requests_per_second: Option<NonZeroU32>,
}

impl Protection {
    /// Refuses an address that is not protected as it has to be; a server does so, too, when it starts.
    ///
    /// # Errors
    /// [`ServeError::Unprotected`].
    pub fn check(&self, address: SocketAddr) -> Result<(), ServeError> {
        let missing = match (&self.tls, &self.tokens) {
            _ if address.ip().is_loopback() => return Ok(()),
            (Some(_), Some(_)) => return Ok(()),
            (None, Some(_)) => "the certificate is",
            (Some(_), None) => "the token file is",
            (None, None) => "both are",
        };
        Err(ServeError::Unprotected { address, missing })
    }

    fn guard(&self, address: SocketAddr) -> Guard {
        let loopback = address.ip().is_loopback();
        let share = self.requests_per_second.or((!loopback).then_some(SHARE));
        Guard { loopback, limiter: share.map(Limiter::new), tokens: self.tokens.clone() }
    }
}

/// The connections as a task. Not async, so that what serves them is compiled once, with this crate.
fn run(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    stopped: oneshot::Receiver<()>,
) -> JoinHandle<()> {
    tokio::spawn(connections::serve(listener, router, tls, stopped))
}

/// A server that is running; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    encrypted: bool,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the REST interface.
    ///
    /// # Errors
    /// An address that is not protected as it has to be, or is taken; files that cannot be used.
    pub async fn rest(
        address: SocketAddr,
        state: ApiState,
        protection: &Protection,
    ) -> Result<Self, ServeError> {
        Self::rest_with(address, state, Router::new(), protection).await
    }

    /// Serves the REST interface, and other routes beside it behind the same protection: the console.
    ///
    /// # Errors
    /// As [`Server::rest`].
    pub async fn rest_with(
        address: SocketAddr,
        state: ApiState,
        beside: Router,
        protection: &Protection,
    ) -> Result<Self, ServeError> {
        let access = if protection.tokens.is_some() { Access::ByGrant } else { Access::InFront };
        let all = routes(state.with_access(access)).merge(scaling_api::routes::beside(beside));
        Self::start("the REST interface", address, all, protection).await
    }

    /// Serves the figures at `/metrics` for Prometheus.
    ///
    /// # Errors
    /// As [`Server::rest`].
    pub async fn prometheus(
        address: SocketAddr,
        metrics: Metrics,
        protection: &Protection,
    ) -> Result<Self, ServeError> {
        let router = Router::new()
            .route("/", get(|| async { Redirect::temporary("/metrics") }))
            .route("/metrics", get(scrape))
            .with_state(metrics);
        let router = scaling_api::routes::beside(router);
        Self::start("Prometheus", address, router, protection).await
    }

    async fn start(
        what: &'static str,
        address: SocketAddr,
        routes: Router,
        protection: &Protection,
    ) -> Result<Self, ServeError> {
        protection.check(address)?;
        let tls = protection.tls.clone().map(Tls::read).transpose()?.map(Arc::new);
        let listen = |source| ServeError::Listen { what, address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let guarded = finish(protection.guard(address).around(routes));
        let encrypted = tls.is_some();
        if let Some(tokens) = &protection.tokens {
            tokio::spawn(Tokens::watch(Arc::downgrade(tokens)));
        }
        let task = run(listener, guarded, tls, stopped);
        Ok(Self { address, encrypted, stop, task })
    }

    /// Where it listens, with the port that was taken for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as the beginning of a URL.
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
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
