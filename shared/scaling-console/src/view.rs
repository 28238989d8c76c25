//! What the page reads: the fleet in rows of values, and one group in full.

use std::collections::btree_map;

use jiff::Timestamp;
use scaling_control::Evaluation;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::decide::bounds::Bounds;
use scaling_policy::trigger::{Reading, Trigger};
use scaling_telemetry::metrics::{Added, Figures};
use scaling_telemetry::{explain, sentence};
use serde_json::{Value, json};

use crate::outlook::{self, KILL_SWITCH, Possible};
use crate::series::{Point, Series};
use crate::track::Track;

/// The members of a row of the fleet, in order. Rows without names are a third of the size.
pub const COLUMNS: [&str; 19] = [
    "name", "control", "mode", "type", "serving", "desired", "arriving", "load", "trigger", "wanted",
    "capacity", "cost", "savings", "action", "reason", "paused", "set", "stopped", "trouble",
];

/// All groups, a row each, and the sums over them.
pub(crate) fn fleet(tracks: btree_map::Iter<'_, GroupName, Track>) -> Value {
    let mut rows = Vec::with_capacity(tracks.len());
    let mut kill_switch: Option<(Timestamp, &str)> = None;
    let (mut at, mut cost, mut savings, mut saved, mut over) = (None, 0.0, 0.0, 0.0, 0_u32);
    for (name, track) in tracks {
        rows.push(row(name, track));
        saved += track.totals.savings - track.totals.excess;
        if let Some((evaluation, figures)) = &track.newest {
            at = at.max(Some(figures.at));
            // It stands for all groups; the one that was looked at last knows whether it still does.
            let said = set(evaluation, KILL_SWITCH).next().unwrap_or_default();
            kill_switch = kill_switch.max(Some((figures.at, said)));
            cost += figures.cost.0;
            savings += figures.savings.unwrap_or(0.0);
            over += u32::from(highest(figures).is_some_and(|(_, load)| load >= 1.0));
        }
    }
    let sums = json!({
        "groups": rows.len(), "over": over, "cost": round(cost), "savings": round(savings), "saved": round(saved),
    });
    let kill_switch = kill_switch.map(|(_, said)| said).filter(|said| !said.is_empty());
    json!({"at": at, "columns": COLUMNS, "rows": rows, "sums": sums, "kill_switch": kill_switch})
}

fn row(name: &GroupName, track: &Track) -> Value {
    let trouble = track.trouble.is_some();
    let Some((evaluation, figures)) = &track.newest else {
        let mut row = vec![Value::Null; COLUMNS.len()];
        row[0] = name.as_str().into();
        row[COLUMNS.len() - 1] = trouble.into();
        return row.into();
    };
    let [desired, serving, arriving] = figures.replicas.map(|(_, count)| count);
    let (trigger, load) = highest(figures).unzip();
    let held = ["override", "calendar"].into_iter().filter(|kind| set(evaluation, kind).next().is_some());
    let held: Vec<_> = held.collect();
    json!([
        name,
        figures.control,
        figures.mode,
        figures.instance_type,
        serving,
        desired,
        arriving,
        load.map(round),
        trigger.map(Trigger::name),
        figures.wanted_vcpu.map(round),
        round(figures.serving_vcpu),
        round(figures.cost.0),
        figures.savings.map(round),
        figures.action,
        figures.reason,
        set(evaluation, "paused ").next().is_some(),
        held,
        evaluation.state.breaker.is_open(),
        trouble,
    ])
}

/// What people have set of a kind, as the decision says it.
fn set<'a>(evaluation: &'a Evaluation, kind: &'a str) -> impl Iterator<Item = &'a str> {
    let in_force = evaluation.decision.in_force.iter().map(String::as_str);
    in_force.filter(move |said| said.starts_with(kind))
}

