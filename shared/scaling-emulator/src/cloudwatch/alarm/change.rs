//! Operations that change alarms that exist: `SetAlarmState`, `DeleteAlarms`, `EnableAlarmActions` and
//! `DisableAlarmActions`.

use serde::{Deserialize, Serialize};

use super::due::{self, changed};
use super::told::{Verb, configuration_update};
use super::{Alarms, State, StateValue, relatives};
use crate::cloudwatch::Empty;
use crate::cloudwatch::metric::required;
use crate::region::{Region, acting};
use crate::wire::AwsError;

/// Most alarms of one call.
const MAX_NAMES: usize = 100;

/// Input of `SetAlarmState`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SetAlarmState {
    /// Which alarm.
    pub alarm_name: Option<String>,
    /// Its new state.
    pub state_value: Option<String>,
    /// Why, for people.
    pub state_reason: Option<String>,
    /// Why, as JSON.
    pub state_reason_data: Option<String>,
}

/// Input of the operations on several alarms.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AlarmNames {
    /// Which alarms.
    pub alarm_names: Vec<String>,
}

/// Most characters of the reason for a state, by the service's model.
const MAX_REASON: usize = 1023;

/// Most characters of the reason's data.
const MAX_REASON_DATA: usize = 4000;

fn fits(text: &str, most: usize, member: &str) -> Result<(), AwsError> {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than \
         or equal to {most}"
    )))
}

/// Puts an alarm into a state until it is next evaluated. Actions are set off as by any change; see
/// [`crate::cloudwatch::take_invocations`].
///
/// # Errors
/// `ResourceNotFound`; `InvalidFormat` when the reason's data is not JSON; `ValidationError` for an unknown state.
pub fn set_alarm_state(region: &mut Region, input: SetAlarmState) -> Result<Empty, AwsError> {
    let name = required(input.alarm_name, "AlarmName")?;
    let value = required(input.state_value, "StateValue")?;
    let reason = required(input.state_reason, "StateReason")?;
    let value = StateValue::named(&value).ok_or_else(|| {
        AwsError::validation(format!("The value {value} for parameter StateValue is not supported."))
    })?;
    fits(&reason, MAX_REASON, "stateReason")?;
    let data = input.state_reason_data;
    fits(data.as_deref().unwrap_or_default(), MAX_REASON_DATA, "stateReasonData")?;
    if data.as_deref().is_some_and(|data| serde_json::from_str::<serde::de::IgnoredAny>(data).is_err()) {
        return Err(AwsError::new("InvalidFormat", "StateReasonData is not valid JSON."));
    }
    // Taken out while it is changed, because its event is made from the region.
    let Some(mut alarm) = region.cloudwatch.alarms.by_name.remove(&name) else {
        return Err(
            AwsError::new("ResourceNotFound", format!("Could not find alarm {name}")).with_status(404)
        );
    };
    let state = State { value, reason, reason_data: data, updated: region.now };
    let (items, invocations) = changed(region, &mut alarm, state);
    for item in items {
        region.cloudwatch.alarms.history.push(item);
    }
    region.cloudwatch.alarms.by_name.insert(name.clone(), alarm);
    region.cloudwatch.pending.extend(invocations);
    due::follow(region);
    acting::act_on(region, &name);
    Ok(Empty {})
}

/// Deletes alarms; unknown ones are ignored.
///
/// # Errors
/// `ValidationError` for more than 100 names, for more than one composite alarm, and where a composite alarm that stays
/// depends on one of them: then all of them stay.
pub fn delete_alarms(region: &mut Region, input: AlarmNames) -> Result<Empty, AwsError> {
    let names = names(input)?;
    check_deletion(&region.cloudwatch.alarms, &names)?;
    remove(region, &names);
    Ok(Empty {})
}

