//! The page at `/`: the fleet as it lives. Everything that it needs is in this program.

use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use crate::cloudwatch::alarm::{Alarm, StateValue};
use crate::emulator::State;
use crate::region::activity::Activity;
use crate::region::{Group, Member, MinuteRecord};

const PAGE: &str = include_str!("page.html");

/// Groups, instances of a group, minutes, alarms and activities that are shown at the most.
const GROUPS: usize = 60;
const INSTANCES: usize = 300;
const MINUTES: i64 = 240;
const ALARMS: usize = 100;
const ACTIVITIES: usize = 40;

/// The page itself.
pub(crate) fn html() -> Response {
    Html(PAGE).into_response()
}

/// What the page shows.
pub(crate) fn view(state: &State) -> Value {
    let region = &state.region;
    // Those with a load first: among many that only exist they are what somebody looks for.
    let mut groups: Vec<&Group> = region.groups().collect();
    groups.sort_by_key(|group| !group.world.is_loaded());
    groups.truncate(GROUPS);
    let mut activities: Vec<&Activity> =
        groups.iter().flat_map(|group| group.activities.iter().take(ACTIVITIES)).collect();
    activities.sort_by_key(|activity| std::cmp::Reverse(activity.start_time));
    activities.truncate(ACTIVITIES);
    let from = region.now - jiff::SignedDuration::from_mins(MINUTES);
    let mut alarms: Vec<&Alarm> = region.cloudwatch.alarms.by_name.values().collect();
    alarms.sort_by_key(|alarm| urgency(alarm));
    alarms.truncate(ALARMS);
    json!({
        "now": region.now,
        "region": region.name,
        "group_count": region.groups().count(),
        "groups": groups.iter().map(|group| shown(group, from, region.now)).collect::<Value>(),
        "alarms": alarms.into_iter().map(alarm).collect::<Value>(),
        "activities": activities.into_iter().map(activity).collect::<Value>(),
        "faults": faults(state),
        "planned": state.timeline.len(),
        "requests": state.requests.counts().values().sum::<u64>(),
    })
}

/// The faults in force, with the published limits as one and not each by itself.
fn faults(state: &State) -> Value {
    let mut faults = state.faults_in_force();
    faults["rates"] = json!(state.faults.rates().own());
    faults
}

/// Alarms that are raised come first, then those that lack data.
fn urgency(alarm: &Alarm) -> u8 {
    match alarm.state.value {
        StateValue::Alarm => 0,
        StateValue::InsufficientData => 1,
        StateValue::Ok => 2,
    }
}

fn shown(group: &Group, from: jiff::Timestamp, now: jiff::Timestamp) -> Value {
    let sizes = group.sizes();
    let instances = group.members.iter().take(INSTANCES).map(instance);
    json!({
        "name": group.name,
        "min": group.settings.min,
        "max": group.settings.max,
        "desired": group.desired,
        "loaded": group.world.is_loaded(),
        "deleting": group.deleting,
        "in_service": sizes.in_service,
        "pending": sizes.pending,
        "terminating": sizes.terminating,
        "standby": sizes.standby,
        "warm": sizes.warm,
        "refresh": group.active_refresh().map(|refresh| format!("{:?} {} %", refresh.status, refresh.progress().percentage_complete)),
        "suspended": group.suspended.keys().collect::<Vec<_>>(),
        "policies": group.policies.keys().collect::<Vec<_>>(),
        "scheduled": group.scheduled.iter().map(|one| &one.scheduled_action_name).collect::<Vec<_>>(),
        "instances": instances.collect::<Value>(),
        "more": group.members.len().saturating_sub(INSTANCES),
        "minutes": group.minutes().between(from, now).map(|minute| point(&minute)).collect::<Value>(),
    })
}

fn instance(member: &Member) -> Value {
    json!({
        "id": member.id,
        "type": member.instance_type.as_str(),
        "zone": member.zone,
        "state": member.state,
        "healthy": member.healthy,
        "protected": member.protected,
        "spot": member.spot,
    })
}

/// Time, requests a second, CPU and p95 latency, instances that serve and that were asked for.
fn point(minute: &MinuteRecord) -> Value {
    json!([
        minute.start.as_second(),
        minute.requests / 60.0,
        minute.busy,
        minute.latency.map(|latency| latency.p95),
        minute.sizes.in_service,
        minute.sizes.desired,
    ])
}

fn alarm(alarm: &Alarm) -> Value {
    json!({
        "name": alarm.name,
        "state": alarm.state.value,
        "since": alarm.state.updated,
        "reason": alarm.state.reason,
    })
}

fn activity(activity: &Activity) -> Value {
    json!({
        "group": activity.auto_scaling_group_name,
        "at": activity.start_time,
        "status": activity.status_code,
        "description": activity.description,
        "cause": activity.cause,
    })
}
