//! What every [`StateStore`] must do. Each case is a public function; [`store_contract_tests!`] turns them all
//! into tests of one store, and [`run_all`] runs them one after the other.
//!
//! Cases use keys of their own under `contract/`, so that they may share a store. Expiry is tested with moments
//! in 2001 and 2200: the store's clock must lie between them.
//!
//! [`store_contract_tests!`]: crate::store_contract_tests
#![expect(clippy::missing_panics_doc, reason = "a contract suite tells a breach by a panic, as tests do")]

use std::sync::Arc;

use jiff::Timestamp;

use crate::error::PortError;
use crate::ports::{Expected, MOST_ALONG, NewRecord, Record, StateStore};

/// Concurrent writers of one key.
const WRITERS: usize = 8;

/// Keys read in one call: three pages of the smallest page any store has.
const MANY: usize = 250;

/// The store under test.
pub type SharedStore = Arc<dyn StateStore>;

/// Defines one asynchronous test per case of the contract. The argument is an `async fn` without parameters
/// that gives a store; it is called once a test.
#[macro_export]
macro_rules! store_contract_tests {
    ($store:path) => {
        $crate::store_contract_tests!(
            @cases $store;
            creates_a_record_only_where_none_is,
            writes_only_over_the_expected_version,
            counts_versions_up_by_one,
            treats_expired_records_as_absent,
            keeps_records_that_expire_later,
            reads_many_keys_at_once,
            lists_by_prefix_in_order,
            deletes_as_often_as_asked,
            appends_many_records,
            keeps_any_text,
            keeps_large_bodies,
            lets_exactly_one_of_many_writers_win,
            reads_its_own_writes,
            refuses_keys_and_prefixes_that_dynamodb_cannot_have
        );
    };
    (@cases $store:path; $($case:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let store: $crate::fakes::store_contract::SharedStore = $store().await;
                $crate::fakes::store_contract::$case(&store).await.expect("the store answers");
            }
        )+
    };
}

/// Defines tests of what is written together, for stores whose test server knows transactions. The argument is as for
/// [`store_contract_tests!`](crate::store_contract_tests).
#[macro_export]
macro_rules! store_transaction_tests {
    ($store:path) => {
        $crate::store_contract_tests!(
            @cases $store;
            writes_all_of_a_change_or_nothing,
            refuses_more_along_than_dynamodb_takes
        );
    };
}

/// Runs every case but those of [`store_transaction_tests!`](crate::store_transaction_tests).
pub async fn run_all(store: &SharedStore) -> Result<(), PortError> {
    creates_a_record_only_where_none_is(store).await?;
    writes_only_over_the_expected_version(store).await?;
    counts_versions_up_by_one(store).await?;
    treats_expired_records_as_absent(store).await?;
    keeps_records_that_expire_later(store).await?;
    reads_many_keys_at_once(store).await?;
    lists_by_prefix_in_order(store).await?;
    deletes_as_often_as_asked(store).await?;
    appends_many_records(store).await?;
    keeps_any_text(store).await?;
    keeps_large_bodies(store).await?;
    lets_exactly_one_of_many_writers_win(store).await?;
    reads_its_own_writes(store).await?;
    refuses_keys_and_prefixes_that_dynamodb_cannot_have(store).await
}

fn record(key: &str, body: &str) -> NewRecord {
    NewRecord { key: key.to_owned(), body: body.to_owned(), expires: None }
}

fn expiring(key: &str, body: &str, year: i16) -> NewRecord {
    let expires =
        jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    NewRecord { expires: Some(expires.unwrap_or(Timestamp::UNIX_EPOCH)), ..record(key, body) }
}

fn keys(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.key.as_str()).collect()
}

fn assert_conflict(result: &Result<u64, PortError>, case: &str) {
    assert!(matches!(result, Err(PortError::Conflict { .. })), "{case}: {result:?}");
}

/// `Expected::Absent` creates with version 1, conflicts where a record is, and leaves that record alone.
pub async fn creates_a_record_only_where_none_is(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/create";
    assert_eq!(store.get(key).await?, None);
    assert_eq!(store.put(record(key, "1"), Expected::Absent).await?, 1);
    assert_conflict(&store.put(record(key, "2"), Expected::Absent).await, "create over a record");
    let kept = Record { key: key.to_owned(), version: 1, body: "1".to_owned(), expires: None };
    assert_eq!(store.get(key).await?, Some(kept));
    Ok(())
}

