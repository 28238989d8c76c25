//! What goes wrong with a file, and what commits together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use scaling_control::PortError;
use scaling_control::fakes::SteppedClock;
use scaling_control::ports::{Expected, NewRecord, StateStore};
use tempfile::TempDir;

use super::{Settings, SqliteStore};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn record(key: &str, body: &str) -> NewRecord {
    NewRecord { key: key.to_owned(), body: body.to_owned(), expires: None }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Opens a file that cannot be opened; the message must name it.
fn refusal(path: &Path) -> PortError {
    let settings = Settings { busy_timeout: Duration::from_millis(10), ..Settings::default() };
    let error = SqliteStore::open_with(path, settings).unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

/// Runs SQL on the store's own writing connection.
async fn on_writer(store: &SqliteStore, sql: &'static str) {
    let reading = Box::new(move |connection: &Connection| connection.execute_batch(sql).unwrap());
    store.writer.read("test", reading).await.unwrap();
}

fn rows(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn commits_are_synced_to_a_write_ahead_log() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let reading = Box::new(|connection: &Connection| {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        assert_eq!(pragma("journal_mode").unwrap(), "wal");
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(synchronous, 2, "FULL");
    });
    store.writer.read("test", reading).await.unwrap();
    // The thread is there only if no assertion on it failed.
    store.put(record("a", "1"), Expected::Absent).await.unwrap();
}

#[test]
fn closing_tidies_the_log_away() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["state.db"]);
}

#[tokio::test]
async fn a_reopened_file_has_its_records() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.put(record("a", "1"), Expected::Absent).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.put(record("a", "2"), Expected::Version(1)).await.unwrap(), 2);
}

#[tokio::test]
async fn two_stores_share_one_file() {
    let (_folder, path) = folder();
    let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    one.put(record("a", "1"), Expected::Absent).await.unwrap();
    assert_eq!(two.put(record("a", "2"), Expected::Version(1)).await.unwrap(), 2);
    assert_eq!(one.get("a").await.unwrap().map(|kept| kept.body), Some("2".to_owned()));
}

#[test]
fn many_may_create_one_file_at_once() {
    let (_folder, path) = folder();
    std::thread::scope(|scope| {
        for opening in (0..8).map(|_| scope.spawn(|| SqliteStore::open(&path))).collect::<Vec<_>>() {
            opening.join().unwrap().unwrap();
        }
    });
}

#[test]
fn opening_waits_for_another_that_is_creating_the_file() {
    let (_folder, path) = folder();
    let mut other = Connection::open(&path).unwrap();
    let creating = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| SqliteStore::open(&path));
        std::thread::sleep(Duration::from_millis(100));
        creating.commit().unwrap();
        opening.join().unwrap().unwrap();
    });
}

#[test]
fn a_file_that_another_program_keeps_locked_while_it_is_opened_is_told() {
    let (_folder, path) = folder();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = refusal(&path);
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains("locked by another process"), "{error}");
}

#[tokio::test]
async fn expired_records_leave_the_file_with_later_writes() {
    let (_folder, path) = folder();
    let clock = Arc::new(SteppedClock::at(moment("2026-03-02T08:00:00Z")));
    let settings = Settings { clock: clock.clone(), ..Settings::default() };
    let store = SqliteStore::open_with(&path, settings).unwrap();
    let short = (0..1200).map(|n| NewRecord {
        expires: Some(moment("2026-03-02T08:00:30Z")),
        ..record(&format!("short/a/{n}"), "{}")
    });
    store.append(short.collect()).await.unwrap();
    store.put(record("long", "1"), Expected::Absent).await.unwrap();
    clock.advance_seconds(59);
    store.put(record("long", "2"), Expected::Version(1)).await.unwrap();
    assert_eq!(rows(&path), 1201, "not looked for more often than once a minute");
    clock.advance_seconds(1);
    for (version, left) in [(2, 701), (3, 201), (4, 1)] {
        store.put(record("long", "3"), Expected::Version(version)).await.unwrap();
        assert_eq!(rows(&path), left, "500 with each write until none is left");
    }
}

#[test]
fn a_missing_folder_is_named() {
    let error = refusal(Path::new("no/such/folder/state.db"));
    assert!(matches!(error, PortError::NotFound { .. }), "{error}");
}

