//! The rows of a trace as they stand in its file: CSV with a header and two columns, ISO 8601 or seconds, and a count. What
//! the header calls them is nobody's business, unless it says that the time stands second.

use jiff::Timestamp;
use thiserror::Error;

use super::plausible::{ImplausibleTime, is_plausible_time};

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Seconds since 1970, or since whenever the trace counts from.
    pub seconds: f64,
    /// The count; `None` where nothing stands there.
    pub value: Option<f64>,
}

/// Why a row could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RowError {
    /// Not CSV, or not of two columns.
    #[error("line {line}: {message}; a trace has a header such as `timestamp,value` and two columns")]
    Csv {
        /// Line in the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// The first line is a row.
    #[error("line 1 is no header; write one, such as `timestamp,value`, above the rows")]
    Header,
    /// The header names the time second.
    #[error(
        "line 1: by the header, `{first},{second}`, the time stands in the second column; put the time first and the value \
         second, in the header and in every row"
    )]
    Swapped {
        /// Name of the first column.
        first: String,
        /// Name of the second column.
        second: String,
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
    /// Not a number in the range.
    #[error("line {line}: `{text}` is not a number from 0 to {largest}")]
    Value {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        text: String,
        /// The largest count that is taken.
        largest: u64,
    },
}

/// The rows of `text` in their order, with counts of at most `largest`. Lines that begin with `#` are remarks.
///
/// # Errors
/// The first line is a row, not CSV, or names the time second. Each row's own fault comes with the row.
pub fn rows(
    text: &str,
    largest: u64,
) -> Result<impl Iterator<Item = Result<Row, RowError>> + use<'_>, RowError> {
    // Spreadsheets put a mark of the byte order in front, which would be part of the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| not_csv(&error))?;
    if header.get(0).is_some_and(|cell| time(cell.trim()).is_some()) {
        return Err(RowError::Header);
    }
    let name = |column: usize| header.get(column).unwrap_or("").trim().to_owned();
    let (first, second) = (name(0), name(1));
    if header.len() == 2 && names_time(&second) && !names_time(&first) {
        return Err(RowError::Swapped { first, second });
    }
    Ok(reader.into_records().map(move |record| row(&record.map_err(|error| not_csv(&error))?, largest)))
}

/// Whether a column of that name has times.
fn names_time(name: &str) -> bool {
    ["time", "timestamp", "date", "datetime"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn not_csv(error: &csv::Error) -> RowError {
    let line = error.position().map_or(1, csv::Position::line);
    // What the reader says of itself begins with the line, which stands before it already.
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} columns"),
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    RowError::Csv { line, message }
}

fn row(record: &csv::StringRecord, largest: u64) -> Result<Row, RowError> {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != 2 {
        return Err(RowError::Csv { line, message: format!("{} columns", record.len()) });
    }
    let cell = |column: usize| record.get(column).unwrap_or("").trim();
    let text = || cell(0).to_owned();
    let seconds = time(cell(0)).ok_or_else(|| RowError::Time { line, text: text() })?;
    if !is_plausible_time(seconds) {
        return Err(RowError::Era { line, text: text() });
    }
    let value = match cell(1) {
        "" => None,
        text => Some(value(text, largest).ok_or_else(|| RowError::Value {
            line,
            text: text.to_owned(),
            largest,
        })?),
    };
    Ok(Row { line, seconds, value })
}

fn time(text: &str) -> Option<f64> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    seconds.or_else(|| text.parse::<Timestamp>().ok().map(|time| time.as_duration().as_secs_f64()))
}

fn value(text: &str, largest: u64) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| (0.0..=largest as f64).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(f64, Option<f64>)>, RowError> {
        rows(text, 1000)?.map(|row| row.map(|row| (row.seconds, row.value))).collect()
    }

    #[test]
    fn times_are_dates_or_seconds_and_an_empty_value_is_none() {
        let expected = vec![(1_767_571_200.0, Some(120.0)), (1_767_571_260.0, None)];
        for text in [
            "timestamp,value\n2026-01-05T00:00:00Z,120\n2026-01-05T00:01:00Z,\n",
            "\u{feff}time,requests\n# a remark\n1767571200, 120\n1767571260 ,\n",
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn each_fault_names_its_line() {
        let of = |line, text: &str| (line, text.to_owned());
        let time = |line, wrong| {
            let (line, text) = of(line, wrong);
            RowError::Time { line, text }
        };
        let era = |line, wrong| {
            let (line, text) = of(line, wrong);
            RowError::Era { line, text }
        };
        let value = |line, wrong| {
            let (line, text) = of(line, wrong);
            RowError::Value { line, text, largest: 1000 }
        };
        for (text, expected) in [
            ("t,v\n0,1\nsoon,2\n", time(3, "soon")),
            ("t,v\n0,1\nNaN,2\n", time(3, "NaN")),
            ("t,v\n# a remark\n0,1\n,2\n", time(4, "")),
            ("t,v\n0,1\n1e300,2\n", era(3, "1e300")),
            ("t,v\n1767571200000,1\n", era(2, "1767571200000")),
            ("t,v\n0,1\n60,-2\n", value(3, "-2")),
            ("t,v\n0,1\n60,NaN\n", value(3, "NaN")),
            ("t,v\n0,1\n60,inf\n", value(3, "inf")),
            ("t,v\n0,1\n60,1001\n", value(3, "1001")),
            ("0,1\n60,1\n", RowError::Header),
            ("\u{feff}0,1\n60,1\n", RowError::Header),
            ("a,b,c\n0,1,2\n", RowError::Csv { line: 2, message: "3 columns".to_owned() }),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text:?}");
        }
    }

    #[test]
    fn columns_the_other_way_round_are_told_as_that() {
        for header in ["value,timestamp", "Requests, Time", "count,date", "value,DateTime"] {
            for row in ["120,2026-01-05T00:00:00Z", "120,0", "# a remark"] {
                let error = read(&format!("{header}\n{row}\n")).unwrap_err().to_string();
                assert!(error.contains("the time stands in the second column"), "{header}: {error}");
            }
        }
        for header in ["timestamp,value", "time,date", "t,v", "date,timeouts"] {
            assert_eq!(read(&format!("{header}\n0,120\n")).unwrap(), [(0.0, Some(120.0))], "{header}");
        }
    }

    #[test]
    fn a_row_with_another_number_of_columns_is_named_by_its_line_once() {
        for (row, columns) in [("60,1,2", 3), ("60", 1)] {
            let error = read(&format!("t,v\n0,1\n{row}\n")).unwrap_err().to_string();
            let expected = "; a trace has a header such as `timestamp,value` and two columns";
            assert_eq!(error, format!("line 3: {columns} columns{expected}"));
        }
    }
}
