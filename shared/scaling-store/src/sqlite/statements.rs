//! The SQL, on whatever connection it is given. `now` is in seconds since 1970, as `crate::expiry` rounds them:
//! a record is there while `expires >= now`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use scaling_control::ports::{Expected, NewRecord, Record};

use super::range;
use crate::expiry;

/// Expired records removed in one go, so that a purge never holds up a write for long.
const PURGE_LIMIT: usize = 500;

const INSERT_IF_ABSENT: &str = "INSERT INTO records (key, version, body, expires) VALUES (?1, 1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET version = 1, body = excluded.body, expires = excluded.expires
    WHERE records.expires < ?4";
const UPDATE_VERSION: &str = "UPDATE records SET version = version + 1, body = ?2, expires = ?3
    WHERE key = ?1 AND version = ?5 AND (expires IS NULL OR expires >= ?4)";
const REPLACE: &str = "INSERT INTO records (key, version, body, expires) VALUES (?1, 1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET version = 1, body = excluded.body, expires = excluded.expires";
const SELECT_ONE: &str = "SELECT key, version, body, expires FROM records
    WHERE key = ?1 AND (expires IS NULL OR expires >= ?2)";
const SELECT_RANGE: &str = "SELECT key, version, body, expires FROM records
    WHERE key >= ?1 AND key < ?2 AND (expires IS NULL OR expires >= ?3) ORDER BY key LIMIT ?4";
const PURGE: &str = "DELETE FROM records
    WHERE rowid IN (SELECT rowid FROM records WHERE expires < ?1 LIMIT ?2)";

/// What became of a put.
pub(super) enum Written {
    /// It has this version now.
    Version(u64),
    /// Nothing was written: the record has this version, or is not there.
    Found(Option<u64>),
}

/// Writes a record if it is as expected.
pub(super) fn put(
    connection: &Connection,
    record: &NewRecord,
    expected: Expected,
    now: i64,
) -> rusqlite::Result<Written> {
    let NewRecord { key, body, expires } = record;
    let expires = expires.map(expiry::seconds);
    let (changed, version) = match expected {
        Expected::Absent => {
            let mut statement = connection.prepare_cached(INSERT_IF_ABSENT)?;
            (statement.execute(params![key, body, expires, now])?, 1)
        }
        Expected::Version(version) => match (i64::try_from(version), version.checked_add(1)) {
            (Ok(present), Some(next)) => {
                let mut statement = connection.prepare_cached(UPDATE_VERSION)?;
                (statement.execute(params![key, body, expires, now, present])?, next)
            }
            // No record ever had it.
            _ => (0, 0),
        },
    };
    if changed == 1 {
        return Ok(Written::Version(version));
    }
    Ok(Written::Found(get(connection, key, now)?.map(|record| record.version)))
}

/// Writes a record, whatever was there.
pub(super) fn replace(connection: &Connection, record: &NewRecord) -> rusqlite::Result<()> {
    let NewRecord { key, body, expires } = record;
    let expires = expires.map(expiry::seconds);
    connection.prepare_cached(REPLACE)?.execute(params![key, body, expires])?;
    Ok(())
}

/// Removes a record.
pub(super) fn delete(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM records WHERE key = ?1")?.execute([key])?;
    Ok(())
}

/// Removes expired records, some at a time; tells whether there may be more.
pub(super) fn purge(connection: &Connection, now: i64) -> rusqlite::Result<bool> {
    let removed = connection.prepare_cached(PURGE)?.execute(params![now, PURGE_LIMIT])?;
    Ok(removed == PURGE_LIMIT)
}

/// The record of one key.
pub(super) fn get(connection: &Connection, key: &str, now: i64) -> rusqlite::Result<Option<Record>> {
    connection.prepare_cached(SELECT_ONE)?.query_row(params![key, now], record).optional()
}

/// The records of many keys, all of one moment.
pub(super) fn get_many(connection: &Connection, keys: &[String], now: i64) -> rusqlite::Result<Vec<Record>> {
    // One statement is of one moment by itself.
    if let [key] = keys {
        return Ok(get(connection, key, now)?.into_iter().collect());
    }
    let transaction = connection.unchecked_transaction()?;
    let found = keys.iter().filter_map(|key| get(&transaction, key, now).transpose()).collect();
    transaction.finish()?;
    found
}

/// A page of the records that start with `prefix`.
pub(super) fn list(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    now: i64,
) -> rusqlite::Result<Vec<Record>> {
    let start = match after {
        // The next text after `after`.
        Some(after) if after >= prefix => format!("{after}\0"),
        _ => prefix.to_owned(),
    };
    let end = range::above(prefix);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(SELECT_RANGE)?;
    // Text lies below every blob, so that an empty blob is an end that excludes nothing.
    let rows = match end {
        Some(end) => statement.query_map(params![start, end, now, limit], record)?,
        None => statement.query_map(params![start, [0_u8; 0], now, limit], record)?,
    };
    rows.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let expires: Option<i64> = row.get(3)?;
    let expires = match expires {
        Some(seconds) => {
            Some(expiry::moment(seconds).ok_or(rusqlite::Error::IntegralValueOutOfRange(3, seconds))?)
        }
        None => None,
    };
    Ok(Record { key: row.get(0)?, version: row.get(1)?, body: row.get(2)?, expires })
}
