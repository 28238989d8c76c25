//! Traces: CSV with a header such as `timestamp,value`, ISO 8601 or seconds, on a uniform grid.

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::Load;
use super::plausible::{ImplausibleStep, is_plausible_step};
use super::rows::{Row, RowError};

/// Most requests in one period of a trace.
const LARGEST_VALUE: u64 = 1_000_000_000;

/// Shortest period of a trace, in seconds.
const SHORTEST_STEP: f64 = 1.0;

/// Why a trace could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TraceError {
    /// A row cannot be read.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Rows so far apart that the unit is another one, or that no day can be seen in them.
    #[error("line {line}: the rows are {seconds} s apart, {}", ImplausibleStep)]
    Step {
        /// Line in the file, from 1.
        line: u64,
        /// Distance of the first two rows, in seconds.
        seconds: u64,
    },
    /// A row has no value.
    #[error("line {line}: the value is missing")]
    Empty {
        /// Line in the file, from 1.
        line: u64,
    },
    /// The times are not on a uniform grid that grows by a second at least.
    #[error("line {line}: the times must grow by the same step on every line, by a second at least")]
    Grid {
        /// Line in the file, from 1.
        line: u64,
    },
    /// Fewer than two rows.
    #[error("a trace needs at least two rows")]
    TooShort,
}

impl Load {
    /// Reads a trace of counts per period. The load starts at `start`, whatever the trace's own dates, and its
    /// rates are values over the period; scale it with [`Load::scaled_to_mean`] where the values are no counts.
    pub fn from_csv(text: &str, start: Timestamp) -> Result<Self, TraceError> {
        let mut rows: Vec<(f64, f64)> = Vec::new();
        let mut step = 0.0;
        for row in super::rows::rows(text, LARGEST_VALUE)? {
            let Row { line, seconds, value } = row?;
            let row = (seconds, value.ok_or(TraceError::Empty { line })?);
            match rows.len() {
                0 => {}
                1 => {
                    step = row.0 - rows[0].0;
                    if step < SHORTEST_STEP {
                        return Err(TraceError::Grid { line });
                    }
                    if !is_plausible_step(step) {
                        return Err(TraceError::Step { line, seconds: whole_seconds(step) });
                    }
                }
                count => {
                    let expected = rows[0].0 + step * count as f64;
                    if (row.0 - expected).abs() > 0.5 {
                        return Err(TraceError::Grid { line });
                    }
                }
            }
            rows.push(row);
        }
        if rows.len() < 2 {
            return Err(TraceError::TooShort);
        }
        let rates = rows.iter().map(|(_, value)| value / step).collect();
        Ok(Self::new(start, Duration::from_secs_f64(step), rates))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the distance of two plausible times, in their order"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Load, TraceError> {
        Load::from_csv(text, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn counts_become_rates() {
        for text in [
            "timestamp,value\n2026-01-05T00:00:00Z,120\n2026-01-05T00:01:00Z,60\n",
            "timestamp,value\n0,120\n60,60\n",
        ] {
            let load = read(text).unwrap();
            assert_eq!((load.rate(load.start()), load.peak(), load.mean()), (2.0, 2.0, 1.5));
        }
    }

    #[test]
    fn each_fault_names_its_line() {
        for (text, expected) in [
            ("timestamp,value\n0,1\nsoon,2\n", RowError::Time { line: 3, text: "soon".into() }.into()),
            (
                "timestamp,value\n0,1\n60,1e300\n",
                RowError::Value { line: 3, text: "1e300".into(), largest: 1_000_000_000 }.into(),
            ),
            ("timestamp,value\n0,1\n60,\n", TraceError::Empty { line: 3 }),
            ("timestamp,value\n0,1\n60,1\n180,1\n", TraceError::Grid { line: 4 }),
            ("timestamp,value\n60,1\n0,1\n", TraceError::Grid { line: 3 }),
            ("timestamp,value\n0,1\n1e-13,1\n", TraceError::Grid { line: 3 }),
            ("timestamp,value\n0,1\n60000,1\n", TraceError::Step { line: 3, seconds: 60_000 }),
            ("0,1\n60,1\n120,1\n", RowError::Header.into()),
            ("timestamp,value\n0,1\n", TraceError::TooShort),
            ("", TraceError::TooShort),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text:?}");
        }
    }
}
