//! Cursors: how the `next` of a page looks. The parameters state the same shapes as patterns, so that what fits
//! them is accepted. A cursor is a place in an order, not a moment: the 31st of February lies behind the 28th.

use jiff::civil::Date;

/// Longest cursor, in bytes.
pub(crate) const LONGEST: usize = 128;

/// How a day is written at the beginning of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// 2026-03-02
    Dashed,
    /// 20260302
    Compact,
}

impl Day {
    /// As strftime has it.
    pub(crate) const fn format(self) -> &'static str {
        match self {
            Self::Dashed => "%Y-%m-%d",
            Self::Compact => "%Y%m%d",
        }
    }

    const fn shape(self) -> &'static str {
        match self {
            Self::Dashed => "0000-00-00",
            Self::Compact => "00000000",
        }
    }

    /// The day that a cursor begins with, or the nearest one that there is before the day it names; `None` where it is
    /// no cursor.
    pub(crate) fn of(self, cursor: &str) -> Option<Date> {
        let rest = after_shape(self.shape(), cursor)?;
        let is_plain = cursor.len() <= LONGEST && rest.bytes().all(|byte| byte.is_ascii_graphic());
        let digits: String = cursor[..self.shape().len()].chars().filter(char::is_ascii_digit).collect();
        let number = |range: std::ops::Range<usize>| digits[range].parse::<i16>().ok();
        let month = i8::try_from(number(4..6)?).ok()?.clamp(1, 12);
        let first = Date::new(number(0..4)?, month, 1).ok().filter(|_| is_plain)?;
        let day = i8::try_from(number(6..8)?).ok()?.clamp(1, first.days_in_month());
        first.with().day(day).build().ok()
    }
}

/// Whether text is an event's id: a moment, a number, and something that makes it unique; or the beginning of one that
/// ends with the moment.
pub(crate) fn is_event(text: &str) -> bool {
    let is_rest = |rest: &str| {
        let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        is_plain && (rest.is_empty() || rest.starts_with('-'))
    };
    text.len() <= LONGEST && after_shape("0000-00-00T00:00:00.000Z", text).is_some_and(is_rest)
}

/// What follows the shape that text begins with, where it does; a zero in the shape stands for any digit.
fn after_shape<'a>(shape: &str, text: &'a str) -> Option<&'a str> {
    let (beginning, rest) = text.split_at_checked(shape.len())?;
    let fits = |(is, shall): (u8, u8)| if shall == b'0' { is.is_ascii_digit() } else { is == shall };
    beginning.bytes().zip(shape.bytes()).all(fits).then_some(rest)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_cursor_lies_in_the_day_that_it_begins_with() {
        assert_eq!(Day::Dashed.of("2026-03-02T08:00:00.000Z-7"), Some(date(2026, 3, 2)));
        assert_eq!(Day::Compact.of("20260302T080000-0f"), Some(date(2026, 3, 2)));
    }

    #[test]
    fn a_day_that_no_calendar_has_is_a_place_before_it() {
        assert_eq!(Day::Dashed.of("2026-02-31"), Some(date(2026, 2, 28)));
        assert_eq!(Day::Dashed.of("2024-02-31"), Some(date(2024, 2, 29)));
        assert_eq!(Day::Compact.of("00009999"), Some(date(0, 12, 31)));
        assert_eq!(Day::Compact.of("20260000"), Some(date(2026, 1, 1)));
    }

    #[test]
    fn what_has_not_the_shape_is_no_cursor() {
        for text in ["", "2026", "2026-3-02", "2026-03-02 8", "2026-03-0\u{e9}", "x026-03-02"] {
            assert_eq!(Day::Dashed.of(text), None, "{text:?}");
        }
        assert_eq!(Day::Dashed.of(&format!("2026-03-02{}", "x".repeat(LONGEST))), None);
        assert_eq!(Day::Compact.of("2026-03-02"), None);
    }

    #[test]
    fn an_event_s_id_is_a_moment_alone_or_one_with_more() {
        assert!(is_event("2026-03-02T08:00:00.000Z"));
        assert!(is_event("2026-03-02T08:00:00.000Z-000001-ab"));
        for text in
            ["", "0", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000Zx", "2026-03-02T08:00:00.000Z-a/b"]
        {
            assert!(!is_event(text), "{text:?}");
        }
    }
}
