//! Times with other bounds on the replica count: a known morning peak, a sale, a quiet night.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::defaults;
use super::fault::Faults;
use super::group::ReplicaBounds;
use super::origin::Origin;
use super::source::CalendarSource;
use super::values::WindowSeconds;
use super::window::{ChangeWindow, WindowError};

/// One entry of the calendar: while its window is open, its bounds hold instead of the configured ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalendarEntry {
    /// What it is for; shown with the bounds.
    pub name: String,
    /// When.
    pub window: ChangeWindow,
    /// Fewest replicas meanwhile.
    pub min: Option<u32>,
    /// Most replicas meanwhile.
    pub max: Option<u32>,
}

/// The bounds that hold at `now`: the highest minimum and the lowest maximum of the entries that are open, each in
/// place of the configured one. Where the two cross, the minimum wins: capacity that somebody has planned for comes
/// before a limit on cost.
pub fn bounds_at(configured: ReplicaBounds, calendar: &[CalendarEntry], now: Timestamp) -> ReplicaBounds {
    let mut open = calendar.iter().filter(|entry| entry.window.is_open(now)).peekable();
    if open.peek().is_none() {
        return configured;
    }
    let (mut min, mut max) = (None, None);
    for entry in open {
        min = min.max(entry.min);
        max = match (max, entry.max) {
            (Some(one), Some(other)) => Some(u32::min(one, other)),
            (one, other) => one.or(other),
        };
    }
    let min = min.unwrap_or_else(|| configured.min.min(max.unwrap_or(u32::MAX)));
    ReplicaBounds { min, max: max.unwrap_or(configured.max).max(min), ..configured }
}

/// Resolves the entries, each with its own faults.
pub(super) fn resolve(
    source: Option<&Vec<CalendarSource>>,
    replicas: ReplicaBounds,
    at: Origin<'_>,
    faults: &mut Faults,
) -> Vec<CalendarEntry> {
    // What is no object could not be read and is not among the entries; those after it are still told in their places.
    let given = at.find("calendar").1.and_then(Value::as_array).into_iter().flatten();
    let places = given.enumerate().filter(|(_, entry)| entry.is_object()).map(|(place, _)| place);
    let entries = source.into_iter().flatten().zip(places);
    entries.filter_map(|(entry, place)| resolve_entry((place, entry), replicas, at, faults)).collect()
}

fn resolve_entry(
    (place, source): (usize, &CalendarSource),
    replicas: ReplicaBounds,
    all: Origin<'_>,
    faults: &mut Faults,
) -> Option<CalendarEntry> {
    let path = format!("calendar/{place}");
    // The list is replaced as a whole, and the bounds that an entry leaves out are not.
    let at = all.of_whole("calendar");
    let has_only_known = at.has_only(&path, CalendarSource::KEYS);
    let given = ["min_replicas", "max_replicas"].map(|key| at.gives(&format!("{path}/{key}")));
    let (min, max) = (source.min_replicas.map(|count| count.0), source.max_replicas.map(|count| count.0));
    if has_only_known && given == [false, false] {
        let rule = "must have `min_replicas` or `max_replicas`: otherwise it changes nothing";
        at.error(&path, rule, "add one of them, or take the entry out", faults);
    }
    let (low, high) = (min.unwrap_or(replicas.min), max.unwrap_or(replicas.max));
    // One that is left out is that of `replicas`, as far as that one is known.
    let is_default_known = has_only_known && all.is_flawless("replicas", faults);
    let are_known = match (min, max) {
        (Some(_), Some(_)) => true,
        (None, None) => false,
        (Some(_), None) => !given[1] && is_default_known,
        (None, Some(_)) => !given[0] && is_default_known,
    };
    if low > high && are_known {
        let key = if min.is_some() { "min_replicas" } else { "max_replicas" };
        let rule = format!("leaves no count: {low} at least and {high} at most while it is open");
        let fix = if min.is_some() && max.is_some() {
            "lower `min_replicas` or raise `max_replicas`"
        } else {
            "give both bounds here, or bring this one within those under `replicas`"
        };
        at.error(&format!("{path}/{key}"), rule, fix, faults);
    }
    let times = Times {
        cron: source.cron.as_deref(),
        duration: source.duration,
        time_zone: source.time_zone.as_deref(),
        has_only_known,
        always: "set the bounds under `replicas` to have them always",
    };
    let window = times.resolve(&path, at, faults)?;
    let name = source.name.clone().unwrap_or_else(|| format!("calendar {place}"));
    Some(CalendarEntry { name, window, min, max })
}

/// The times of a window, as they were given.
pub(super) struct Times<'a> {
    pub(super) cron: Option<&'a str>,
    pub(super) duration: Option<WindowSeconds>,
    pub(super) time_zone: Option<&'a str>,
    /// Whether there is no unknown key beside them: that may be a missing one under a wrong name, and then nothing is said of it.
    pub(super) has_only_known: bool,
    /// What to do instead where the window should never close.
    pub(super) always: &'static str,
}

impl Times<'_> {
    /// The window at `path`, or its faults.
    pub(super) fn resolve(&self, path: &str, at: Origin<'_>, faults: &mut Faults) -> Option<ChangeWindow> {
        for (missing, key) in [(self.cron.is_none(), "cron"), (self.duration.is_none(), "duration")] {
            if missing && self.has_only_known && !at.gives(&format!("{path}/{key}")) {
                at.error(path, format!("must have `{key}`"), format!("add `{key}`"), faults);
            }
        }
        let zone = self.time_zone.unwrap_or(defaults::TIME_ZONE);
        let duration = self.duration.map(|duration| Duration::from_secs(duration.0));
        for error in ChangeWindow::faults(self.cron, duration, zone) {
            let (key, fix) = match error {
                WindowError::Cron(_) => ("cron", "write five fields, such as \"0 2 * * 1-5\""),
                WindowError::Duration => ("duration", self.always),
                WindowError::TimeZone => ("time_zone", "write a name such as \"UTC\" or \"Europe/Berlin\""),
            };
            at.error(&format!("{path}/{key}"), error.to_string(), fix, faults);
        }
        ChangeWindow::new(self.cron?, duration?, zone).ok()
    }
}
