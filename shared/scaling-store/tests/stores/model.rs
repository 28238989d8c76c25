//! Whatever is asked in whatever order, a store answers as the model in memory does.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use scaling_control::PortError;
use scaling_control::fakes::{MemoryStore, SteppedClock};
use scaling_control::ports::{Clock, Expected, NewRecord, Record, StateStore};
use scaling_store::SqliteStore;
use scaling_store::sqlite::Settings;

use super::dynalite::{self, Dynalite};

const START: &str = "2026-03-02T08:00:00.25Z";

#[derive(Debug, Clone)]
enum Action {
    Put(String, String, Option<i64>, Expected),
    /// A put that expects what the model has, so that long histories grow.
    Update(String, String, Option<i64>),
    Append(Vec<(String, String, Option<i64>)>),
    Get(String),
    GetMany(Vec<String>),
    List(String, Option<String>, usize),
    Delete(String),
    Advance(u64),
}

/// Answers that can be compared: of an error, its kind.
#[derive(Debug, PartialEq)]
enum Answer {
    Version(u64),
    Records(Vec<Record>),
    Nothing,
    Refused(&'static str),
}

fn keys() -> impl Strategy<Value = String> {
    // Few enough to meet each other; neighbours in order, and one that is another's partition.
    prop::sample::select(vec![
        "a", "a/b", "a/b/", "a/b/-", "a/b/c", "a/b/c/d", "a/b0", "a/bä/c", "a/b/ä", "a/b/z",
    ])
    .prop_map(str::to_owned)
}

fn bodies() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "{}", "{\"text\":\"ä'\\\"\"}"]).prop_map(str::to_owned)
}

/// Seconds from now, also in the past.
fn expiries() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(-5..30_i64)
}

fn actions() -> impl Strategy<Value = Action> {
    let expected = prop_oneof![Just(Expected::Absent), (0..4_u64).prop_map(Expected::Version)];
    let records = prop::collection::vec((keys(), bodies(), expiries()), 0..5);
    let prefixes = prop::sample::select(vec!["a/b/", "a/b/c", "a/bä/", "a/b/x"]).prop_map(str::to_owned);
    prop_oneof![
        2 => (keys(), bodies(), expiries(), expected).prop_map(|(k, b, e, x)| Action::Put(k, b, e, x)),
        4 => (keys(), bodies(), expiries()).prop_map(|(k, b, e)| Action::Update(k, b, e)),
        2 => records.prop_map(Action::Append),
        2 => keys().prop_map(Action::Get),
        1 => prop::collection::hash_set(keys(), 0..6).prop_map(|keys| Action::GetMany(keys.into_iter().collect())),
        3 => (prefixes, prop::option::of(keys()), 0..6_usize).prop_map(|(p, a, l)| Action::List(p, a, l)),
        1 => keys().prop_map(Action::Delete),
        1 => (1..20_u64).prop_map(Action::Advance),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec(actions(), 1..60)
}

fn new_record(key: String, body: String, expires: Option<i64>, now: Timestamp) -> NewRecord {
    // Whole seconds, as the stores keep them.
    let second = Timestamp::from_second(now.as_second()).unwrap();
    NewRecord { key, body, expires: expires.map(|seconds| second + SignedDuration::from_secs(seconds)) }
}

async fn run(store: &dyn StateStore, action: Action, now: Timestamp) -> Answer {
    fn answer<T>(result: Result<T, PortError>, good: impl FnOnce(T) -> Answer) -> Answer {
        result.map_or_else(|error| Answer::Refused(error.kind()), good)
    }
    match action {
        Action::Put(key, body, expires, expected) => {
            answer(store.put(new_record(key, body, expires, now), expected).await, Answer::Version)
        }
        Action::Update(key, body, expires) => {
            let present = match store.get(&key).await {
                Ok(present) => present.map(|record| record.version),
                Err(error) => return Answer::Refused(error.kind()),
            };
            let expected = present.map_or(Expected::Absent, Expected::Version);
            answer(store.put(new_record(key, body, expires, now), expected).await, Answer::Version)
        }
        Action::Append(records) => {
            let records = records.into_iter().map(|(key, body, expires)| new_record(key, body, expires, now));
            answer(store.append(records.collect()).await, |()| Answer::Nothing)
        }
        Action::Get(key) => {
            answer(store.get(&key).await, |record| Answer::Records(record.into_iter().collect()))
        }
        Action::GetMany(keys) => answer(store.get_many(&keys).await, |mut records| {
            records.sort_by(|a, b| a.key.cmp(&b.key));
            Answer::Records(records)
        }),
        Action::List(prefix, after, limit) => {
            answer(store.list(&prefix, after.as_deref(), limit).await, Answer::Records)
        }
        Action::Delete(key) => answer(store.delete(&key).await, |()| Answer::Nothing),
        Action::Advance(_) => Answer::Nothing,
    }
}

/// Runs a history on both and compares each answer.
async fn compare(
    store: &dyn StateStore,
    history: Vec<Action>,
    clock: &Arc<SteppedClock>,
) -> Result<(), TestCaseError> {
    let model = MemoryStore::new(clock.clone());
    for action in history {
        if let Action::Advance(seconds) = action {
            clock.advance_seconds(seconds);
        }
        let now = clock.now();
        let expected = run(&model, action.clone(), now).await;
        prop_assert_eq!(run(store, action.clone(), now).await, expected, "{:?}", action);
    }
    Ok(())
}

fn clock() -> Arc<SteppedClock> {
    Arc::new(SteppedClock::at(START.parse().unwrap()))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn sqlite_in_memory_answers_as_the_model() {
    let runtime = runtime();
    let mut runner = TestRunner::new(config(256));
    let result = runner.run(&histories(), |history| {
        let clock = clock();
        let settings = Settings { clock: clock.clone(), ..Settings::default() };
        let store = SqliteStore::open_in_memory_with(settings).unwrap();
        runtime.block_on(compare(&store, history, &clock))
    });
    result.unwrap();
}

#[test]
fn sqlite_in_a_file_answers_as_the_model() {
    let runtime = runtime();
    let mut runner = TestRunner::new(config(24));
    let result = runner.run(&histories(), |history| {
        let clock = clock();
        let settings = Settings { clock: clock.clone(), ..Settings::default() };
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open_with(folder.path().join("state.db"), settings).unwrap();
        runtime.block_on(compare(&store, history, &clock))
    });
    result.unwrap();
}

#[test]
fn dynamodb_answers_as_the_model() {
    let runtime = runtime();
    let server = Arc::new(Dynalite::start());
    let tables = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(config(16));
    let result = runner.run(&histories(), |history| {
        let clock = clock();
        tables.set(tables.get() + 1);
        let table = format!("state-{}", tables.get());
        runtime.block_on(async {
            let store = dynalite::store_on(Arc::clone(&server), &table, clock.clone()).await;
            compare(&store, history, &clock).await
        })
    });
    result.unwrap();
}
