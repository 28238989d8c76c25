//! How the history tells that an alarm was made, changed or deleted.
//!
//! Source: *Amazon CloudWatch User Guide*, "Alarm events and EventBridge", and what `DescribeAlarmHistory` gives: the alarm as
//! a whole under `createdAlarm`, `updatedAlarm` or `deletedAlarm`, with members that begin with a small letter.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::history::{Item, Kind};
use super::reason::written;
use super::{Alarm, composite, describe};

/// What happened to a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
    Delete,
}

impl Verb {
    fn past(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
        }
    }
}

/// The history item of what happened to a configuration.
pub(super) fn configuration_update(alarm: &Alarm, verb: Verb, now: Timestamp) -> Item {
    let mut data = json!({ "version": "1.0", "type": format!("{verb:?}") });
    data[format!("{}Alarm", verb.past())] = whole(alarm);
    Item {
        alarm: alarm.name.clone(),
        composite: alarm.configuration.is_composite(),
        time: now,
        kind: Kind::ConfigurationUpdate,
        summary: format!("Alarm \"{}\" {}", alarm.name, verb.past()),
        data: data.to_string(),
    }
}

/// The alarm as it is described, in the history's spelling.
fn whole(alarm: &Alarm) -> Value {
    let described = match composite::shown(alarm) {
        Some(composite) => serde_json::to_value(composite),
        None => serde_json::to_value(describe::shown(alarm)),
    };
    let mut told = uncapitalised(described.unwrap_or_default());
    told["alarmConfigurationUpdatedTimestamp"] = written(alarm.configured).into();
    told["stateUpdatedTimestamp"] = written(alarm.state.updated).into();
    if let Some(members) = told.as_object_mut() {
        for member in ["stateReason", "stateReasonData", "stateTransitionedTimestamp"] {
            members.remove(member);
        }
    }
    told
}

fn uncapitalised(value: Value) -> Value {
    let small = |name: String| match name.as_str() {
        "OKActions" => "okActions".to_owned(),
        _ => crate::wire::query::uncapitalised(&name),
    };
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (small(name), uncapitalised(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(uncapitalised).collect(),
        other => other,
    }
}
