//! The shipped profile as a trace.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::load::WeekProfile;

use super::Trace;

/// What it is called in tables.
pub const PROFILE: &str = "shipped-profile";

/// Monday, 5 January 2026, 00:00 UTC.
const START: i64 = 1_767_571_200;

const MINUTES: u32 = 7 * 24 * 60;

impl Trace {
    /// So many weeks of the shipped profile one after the other, each drawn from its number, in requests a minute.
    pub fn profile(weeks: u64) -> Self {
        let start = Timestamp::from_second(START).unwrap_or(Timestamp::UNIX_EPOCH);
        let step = Duration::from_secs(60);
        let values = (1..=weeks)
            .flat_map(|seed| {
                let week = WeekProfile { mean_rate: 600.0, seed }.draw(start);
                (0..MINUTES).map(move |minute| 60.0 * week.rate(start + step * minute))
            })
            .collect();
        let sha256 = "drawn, not read".to_owned();
        Self {
            name: PROFILE.to_owned(),
            start,
            step,
            values,
            is_counts: false,
            repairs: Vec::new(),
            highest: None,
            sha256,
        }
    }
}