/// A write over another version, older, newer or of a record that is not there, conflicts and changes nothing.
pub async fn writes_only_over_the_expected_version(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/conditional";
    assert_conflict(&store.put(record(key, "0"), Expected::Version(1)).await, "version of an absent record");
    assert_eq!(store.get(key).await?, None);
    store.put(record(key, "1"), Expected::Absent).await?;
    store.put(record(key, "2"), Expected::Version(1)).await?;
    assert_conflict(&store.put(record(key, "3"), Expected::Version(1)).await, "older version");
    assert_conflict(&store.put(record(key, "3"), Expected::Version(3)).await, "newer version");
    assert_conflict(&store.put(record(key, "3"), Expected::Version(0)).await, "version zero");
    assert_eq!(store.get(key).await?.map(|kept| (kept.version, kept.body)), Some((2, "2".to_owned())));
    Ok(())
}

/// Each write adds one to the version and returns it; a record that was deleted starts again at 1.
pub async fn counts_versions_up_by_one(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/versions";
    assert_eq!(store.put(record(key, "body"), Expected::Absent).await?, 1);
    for version in 1..5 {
        assert_eq!(store.put(record(key, "body"), Expected::Version(version)).await?, version + 1);
    }
    store.delete(key).await?;
    assert_eq!(store.put(record(key, "body"), Expected::Absent).await?, 1);
    Ok(())
}

/// An expired record is not there: not for reads, not for lists, not for conditions; `Absent` replaces it.
pub async fn treats_expired_records_as_absent(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/expired/one";
    store.put(expiring(key, "old", 2001), Expected::Absent).await?;
    assert_eq!(store.get(key).await?, None);
    assert_eq!(store.get_many(&[key.to_owned()]).await?, []);
    assert_eq!(store.list("contract/expired/", None, 10).await?, []);
    assert_conflict(
        &store.put(record(key, "new"), Expected::Version(1)).await,
        "version of an expired record",
    );
    assert_eq!(store.put(record(key, "new"), Expected::Absent).await?, 1);
    assert_eq!(store.get(key).await?.map(|kept| kept.body), Some("new".to_owned()));
    store.append(vec![expiring("contract/expired/two", "old", 2001)]).await?;
    assert_eq!(keys(&store.list("contract/expired/", None, 10).await?), [key]);
    // Expired records take no place in a page.
    assert_eq!(keys(&store.list("contract/expired/", None, 1).await?), [key]);
    Ok(())
}

/// A record with an expiry to come is an ordinary record, and keeps its expiry.
pub async fn keeps_records_that_expire_later(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/later";
    let new = expiring(key, "body", 2200);
    let expires = new.expires;
    store.put(new, Expected::Absent).await?;
    assert_eq!(store.get(key).await?.map(|kept| kept.expires), Some(expires));
    assert_conflict(&store.put(record(key, "2"), Expected::Absent).await, "create over a record with expiry");
    // Writing without an expiry takes it away.
    store.put(record(key, "3"), Expected::Version(1)).await?;
    assert_eq!(store.get(key).await?.map(|kept| kept.expires), Some(None));
    Ok(())
}

/// More keys than any page holds, with absent ones among them and in any order, come back once each.
pub async fn reads_many_keys_at_once(store: &SharedStore) -> Result<(), PortError> {
    let all: Vec<String> = (0..MANY).map(|n| format!("contract/many/{n:04}")).collect();
    let even = all.iter().step_by(2);
    store.append(even.clone().map(|key| record(key, key)).collect()).await?;
    let mut asked = all.clone();
    asked.reverse();
    // Asked for twice.
    asked.extend_from_within(..10);
    let mut found = store.get_many(&asked).await?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(keys(&found), even.map(String::as_str).collect::<Vec<_>>());
    assert!(found.iter().all(|kept| kept.body == kept.key && kept.version == 1));
    assert_eq!(store.get_many(&[]).await?, []);
    Ok(())
}

