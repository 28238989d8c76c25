//! A running emulator: its server, its time, and the handle that both end with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::serve::ListenerExt as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::region::Region;
use crate::requests::RequestLog;
use crate::server;
use crate::settings::Settings;

/// Why an emulator could not be started or advanced.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Time passes by itself, or somebody else is advancing it.
    #[error("the clock cannot be advanced: {reason}")]
    Clock {
        /// Why.
        reason: &'static str,
    },
}

/// What server, clock and handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

/// Everything behind the one lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) region: Region,
    pub(crate) requests: RequestLog,
}

impl Shared {
    /// Takes the lock. A panic of another holder leaves state that is as good as any.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running emulator; it stops when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl Emulator {
    /// Starts an emulator on the caller's tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, EmulatorError> {
        let listen = |source| EmulatorError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let state = State { region: Region::new(&settings), requests: RequestLog::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let router = server::router(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = listener.tap_io(|socket| {
            // Without it, small replies wait for acknowledgements of earlier ones.
            if let Err(error) = socket.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
        });
        tokio::spawn(async move {
            let stopping = async move { drop(stopped.await) };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
                tracing::error!(%error, "the emulator's server ended");
            }
        });
        Ok(Self { shared, address, stop: Some(stop) })
    }

    /// The base URL of all services.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The emulator's present moment.
    pub fn now(&self) -> Timestamp {
        self.shared.state().region.now
    }

    /// Requests received so far, by names such as `AutoScaling.DescribeAutoScalingGroups`.
    pub fn request_log(&self) -> BTreeMap<String, u64> {
        self.shared.state().requests.counts().clone()
    }

    /// Reads or changes the region's state directly.
    pub fn with_region<T>(&self, act: impl FnOnce(&mut Region) -> T) -> T {
        act(&mut self.shared.state().region)
    }

    /// Advances a stepped clock.
    pub async fn advance(&self, by: Duration) -> Result<(), EmulatorError> {
        let mut state = self.shared.state();
        state.region.now += by;
        Ok(())
    }

    /// Stops the emulator.
    pub fn stop(mut self) {
        drop(self.stop.take());
    }
}
