//! Windows in time: the firings of a cron expression in a time zone, each open for a duration.
//!
//! Cron expressions mean what they mean in crontab: five fields, weekdays from 0 (Sunday) to 7 (Sunday again).
//! A window opens once on every matching day, also on the two days a year whose clock jumps: a time that the
//! jump skips fires as much later as the jump is long, one that comes twice fires the first time. Where the
//! hour is `*`, the expression means every hour that passes, so both count. Time zone rules come from the
//! database built into the program: the same everywhere, and no file is read.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use jiff_cron::{Schedule, TimeUnitSpec};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// When type changes for cost may start: the firing times of a cron expression in a time zone, each open for a
/// duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WindowText", into = "WindowText")]
pub struct ChangeWindow {
    cron: CronExpression,
    duration: Duration,
    time_zone: String,
    zone: TimeZone,
}

/// Why a window cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WindowError {
    /// The cron expression.
    #[error("{0}")]
    Cron(String),
    /// The duration.
    #[error("must be from 1 s to {} s", ChangeWindow::MAX_DURATION.as_secs())]
    Duration,
    /// The time zone.
    #[error("must be an IANA time zone name such as Europe/Berlin")]
    TimeZone,
}

impl ChangeWindow {
    /// The longest a window may be.
    pub const MAX_DURATION: Duration = Duration::from_secs(7 * 86_400);

    /// A window from its parts: a five-field cron expression, how long each firing keeps it open (at most
    /// [`ChangeWindow::MAX_DURATION`]), and an IANA time zone name.
    ///
    /// # Errors
    /// The first part that cannot be.
    pub fn new(cron: &str, duration: Duration, time_zone: &str) -> Result<Self, WindowError> {
        let cron = cron.parse()?;
        check_duration(duration)?;
        let zone = zone(time_zone)?;
        Ok(Self { cron, duration, time_zone: time_zone.to_owned(), zone })
    }

    /// Each part that cannot be; one that is not given is no fault here.
    pub fn faults(cron: Option<&str>, duration: Option<Duration>, time_zone: &str) -> Vec<WindowError> {
        let cron = cron.map(|cron| cron.parse::<CronExpression>().map(drop));
        let duration = duration.map(check_duration);
        let parts = [cron, duration, Some(zone(time_zone).map(drop))];
        parts.into_iter().flatten().filter_map(Result::err).collect()
    }

    /// Whether `now` lies within the duration after a firing: from the firing on, until just before it has
    /// passed.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let Ok(length) = SignedDuration::try_from(self.duration) else { return false };
        let Ok(since) = now.checked_sub(length) else { return false };
        let mut day = now.to_zoned(self.zone.clone()).date();
        // A skipped firing of the evening before may have moved past midnight into the range.
        let first = since.to_zoned(self.zone.clone()).date().yesterday().unwrap_or(Date::MIN);
        while day >= first {
            if self.cron.matches_day(day) && self.fires_on(day, since, now) {
                return true;
            }
            match day.yesterday() {
                Ok(before) => day = before,
                Err(_) => return false,
            }
        }
        false
    }

    /// Whether a firing of this day lies in `(since, now]`.
    fn fires_on(&self, day: Date, since: Timestamp, now: Timestamp) -> bool {
        let within = |moment: &Timestamp| *moment > since && *moment <= now;
        self.cron
            .times()
            .any(|(hour, minute)| self.instants(day.at(hour, minute, 0, 0)).any(|at| within(&at)))
    }

    /// The moments at which a civil time fires.
    fn instants(&self, civil: DateTime) -> impl Iterator<Item = Timestamp> + use<> {
        let at = self.zone.to_ambiguous_timestamp(civil);
        let again = match at.offset() {
            AmbiguousOffset::Fold { after, .. } if self.cron.every_hour => after.to_timestamp(civil).ok(),
            _ => None,
        };
        at.compatible().ok().into_iter().chain(again)
    }
}

fn check_duration(duration: Duration) -> Result<(), WindowError> {
    let allowed = Duration::from_secs(1)..=ChangeWindow::MAX_DURATION;
    if allowed.contains(&duration) { Ok(()) } else { Err(WindowError::Duration) }
}

fn zone(name: &str) -> Result<TimeZone, WindowError> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| WindowError::TimeZone)
}

/// A five-field cron expression.
#[derive(Debug, Clone, PartialEq)]
struct CronExpression {
    text: String,
    schedule: Schedule,
    every_hour: bool,
}

