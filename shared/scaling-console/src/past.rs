//! The past, kept in the state store so that a restart does not forget it: of each group a record an hour, with a look for
//! each quarter of it, the operations that were planned in it, and the totals as they stood.
//!
//! A quarter of an hour at most is lost where the process is killed, and nothing where it is stopped.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};
use scaling_control::PortError;
use scaling_control::ports::{NewRecord, StateStore};
use scaling_policy::config::GroupName;
use scaling_telemetry::metrics::Added;
use serde::{Deserialize, Serialize};

use crate::series::{Point, SPAN};
use crate::track::{Mark, Track};

/// Seconds that one record stands for.
const HOUR: i64 = 60 * 60;

/// How far back the charts reach.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a record is kept beyond that.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// More records than there are hours within reach.
const MOST: usize = 200;

/// One hour of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// When the group was first seen.
    pub(crate) since: Option<Timestamp>,
    /// Launch types that the looks name by their place.
    pub(crate) types: Vec<String>,
    /// Looks, oldest first.
    looks: Vec<Look>,
    /// Operations planned in it.
    pub(crate) marks: Vec<Mark>,
    /// Requests, cost, savings, excess since the group was first seen.
    totals: [f64; 4],
    /// Saved, less the excess.
    pub(crate) saved: f64,
}

/// When, wanted, capacity, loads, serving, desired, cost, fixed, saved, place of the type. JSON knows no NaN.
type Look = (i64, Option<f32>, f32, [Option<f32>; 4], u32, u32, f32, Option<f32>, f32, u16);

impl Chunk {
    /// The looks as the charts have them.
    pub(crate) fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.looks.iter().map(|look| {
            let (at, wanted, capacity, loads, serving, desired, cost, fixed, saved, instance_type) = *look;
            let loads = loads.map(|load| load.unwrap_or(f32::NAN));
            let (wanted, fixed) = (wanted.unwrap_or(f32::NAN), fixed.unwrap_or(f32::NAN));
            Point { at, wanted, capacity, loads, serving, desired, cost, fixed, saved, instance_type }
        })
    }

    /// Which hour it is, counted from 1970.
    pub(crate) fn hour(&self) -> Option<i64> {
        self.looks.first().map(|look| look.0.div_euclid(HOUR))
    }

    /// The totals.
    pub(crate) fn totals(&self) -> Added {
        let [requests, cost, savings, excess] = self.totals;
        Added { requests, cost, savings, excess }
    }

    fn of(track: &Track, hour: i64) -> Self {
        let inside = |at: i64| at.div_euclid(HOUR) == hour;
        let mut looks: Vec<Look> = Vec::new();
        for point in track.series.points().filter(|point| inside(point.at)) {
            let look = look(point);
            match looks.last_mut() {
                // As the charts thin them: the look with the highest demand stands for its quarter.
                Some(last) if last.0.div_euclid(SPAN) == point.at.div_euclid(SPAN) => {
                    if last.1 < look.1 {
                        *last = look;
                    }
                }
                _ => looks.push(look),
            }
        }
        let marks = track.marks.iter().filter(|mark| inside(mark.at.as_second()));
        let Added { requests, cost, savings, excess } = track.totals;
        Self {
            since: track.since,
            types: track.series.types().to_vec(),
            looks,
            marks: marks.cloned().collect(),
            totals: [requests, cost, savings, excess],
            saved: track.series.saved(),
        }
    }
}

fn look(point: &Point) -> Look {
    let known = |value: f32| value.is_finite().then_some(value);
    let finite = |value: f32| if value.is_finite() { value } else { 0.0 };
    (
        point.at,
        known(point.wanted),
        finite(point.capacity),
        point.loads.map(known),
        point.serving,
        point.desired,
        finite(point.cost),
        known(point.fixed),
        finite(point.saved),
        point.instance_type,
    )
}

/// What of a group is not in the store yet, as of its newest look.
pub(crate) fn unkept(name: &GroupName, track: &mut Track) -> Vec<NewRecord> {
    let hours = |at: Option<&Point>| at.map(|point| point.at.div_euclid(HOUR));
    let (Some(first), Some(newest)) =
        (hours(track.series.points().next()), hours(track.series.points().last()))
    else {
        return Vec::new();
    };
    let mut records = Vec::new();
    let mut kept = Vec::new();
    let known = track.kept.iter().map(|(hour, _)| *hour).min().unwrap_or(first);
    for hour in known..=newest {
        let chunk = Chunk::of(track, hour);
        if chunk.looks.is_empty() {
            continue;
        }
        let Ok(body) = serde_json::to_string(&chunk) else { continue };
        let mut digest = DefaultHasher::new();
        body.hash(&mut digest);
        let digest = (hour, digest.finish());
        if !track.kept.contains(&digest) {
            let expires = begin(hour) + REACH + SLACK;
            records.push(NewRecord { key: key(name, hour), body, expires: Some(expires) });
        }
        kept.push(digest);
    }
    // The last hour is looked at again: its last looks and the ends of its operations are news.
    track.kept = kept.split_off(kept.len().saturating_sub(2));
    records
}

/// Reads what the store has of a group, oldest first. What cannot be read is left out: it is of another version.
pub(crate) async fn read(
    store: &dyn StateStore,
    name: &GroupName,
    now: Timestamp,
) -> Result<Vec<Chunk>, PortError> {
    let first = (now - REACH).as_second().div_euclid(HOUR);
    let (prefix, after) = (prefix(name), key(name, first));
    let records = store.list(&prefix, Some(&after), MOST).await?;
    Ok(records.iter().filter_map(|record| serde_json::from_str(&record.body).ok()).collect())
}

fn prefix(name: &GroupName) -> String {
    format!("console/{name}/")
}

fn key(name: &GroupName, hour: i64) -> String {
    format!("{}{}", prefix(name), begin(hour).strftime("%Y-%m-%dT%H"))
}

fn begin(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * HOUR).unwrap_or(Timestamp::UNIX_EPOCH)
}
