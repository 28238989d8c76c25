//! Connections: accepting them, encrypting them, and ending them in order. HTTP/1.1.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::tls::Tls;

/// Connections at the same time. More wait until one ends.
const MOST_CONNECTIONS: usize = 20_000;

/// How long a client may take to send the head of a request, or to be quiet between two.
const HEAD: Duration = Duration::from_secs(75);

/// How long a client may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where accepting fails for want of something (file descriptors, mostly), it is tried again after this.
const PAUSE: Duration = Duration::from_millis(500);

/// Bytes that are read ahead of a connection. The largest head is answered with 431.
const BUFFER: usize = 16 << 10;

/// The address at the other end, in the extensions of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Serves until it is told to stop, and then until what is being answered is.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    mut stop: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            // A dropped sender is a stop as well.
            _ = &mut stop => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "a connection could not be accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, peer, (router, tls), watcher).await {
                tracing::debug!(target: "scaling::integration", %peer, error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are small: they shall not wait for more to send.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    (router, tls): (Router, Option<Arc<Tls>>),
    watcher: Watcher,
) -> Result<(), Failure> {
    match tls {
        None => requests(stream, peer, router, watcher).await,
        Some(tls) => {
            let stream = timeout(HANDSHAKE, tls.acceptor().accept(stream)).await??;
            requests(stream, peer, router, watcher).await
        }
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) -> Result<(), Failure> {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}
