//! Prefixes as ranges of keys, which an index answers; LIKE would fold case and give characters a meaning.

/// The least text above every text that starts with `prefix`; `None` if there is none.
pub(super) fn above(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The range steps over the surrogates, and is empty after the last character.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::above;

    #[test]
    fn steps_over_what_is_no_character() {
        assert_eq!(above("a/b/"), Some("a/b0".to_owned()));
        assert_eq!(above("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(above("a\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(above("\u{10ffff}"), None);
        assert_eq!(above(""), None);
    }

    proptest! {
        #[test]
        fn a_range_holds_exactly_what_starts_with_the_prefix(
            prefix in "[ab\u{7f}-\u{81}\u{d7ff}\u{10ffff}]{1,3}", text in "[a-c\u{7f}-\u{82}\u{e000}\u{10ffff}]{0,4}"
        ) {
            let inside = text >= prefix && above(&prefix).is_none_or(|end| text < end);
            prop_assert_eq!(inside, text.starts_with(&prefix));
        }
    }
}
