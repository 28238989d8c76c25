//! Connections that only read, beside the one that writes: in a write-ahead log neither waits for the other.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;

/// Connections at most. A read takes microseconds from the page cache; more connections than cores only help
/// while some wait for the disk.
const READERS: usize = 4;

/// A pool of connections, opened as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// A pool without connections.
    pub(super) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        let (permits, idle) = (Arc::new(Semaphore::new(READERS)), Mutex::default());
        Self { path, busy_timeout, permits, idle }
    }

    /// Reads on the blocking pool, because a read may wait for the disk. `None` when the runtime is ending.
    pub(super) async fn read<T, W>(self: &Arc<Self>, work: W) -> Option<rusqlite::Result<T>>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            readers.with_connection(work)
        });
        task.await.ok()
    }

    fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path, self.busy_timeout)?,
        };
        let answer = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        answer
    }
}
