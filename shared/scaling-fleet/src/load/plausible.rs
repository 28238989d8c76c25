//! Which times a trace can have: a file in milliseconds is refused, not taken to be a thousand times as long.

use std::fmt;

/// 2200-01-01T00:00:00Z, in seconds. Milliseconds since 1970 are beyond it from June 1970 on.
const LATEST: f64 = 7_258_118_400.0;

/// Longest distance of two rows, in seconds: with fewer than two rows a day there is no day to be seen, and a minute in
/// milliseconds is longer.
const LONGEST_STEP: f64 = 12.0 * 3600.0;

/// Whether a trace can have a row at so many seconds since 1970, or since its own beginning.
pub(super) fn is_plausible_time(seconds: f64) -> bool {
    (0.0..LATEST).contains(&seconds)
}

/// Whether the rows of a trace can be so many seconds apart.
pub fn is_plausible_step(seconds: f64) -> bool {
    seconds <= LONGEST_STEP
}

/// What is wrong with this time, and what to do, for an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImplausibleTime<'a>(pub(super) &'a str);

impl fmt::Display for ImplausibleTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is outside of the years 1970 to 2199 in seconds; {QUESTION}", self.0)
    }
}

/// What is wrong with a step, and what to do, for the end of an error.
#[derive(Debug, Clone, Copy)]
pub struct ImplausibleStep;

impl fmt::Display for ImplausibleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than 12 hours; {QUESTION}")
    }
}

const QUESTION: &str = "are these milliseconds? Times are ISO 8601 or seconds: divide them by 1000 (microseconds by \
                        1000000, nanoseconds by 1000000000)";