/// Lists are in key order, by bytes; only the prefix, strictly after `after`, at most `limit`.
pub async fn lists_by_prefix_in_order(store: &SharedStore) -> Result<(), PortError> {
    let inside = ["contract/list/a", "contract/list/a/1", "contract/list/b", "contract/list/ä"];
    let outside = ["contract/list", "contract/list0", "contract/lis"];
    let mut all: Vec<NewRecord> = inside.iter().chain(&outside).map(|key| record(key, "{}")).collect();
    all.reverse();
    store.append(all).await?;
    let prefix = "contract/list/";
    assert_eq!(keys(&store.list(prefix, None, 10).await?), inside);
    assert_eq!(keys(&store.list(prefix, None, 2).await?), inside[..2]);
    assert_eq!(keys(&store.list(prefix, Some(inside[1]), 10).await?), inside[2..]);
    assert_eq!(keys(&store.list(prefix, Some("contract/list/aa"), 1).await?), inside[2..3]);
    assert_eq!(keys(&store.list(prefix, Some(inside[3]), 10).await?), [""; 0]);
    assert_eq!(keys(&store.list(prefix, None, 0).await?), [""; 0]);
    assert_eq!(keys(&store.list("contract/list/none", None, 10).await?), [""; 0]);
    // Characters that mean something to a query language mean nothing here.
    store.append(vec![record("contract/like/a%b", "{}"), record("contract/like/axb", "{}")]).await?;
    assert_eq!(keys(&store.list("contract/like/a%", None, 10).await?), ["contract/like/a%b"]);
    assert_eq!(keys(&store.list("contract/like/a_", None, 10).await?), [""; 0]);
    Ok(())
}

/// Deleting removes; deleting what is not there is no error.
pub async fn deletes_as_often_as_asked(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/delete";
    store.delete(key).await?;
    store.put(record(key, "body"), Expected::Absent).await?;
    store.delete(key).await?;
    assert_eq!(store.get(key).await?, None);
    store.delete(key).await
}

/// Appending takes any number of records, also none; appending the same record again leaves one.
pub async fn appends_many_records(store: &SharedStore) -> Result<(), PortError> {
    let many = || (0..MANY).map(|n| record(&format!("contract/append/{n:04}"), "{}")).collect::<Vec<_>>();
    store.append(Vec::new()).await?;
    store.append(many()).await?;
    store.append(many().split_off(MANY - 30)).await?;
    assert_eq!(store.list("contract/append/", None, MANY * 2).await?.len(), MANY);
    Ok(())
}

/// Keys and bodies are any Unicode text; nothing is folded, trimmed or normalised. An empty body is a body.
pub async fn keeps_any_text(store: &SharedStore) -> Result<(), PortError> {
    let texts =
        ["ä", "a\u{308}", "Ä", "группа", "組", "🚀", "with space ", "quote'\"", "back\\slash", "new\nline"];
    for text in texts {
        store.put(record(&format!("contract/text/{text}"), text), Expected::Absent).await?;
    }
    for text in texts {
        let kept = store.get(&format!("contract/text/{text}")).await?;
        assert_eq!(kept.map(|kept| kept.body).as_deref(), Some(text));
    }
    assert_eq!(store.list("contract/text/", None, 100).await?.len(), texts.len());
    store.put(record("contract/empty", ""), Expected::Absent).await?;
    assert_eq!(store.get("contract/empty").await?.map(|kept| kept.body).as_deref(), Some(""));
    Ok(())
}

/// Bodies of up to 300 KB (10^3 bytes) are kept whole, alone and together.
pub async fn keeps_large_bodies(store: &SharedStore) -> Result<(), PortError> {
    let body: String = (0..300_000u32).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let names: Vec<String> = (0..5).map(|n| format!("contract/large/{n}")).collect();
    store.put(record(&names[0], &body), Expected::Absent).await?;
    store.append(names[1..].iter().map(|key| record(key, &body)).collect()).await?;
    assert_eq!(store.get(&names[0]).await?.map(|kept| kept.body.len()), Some(body.len()));
    let found = store.get_many(&names).await?;
    assert_eq!(found.len(), names.len());
    assert!(found.iter().all(|kept| kept.body == body));
    // More than the megabyte that some stores give in one page.
    assert_eq!(store.list("contract/large/", None, 10).await?.len(), names.len());
    Ok(())
}

/// Of writers that start at once on one version, exactly one wins; the others get a conflict.
pub async fn lets_exactly_one_of_many_writers_win(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/race";
    assert_eq!(race(store, key, Expected::Absent).await, 1);
    for version in 1..5 {
        assert_eq!(race(store, key, Expected::Version(version)).await, 1);
        assert_eq!(store.get(key).await?.map(|kept| kept.version), Some(version + 1));
    }
    Ok(())
}

