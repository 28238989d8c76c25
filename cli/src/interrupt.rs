//! The two signals that end the commands that go on until they are told to stop.

use anyhow::Result;

use crate::failure::Interrupted;

/// Listens for them from the moment it is made: before a command says that it is there, so that nobody can be too
/// quick with Ctrl-C.
pub(crate) struct Interrupt {
    #[cfg(unix)]
    pressed: tokio::signal::unix::Signal,
    #[cfg(unix)]
    stopped: tokio::signal::unix::Signal,
}

impl Interrupt {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { pressed: signal(SignalKind::interrupt())?, stopped: signal(SignalKind::terminate())? })
    }

    /// Waits for Ctrl-C, which has an exit code of its own, or for an orderly stop by SIGTERM.
    #[cfg(unix)]
    pub(crate) async fn wait(mut self) -> Result<()> {
        tokio::select! {
            _ = self.pressed.recv() => Err(Interrupted.into()),
            _ = self.stopped.recv() => Ok(()),
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on the other platforms")]
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn wait(self) -> Result<()> {
        tokio::signal::ctrl_c().await?;
        Err(Interrupted.into())
    }
}
