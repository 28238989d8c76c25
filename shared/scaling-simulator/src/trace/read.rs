//! Reads a trace, and says what is wrong with it or what was put right.
//!
//! Put right, and named in the report: rows out of order (sorted), the same row twice (kept once), missing rows and
//! empty values (a straight line between their neighbours, up to a tenth of the trace). Times that are each a little off are
//! put on the grid that they keep in the mean; two that are then at one place of it are the same time. Everything else is
//! an error: what a negative or infinite load or two values for one moment should mean is not for us to guess.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::load::{ImplausibleStep, Row, RowError, is_plausible_step};
use thiserror::Error;

use super::grid::{self, Grid};
use super::resolution::{self, Change};

/// Largest share of rows that may be missing.
const MOST_MISSING: f64 = 0.1;

/// More rows than this are refused: ten years of seconds.
const MOST_ROWS: usize = 320_000_000;

/// Equal distances on either side that another resolution has at least, where the rows keep no grid.
const FEW: usize = 2;

/// The same where all rows keep one: fewer that are alike may be gaps.
const SOME: usize = 4;

/// Longer traces are refused: each 15 s of them are an interval of the simulation. Ten years, in seconds.
const LONGEST: f64 = 3_652.5 * 86_400.0;

/// A load above this is a slip: no service has 10^15 requests in a period.
const LARGEST: u64 = 1_000_000_000_000_000;

/// Shortest trace, in seconds: the figures are taken by the minute.
const LEAST_LENGTH: f64 = 60.0;

/// Why a trace could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TraceError {
    /// A row cannot be read.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Rows so far apart that the unit is another one, or that no day can be seen in them.
    #[error("the rows are {seconds} s apart, {}", ImplausibleStep)]
    Step {
        /// Median distance of two rows, in seconds.
        seconds: u64,
    },
    /// Two values for one time, or for two that are at one place of the grid.
    #[error(
        "line {line}: the same time, or one within two seconds of it, has stood above with another value"
    )]
    Twice {
        /// Line in the file, from 1.
        line: u64,
    },
    /// The times do not lie on one grid.
    #[error(
        "line {line}: the time is off the grid of {step} s, the median distance of two rows ({keep} of {distances} \
         distances keep it); bring the trace to one resolution"
    )]
    Grid {
        /// Line in the file, from 1.
        line: u64,
        /// The median distance of two rows, in whole seconds.
        step: u64,
        /// Distances of two rows that are this step.
        keep: usize,
        /// Distances of two rows.
        distances: usize,
    },
    /// The times are each on the grid of their neighbours, but not of the whole trace.
    #[error(
        "line {line}: the rows are {step} s apart, each to within a second, but what they are off adds up to more than a \
         second by this line; round the times to whole steps"
    )]
    Drift {
        /// Line in the file, from 1.
        line: u64,
        /// The median distance of two rows, in whole seconds.
        step: u64,
    },
    /// A part of the trace has another resolution than the part before it.
    #[error(
        "line {line}: the rows are {before} s apart above it and {after} s from it on; bring the trace to one resolution, \
         or cut it there"
    )]
    Mixed {
        /// The first line in the file of another resolution, from 1.
        line: u64,
        /// Distance of two rows before it, in whole seconds.
        before: u64,
        /// Distance of two rows from it on, in whole seconds.
        after: u64,
    },
    /// It lasts longer than can be simulated.
    #[error("the trace lasts {days} days, more than the ten years that can be simulated; cut it")]
    TooWide {
        /// How long it lasts, in whole days.
        days: u64,
    },
    /// Too much is missing.
    #[error(
        "{missing} of {rows} rows are missing or empty, the first at line {line}, more than a tenth; fill or cut the trace \
         first"
    )]
    Gaps {
        /// Rows that are missing.
        missing: usize,
        /// Rows that there should be.
        rows: usize,
        /// Line in the file, from 1, that is empty or stands after the first gap.
        line: u64,
    },
    /// Fewer than two rows.
    #[error("a trace needs at least two rows")]
    TooShort,
    /// Shorter than a minute.
    #[error("the trace is {seconds} s long; it needs a minute at least (times are in seconds)")]
    TooBrief {
        /// Its length in whole seconds, rounded up.
        seconds: u64,
    },
    /// More rows than can be simulated.
    #[error("a trace has at most {MOST_ROWS} rows")]
    TooLong,
}

