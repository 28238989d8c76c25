//! Traces: CSV with a header `timestamp,value`, ISO 8601 or seconds, on a uniform grid.

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::Load;
use super::plausible::{ImplausibleStep, ImplausibleTime, is_plausible_step, is_plausible_time};

/// Most requests in one period of a trace.
const LARGEST_VALUE: f64 = 1e9;

/// Shortest period of a trace, in seconds.
const SHORTEST_STEP: f64 = 1.0;

/// Why a trace could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TraceError {
    /// Not CSV, or not of two columns.
    #[error("line {line}: {message}; a trace has a header `timestamp,value` and two columns")]
    Csv {
        /// Line in the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// Not a time.
    #[error("line {line}: `{text}` is not a time; use ISO 8601 such as 2026-01-05T00:00:00Z, or seconds")]
    Time {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// A time at which there was, or will be, no service: the unit is another one.
    #[error("line {line}: {}", ImplausibleTime(.text))]
    Era {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// Rows so far apart that the unit is another one, or that no day can be seen in them.
    #[error("line {line}: the rows are {seconds} s apart, {}", ImplausibleStep)]
    Step {
        /// Line in the file, from 1.
        line: u64,
        /// Distance of the first two rows, in seconds.
        seconds: u64,
    },
    /// Not a number from 0 to 1e9.
    #[error("line {line}: `{text}` is not a number from 0 to {LARGEST_VALUE}")]
    Value {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// The times are not on a uniform grid that grows by a second at least.
    #[error("line {line}: the times must grow by the same step on every line, by a second at least")]
    Grid {
        /// Line in the file, from 1.
        line: u64,
    },
    /// The first line is a row.
    #[error("line 1 is no header; write `timestamp,value` above the rows")]
    Header,
    /// Fewer than two rows.
    #[error("a trace needs at least two rows")]
    TooShort,
}

impl Load {
    /// Reads a trace of counts per period. The load starts at `start`, whatever the trace's own dates, and its
    /// rates are values over the period; scale it with [`Load::scaled_to_mean`] where the values are no counts.
    pub fn from_csv(text: &str, start: Timestamp) -> Result<Self, TraceError> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let header =
            reader.headers().map_err(|error| TraceError::Csv { line: 1, message: error.to_string() })?;
        if header.get(0).is_some_and(|cell| time(cell.trim()).is_some()) {
            return Err(TraceError::Header);
        }
        let mut rows: Vec<(f64, f64)> = Vec::new();
        let mut step = 0.0;
        for record in reader.records() {
            let record = record.map_err(|error| TraceError::Csv {
                line: error.position().map_or(0, csv::Position::line),
                message: error.to_string(),
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let row = parse_row(&record, line)?;
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

/// Seconds since 1970, or since whenever the trace counts from.
fn time(text: &str) -> Option<f64> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    seconds.or_else(|| text.parse::<Timestamp>().ok().map(|time| time.as_duration().as_secs_f64()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the distance of two plausible times, in their order"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.round() as u64
}

fn parse_row(record: &csv::StringRecord, line: u64) -> Result<(f64, f64), TraceError> {
    let cell = |column: usize| record.get(column).unwrap_or("").trim();
    let time = time(cell(0)).ok_or_else(|| TraceError::Time { line, text: cell(0).to_owned() })?;
    if !is_plausible_time(time) {
        return Err(TraceError::Era { line, text: cell(0).to_owned() });
    }
    let value = cell(1)
        .parse::<f64>()
        .ok()
        .filter(|value| (0.0..=LARGEST_VALUE).contains(value))
        .ok_or_else(|| TraceError::Value { line, text: cell(1).to_owned() })?;
    Ok((time, value))
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
            ("timestamp,value\n0,1\nsoon,2\n", TraceError::Time { line: 3, text: "soon".into() }),
            ("timestamp,value\n0,1\n60,-2\n", TraceError::Value { line: 3, text: "-2".into() }),
            ("timestamp,value\n0,1\n60,NaN\n", TraceError::Value { line: 3, text: "NaN".into() }),
            ("timestamp,value\n0,1\n60,1e300\n", TraceError::Value { line: 3, text: "1e300".into() }),
            ("timestamp,value\n0,1\nNaN,2\n", TraceError::Time { line: 3, text: "NaN".into() }),
            ("timestamp,value\n0,1\n1e300,2\n", TraceError::Era { line: 3, text: "1e300".into() }),
            ("timestamp,value\n0,1\n60,1\n180,1\n", TraceError::Grid { line: 4 }),
            ("timestamp,value\n60,1\n0,1\n", TraceError::Grid { line: 3 }),
            ("timestamp,value\n0,1\n1e-13,1\n", TraceError::Grid { line: 3 }),
            ("timestamp,value\n0,1\n60000,1\n", TraceError::Step { line: 3, seconds: 60_000 }),
            ("timestamp,value\n1767571200000,1\n", TraceError::Era { line: 2, text: "1767571200000".into() }),
            ("0,1\n60,1\n120,1\n", TraceError::Header),
            ("timestamp,value\n0,1\n", TraceError::TooShort),
            ("", TraceError::TooShort),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text:?}");
        }
    }
}
