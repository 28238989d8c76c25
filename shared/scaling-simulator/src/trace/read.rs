//! Reads a trace, and says what is wrong with it or what was put right.
//!
//! Put right, and named in the report: rows out of order (sorted), the same row twice (kept once), missing rows and
//! empty values (a straight line between their neighbours, up to a tenth of the trace). Times that are each a little off are
//! put on the grid that they keep in the mean. Everything else is an error:
//! what a negative or infinite load or two values for one moment should mean is not for us to guess.

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
    /// Two values for one time.
    #[error("line {line}: the same time has stood above with another value")]
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
    if let Some(pair) =
        rows.windows(2).find(|pair| pair[0].seconds == pair[1].seconds && pair[0].value != pair[1].value)
    {
        return Err(TraceError::Twice { line: pair[0].line.max(pair[1].line) });
    }
    rows.dedup_by(|a, b| a.seconds == b.seconds);
    if rows.len() < before {
        repairs.push(Repair::Repeated { rows: before - rows.len() });
    }
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
    let grid = grid::of(&rows, usual).map_err(|error| mixed(&rows, FEW).unwrap_or(error))?;
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
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<f64> {
        read(text).map(|read| read.values).unwrap()
    }

    #[test]
    fn times_are_dates_or_seconds() {
        for text in [
            "timestamp,value\n2026-01-05T00:00:00Z,120\n2026-01-05T00:01:00Z,60\n",
            "timestamp,value\n0,120\n60,60\n",
            "\u{feff}time,requests\n# a remark\n0,120\n60,60\n",
        ] {
            let read = read(text).unwrap();
            assert_eq!((read.values, read.step.as_secs()), (vec![120.0, 60.0], 60), "{text}");
        }
    }

    #[test]
    fn what_can_be_put_right_is_put_right_and_named() {
        let unsorted = read("t,v\n60,2\n0,1\n120,3\n").unwrap();
        assert_eq!((unsorted.values, unsorted.repairs), (vec![1.0, 2.0, 3.0], vec![Repair::Sorted]));
        let repeated = read("t,v\n0,1\n60,2\n60,2\n120,3\n").unwrap();
        assert_eq!(repeated.repairs, vec![Repair::Repeated { rows: 1 }]);
        let row = |row: u32| format!("{},{row}\n", row * 60);
        let rows: Vec<String> = (0..20).filter(|number| *number != 7).map(row).collect();
        let rows = rows.concat();
        let gap = read(&format!("t,v\n{rows}")).unwrap();
        assert_eq!((gap.values[7], gap.repairs), (7.0, vec![Repair::Filled { rows: 1, line: 9 }]));
    }

    #[test]
    fn the_line_of_the_highest_value_is_known() {
        assert_eq!(
            read("t,v\n60,1e15\n0,1\n120,\n180,1e15\n240,3\n300,1\n360,1\n420,2\n480,2\n540,1\n600,1\n")
                .unwrap()
                .highest,
            Some(2)
        );
    }

    #[test]
    fn an_empty_value_is_a_gap() {
        let row = |row: u32| if row == 3 { "180,\n".to_owned() } else { format!("{},{row}\n", row * 60) };
        let rows: Vec<String> = (0..20).map(row).collect();
        let rows = rows.concat();
        assert_eq!(values(&format!("t,v\n{rows}"))[3], 3.0);
    }

    #[test]
    fn each_fault_names_its_line() {
        for (text, expected) in [
            ("timestamp,value\n0,1\nsoon,2\n", RowError::Time { line: 3, text: "soon".into() }.into()),
            (
                "timestamp,value\n0,1\n60,1e300\n",
                RowError::Value { line: 3, text: "1e300".into(), largest: LARGEST }.into(),
            ),
            ("timestamp,value\n0,1\n60,1\n60,2\n", TraceError::Twice { line: 4 }),
            (
                "timestamp,value\n0,1\n60,1\n120,1\n130,1\n180,1\n",
                TraceError::Grid { line: 5, step: 60, keep: 2, distances: 4 },
            ),
            (
                "timestamp,value\n0,1\n60,1\n120,1\n600,1\n",
                TraceError::Gaps { missing: 7, rows: 11, line: 5 },
            ),
            ("timestamp,value\n0,1\n60,\n120,1\n180,1\n", TraceError::Gaps { missing: 1, rows: 4, line: 3 }),
            ("0,1\n60,1\n", RowError::Header.into()),
            ("timestamp,value\n0,1\n", TraceError::TooShort),
            ("timestamp,value\n", TraceError::TooShort),
            ("", TraceError::TooShort),
        ] {
            assert_eq!(read(text).err(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn two_resolutions_in_one_trace_are_refused_whichever_comes_first() {
        let minutes = "0,1\n60,1\n120,1\n180,1\n";
        let fine = "190,1\n200,1\n";
        let coarse_first = read(&format!("t,v\n{minutes}{fine}"));
        assert_eq!(coarse_first.err(), Some(TraceError::Mixed { line: 6, before: 60, after: 10 }));
        let fine_first = read("t,v\n0,1\n10,1\n20,1\n30,1\n90,1\n150,1\n");
        let fault = fine_first.err().unwrap();
        let told = fault.to_string();
        assert_eq!(fault, TraceError::Mixed { line: 6, before: 10, after: 60 });
        assert!(told.contains("10 s apart above it and 60 s from it on"), "{told}");
    }

    /// Rows of these distances from 0 on.
    fn with_distances(distances: impl IntoIterator<Item = f64>) -> String {
        let mut seconds = 0.0;
        let later = distances.into_iter().map(|distance| {
            seconds += distance;
            seconds
        });
        let rows: Vec<String> = std::iter::once(0.0).chain(later).map(|at| format!("{at},1\n")).collect();
        format!("t,v\n{}", rows.concat())
    }

    #[test]
    fn a_short_part_of_another_resolution_is_no_gap() {
        let (fine, coarse) = (vec![60.0; 1000], vec![300.0; 20]);
        for (distances, told) in [
            (
                [fine.clone(), coarse.clone()].concat(),
                "line 1003: the rows are 60 s apart above it and 300 s",
            ),
            ([coarse.clone(), fine.clone()].concat(), "line 23: the rows are 300 s apart above it and 60 s"),
            ([fine.clone(), coarse, fine].concat(), "line 1003: the rows are 60 s apart above it and 300 s"),
        ] {
            let error = read(&with_distances(distances)).err().unwrap().to_string();
            assert!(error.contains(told), "{error}");
        }
        // The same with empty values in between, as a spreadsheet joins them.
        let row = |minute: u32| match minute {
            1000.. if !minute.is_multiple_of(5) => format!("{},\n", minute * 60),
            _ => format!("{},1\n", minute * 60),
        };
        let rows: Vec<String> = (0..1100).map(row).collect();
        let error = read(&format!("t,v\n{}", rows.concat())).err().unwrap().to_string();
        assert!(error.contains("60 s apart above it and 300 s from it on"), "{error}");
    }

    #[test]
    fn gaps_that_lie_anywhere_are_repaired() {
        let scattered = |minute: &u32| !minute.is_multiple_of(13) && !(400..410).contains(minute);
        // Two alike at the end, and at the begin, are no resolution yet.
        let ends = |minute: &u32| ![1, 3, 996, 998].contains(minute);
        for (gaps, missing) in [(&scattered as &dyn Fn(&u32) -> bool, 76 + 9), (&ends, 4)] {
            let row = |minute: u32| format!("{},1\n", minute * 60);
            let rows: Vec<String> =
                (0..1000).filter(|minute| *minute == 0 || gaps(minute)).map(row).collect();
            let read = read(&format!("t,v\n{}", rows.concat())).unwrap();
            let Some(Repair::Filled { rows, .. }) = read.repairs.first() else {
                panic!("{:?}", read.repairs)
            };
            assert_eq!((*rows, read.values.len()), (missing, 1000));
        }
    }

    #[test]
    fn times_that_are_all_a_little_off_keep_the_grid_that_they_have_in_all() {
        // Each off by up to 0.4 s on its own, and most distances a hair under a minute.
        let off = |minute: u32| [0.0, 0.4, 0.39, -0.4, 0.31, 0.3][minute as usize % 6];
        let rows = |step: f64| {
            let row = |minute: u32| format!("{:.2},1\n", 10.0 + f64::from(minute) * step + off(minute));
            (0..2880).map(row).collect::<Vec<_>>().concat()
        };
        let minutes = read(&format!("t,v\n{}", rows(60.0))).unwrap();
        assert_eq!((minutes.step.as_secs_f64(), minutes.values.len(), minutes.repairs), (60.0, 2880, vec![]));
        // A clock that is slow, told in whole seconds.
        let row = |row: u32| format!("{:.0},1\n", f64::from(row) * 60.4);
        let slow = read(&format!("t,v\n{}", (0..2880).map(row).collect::<Vec<_>>().concat())).unwrap();
        assert!((slow.step.as_secs_f64() - 60.4).abs() < 0.001 && slow.values.len() == 2880);
    }

    #[test]
    fn a_clock_that_goes_wrong_by_and_by_is_told_as_that() {
        let error =
            read(&with_distances([vec![60.4; 300], vec![59.6; 300]].concat())).err().unwrap().to_string();
        assert!(error.contains("adds up") && !error.contains("keep it"), "{error}");
    }

    #[test]
    fn more_than_ten_years_are_refused_before_they_are_spread_out() {
        let rows = |days: u32| {
            (0..=days * 2)
                .map(|half| format!("{},1\n", u64::from(half) * 43_200))
                .collect::<Vec<_>>()
                .concat()
        };
        let read = |days: u32| read(&format!("t,v\n{}", rows(days))).map(|read| read.values.len());
        assert_eq!(read(3_652), Ok(7_305));
        assert_eq!(read(83_900), Err(TraceError::TooWide { days: 83_900 }));
    }

    #[test]
    fn a_grid_that_few_rows_keep_is_not_said_to_be_that_of_most() {
        let error = read("t,v\n0,1\n60,1\n120,1\n130,1\n155,1\n195,1\n").err().unwrap();
        assert_eq!(error, TraceError::Grid { line: 3, step: 40, keep: 1, distances: 5 });
        assert!(error.to_string().contains("(1 of 5 distances keep it)"), "{error}");
    }

    #[test]
    fn times_in_another_unit_than_seconds_are_refused_with_a_question_for_the_unit() {
        for (first, second) in [
            ("1767571200000", "1767571260000"),             // milliseconds
            ("1767571200000000", "1767571260000000"),       // microseconds
            ("1767571200000000000", "1767571260000000000"), // nanoseconds
            ("253402207100", "253402207160"),               // the last days of 9999
            ("-400000000000", "-399999999940"),
            ("0", "9e17"),
            ("0", "60000"), // a minute in milliseconds since the start
        ] {
            let error = read(&format!("t,v\n{first},1\n{second},1\n")).err().unwrap();
            assert!(
                matches!(error, TraceError::Row(RowError::Era { .. }) | TraceError::Step { .. }),
                "{first}: {error}"
            );
            assert!(error.to_string().contains("are these milliseconds?"), "{error}");
        }
    }

    #[test]
    fn the_years_from_1970_to_2200_and_rows_up_to_twelve_hours_apart_are_read() {
        for text in [
            "t,v\n1970-01-01T00:00:00Z,1\n1970-01-01T12:00:00Z,1\n",
            "t,v\n2199-12-31T23:58:00Z,1\n2199-12-31T23:59:00Z,1\n",
        ] {
            assert_eq!(values(text), vec![1.0, 1.0]);
        }
    }

    #[test]
    fn less_than_a_minute_is_too_brief_and_a_minute_is_not() {
        assert_eq!(read("t,v\n0,1\n0.5,2\n1,3\n").err(), Some(TraceError::TooBrief { seconds: 2 }));
        assert_eq!(read("t,v\n0,1\n14,2\n28,3\n42,4\n").err(), Some(TraceError::TooBrief { seconds: 56 }));
        assert_eq!(values("t,v\n0,1\n15,2\n30,3\n45,4\n").len(), 4);
    }

    #[test]
    fn more_rows_than_can_be_simulated_are_refused() {
        let text = "t,v\n0,1\n60,1\n120,1\n";
        assert!(rows(text, 3).is_ok());
        assert_eq!(rows(text, 2).err(), Some(TraceError::TooLong));
        assert!(TraceError::TooLong.to_string().contains("320000000"));
    }
}