/// What was put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Rows that stood out of order were sorted.
    Sorted,
    /// Rows that stood there twice with the same value were kept once.
    Repeated {
        /// How many.
        rows: usize,
    },
    /// Missing rows and empty values were filled with a straight line between their neighbours.
    Filled {
        /// How many.
        rows: usize,
        /// Line in the file, from 1, that is empty or stands after the first gap.
        line: u64,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sorted => f.write_str("rows were out of order and have been sorted"),
            Self::Repeated { rows } => write!(f, "{rows} rows stood there twice and were kept once"),
            Self::Filled { rows, line } => write!(
                f,
                "{rows} rows were missing or empty, the first at line {line}, and were filled in with straight lines"
            ),
        }
    }
}

pub(super) struct Read {
    pub(super) start: Timestamp,
    pub(super) step: Duration,
    pub(super) values: Vec<f64>,
    pub(super) repairs: Vec<Repair>,
    /// Line of the highest value.
    pub(super) highest: Option<u64>,
}

pub(super) fn read(text: &str) -> Result<Read, TraceError> {
    let mut rows = rows(text, MOST_ROWS)?;
    let mut repairs = Vec::new();
    if !rows.is_sorted_by(|a, b| a.seconds <= b.seconds) {
        rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        repairs.push(Repair::Sorted);
    }
    let before = rows.len();
    keep_once(&mut rows)?;
    let (Some(first), true) = (rows.first(), rows.len() >= 2) else { return Err(TraceError::TooShort) };
    let start = Timestamp::from_second(whole_seconds(first.seconds)).unwrap_or(Timestamp::UNIX_EPOCH);
    let usual = grid::usual_step(&rows);
    if !is_plausible_step(usual) {
        return Err(TraceError::Step { seconds: whole_seconds(usual).unsigned_abs() });
    }
    let lasts = rows[rows.len() - 1].seconds - first.seconds;
    if lasts > LONGEST {
        return Err(TraceError::TooWide { days: whole_seconds(lasts / 86_400.0).unsigned_abs() });
    }
    let mut grid = grid::of(&rows, usual).map_err(|error| mixed(&rows, FEW).unwrap_or(error))?;
    keep_one_a_place(&mut rows, &mut grid.places)?;
    if rows.len() < before {
        repairs.push(Repair::Repeated { rows: before - rows.len() });
    }
    let (values, filled) = spread(&rows, &grid).map_err(|error| mixed(&rows, FEW).unwrap_or(error))?;
    if let Some(error) = filled.as_ref().and_then(|_| mixed(&rows, SOME)) {
        return Err(error);
    }
    let length = values.len() as f64 * grid.step;
    if length < LEAST_LENGTH {
        return Err(TraceError::TooBrief { seconds: whole_seconds(length.ceil()).unsigned_abs() });
    }
    repairs.extend(filled.map(|gap| Repair::Filled { rows: gap.missing, line: gap.line }));
    let highest = rows.iter().filter(|row| row.value.is_some()).max_by(|a, b| {
        let value = |row: &Row| row.value.unwrap_or(0.0);
        // Of equal ones the first.
        value(a).total_cmp(&value(b)).then(b.seconds.total_cmp(&a.seconds))
    });
    let highest = highest.map(|row| row.line);
    Ok(Read { start, step: Duration::from_secs_f64(grid.step), values, repairs, highest })
}

