//! Records as items: `pk` and `sk` hold the key as [`scaling_control::key`] splits it; `version`, `body` and `expires` the
//! columns; `writer` the call that wrote it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use scaling_control::PortError;
use scaling_control::key;
use scaling_control::ports::{NewRecord, Record};

use super::error::senseless;
use crate::expiry;

/// The partition key.
pub(super) const PARTITION: &str = "pk";
/// The sort key.
pub(super) const SORT: &str = "sk";
/// The version, a number.
pub(super) const VERSION: &str = "version";
/// The body, a string.
pub(super) const BODY: &str = "body";
/// Expiry in seconds since 1970, a number; absent where a record does not expire. DynamoDB's time to live.
pub(super) const EXPIRES: &str = "expires";
/// A name of the call that wrote the item, by which a repeated call knows its own write.
pub(super) const WRITER: &str = "writer";

/// DynamoDB's limit for an item, names included: 400 KB of 1,024 bytes.
pub(super) const MAX_ITEM_BYTES: usize = 400 * 1024;

/// Everything in an item besides key and body, at most: the names, two numbers of at most 21 bytes, a name of the
/// writer of 36.
const OVERHEAD_BYTES: usize = 28 + 2 * 21 + 36;

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The key attributes.
pub(super) fn key_of(key: &str) -> Item {
    let (partition, rest) = key::split(key);
    HashMap::from([(PARTITION.to_owned(), text(partition)), (SORT.to_owned(), text(rest))])
}

/// The item of a record.
pub(super) fn item_of(operation: &'static str, record: NewRecord, version: u64) -> Result<Item, PortError> {
    key::check(operation, &record.key)?;
    // One byte more than the key at most: the rest of a key that is all partition.
    let bytes = record.key.len() + 1 + record.body.len() + OVERHEAD_BYTES;
    if bytes > MAX_ITEM_BYTES {
        let message = format!(
            "record {} has {bytes} bytes, and DynamoDB takes at most {MAX_ITEM_BYTES}; split or shorten it",
            record.key
        );
        return Err(PortError::Invalid { operation, message });
    }
    let mut item = key_of(&record.key);
    item.insert(VERSION.to_owned(), number(version));
    item.insert(BODY.to_owned(), AttributeValue::S(record.body));
    if let Some(expires) = record.expires {
        item.insert(EXPIRES.to_owned(), number(expiry::seconds(expires)));
    }
    Ok(item)
}

/// The record of an item, unless it has expired at `now`: DynamoDB removes expired items up to days later.
pub(super) fn record_of(
    operation: &'static str,
    table: &str,
    mut item: Item,
    now: i64,
) -> Result<Option<Record>, PortError> {
    let mut take = |name: &str| item.remove(name);
    let (Some(AttributeValue::S(partition)), Some(AttributeValue::S(rest))) = (take(PARTITION), take(SORT))
    else {
        return Err(senseless(operation, table, "an item without the key attributes pk and sk"));
    };
    let key = key::join(&partition, &rest);
    let bad = |name: &str| senseless(operation, table, &format!("the item of {key} has no valid {name}"));
    let expires: Option<i64> = match take(EXPIRES) {
        Some(value) => Some(parse(&value).ok_or_else(|| bad(EXPIRES))?),
        None => None,
    };
    if expires.is_some_and(|expires| expires < now) {
        return Ok(None);
    }
    let expires = match expires {
        Some(seconds) => Some(expiry::moment(seconds).ok_or_else(|| bad(EXPIRES))?),
        None => None,
    };
    let version = take(VERSION).as_ref().and_then(parse).ok_or_else(|| bad(VERSION))?;
    let Some(AttributeValue::S(body)) = take(BODY) else { return Err(bad(BODY)) };
    Ok(Some(Record { key, version, body, expires }))
}

/// A string attribute.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(super) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(format!("{value}"))
}

fn parse<T: std::str::FromStr>(value: &AttributeValue) -> Option<T> {
    value.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, body: String) -> NewRecord {
        NewRecord { key: key.to_owned(), body, expires: "2200-01-01T00:00:00Z".parse().ok() }
    }

    #[test]
    fn an_item_gives_its_record_back() {
        let new = record("decision/web/1", "{}".to_owned());
        let item = item_of("put", new.clone(), 3).unwrap();
        let NewRecord { key, body, expires } = new;
        let expected = Record { key, version: 3, body, expires };
        assert_eq!(record_of("get", "state", item, 0).unwrap(), Some(expected));
    }

    #[test]
    fn an_expired_item_is_no_record() {
        let expires = "2026-03-02T08:00:00Z".parse().unwrap();
        let new = NewRecord { expires: Some(expires), ..record("fleet", "{}".to_owned()) };
        let item = item_of("put", new, 1).unwrap();
        let now = expires.as_second();
        assert!(record_of("get", "state", item.clone(), now).unwrap().is_some());
        assert!(record_of("get", "state", item, now + 1).unwrap().is_none());
    }

    #[test]
    fn an_item_that_makes_no_sense_is_an_error_that_names_it() {
        let whole = item_of("put", record("state/web", "{}".to_owned()), 1).unwrap();
        for name in [PARTITION, SORT, VERSION, BODY, EXPIRES] {
            let mut item = whole.clone();
            item.insert(name.to_owned(), AttributeValue::Bool(true));
            let error = record_of("get", "state", item, 0).unwrap_err();
            assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_record_over_the_limit_is_refused_before_it_is_sent() {
        let room = MAX_ITEM_BYTES - OVERHEAD_BYTES - "state/web".len() - 1;
        assert!(item_of("put", record("state/web", "x".repeat(room)), 1).is_ok());
        let error = item_of("put", record("state/web", "x".repeat(room + 1)), 1).unwrap_err();
        assert!(matches!(error, PortError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains("state/web") && error.to_string().contains("409600"), "{error}");
    }
}
