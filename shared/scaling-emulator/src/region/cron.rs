//! Cron expressions of scheduled actions: five fields, in a time zone.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Scheduled scaling for Amazon EC2 Auto Scaling": minute, hour, day of the
//! month, month, day of the week, with `*`, lists, ranges, steps and the names of months and days. As in crontab, a day
//! matches when either of its two fields does, if both are restricted. A time that a clock change skips fires as much
//! later as the change is long.
//!
//! Written here and not taken from jiff-cron, which the configuration's windows use: there a day has to match both of
//! its fields.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Days that are searched for the next firing: a leap day is at most eight years away.
const DAYS: u32 = 3_000;

/// A cron expression in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    either_day: bool,
    zone: TimeZone,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// Days of each month, in a leap year.
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Cron {
    /// Reads an expression. `None` if it or the time zone cannot be, or its day never comes.
    pub fn parse(text: &str, zone: Option<&str>) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let weekday_bits = field(weekdays, 0, 7, &WEEKDAYS)?;
        let cron = Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            // 7 is Sunday too.
            weekdays: (weekday_bits | (weekday_bits >> 7)) & 0x7f,
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
            zone: match zone {
                None => TimeZone::UTC,
                Some(name) => TimeZoneDatabase::bundled().get(name).ok()?,
            },
        };
        cron.comes().then_some(cron)
    }

    /// Whether any of its months has any of its days, or the day of the week is enough: 31 February never comes.
    fn comes(&self) -> bool {
        let first_day = self.days.trailing_zeros();
        let mut lengths = (1_i8..).zip(LONGEST);
        self.either_day || lengths.any(|(month, days)| has(self.months, month) && first_day <= days)
    }

    /// The first firing after `after`. `None` if there is none within years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut day = after.to_zoned(self.zone.clone()).date();
        for _ in 0..DAYS {
            if self.takes(day) {
                let found = self.times(day).find(|time| *time > after);
                if found.is_some() {
                    return found;
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn times(&self, day: Date) -> impl Iterator<Item = Timestamp> + '_ {
        let hours = (0_i8..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(move |hour| {
            let minutes = (0_i8..60).filter(|minute| has(self.minutes, *minute));
            minutes.filter_map(move |minute| {
                self.zone.to_ambiguous_timestamp(day.at(hour, minute, 0, 0)).compatible().ok()
            })
        })
    }

    fn takes(&self, day: Date) -> bool {
        let of_month = has(self.days, day.day());
        let of_week = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let day_fits = if self.either_day { of_month || of_week } else { of_month && of_week };
        has(self.months, day.month()) && day_fits
    }
}

fn has(bits: u64, value: i8) -> bool {
    bits >> value.unsigned_abs() & 1 == 1
}

/// The values of a field as bits.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Option<u64> {
    let value = |text: &str| {
        let number = match names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            Some(position) => u32::try_from(position).ok()? + least,
            None => text.parse().ok()?,
        };
        (least..=most).contains(&number).then_some(number)
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (value(from)?, value(to)?),
            None if step.is_some() => (value(range)?, most),
            None => (value(range)?, value(range)?),
        };
        if from > to {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        bits = (from..=to).step_by(step).fold(bits, |bits, value| bits | 1 << value);
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firings(cron: &str, zone: Option<&str>, from: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(cron, zone).unwrap();
        let mut now: Timestamp = from.parse().unwrap();
        let mut next = || {
            now = cron.next(now).unwrap();
            now.to_string()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn fields_have_lists_ranges_steps_and_names() {
        for (cron, expected) in [
            ("0 8 * * *", ["2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"]),
            ("30 6-7 * * MON", ["2026-01-05T06:30:00Z", "2026-01-05T07:30:00Z"]),
            ("*/30 0 * * *", ["2026-01-05T00:30:00Z", "2026-01-06T00:00:00Z"]),
            ("0 0 1,15 FEB *", ["2026-02-01T00:00:00Z", "2026-02-15T00:00:00Z"]),
            ("0 0 * * 7", ["2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z"]),
            ("0 0 13 * FRI", ["2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"]),
            ("0 0 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ] {
            assert_eq!(firings(cron, None, "2026-01-05T00:00:00Z", 2), expected, "{cron}");
        }
    }

    #[test]
    fn a_time_zone_keeps_the_local_hour_over_a_clock_change() {
        let zone = Some("Europe/Berlin");
        let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"];
        assert_eq!(firings("30 2 * * *", zone, "2026-03-28T00:00:00Z", 3), expected);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "* * * 13 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "0 0 31 2 *",
            "0 0 31 4,6,9,11 *",
        ] {
            assert_eq!(Cron::parse(text, None), None, "{text}");
        }
        assert_eq!(Cron::parse("* * * * *", Some("Nowhere/Else")), None);
    }
}
