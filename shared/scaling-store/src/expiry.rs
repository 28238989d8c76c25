//! Expiry in whole seconds since 1970: what DynamoDB's time to live understands. Rounded up, so that a record is
//! never gone before its time.

use jiff::Timestamp;

/// Seconds since 1970, rounded up.
///
/// A record is there while its expiry is not before now; with both rounded up, comparing the seconds answers
/// that exactly for an expiry that is a whole second.
pub(crate) fn seconds(moment: Timestamp) -> i64 {
    // A moment before 1970 counts its fraction downwards, which rounds up by itself.
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}

/// The moment of `seconds`; `None` outside the years that a timestamp can tell.
pub(crate) fn moment(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::{moment, seconds};

    #[test]
    fn rounds_up_and_keeps_whole_seconds() {
        for (text, expected) in [
            ("1970-01-01T00:00:10Z", 10),
            ("1970-01-01T00:00:10.000000001Z", 11),
            ("1970-01-01T00:00:10.999Z", 11),
            ("1969-12-31T23:59:58.5Z", -1),
        ] {
            assert_eq!(seconds(text.parse().unwrap()), expected, "{text}");
        }
        assert_eq!(moment(10).map(seconds), Some(10));
        assert_eq!(moment(i64::MAX), None);
    }
}