#[test]
fn a_folder_is_no_file() {
    let (folder, _) = folder();
    let error = refusal(folder.path());
    assert!(matches!(error, PortError::Denied { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let (_folder, path) = folder();
    let text = "timestamp,value\n".repeat(500);
    std::fs::write(&path, &text).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, PortError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("not an SQLite database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    for version in [0, 1] {
        let (_folder, path) = folder();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE records (id INTEGER)").unwrap();
        other.pragma_update(None, "user_version", version).unwrap();
        drop(other);
        let before = std::fs::read(&path).unwrap();
        let error = refusal(&path);
        assert!(error.to_string().contains("of another program"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_newer_schema_asks_for_the_newer_program() {
    let (_folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1000).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, PortError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("schema version 1000"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_says_so_and_is_not_retried() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let many = (0..500).map(|n| record(&format!("a/b/{n}"), &"x".repeat(500)));
    store.append(many.collect()).await.unwrap();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let error = store.list("a/b/", None, 1000).await.unwrap_err();
    assert!(matches!(error, PortError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("is damaged"), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    let error = store.put(record("a/b/1", "2"), Expected::Absent).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_lock_that_lasts_is_told_and_may_be_retried() {
    let (_folder, path) = folder();
    let settings = Settings { busy_timeout: Duration::from_millis(10), ..Settings::default() };
    let store = SqliteStore::open_with(&path, settings).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.put(record("a", "1"), Expected::Absent).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { source: Some(_), .. }), "{error}");
    assert!(error.to_string().contains("locked by another process"), "{error}");
    assert_eq!(store.get("a").await.unwrap(), None, "reads go on");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.put(record("a", "1"), Expected::Absent).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_disk_fails_the_write_that_needs_room_and_no_other() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.put(record("a", "1"), Expected::Absent).await.unwrap();
    on_writer(&store, "PRAGMA max_page_count = 20").await;
    let large = "x".repeat(200_000);
    let (large, small) = tokio::join!(
        store.append(vec![record("a/b/1", "small"), record("a/b/2", &large)]),
        store.put(record("a", "2"), Expected::Version(1)),
    );
    let error = large.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(small.unwrap(), 2);
    assert_eq!(store.get("a/b/1").await.unwrap(), None, "an append is all or nothing");
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let (_folder, path) = folder();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    // The writing thread stands still until all are queued.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    store.writer.read("test", Box::new(move |_| wait.recv().unwrap())).await.unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..100 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.put(record(&format!("a/b/{n}"), "{}"), Expected::Absent).await });
    }
    // On one thread, every write is queued once this task has let the others run.
    tokio::task::yield_now().await;
    let before = std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
    go.send(()).unwrap();
    while let Some(version) = writes.join_next().await {
        assert_eq!(version.unwrap().unwrap(), 1);
    }
    // A commit writes each changed page once: 100 commits would have written at least 200 pages.
    let pages = (std::fs::metadata(path.with_extension("db-wal")).unwrap().len() - before) / 4096;
    assert!(pages < 20, "{pages} pages for one commit");
}

#[tokio::test]
async fn one_conflict_in_a_commit_leaves_the_others_alone() {
    let store = Arc::new(SqliteStore::open_in_memory().unwrap());
    let (first, second, other) = tokio::join!(
        store.put(record("a", "1"), Expected::Absent),
        store.put(record("a", "2"), Expected::Absent),
        store.put(record("b", "1"), Expected::Absent),
    );
    assert_eq!((first.unwrap(), other.unwrap()), (1, 1));
    let error = second.unwrap_err().to_string();
    assert!(error.contains("a is at version 1, expected absent"), "{error}");
}

#[tokio::test]
async fn dropping_a_store_finishes_what_is_queued() {
    let (_folder, path) = folder();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    store.writer.read("test", Box::new(move |_| wait.recv().unwrap())).await.unwrap();
    let write = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.put(record("a", "1"), Expected::Absent).await }
    });
    tokio::task::yield_now().await;
    write.abort();
    assert!(write.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    drop(store);
    assert_eq!(rows(&path), 1);
}

#[test]
fn a_range_without_an_end_is_listed_whole() {
    let connection = super::schema::open_writer(None, "it", Duration::ZERO).unwrap();
    for key in ["a", "\u{10ffff}", "\u{10ffff}/b"] {
        super::statements::replace(&connection, &record(key, "{}")).unwrap();
    }
    let found = super::statements::list(&connection, "\u{10ffff}", None, 10, 0).unwrap();
    assert_eq!(found.len(), 2);
}
