//! The embedded store: one SQLite file.
//!
//! What is acknowledged is on the disk: every commit is synced, and neither `kill -9` nor a power cut takes it
//! back. Several processes may use one file at once.
//!
//! # Layout
//! - `schema`: opening a file, its schema and its migrations
//! - `statements`: the SQL; `range`: prefixes as ranges of keys
//! - `writer`: the one thread that writes, with group commit
//! - `readers`: connections that only read
//! - `error`: SQLite's errors in the port's words

mod error;
mod range;
mod readers;
mod schema;
mod statements;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use scaling_control::PortError;
use scaling_control::key;
use scaling_control::ports::{Clock, Expected, NewRecord, Record, StateStore, SystemClock};
use tokio::sync::oneshot;

use crate::expiry;
use readers::Readers;
use writer::{Change, Writer};

/// What may be chosen about a store.
#[derive(Clone)]
pub struct Settings {
    /// Tells which records have expired.
    pub clock: Arc<dyn Clock>,
    /// How long to wait for another process that holds the file. Default 5 s.
    pub busy_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), busy_timeout: Duration::from_secs(5) }
    }
}

/// A state store in a file, or in memory.
///
/// Reading needs a tokio runtime. Dropping the store finishes the writes that are queued and closes the file.
pub struct SqliteStore {
    place: Arc<str>,
    clock: Arc<dyn Clock>,
    /// `None` in memory. Before the writer, so that the writer's connection closes last and tidies the log away.
    readers: Option<Arc<Readers>>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store at `path`, creating it if it is not there. Blocks for some disk accesses.
    ///
    /// # Errors
    /// `NotFound` when the folder does not exist; `Denied` when the file may not be written; `Invalid` when it is
    /// damaged, no database, another program's, or of a newer schema; `Unavailable` when it is locked for longer
    /// than the busy time-out or the disk is full. The message names the file and the fix.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PortError> {
        Self::open_with(path, Settings::default())
    }

    /// Opens the store at `path` with settings. Errors as [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, settings: Settings) -> Result<Self, PortError> {
        let path = path.as_ref();
        Self::assemble(Some(path.to_owned()), path.display().to_string().into(), settings)
    }

    /// Opens an empty store that is gone when it is dropped.
    pub fn open_in_memory() -> Result<Self, PortError> {
        Self::open_in_memory_with(Settings::default())
    }

    /// Opens an empty store that is gone when it is dropped, with settings.
    pub fn open_in_memory_with(settings: Settings) -> Result<Self, PortError> {
        Self::assemble(None, "the database in memory".into(), settings)
    }

    fn assemble(path: Option<PathBuf>, place: Arc<str>, settings: Settings) -> Result<Self, PortError> {
        let Settings { clock, busy_timeout } = settings;
        let connection = schema::open_writer(path.as_deref(), &place, busy_timeout)?;
        let writer = Writer::start(connection, Arc::clone(&place), Arc::clone(&clock))?;
        let readers = path.map(|path| Arc::new(Readers::new(path, busy_timeout)));
        Ok(Self { place, clock, readers, writer })
    }

    async fn read<T, W>(&self, operation: &'static str, records: usize, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let answer = if let Some(readers) = &self.readers {
            readers.read(records, work).await
        } else {
            let (reply, answer) = oneshot::channel();
            // A caller that no longer waits does not want the answer.
            let reading = move |connection: &Connection| drop(reply.send(work(connection)));
            self.writer.read(operation, Box::new(reading)).await?;
            answer.await.ok()
        };
        answer
            .ok_or_else(|| error::stopped(operation, &self.place))?
            .map_err(|error| error::port_error(operation, &self.place, Arc::new(error)))
    }

    fn now(&self) -> i64 {
        expiry::seconds(self.clock.now())
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        key::check("get", key)?;
        let (key, now) = (key.to_owned(), self.now());
        self.read("get", 1, move |connection| statements::get(connection, &key, now)).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        keys.iter().try_for_each(|key| key::check("get_many", key))?;
        let unique: HashSet<&String> = keys.iter().collect();
        let (keys, now): (Vec<String>, _) = (unique.into_iter().cloned().collect(), self.now());
        self.read("get_many", keys.len(), move |connection| statements::get_many(connection, &keys, now))
            .await
    }

    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        key::check_along("put", &record, &along)?;
        self.writer.write(Change::Put(record, expected, along)).await
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        records.iter().try_for_each(|record| key::check("append", &record.key))?;
        if records.is_empty() {
            return Ok(());
        }
        self.writer.write(Change::Append(records)).await.map(drop)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        key::check_prefix("list", prefix)?;
        let (prefix, after, now) = (prefix.to_owned(), after.map(str::to_owned), self.now());
        self.read("list", limit, move |connection| {
            statements::list(connection, &prefix, after.as_deref(), limit, now)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        key::check("delete", key)?;
        self.writer.write(Change::Delete(key.to_owned())).await.map(drop)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("place", &self.place).finish_non_exhaustive()
    }
}
