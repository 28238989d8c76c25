//! The one thread that writes.
//!
//! A commit waits for the disk, and SQLite has one writer at a time anyway. So the connection that writes belongs
//! to a thread of its own: callers queue without holding a thread, and everything that queued up during one wait
//! for the disk is committed together by the next (group commit), each change still with its own answer.
//! A mutex with `spawn_blocking` would pay one wait for the disk per change, and hold a pool thread through it.

use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, TransactionBehavior};
use scaling_control::PortError;
use scaling_control::ports::{Clock, Expected, NewRecord};
use tokio::sync::{mpsc, oneshot};

use super::error::{is_of_one_change, port_error, stopped};
use super::statements::{self, Written};
use crate::expiry;

/// Changes that wait for the thread; more make their callers wait, without a thread.
const QUEUE: usize = 1024;

/// Changes in one transaction, so that the first of a flood is not answered after the last.
const MAX_BATCH: usize = 256;

/// How often expired records are looked for, with a write that happens anyway.
const PURGE_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// A change of the records.
pub(super) enum Change {
    /// One conditional write, and the records that go along where it goes through.
    Put(NewRecord, Expected, Vec<NewRecord>),
    /// Many unconditional writes.
    Append(Vec<NewRecord>),
    /// One removal.
    Delete(String),
}

impl Change {
    const fn operation(&self) -> &'static str {
        match self {
            Self::Put(..) => "put",
            Self::Append(_) => "append",
            Self::Delete(_) => "delete",
        }
    }
}

/// Work on the connection that writes, outside of any change.
pub(super) type Reading = Box<dyn FnOnce(&Connection) + Send>;

enum Job {
    Write { change: Change, reply: Reply },
    Read(Reading),
}

/// Where the version goes after a put; other changes answer 0.
type Reply = oneshot::Sender<Result<u64, PortError>>;

/// The handle of the thread. Dropping it lets the thread finish what is queued, and waits for that.
pub(super) struct Writer {
    place: Arc<str>,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        place: Arc<str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let worker = Worker { connection, place: Arc::clone(&place), clock, purged: None };
        let thread = std::thread::Builder::new()
            .name("scaling-store".to_owned())
            .spawn(move || worker.run(queue))
            .map_err(|error| {
                let message = format!("no thread could be started for {place}");
                PortError::Unavailable { operation: "open", message, source: Some(Box::new(error)) }
            })?;
        Ok(Self { place, jobs: Some(jobs), thread: Some(thread) })
    }

    /// Carries out a change and answers once it is on the disk. A caller that stops waiting does not stop the
    /// change.
    pub(super) async fn write(&self, change: Change) -> Result<u64, PortError> {
        let operation = change.operation();
        let (reply, answer) = oneshot::channel();
        self.send(operation, Job::Write { change, reply }).await?;
        answer.await.map_err(|_| stopped(operation, &self.place))?
    }

    /// Reads on the connection that writes: the only one that a database in memory has.
    pub(super) async fn read(&self, operation: &'static str, reading: Reading) -> Result<(), PortError> {
        self.send(operation, Job::Read(reading)).await
    }

    async fn send(&self, operation: &'static str, job: Job) -> Result<(), PortError> {
        match &self.jobs {
            Some(jobs) => jobs.send(job).await.map_err(|_| stopped(operation, &self.place)),
            None => Err(stopped(operation, &self.place)),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(place = %self.place, "the store's writing thread had panicked");
        }
    }
}

struct Worker {
    connection: Connection,
    place: Arc<str>,
    clock: Arc<dyn Clock>,
    /// When expired records were last looked for and all found.
    purged: Option<Timestamp>,
}

impl Worker {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while queue.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
            let mut writes = Vec::with_capacity(batch.len());
            for job in batch.drain(..) {
                match job {
                    Job::Write { change, reply } => writes.push((change, reply)),
                    // Before the writes: a reading sees nothing that is not committed.
                    Job::Read(reading) => reading(&self.connection),
                }
            }
            self.write_together(writes);
        }
    }

    fn write_together(&mut self, writes: Vec<(Change, Reply)>) {
        if writes.is_empty() {
            return;
        }
        let (changes, replies): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        match self.transact(&changes) {
            Err(error) if changes.len() > 1 && is_of_one_change(&error) => {
                for (change, reply) in changes.into_iter().zip(replies) {
                    self.write_together(vec![(change, reply)]);
                }
            }
            Ok(answers) => {
                for (answer, reply) in answers.into_iter().zip(replies) {
                    // A caller that no longer waits does not want the answer.
                    let _ = reply.send(answer);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (change, reply) in changes.iter().zip(replies) {
                    let _ = reply.send(Err(port_error(change.operation(), &self.place, Arc::clone(&error))));
                }
            }
        }
    }

    /// All changes in one transaction. An error means that none was written.
    fn transact(&mut self, changes: &[Change]) -> rusqlite::Result<Vec<Result<u64, PortError>>> {
        let now = self.clock.now();
        let seconds = expiry::seconds(now);
        let is_purge_due = self.purged.is_none_or(|last| now.duration_since(last) >= PURGE_INTERVAL);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut answers = Vec::with_capacity(changes.len());
        for change in changes {
            answers.push(apply(&transaction, change, seconds)?);
        }
        let may_have_more = is_purge_due && statements::purge(&transaction, seconds)?;
        transaction.commit()?;
        if is_purge_due && !may_have_more {
            self.purged = Some(now);
        }
        Ok(answers)
    }
}

fn apply(connection: &Connection, change: &Change, now: i64) -> rusqlite::Result<Result<u64, PortError>> {
    match change {
        Change::Put(record, expected, along) => match statements::put(connection, record, *expected, now)? {
            Written::Version(version) => {
                for record in along {
                    statements::replace(connection, record)?;
                }
                Ok(Ok(version))
            }
            Written::Found(found) => Ok(Err(conflict(change.operation(), &record.key, *expected, found))),
        },
        Change::Append(records) => {
            for record in records {
                statements::replace(connection, record)?;
            }
            Ok(Ok(0))
        }
        Change::Delete(key) => statements::delete(connection, key).map(|()| Ok(0)),
    }
}

fn conflict(operation: &'static str, key: &str, expected: Expected, found: Option<u64>) -> PortError {
    let expected = match expected {
        Expected::Absent => "absent".to_owned(),
        Expected::Version(version) => format!("at version {version}"),
    };
    let found = found.map_or_else(|| "absent".to_owned(), |version| format!("at version {version}"));
    PortError::Conflict { operation, message: format!("{key} is {found}, expected {expected}") }
}