fn rows(text: &str, most: usize) -> Result<Vec<Row>, TraceError> {
    let mut rows = Vec::new();
    for row in scaling_fleet::load::rows(text, LARGEST)? {
        rows.push(row?);
        if rows.len() > most {
            return Err(TraceError::TooLong);
        }
    }
    Ok(rows)
}

/// Keeps one row of each time.
fn keep_once(rows: &mut Vec<Row>) -> Result<(), TraceError> {
    agree(rows, |at| rows[at - 1].seconds == rows[at].seconds)?;
    rows.dedup_by(|a, b| a.seconds == b.seconds);
    Ok(())
}

/// Keeps one row of each place: of two, one would be forgotten without a word.
fn keep_one_a_place(rows: &mut Vec<Row>, places: &mut Vec<usize>) -> Result<(), TraceError> {
    let is_same = |at: usize| places[at - 1] == places[at];
    agree(rows, is_same)?;
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        at == 1 || !is_same(at - 1)
    });
    places.dedup();
    Ok(())
}

/// Nothing where every row that is at the same moment as the one before it, by its index, has the same value.
fn agree(rows: &[Row], is_same: impl Fn(usize) -> bool) -> Result<(), TraceError> {
    let differs = |at: &usize| is_same(*at) && rows[at - 1].value != rows[*at].value;
    match (1..rows.len()).find(differs) {
        Some(at) => Err(TraceError::Twice { line: rows[at - 1].line.max(rows[at].line) }),
        None => Ok(()),
    }
}

/// The fault of a trace of two resolutions, where it is one: of those rows that have a value, so many alike.
fn mixed(rows: &[Row], least: usize) -> Option<TraceError> {
    let known: Vec<Row> = rows.iter().filter(|row| row.value.is_some()).copied().collect();
    let Change { line, before, after } = resolution::change(&known, least)?;
    let seconds = |distance: f64| whole_seconds(distance).unsigned_abs();
    Some(TraceError::Mixed { line, before: seconds(before), after: seconds(after) })
}

/// What is not there.
struct Gap {
    missing: usize,
    /// Line that is empty or stands after the first gap.
    line: u64,
}

/// The line of the first row that is empty or not where its neighbour before it lets expect it, given their places.
fn first_gap(rows: &[Row], places: &[usize]) -> u64 {
    let mut expected = 0;
    let gap = rows.iter().zip(places).find(|(row, place)| {
        let found = row.value.is_none() || **place > expected;
        expected = **place + 1;
        found
    });
    gap.map_or(0, |(row, _)| row.line)
}

/// The values on the grid from the first row on, and what of them had to be filled in.
fn spread(rows: &[Row], Grid { places, .. }: &Grid) -> Result<(Vec<f64>, Option<Gap>), TraceError> {
    let length = places.last().map_or(0, |place| place.saturating_add(1));
    let known: Vec<(usize, f64)> =
        places.iter().zip(rows).filter_map(|(place, row)| Some((*place, row.value?))).collect();
    let missing = length.saturating_sub(known.len());
    let gap = (missing > 0).then(|| Gap { missing, line: first_gap(rows, places) });
    if known.len() < 2 {
        return Err(TraceError::TooShort);
    }
    if let Some(Gap { missing, line }) = gap
        && missing as f64 > MOST_MISSING * length as f64
    {
        return Err(TraceError::Gaps { missing, rows: length, line });
    }
    let mut values = vec![known[0].1; length];
    for pair in known.windows(2) {
        let ((from, first), (to, second)) = (pair[0], pair[1]);
        for (offset, value) in values[from..=to].iter_mut().enumerate() {
            *value = first + (second - first) * offset as f64 / (to - from).max(1) as f64;
        }
    }
    let (last, value) = known[known.len() - 1];
    values[last..].fill(value);
    Ok((values, gap))
}

#[expect(clippy::cast_possible_truncation, reason = "times of traces are far below 2^53 seconds")]
pub(super) fn whole_seconds(seconds: f64) -> i64 {
    seconds.round() as i64
}

#[cfg(test)]
mod tests;
