//! Pages of an answer: `MaxRecords` and `NextToken`.

use crate::cloudwatch::paging::checksum;
use crate::wire::AwsError;

/// A page, and the token of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The page.
    pub items: Vec<T>,
    /// `None` on the last one.
    pub next_token: Option<String>,
}

/// How many records a page may hold: by default and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes(pub usize, pub usize);

impl Sizes {
    /// The size asked for, or the service's error.
    pub fn choose(self, asked: Option<i64>) -> Result<usize, AwsError> {
        let Self(default, most) = self;
        let Some(asked) = asked else { return Ok(default) };
        let side = match usize::try_from(asked) {
            Ok(size) if (1..=most).contains(&size) => return Ok(size),
            Ok(size) if size > most => format!("less than or equal to {most}"),
            _ => "greater than or equal to 1".to_owned(),
        };
        Err(AwsError::validation(format!(
            "1 validation error detected: Value '{asked}' at 'maxRecords' failed to satisfy constraint: Member must \
             have value {side}"
        )))
    }
}

/// Most names, or ids, of one call.
const MOST_NAMES: usize = 50;

/// Refuses more names in one call than the service takes, `what` being what they are of.
pub fn not_too_many(names: &[String], what: &str) -> Result<(), AwsError> {
    match names.len() {
        many if many > MOST_NAMES => Err(AwsError::validation(format!(
            "The number of {what} specified ({many}) is greater than the maximum of {MOST_NAMES}."
        ))),
        _ => Ok(()),
    }
}

/// Cuts a page of `size` out of items that stand in the order of their keys. A token tells the next item's key; items
/// that came or went meanwhile do not disturb it.
pub fn sorted<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    size: usize,
) -> Result<Page<T>, AwsError> {
    let first = match token {
        None => 0,
        Some(token) => {
            let next = told(token)?;
            items.partition_point(|item| key(item) < next)
        }
    };
    Ok(cut(items, first, size, key))
}

/// Cuts a page of `size` out of items in any order; the token tells the next item's key, which must still be there.
pub fn listed<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    size: usize,
) -> Result<Page<T>, AwsError> {
    let first = match token {
        None => 0,
        Some(token) => {
            let next = told(token)?;
            items.iter().position(|item| key(item) == next).ok_or_else(|| invalid(token))?
        }
    };
    Ok(cut(items, first, size, key))
}

fn cut<T>(items: Vec<T>, first: usize, size: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let mut rest = items.into_iter().skip(first);
    let page = rest.by_ref().take(size).collect();
    Page { items: page, next_token: rest.next().map(|next| token_of(&key(&next))) }
}

/// A token that tells a key: opaque to callers, with a checksum in front of it.
fn token_of(key: &str) -> String {
    let hex = key.bytes().map(|byte| format!("{byte:02x}"));
    format!("{:016x}{}", checksum(key.as_bytes()), hex.collect::<String>())
}

/// The key that a token tells.
fn told(token: &str) -> Result<String, AwsError> {
    let (_, hex) = token.split_at_checked(16).ok_or_else(|| invalid(token))?;
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid(token))?;
    if token_of(&key) == token { Ok(key) } else { Err(invalid(token)) }
}

fn invalid(token: &str) -> AwsError {
    AwsError::new("InvalidNextToken", format!("The token '{token}' is invalid."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_even_when_items_come_and_go() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let first = sorted(names("a b c d"), String::clone, None, 2).unwrap();
        assert_eq!(first.items, names("a b"));
        let token = first.next_token;
        let second = sorted(names("a b bb d e"), String::clone, token.as_deref(), 2).unwrap();
        assert_eq!((second.items, second.next_token), (names("d e"), None));
    }

    #[test]
    fn a_token_that_nobody_gave_is_refused() {
        let forged = format!("{}61", &token_of("b")[..16]);
        let gone = token_of("b");
        for token in [
            "x",
            "bogus",
            "",
            "0123456789abcdef",
            "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}6",
            &forged,
        ] {
            let error = sorted(vec!["a"], |item| (*item).to_owned(), Some(token), 1).unwrap_err();
            assert_eq!(error.code, "InvalidNextToken", "{token}");
        }
        let error = listed(vec!["a"], |item| (*item).to_owned(), Some(&gone), 1).unwrap_err();
        assert_eq!(error.code, "InvalidNextToken");
    }

    #[test]
    fn sizes_outside_the_bounds_are_refused() {
        let sizes = Sizes(50, 100);
        assert_eq!([sizes.choose(None), sizes.choose(Some(100))], [Ok(50), Ok(100)]);
        for asked in [0, -1, 101] {
            assert_eq!(sizes.choose(Some(asked)).unwrap_err().code, "ValidationError");
        }
    }
}