impl CronExpression {
    fn matches_day(&self, day: Date) -> bool {
        let month = u32::from(day.month().unsigned_abs());
        let of_month = u32::from(day.day().unsigned_abs());
        let of_week = u32::from(day.weekday().to_sunday_one_offset().unsigned_abs());
        self.schedule.months().includes(month)
            && self.schedule.days_of_month().includes(of_month)
            && self.schedule.days_of_week().includes(of_week)
    }

    /// The times of a matching day, as (hour, minute).
    fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let within = |value: u32| i8::try_from(value).ok();
        self.schedule.hours().iter().flat_map(move |hour| {
            self.schedule.minutes().iter().filter_map(move |minute| Some((within(hour)?, within(minute)?)))
        })
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CronExpression {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let refuse = |why: String| Err(WindowError::Cron(why));
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
            return refuse(format!(
                "must have the five fields minute, hour, day of month, month and day of week, and has {}",
                fields.len()
            ));
        };
        // Crontab fires on days that match either, most other dialects on those that match both.
        if day_of_month != "*" && day_of_week != "*" {
            return refuse("must leave the day of month or the day of week at *".to_owned());
        }
        for (name, field) in ["minute", "hour", "day of month", "month"].iter().zip(&fields) {
            if !field.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/".contains(c)) {
                return refuse(format!("has a character in its {name} that cron does not know: {field}"));
            }
        }
        let day_of_week = weekdays(day_of_week)?;
        // The library's form begins with seconds.
        let schedule = Schedule::from_str(&format!("0 {minute} {hour} {day_of_month} {month} {day_of_week}"))
            .map_err(|_| WindowError::Cron(out_of_range([minute, hour, day_of_month, month])))?;
        Ok(Self { text: text.to_owned(), schedule, every_hour: hour == "*" })
    }
}

/// Which of the first four fields is none that can be. The library's own words are about a form that nobody has written.
fn out_of_range(fields: [&str; 4]) -> String {
    const RANGES: [(&str, &str); 4] = [
        ("minute", "0 to 59"),
        ("hour", "0 to 23"),
        ("day of month", "1 to 31"),
        ("month", "1 to 12 or jan to dec"),
    ];
    let mut alone = ["*"; 4];
    for (place, (name, range)) in RANGES.iter().enumerate() {
        alone[place] = fields[place];
        if Schedule::from_str(&format!("0 {} *", alone.join(" "))).is_err() {
            return format!(
                "must be a cron expression whose {name} is within {range}, not `{}`",
                fields[place]
            );
        }
        alone[place] = "*";
    }
    "must be a cron expression that fires at some time".to_owned()
}

/// Crontab's days of the week, where 0 and 7 are Sunday, in the library's numbers, where 1 is.
fn weekdays(field: &str) -> Result<String, WindowError> {
    if field == "*" {
        return Ok(field.to_owned());
    }
    let mut days: Vec<u32> = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let wrong = || {
            WindowError::Cron(format!("must have days of the week from 0 to 7 or mon to sun, not `{part}`"))
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (weekday(first), weekday(last)),
            None if range == "*" => (Some(0), Some(6)),
            None => (weekday(range), weekday(range)),
        };
        let (Some(first), Some(mut last)) = (first, last) else { return Err(wrong()) };
        // `sat-sun` ends on the Sunday after.
        if last == 0 && first > 0 {
            last = 7;
        }
        let step = step.parse::<usize>().ok().filter(|step| *step > 0).ok_or_else(wrong)?;
        if first > last {
            return Err(wrong());
        }
        days.extend((first..=last).step_by(step).map(|day| day % 7 + 1));
    }
    Ok(days.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
}

fn weekday(text: &str) -> Option<u32> {
    const NAMES: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let named =
        NAMES.iter().position(|name| text.eq_ignore_ascii_case(name)).and_then(|i| u32::try_from(i).ok());
    named.or_else(|| text.parse().ok().filter(|day| *day <= 7))
}

/// The form in which a window is stored.
#[derive(Serialize, Deserialize)]
struct WindowText {
    cron: String,
    duration_seconds: u64,
    time_zone: String,
}

impl From<ChangeWindow> for WindowText {
    fn from(window: ChangeWindow) -> Self {
        Self {
            cron: window.cron.text,
            duration_seconds: window.duration.as_secs(),
            time_zone: window.time_zone,
        }
    }
}

impl TryFrom<WindowText> for ChangeWindow {
    type Error = WindowError;

    fn try_from(text: WindowText) -> Result<Self, WindowError> {
        Self::new(&text.cron, Duration::from_secs(text.duration_seconds), &text.time_zone)
    }
}
