//! Continuation tokens: opaque to callers, checked on the way back.

use crate::wire::AwsError;

/// A token that holds `numbers`.
pub fn token(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(|number| format!("{number:016x}")).collect();
    format!("{}{:016x}", words.concat(), checksum(words.concat().as_bytes()))
}

/// The numbers that a token holds.
///
/// # Errors
/// `InvalidNextToken` for what [`token`] did not write.
pub fn numbers<const N: usize>(token: &str) -> Result<[u64; N], AwsError> {
    let wrong = || AwsError::new("InvalidNextToken", "The next token is not valid.");
    let (words, sum) = token.split_at_checked(16 * N).ok_or_else(wrong)?;
    if format!("{:016x}", checksum(words.as_bytes())) != sum {
        return Err(wrong());
    }
    let mut numbers = [0; N];
    for (number, start) in numbers.iter_mut().zip((0..).step_by(16)) {
        let word = words.get(start..start + 16).ok_or_else(wrong)?;
        *number = u64::from_str_radix(word, 16).map_err(|_| wrong())?;
    }
    Ok(numbers)
}

/// FNV-1a.
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One page of a list: at most `size` items from the position in the token, and the token of the next page.
///
/// # Errors
/// `InvalidNextToken` for a token that is none.
pub fn page<T>(items: Vec<T>, size: usize, next: Option<&str>) -> Result<(Vec<T>, Option<String>), AwsError> {
    let [start] = next.map_or(Ok([0]), numbers)?;
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let end = start.saturating_add(size);
    let following = (end < items.len()).then(|| token(&[end as u64]));
    Ok((items.into_iter().skip(start).take(size).collect(), following))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let items: Vec<u32> = (0..25).collect();
        let (mut seen, mut next) = (Vec::new(), None);
        loop {
            let (page, following) = page(items.clone(), 10, next.as_deref()).unwrap();
            seen.extend(page);
            match following {
                Some(token) => next = Some(token),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    proptest! {
        #[test]
        fn tokens_are_read_back_and_nothing_else_is(given in any::<[u64; 3]>(), text in ".{0,80}") {
            prop_assert_eq!(numbers::<3>(&token(&given)).unwrap(), given);
            prop_assert!(numbers::<3>(&text).is_err());
            prop_assert!(numbers::<2>(&token(&given)).is_err());
        }
    }
}