/// How many of the writers won.
async fn race(store: &SharedStore, key: &str, expected: Expected) -> usize {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (store, new) = (Arc::clone(store), record(key, &writer.to_string()));
        writers.spawn(async move { store.put(new, expected).await });
    }
    let mut won = 0;
    while let Some(result) = writers.join_next().await {
        match result {
            Ok(Ok(_)) => won += 1,
            Ok(Err(PortError::Conflict { .. })) => {}
            other => panic!("a losing writer gets a conflict, not {other:?}"),
        }
    }
    won
}

/// What was written is read at once, by every way of reading.
pub async fn reads_its_own_writes(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/own/1";
    for version in 1..20_u64 {
        let expected = if version == 1 { Expected::Absent } else { Expected::Version(version - 1) };
        store.put(record(key, &version.to_string()), expected).await?;
        assert_eq!(store.get(key).await?.map(|kept| kept.version), Some(version));
        let many = store.get_many(&[key.to_owned()]).await?;
        assert_eq!(many.first().map(|kept| kept.version), Some(version));
    }
    assert_eq!(store.list("contract/own/", None, 10).await?.first().map(|kept| kept.version), Some(19));
    Ok(())
}

/// What goes along is written with the change and not without it; over an expired record, too.
pub async fn writes_all_of_a_change_or_nothing(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/together/change";
    let along = |n: u32| {
        vec![
            record(&format!("audit/contract/{n}a"), "a"),
            expiring(&format!("audit/contract/{n}b"), "b", 2200),
        ]
    };
    let written = store.put_with(record(key, "1"), Expected::Absent, along(1)).await?;
    assert_eq!(written, 1);
    assert_conflict(&store.put_with(record(key, "2"), Expected::Absent, along(2)).await, "absent, together");
    assert_conflict(
        &store.put_with(record(key, "2"), Expected::Version(7), along(3)).await,
        "version, together",
    );
    assert_eq!(store.put_with(expiring(key, "2", 2001), Expected::Version(1), along(4)).await?, 2);
    assert_eq!(store.put_with(record(key, "3"), Expected::Absent, along(5)).await?, 1);
    let found = store.list("audit/contract/", None, 100).await?;
    let expected: Vec<String> =
        [1, 4, 5].iter().flat_map(|n| ["a", "b"].map(|part| format!("audit/contract/{n}{part}"))).collect();
    assert_eq!(keys(&found), expected);
    assert!(found.iter().all(|kept| kept.version == 1), "{found:?}");
    assert_eq!(store.get(key).await?.map(|kept| (kept.version, kept.body)), Some((1, "3".to_owned())));
    Ok(())
}

/// 99 records go along; more, or one key twice, are refused whole.
pub async fn refuses_more_along_than_dynamodb_takes(store: &SharedStore) -> Result<(), PortError> {
    let key = "contract/along";
    let along =
        |count: usize| (0..count).map(|n| record(&format!("audit/many/{n:03}"), "{}")).collect::<Vec<_>>();
    assert_eq!(store.put_with(record(key, "1"), Expected::Absent, along(MOST_ALONG)).await?, 1);
    let mut twice = along(1);
    twice.extend(along(1));
    for refused in [along(MOST_ALONG + 1), twice, vec![record(key, "2")], vec![record("", "{}")]] {
        let result = store.put_with(record(key, "2"), Expected::Version(1), refused).await;
        assert!(matches!(result, Err(PortError::Invalid { .. })), "{result:?}");
    }
    assert_eq!(store.get(key).await?.map(|kept| kept.version), Some(1));
    Ok(())
}

/// An empty key, or a prefix that names no partition ([`crate::key`]), is refused by every store, so that none
/// lets pass what DynamoDB cannot do.
pub async fn refuses_keys_and_prefixes_that_dynamodb_cannot_have(
    store: &SharedStore,
) -> Result<(), PortError> {
    let mut refused = vec![
        store.get("").await.map(drop),
        store.get_many(&[String::new()]).await.map(drop),
        store.put(record("", "{}"), Expected::Absent).await.map(drop),
        store.append(vec![record("", "{}")]).await,
        store.delete("").await,
    ];
    for prefix in ["", "contract", "contract/", "contract/list"] {
        refused.push(store.list(prefix, None, 10).await.map(drop));
    }
    for result in refused {
        assert!(matches!(result, Err(PortError::Invalid { .. })), "{result:?}");
    }
    Ok(())
}
