//! What people have set that holds now, in words: whoever reads a status or a decision should not have to look for it.

use jiff::Timestamp;

use crate::config::GroupConfig;
use crate::config::calendar::CalendarEntry;
use crate::operation::{OperationState, Override, Pause};

/// The pause, the override, and the open entries of the calendar; empty for most groups at most times.
pub fn in_force(config: &GroupConfig, state: &OperationState, now: Timestamp) -> Vec<String> {
    let pause = state.pause.as_ref().filter(|pause| pause.until.is_none_or(|until| until > now));
    let temporary = state.temporary.as_ref().filter(|temporary| temporary.until > now);
    let mut said: Vec<String> = pause.map(paused).into_iter().collect();
    said.extend(temporary.map(overridden));
    said.extend(config.open_calendar(now).map(calendar));
    said
}

fn paused(Pause { by, reason, until }: &Pause) -> String {
    match until {
        Some(until) => format!("paused by {by} until {until}: {reason}"),
        None => format!("paused by {by}: {reason}"),
    }
}

fn overridden(temporary: &Override) -> String {
    let Override { by, reason, until, .. } = temporary;
    let kind = temporary.instance_type.as_ref().map(|name| format!("type {name}"));
    let wanted = [bound("min", temporary.min), bound("max", temporary.max), kind];
    format!("override by {by} until {until}: {} ({reason})", join(wanted))
}

fn calendar(entry: &CalendarEntry) -> String {
    let CalendarEntry { name, min, max, .. } = entry;
    format!("calendar {name}: {}", join([bound("min", *min), bound("max", *max), None]))
}

fn bound(name: &str, value: Option<u32>) -> Option<String> {
    value.map(|value| format!("{name} {value}"))
}

fn join(parts: [Option<String>; 3]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