fn check_deletion(alarms: &Alarms, names: &[String]) -> Result<(), AwsError> {
    let composite =
        |name: &&String| alarms.by_name.get(*name).is_some_and(|alarm| alarm.configuration.is_composite());
    if names.iter().filter(composite).count() > 1 {
        return Err(AwsError::validation("Deletion of multiple composite alarms is not supported."));
    }
    let needed = |name: &&str| {
        let mut staying = alarms.by_name.values().filter(|alarm| !names.contains(&alarm.name));
        alarms.by_name.contains_key(*name) && staying.any(|alarm| relatives::names(alarm, name))
    };
    let needed: Vec<&str> = names.iter().map(String::as_str).filter(needed).collect();
    let them = match needed.len() {
        0 => return Ok(()),
        1 => "it",
        _ => "them",
    };
    Err(AwsError::validation(format!(
        "Cannot delete {} as there are composite alarm(s) depending on {them}.",
        needed.join(",")
    )))
}

/// Takes alarms away, whatever depends on them.
pub(crate) fn remove(region: &mut Region, names: &[String]) {
    let now = region.now;
    let alarms = &mut region.cloudwatch.alarms;
    for name in names {
        if let Some(alarm) = alarms.by_name.remove(name) {
            alarms.tags.remove(&alarm.arn);
            alarms.history.push(configuration_update(&alarm, Verb::Delete, now));
        }
    }
}

/// Takes an action out of all alarms that have it. Where `orphans_go`, an alarm that is left without any is deleted.
pub(crate) fn drop_action(region: &mut Region, is_it: impl Fn(&str) -> bool, orphans_go: bool) {
    let now = region.now;
    let alarms = &mut region.cloudwatch.alarms;
    let mut orphans = Vec::new();
    for alarm in alarms.by_name.values_mut() {
        let configuration = &mut alarm.configuration;
        let lists = [
            &mut configuration.ok_actions,
            &mut configuration.alarm_actions,
            &mut configuration.insufficient_data_actions,
        ];
        let (mut dropped, mut left) = (0, 0);
        for list in lists {
            let before = list.len();
            list.retain(|action| !is_it(action));
            (dropped, left) = (dropped + before - list.len(), left + list.len());
        }
        if dropped > 0 && left == 0 && orphans_go {
            orphans.push(alarm.name.clone());
        } else if dropped > 0 {
            alarms.history.push(configuration_update(alarm, Verb::Update, now));
        }
    }
    remove(region, &orphans);
}

/// Lets changes set off actions; unknown alarms are ignored.
///
/// # Errors
/// `ValidationError` for more than 100 names.
pub fn enable_alarm_actions(region: &mut Region, input: AlarmNames) -> Result<Empty, AwsError> {
    switch_actions(region, input, true)
}

/// Lets changes set off nothing; unknown alarms are ignored.
///
/// # Errors
/// `ValidationError` for more than 100 names.
pub fn disable_alarm_actions(region: &mut Region, input: AlarmNames) -> Result<Empty, AwsError> {
    switch_actions(region, input, false)
}

fn switch_actions(region: &mut Region, input: AlarmNames, enabled: bool) -> Result<Empty, AwsError> {
    let now = region.now;
    let alarms = &mut region.cloudwatch.alarms;
    for name in names(input)? {
        if let Some(alarm) = alarms.by_name.get_mut(&name) {
            alarm.configuration.actions_enabled = enabled;
            alarms.history.push(configuration_update(alarm, Verb::Update, now));
        }
    }
    Ok(Empty {})
}

fn names(input: AlarmNames) -> Result<Vec<String>, AwsError> {
    if input.alarm_names.is_empty() {
        return required(None, "AlarmNames");
    }
    few(&input.alarm_names)?;
    Ok(input.alarm_names)
}

/// Refuses more alarms than one call may name.
pub(super) fn few(names: &[String]) -> Result<(), AwsError> {
    if names.len() <= MAX_NAMES {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "The collection AlarmNames must not have a size greater than {MAX_NAMES}."
    )))
}
