//! Traces: values over time on a uniform grid, read from CSV, and what has to be done to them before a fleet of another
//! size can be given them as its load.

mod grid;
mod profile;
mod read;
mod resolution;
mod superpose;

pub use profile::PROFILE;
pub use read::{Repair, TraceError};

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A trace: counts or any other measure of load, one value for each period.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// What it is called in tables: the file's name without its ending.
    pub name: String,
    /// When its first period begins, where the file has dates; the Unix epoch plus its first number otherwise.
    pub start: Timestamp,
    /// Length of a period.
    pub step: Duration,
    /// One value a period, finite and not negative. At least two.
    pub values: Vec<f64>,
    /// Whether every value is a whole number, as counts are.
    pub is_counts: bool,
    /// What had to be repaired, for the report.
    pub repairs: Vec<Repair>,
    /// Line in the file, from 1, of the highest value; `None` where there is no file.
    pub highest: Option<u64>,
    /// SHA-256 of the file, in hexadecimal; what it is instead where there is no file.
    pub sha256: String,
}

impl Trace {
    /// Reads two columns below a header such as `timestamp,value`, with times in ISO 8601 or seconds.
    pub fn from_csv(name: &str, text: &str) -> Result<Self, TraceError> {
        let read = read::read(text)?;
        Ok(Self {
            name: name.to_owned(),
            start: read.start,
            step: read.step,
            is_counts: read.values.iter().all(|value| value.fract() == 0.0),
            values: read.values,
            repairs: read.repairs,
            highest: read.highest,
            sha256: hexadecimal(&Sha256::digest(text.as_bytes())),
        })
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.step * u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// The same in days.
    pub fn days(&self) -> f64 {
        self.length().as_secs_f64() / 86_400.0
    }

    /// The value that one period in a thousand exceeds.
    pub fn high(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() * 999 / 1000).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or(0.0)
    }

    /// Requests per second in each period, so that the [`high`](Self::high) value becomes `rate`. Counts that are made
    /// larger lose the noise that no larger service would have (see the module `superpose`).
    pub fn rates(&self, rate: f64) -> Vec<f64> {
        let high = self.high();
        let factor = if high > 0.0 { rate / high } else { 0.0 };
        // Requests that a count of one stands for.
        let copies = factor * self.step.as_secs_f64();
        let values = if self.is_counts && copies > 1.0 {
            superpose::calmed(&self.values, copies)
        } else {
            self.values.clone()
        };
        values.into_iter().map(|value| value * factor).collect()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
