//! Opening a database file: how it is written, its schema, and how an older schema becomes the present one.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use scaling_control::PortError;

use super::error::port_error;

/// The call that errors name.
const OPEN: &str = "open";

/// Between two tries to begin the write-ahead log, which another process holds for one short transaction.
const PAUSE: Duration = Duration::from_millis(5);

/// Marks the file as this project's in its header (`file` shows it): "SCAL".
const APPLICATION_ID: i32 = 0x5343_414c;

/// One step per schema version; `user_version` counts the steps that a file has. Steps are never edited, only
/// added.
const MIGRATIONS: &[&str] = &[
    // Not WITHOUT ROWID: bodies are kilobytes, and would lie in the inner pages of the key's tree.
    "CREATE TABLE records (
         key TEXT NOT NULL PRIMARY KEY,
         version INTEGER NOT NULL,
         body TEXT NOT NULL,
         expires INTEGER
     );
     CREATE INDEX records_by_expiry ON records (expires) WHERE expires IS NOT NULL;",
];

/// Opens the connection that writes, and brings the schema up to date. `None` is a database in memory.
pub(super) fn open_writer(
    path: Option<&Path>,
    place: &str,
    busy_timeout: Duration,
) -> Result<Connection, PortError> {
    let failed = |error| port_error(OPEN, place, Arc::new(error));
    if let Some(folder) = path.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        let what = format!("the folder of {place} (create it, or correct the path)");
        return Err(PortError::NotFound { what });
    }
    let mut connection = match path {
        Some(path) => Connection::open_with_flags(path, file_flags(OpenFlags::SQLITE_OPEN_READ_WRITE)),
        None => Connection::open_in_memory(),
    }
    .map_err(failed)?;
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    if path.is_some() {
        // Before anything is written: a file that is not ours stays as it is.
        steps_taken(&connection, place, MIGRATIONS)?;
        use_write_ahead_log(&connection, place, busy_timeout)?;
    }
    migrate(&mut connection, place, MIGRATIONS)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // No create flag: without the file that the writer made there is nothing to read.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn file_flags(access: OpenFlags) -> OpenFlags {
    // Each connection is used by one thread at a time, which is what NO_MUTEX asks for. No URI flag: a path is a
    // path, whatever characters it has.
    access | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// The write-ahead log lets readers go on beside the writer; FULL syncs it at every commit, so that an
/// acknowledged write outlives a power cut and not only the process.
fn use_write_ahead_log(
    connection: &Connection,
    place: &str,
    busy_timeout: Duration,
) -> Result<(), PortError> {
    let failed = |error| port_error(OPEN, place, Arc::new(error));
    let mode = begin_write_ahead_log(connection, busy_timeout).map_err(failed)?;
    if !mode.eq_ignore_ascii_case("wal") {
        let message = format!("{place} cannot keep a write-ahead log; put it on a local disk");
        return Err(PortError::Invalid { operation: OPEN, message });
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)
}

/// The journal's mode after asking for a write-ahead log. SQLite turns a read into a write for this, and does that
/// without its busy handler: two that wait so for each other would never end. Here nothing is held between tries.
fn begin_write_ahead_log(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<String> {
    let since = Instant::now();
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        if mode.as_ref().is_err_and(is_busy) && since.elapsed() < busy_timeout {
            thread::sleep(PAUSE);
        } else {
            return mode;
        }
    }
}

/// Applies the steps that the database does not have yet, all or none.
fn migrate(connection: &mut Connection, place: &str, steps: &[&str]) -> Result<(), PortError> {
    let failed = |error| port_error(OPEN, place, Arc::new(error));
    // Without looking first, every start would wait for whoever is writing.
    if steps_taken(connection, place, steps)? == steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been quicker.
    let taken = steps_taken(&transaction, place, steps)?;
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", steps.len()).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The steps that the database has. Refuses one that this program must not touch.
fn steps_taken(connection: &Connection, place: &str, steps: &[&str]) -> Result<usize, PortError> {
    let query = "SELECT user_version, application_id, EXISTS (SELECT 1 FROM sqlite_schema)
        FROM pragma_user_version, pragma_application_id";
    let (taken, owner, has_tables): (usize, i32, bool) = connection
        .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .map_err(|error| port_error(OPEN, place, Arc::new(error)))?;
    let message = if has_tables && owner != APPLICATION_ID {
        format!("{place} is the database of another program; name another file")
    } else if taken > steps.len() {
        format!(
            "{place} has schema version {taken}, and this program knows versions up to {}; use the newer \
             program or name another file",
            steps.len()
        )
    } else {
        return Ok(taken);
    };
    Err(PortError::Invalid { operation: OPEN, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_schema_is_brought_up_to_date_and_keeps_its_records() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "it", MIGRATIONS).unwrap();
        let insert = "INSERT INTO records VALUES ('state/web', 7, '{}', NULL)";
        connection.execute(insert, []).unwrap();
        let newer = [MIGRATIONS, &["ALTER TABLE records ADD COLUMN author TEXT"]].concat();
        migrate(&mut connection, "it", &newer).unwrap();
        migrate(&mut connection, "it", &newer).unwrap();
        let kept: (i64, Option<String>) = connection
            .query_row("SELECT version, author FROM records", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(kept, (7, None));
        assert_eq!(steps_taken(&connection, "it", &newer).unwrap(), newer.len());
    }

    #[test]
    fn a_step_that_fails_leaves_the_schema_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "it", MIGRATIONS).unwrap();
        let broken = [MIGRATIONS, &["CREATE TABLE more (id INTEGER); SELECT no_such_function()"]].concat();
        assert!(migrate(&mut connection, "it", &broken).is_err());
        assert_eq!(steps_taken(&connection, "it", MIGRATIONS).unwrap(), MIGRATIONS.len());
        migrate(&mut connection, "it", MIGRATIONS).unwrap();
    }
}
