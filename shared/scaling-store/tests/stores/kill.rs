//! A process that is killed in the middle of its writes loses nothing that it acknowledged.
//!
//! The test runs its own binary again as the writer, kills it with SIGKILL, and compares what the file has with
//! what the writer had said on its output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rusqlite::Connection;
use scaling_control::ports::{Expected, NewRecord, StateStore};
use scaling_store::SqliteStore;

/// Tells the writer its file, and that it is the writer.
const FILE: &str = "SCALING_STORE_KILL_TEST_FILE";

/// Tasks that write at once, so that commits hold several changes.
const TASKS: usize = 6;

/// Rounds of writing and killing on one file; each kills at another moment.
const ROUNDS: usize = 8;

/// Acknowledged writes before the first kill.
const FIRST_KILL: usize = 40;

/// And how many more before each further one, so that they come at many stages of the log and its checkpoints.
const MORE: usize = 211;

/// Records of one append.
const APPENDED: usize = 3;

fn record(key: String, body: String) -> NewRecord {
    NewRecord { key, body, expires: None }
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS {
        write_and_kill(&path, FIRST_KILL + round * MORE, &mut acknowledged);
        check(&path, &acknowledged);
    }
    assert!(acknowledged.len() > ROUNDS * TASKS, "the writers were at work: {}", acknowledged.len());
}

/// Starts the writer, reads so many acknowledgements, kills it, and notes all it had acknowledged by then.
fn write_and_kill(path: &Path, enough: usize, acknowledged: &mut BTreeMap<String, u64>) {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "kill::writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(writer.stdout.take().unwrap());
    let (mut seen, mut is_killed) = (0, false);
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // What the kill cut off in the middle of a line was not said.
        if let Some(text) = line.strip_prefix("wrote ").and_then(|text| text.strip_suffix('\n')) {
            let (version, key) = text.split_once(' ').unwrap();
            acknowledged.insert(key.to_owned(), version.parse().unwrap());
            seen += 1;
        }
        if seen >= enough && !is_killed {
            writer.kill().unwrap();
            is_killed = true;
        }
        line.clear();
    }
    let status = writer.wait().unwrap();
    assert!(is_killed && status.code().is_none(), "the writer ended by itself: {status}");
}

/// The file is whole, and has everything acknowledged.
fn check(path: &PathBuf, acknowledged: &BTreeMap<String, u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = SqliteStore::open(path).unwrap();
    for (key, version) in acknowledged {
        let kept = runtime.block_on(store.get(key)).unwrap().unwrap_or_else(|| panic!("{key} is lost"));
        // One write may have been done and not yet acknowledged when the kill came.
        assert!(kept.version == *version || kept.version == version + 1, "{kept:?} after {version}");
        assert_eq!(kept.body, kept.version.to_string(), "the body is the version's");
    }
    drop(store);
    let connection = Connection::open(path).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let query = "SELECT count(*) FROM records WHERE key LIKE 'history/%'";
    let appended: usize = connection.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(appended % APPENDED, 0, "an append is there whole or not at all");
}

#[test]
#[ignore = "runs until it is killed, by the test above"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = Arc::new(SqliteStore::open(path).unwrap());
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            tasks.spawn(write_for_ever(Arc::clone(&store), task));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
}

/// Writes a record of its own again and again, and appends beside it.
async fn write_for_ever(store: Arc<SqliteStore>, task: usize) {
    let key = format!("state/{task}");
    let mut version = store.get(&key).await.unwrap().map_or(0, |kept| kept.version);
    loop {
        let expected = if version == 0 { Expected::Absent } else { Expected::Version(version) };
        let new = record(key.clone(), (version + 1).to_string());
        version = store.put(new, expected).await.unwrap();
        say(version, &key);
        let keys: Vec<_> = (0..APPENDED).map(|n| format!("history/{task}/{version:09}/{n}")).collect();
        store.append(keys.iter().map(|key| record(key.clone(), "1".to_owned())).collect()).await.unwrap();
        for key in &keys {
            say(1, key);
        }
    }
}

fn say(version: u64, key: &str) {
    // One write call a line, past the test runner's capture; the reader may be gone already.
    let _ = std::io::stdout().lock().write_all(format!("wrote {version} {key}\n").as_bytes());
}
