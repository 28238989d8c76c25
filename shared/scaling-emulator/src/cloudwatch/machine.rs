//! Network traffic and status checks of the fleet's instances, as EC2 publishes them.

use jiff::{SignedDuration, Timestamp};

use super::statistic::Bucket;
use crate::region::{Group, Member, MinuteRecord, Region};

/// Metrics of traffic, and the bytes that a request is taken to have in each direction: a request with its headers, and
/// a page. They are made up, as the emulator's requests have no bodies.
pub(super) const TRAFFIC: [(&str, f64); 2] = [("NetworkIn", 2_000.0), ("NetworkOut", 10_000.0)];

/// Metrics of status checks, and whether a machine that fails fails them. The hardware below never does.
pub(super) const CHECKS: [(&str, bool); 3] =
    [("StatusCheckFailed", true), ("StatusCheckFailed_Instance", true), ("StatusCheckFailed_System", false)];

/// A point: start in seconds, unit, samples.
type Point = (i64, &'static str, Bucket);

/// Bytes of one instance in a minute; `None` where none served.
fn each(minute: &MinuteRecord, bytes: f64) -> Option<f64> {
    (minute.cpu.count > 0).then(|| minute.requests * bytes / f64::from(minute.cpu.count))
}

/// Traffic of a group, one sample a serving instance.
pub(super) fn of_group(group: &Group, bytes: f64, from: Timestamp, end: Timestamp) -> Vec<Point> {
    let point = |minute: MinuteRecord| {
        let bucket = Bucket::of_value(each(&minute, bytes)?, f64::from(minute.cpu.count));
        Some((minute.start.as_second(), "Bytes", bucket))
    };
    group.minutes().between(from, end).filter_map(point).collect()
}

/// Traffic of one instance.
pub(super) fn of_instance(
    region: &Region,
    id: &str,
    bytes: f64,
    from: Timestamp,
    end: Timestamp,
) -> Vec<Point> {
    let Some((group, member)) = region.instance(id) else { return Vec::new() };
    let served = group.minutes().between(from, end).filter(|minute| member.served_in(minute.start));
    let point = |minute: MinuteRecord| {
        Some((minute.start.as_second(), "Bytes", Bucket::of_value(each(&minute, bytes)?, 1.0)))
    };
    served.filter_map(point).collect()
}

/// Status checks of one instance: 0 in the minutes it served, 1 in those from its failure to its end.
pub(super) fn checks(region: &Region, id: &str, fails: bool, from: Timestamp, end: Timestamp) -> Vec<Point> {
    let Some((group, member)) = region.instance(id) else { return Vec::new() };
    let point = |minute: MinuteRecord| {
        let failed = if member.served_in(minute.start) { false } else { has_failed(member, minute.start)? };
        let value = if failed && fails { 1.0 } else { 0.0 };
        Some((minute.start.as_second(), "Count", Bucket::of_value(value, 1.0)))
    };
    group.minutes().between(from, end).filter_map(point).collect()
}

/// Whether an instance that does not serve had failed in a minute. `None` where it was not there, or served not yet.
fn has_failed(member: &Member, start: Timestamp) -> Option<bool> {
    let over = start + SignedDuration::from_secs(60);
    let there = member.served_until? < over && member.gone_at.is_none_or(|gone| start < gone);
    (there && !member.is_sound()).then_some(true)
}