/// The trigger with the highest load, which is the one that counts.
fn highest(figures: &Figures) -> Option<(Trigger, f64)> {
    let known = figures.loads.iter().filter_map(|(trigger, load)| Some((trigger, (*load)?)));
    known.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// Of all groups what the REST interface has not: what each has come to, and how it can be changed next.
pub(crate) fn status(tracks: btree_map::Iter<'_, GroupName, Track>, now: Option<Timestamp>) -> Value {
    let groups = tracks.map(|(name, track)| {
        let newest = track.newest.as_ref();
        let figures = newest.map(|(_, figures)| figures);
        json!({
            "name": name, "trouble": track.trouble, "totals": totals(track), "outlook": outlook(track, now),
            "wanted": figures.and_then(|figures| figures.wanted_vcpu).map(round),
            "capacity": figures.map(|figures| round(figures.serving_vcpu)),
        })
    });
    json!({"now": now, "groups": groups.collect::<Vec<_>>()})
}

/// What the group has come to since it was first seen.
fn totals(track: &Track) -> Value {
    let Added { requests, cost, savings, excess } = track.totals;
    json!({"requests": requests, "cost": cost, "saved": savings - excess, "since": track.since})
}

/// The changes and when each is possible, as of the newest tick: a group that was not due in it waits less than when it was
/// looked at.
fn outlook(track: &Track, now: Option<Timestamp>) -> Option<Vec<Possible>> {
    let (config, (evaluation, figures)) = (track.config.as_ref()?, track.newest.as_ref()?);
    let now = now.map_or(figures.at, |now| now.max(figures.at));
    Some(outlook::possible(config, evaluation, now))
}

/// One group in full.
pub(crate) fn group(name: &str, track: &Track, now: Option<Timestamp>) -> Value {
    let mut value = json!({
        "name": name,
        "now": now,
        "trouble": track.trouble,
        "totals": totals(track),
        "marks": track.marks,
        "series": series(&track.series),
    });
    if let (Some(config), Some((evaluation, figures))) = (&track.config, &track.newest) {
        let state = &evaluation.state;
        let bounds = Bounds::of(config, state, &evaluation.snapshot, figures.at);
        let members = json!({
            "at": figures.at,
            "control": figures.control,
            "mode": figures.mode,
            "type": figures.instance_type,
            "replicas": figures.replicas.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "bounds": {"min": bounds.min, "max": bounds.max},
            "in_force": evaluation.decision.in_force,
            "ladder": evaluation.snapshot.ladder.iter().map(|offer| &offer.name).collect::<Vec<_>>(),
            "target_load": config.target_load,
            "wanted": figures.wanted_vcpu,
            "capacity": figures.serving_vcpu,
            "cost": figures.cost,
            "savings": figures.savings,
            "readings": Trigger::ALL.map(|trigger| reading(trigger, config, evaluation, figures)),
            "decision": evaluation.decision,
            "said": sentence::sentence(&evaluation.decision),
            "because": evaluation.decision.guards.iter().map(|note| note.reason.to_string()).collect::<Vec<_>>(),
            "explained": explain::explain(&evaluation.decision, None),
            "pause": state.pause,
            "override": state.temporary,
            "stopped": state.breaker.is_open(),
            "outlook": outlook(track, now),
        });
        if let (Value::Object(value), Value::Object(members)) = (&mut value, members) {
            value.extend(members);
        }
    }
    value
}

fn reading(trigger: Trigger, config: &GroupConfig, evaluation: &Evaluation, figures: &Figures) -> Value {
    let reading = evaluation.snapshot.readings[trigger];
    let state = match reading {
        Reading::Unbound => "unbound",
        Reading::Missing => "missing",
        Reading::AbsentZero => "zero",
        Reading::Stale { .. } => "stale",
        Reading::Fresh { .. } => "fresh",
    };
    let rule = &config.triggers[trigger];
    json!({
        "trigger": trigger, "state": state, "value": reading.value(), "threshold": rule.threshold,
        "load": figures.loads[trigger], "age": figures.data_age[trigger], "asks": rule.asks, "priority": rule.priority,
    })
}

/// One list for each figure, as charts take them.
fn series(series: &Series) -> Value {
    let list = |of: fn(&Point) -> f32| series.points().map(|point| finite(of(point))).collect::<Vec<_>>();
    let load = |place: usize| series.points().map(|point| finite(point.loads[place])).collect::<Vec<_>>();
    json!({
        "at": series.points().map(|point| point.at).collect::<Vec<_>>(),
        "wanted": list(|point| point.wanted),
        "capacity": list(|point| point.capacity),
        "cpu_usage": load(0),
        "memory_usage": load(1),
        "request_count": load(2),
        "request_latency": load(3),
        "serving": series.points().map(|point| point.serving).collect::<Vec<_>>(),
        "desired": series.points().map(|point| point.desired).collect::<Vec<_>>(),
        "cost": list(|point| point.cost),
        "fixed": list(|point| point.fixed),
        "saved": list(|point| point.saved),
        "type": series.points().map(|point| point.instance_type).collect::<Vec<_>>(),
        "types": series.types(),
    })
}

/// JSON knows no NaN; a gap in a chart is null.
fn finite(value: f32) -> Option<f64> {
    value.is_finite().then(|| round(f64::from(value)))
}

/// Four digits after the point: what is shown, and a fraction of the bytes.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
