//! Keys of records: text of segments joined by slashes, most general first, such as `decision/web/2026-03-02T08:00:00Z`.
//!
//! # The split rule
//! DynamoDB finds records by a partition and, inside it, by a sorted rest. The partition of a key is its first two
//! segments, `decision/web`; the rest begins with the slash after them. A key of one or two segments is a
//! partition by itself, with the rest `-`. So the state records of a thousand groups spread over a thousand
//! partitions (one partition gives at most 3,000 reads and 1,000 writes a second), while the history of one group
//! lies together, in order.
//!
//! It follows that a listing must name a partition: its prefix reaches at least the second slash
//! (`decision/web/`, `decision/web/2026-03`). A shorter prefix would mean reading the whole table, so that it is
//! refused, and by every store: what works on a laptop must not fail on AWS.

use std::collections::HashSet;

use crate::error::PortError;
use crate::ports::{MOST_ALONG, NewRecord};

/// DynamoDB's limit for the partition, in bytes.
const MAX_PARTITION_BYTES: usize = 2048;

/// DynamoDB's limit for the rest, in bytes.
const MAX_REST_BYTES: usize = 1024;

/// The rest of a key that is all partition. Any other rest begins with a slash.
const WHOLE: &str = "-";

/// Splits a key into its partition and the rest, neither of them empty.
pub fn split(key: &str) -> (&str, &str) {
    match second_slash(key) {
        Some(at) => key.split_at(at),
        None => (key, WHOLE),
    }
}

/// Puts a key together again from what [`split`] gave.
pub fn join(partition: &str, rest: &str) -> String {
    if rest == WHOLE { partition.to_owned() } else { format!("{partition}{rest}") }
}

/// Refuses a key that is empty or longer than DynamoDB takes, with `Invalid` in the name of `operation`.
pub fn check(operation: &'static str, key: &str) -> Result<(), PortError> {
    let (partition, rest) = split(key);
    let message = if key.is_empty() {
        "a record needs a key".to_owned()
    } else if partition.len() > MAX_PARTITION_BYTES {
        format!("the first two segments of a key have at most {MAX_PARTITION_BYTES} bytes: {key}")
    } else if rest.len() > MAX_REST_BYTES {
        format!("a key has at most {MAX_REST_BYTES} bytes after its second segment: {key}")
    } else {
        return Ok(());
    };
    Err(PortError::Invalid { operation, message })
}

/// Refuses keys of records that are to be written together as [`check`] does, and also one key twice and more records
/// than [`MOST_ALONG`] along with the first.
pub fn check_along(
    operation: &'static str,
    record: &NewRecord,
    along: &[NewRecord],
) -> Result<(), PortError> {
    check(operation, &record.key)?;
    let mut keys = HashSet::from([record.key.as_str()]);
    for record in along {
        check(operation, &record.key)?;
        if !keys.insert(&record.key) {
            let message = format!("{} comes twice in one transaction", record.key);
            return Err(PortError::Invalid { operation, message });
        }
    }
    if along.len() > MOST_ALONG {
        let message = format!("{} records go along with {}; {MOST_ALONG} may", along.len(), record.key);
        return Err(PortError::Invalid { operation, message });
    }
    Ok(())
}

/// Refuses a prefix that does not name a partition, with `Invalid` in the name of `operation`.
pub fn check_prefix(operation: &'static str, prefix: &str) -> Result<(), PortError> {
    if second_slash(prefix).is_none() {
        let message = format!(
            "the prefix \"{prefix}\" does not name two segments; list by one such as \"decision/web/\""
        );
        return Err(PortError::Invalid { operation, message });
    }
    check(operation, prefix)
}

fn second_slash(text: &str) -> Option<usize> {
    text.match_indices('/').nth(1).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_after_the_second_segment() {
        for (key, expected) in [
            ("fleet", ("fleet", "-")),
            ("state/web", ("state/web", "-")),
            ("state/web/", ("state/web", "/")),
            ("state/web/-", ("state/web", "/-")),
            ("decision/web/2026/1", ("decision/web", "/2026/1")),
            ("/x/y", ("/x", "/y")),
            ("//", ("/", "/")),
        ] {
            assert_eq!(split(key), expected, "{key}");
        }
    }

    #[test]
    fn takes_prefixes_that_name_a_partition_only() {
        for good in ["decision/web/", "decision/web/2026", "decision/web/2026/1"] {
            assert!(check_prefix("list", good).is_ok(), "{good}");
        }
        for bad in ["", "decision", "decision/", "decision/web"] {
            let error = check_prefix("list", bad).unwrap_err();
            assert!(matches!(error, PortError::Invalid { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn refuses_keys_that_dynamodb_would_refuse() {
        assert!(check("put", "").is_err());
        assert!(check("put", &"p".repeat(2048)).is_ok());
        assert!(check("put", &"p".repeat(2049)).is_err());
        assert!(check("put", &format!("a/b/{}", "r".repeat(1023))).is_ok());
        assert!(check("put", &format!("a/b/{}", "r".repeat(1024))).is_err());
    }

    mod joined {
        use proptest::prelude::*;

        use super::super::{join, split};

        proptest! {
            #[test]
            fn a_split_key_joins_to_itself(key in "[a/\\-ä]{1,12}") {
                let (partition, rest) = split(&key);
                prop_assert!(!partition.is_empty() && !rest.is_empty());
                prop_assert_eq!(join(partition, rest), key);
            }
        }
    }
}
