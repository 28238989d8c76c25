//! Metric math over the times of points: what part of a date each has, in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::expression::Function;
use super::math::Line;

/// `DATE`, `DAY` (1 is Monday), `EPOCH`, `HOUR`, `MINUTE`, `MONTH` and `YEAR` of each point's time.
pub(super) fn of(function: Function, line: Line) -> Line {
    let part = |time: i64| {
        let at = Timestamp::from_second(time).ok()?.to_zoned(TimeZone::UTC);
        Some(match function {
            Function::Date => f64::from(at.day()),
            Function::Day => f64::from(at.weekday().to_monday_one_offset()),
            Function::Hour => f64::from(at.hour()),
            Function::Minute => f64::from(at.minute()),
            Function::Month => f64::from(at.month()),
            Function::Year => f64::from(at.year()),
            _ => time as f64,
        })
    };
    Line {
        points: line.points.into_keys().filter_map(|time| Some((time, part(time)?))).collect(),
        period: line.period,
    }
}
