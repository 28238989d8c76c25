//! Connections that only read, beside the one that writes: in a write-ahead log neither waits for the other.
//!
//! A read of few records takes microseconds from the page cache, less than handing it to another thread and waking up
//! again; it is done where it is asked for. One of many records, or of a file that another process holds, goes to the
//! blocking pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::Semaphore;

use super::schema;

/// Connections at most. A read takes microseconds from the page cache; more connections than cores only help
/// while some wait for the disk.
const READERS: usize = 4;

/// Records that are read where they are asked for. With what was learned a group's has at most 40 KiB, so that these are
/// together below a millisecond.
const FEW: usize = 20;

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

    /// The answer to `work`, which reads at most `records`. `None` when the runtime is ending.
    pub(super) async fn read<T, W>(self: &Arc<Self>, records: usize, work: W) -> Option<rusqlite::Result<T>>
    where
        T: Send + 'static,
        W: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        if records <= FEW {
            let answer = self.with_connection(Duration::ZERO, &work);
            if !answer.as_ref().is_err_and(is_held) {
                return Some(answer);
            }
        }
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            readers.with_connection(readers.busy_timeout, &work)
        });
        task.await.ok()
    }

    /// Waits for `patience` where another process holds the file.
    fn with_connection<T>(
        &self,
        patience: Duration,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        connection.busy_timeout(patience)?;
        let answer = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        answer
    }
}

/// Whether another process holds the file.
fn is_held(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use rusqlite::ffi;

    use super::*;

    /// Readers of an empty file.
    fn readers(folder: &tempfile::TempDir) -> Arc<Readers> {
        let path = folder.path().join("state.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE any (one)").unwrap();
        Arc::new(Readers::new(path, Duration::from_secs(1)))
    }

    #[tokio::test]
    async fn few_records_are_read_on_the_thread_that_asks_and_many_on_another() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        for (records, here) in [(1, true), (FEW, true), (FEW + 1, false)] {
            let read_on = readers.read(records, |_| Ok(thread::current().id())).await.unwrap().unwrap();
            assert_eq!(read_on == thread::current().id(), here, "{records} records");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_held_is_waited_for_on_another_thread() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let held = AtomicBool::new(true);
        let read = move |connection: &Connection| {
            let patience: u64 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
            if held.swap(false, Ordering::Relaxed) {
                assert_eq!(patience, 0);
                return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
            }
            Ok((patience, thread::current().id()))
        };
        let (patience, read_on) = readers.read(1, read).await.unwrap().unwrap();
        assert_eq!(patience, 1000);
        assert_ne!(read_on, thread::current().id());
    }
}
