//! Composite alarms: alarms over the states of other alarms.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::composite_rule::{self, Rule, name_of};
use super::put::{check_actions, checked_name, store};
use super::shown::Common;
use super::suppression::SuppressedBy;
use super::tags::Tag;
use super::{Alarm, Alarms, Comparison, Configuration, State, StateValue, Watch};
use crate::cloudwatch::Empty;
use crate::cloudwatch::metric::required;
use crate::region::Region;
use crate::wire::AwsError;

/// Most levels of composite alarms over each other that follow from one change.
const LEVELS: usize = 10;

/// What a composite alarm watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    /// The rule as it was given.
    pub text: String,
    /// The rule.
    pub rule: Rule,
    /// An alarm that keeps its actions back while it is on.
    pub suppressor: Option<String>,
    /// How long its actions wait for that alarm to go off, in seconds.
    pub wait: Option<i64>,
    /// How long they wait after that alarm went out, in seconds.
    pub extension: Option<i64>,
}

/// Input of `PutCompositeAlarm`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutCompositeAlarm {
    /// Its name.
    pub alarm_name: Option<String>,
    /// For people.
    pub alarm_description: Option<String>,
    /// Its rule.
    pub alarm_rule: Option<String>,
    /// Whether changes set off actions; true when absent.
    pub actions_enabled: Option<bool>,
    /// ARNs.
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    /// ARNs.
    pub alarm_actions: Vec<String>,
    /// ARNs.
    pub insufficient_data_actions: Vec<String>,
    /// An alarm that keeps its actions back while it is on.
    pub actions_suppressor: Option<String>,
    /// Seconds.
    pub actions_suppressor_wait_period: Option<i64>,
    /// Seconds.
    pub actions_suppressor_extension_period: Option<i64>,
    /// Tags; ignored when the alarm exists.
    pub tags: Vec<Tag>,
}

/// Makes a composite alarm, or gives one a new configuration.
///
/// # Errors
/// `ValidationError` for a rule that cannot be, names an alarm that does not exist, or leads back to the alarm.
pub fn put_composite_alarm(region: &mut Region, input: PutCompositeAlarm) -> Result<Empty, AwsError> {
    let name = checked_name(required(input.alarm_name, "AlarmName")?)?;
    super::put::check_texts(&input.tags, input.alarm_description.as_deref())?;
    let text = required(input.alarm_rule, "AlarmRule")?;
    let rule = composite_rule::parse(&text)
        .map_err(|why| AwsError::validation(format!("AlarmRule contains an invalid expression: {why}")))?;
    let alarms = &region.cloudwatch.alarms.by_name;
    for child in rule.children().into_iter().chain(input.actions_suppressor.as_deref()).map(name_of) {
        if !alarms.contains_key(child) {
            return Err(AwsError::validation(format!(
                "AlarmRule or ActionsSuppressor must not contain an alarm that does not exist: {child}"
            )));
        }
        if leads_to(alarms, child, &name, LEVELS) {
            return Err(AwsError::validation(format!(
                "The alarm {name} must not depend on itself, as it does by {child}."
            )));
        }
    }
    for (member, period) in [
        ("ActionsSuppressorWaitPeriod", input.actions_suppressor_wait_period),
        ("ActionsSuppressorExtensionPeriod", input.actions_suppressor_extension_period),
    ] {
        if input.actions_suppressor.is_some() && period.is_none_or(|period| period < 0) {
            return Err(AwsError::validation(format!(
                "{member} must be seconds of at least 0 when ActionsSuppressor is specified."
            )));
        }
        if input.actions_suppressor.is_none() && period.is_some() {
            return Err(AwsError::validation(format!("{member} requires ActionsSuppressor.")));
        }
    }
    for (member, actions) in [
        ("OKActions", &input.ok_actions),
        ("AlarmActions", &input.alarm_actions),
        ("InsufficientDataActions", &input.insufficient_data_actions),
    ] {
        check_actions(member, actions)?;
    }
    let configuration = Configuration {
        description: input.alarm_description,
        actions_enabled: input.actions_enabled.unwrap_or(true),
        ok_actions: input.ok_actions,
        alarm_actions: input.alarm_actions,
        insufficient_data_actions: input.insufficient_data_actions,
        watch: Watch::Composite(Composite {
            text,
            rule,
            suppressor: input.actions_suppressor,
            wait: input.actions_suppressor_wait_period,
            extension: input.actions_suppressor_extension_period,
        }),
        // Of no meaning here.
        evaluation_periods: 1,
        datapoints_to_alarm: None,
        threshold: 0.0,
        comparison: Comparison::GreaterThanThreshold,
        treat_missing_data: None,
        low_sample_percentile: None,
    };
    store(region, name, configuration, input.tags);
    Ok(Empty {})
}

fn leads_to(alarms: &std::collections::BTreeMap<String, Alarm>, from: &str, to: &str, levels: usize) -> bool {
    if from == to {
        return true;
    }
    let Some(Watch::Composite(composite)) = alarms.get(from).map(|alarm| &alarm.configuration.watch) else {
        return false;
    };
    levels == 0
        || composite.rule.children().into_iter().any(|child| leads_to(alarms, name_of(child), to, levels - 1))
}

/// The composite alarms whose state changes now, with their new states. Called until none does.
pub(super) fn due(alarms: &Alarms, now: jiff::Timestamp) -> Vec<(String, State)> {
    let state = |alarm: &str| alarms.by_name.get(name_of(alarm)).map(|alarm| alarm.state.value);
    let changed = alarms.by_name.values().filter_map(|alarm| {
        let Watch::Composite(composite) = &alarm.configuration.watch else { return None };
        let value = if composite.rule.holds(&state) { StateValue::Alarm } else { StateValue::Ok };
        (value != alarm.state.value).then(|| (alarm.name.clone(), told(alarms, composite, value, now)))
    });
    changed.collect()
}

fn told(alarms: &Alarms, composite: &Composite, value: StateValue, now: jiff::Timestamp) -> State {
    let children: Vec<&Alarm> = composite
        .rule
        .children()
        .into_iter()
        .filter_map(|child| alarms.by_name.get(name_of(child)))
        .collect();
    let latest = children.iter().max_by_key(|child| child.state.updated);
    let reason = latest.map_or_else(
        || format!("The rule evaluates to {}.", value.name()),
        |child| {
            format!(
                "{} transitioned to {} at {}",
                child.arn,
                child.state.value.name(),
                child.state.updated.strftime("%A %d %B, %Y %H:%M:%S UTC")
            )
        },
    );
    let triggering: Vec<_> = children
        .iter()
        .map(|child| {
            json!({
                "arn": child.arn,
                "state": { "value": child.state.value, "timestamp": super::reason::written(child.state.updated) },
            })
        })
        .collect();
    State {
        value,
        reason,
        reason_data: Some(json!({ "triggeringAlarms": triggering }).to_string()),
        updated: now,
    }
}

/// How often states may follow from each other within one moment.
pub(super) const fn levels() -> usize {
    LEVELS
}

/// A composite alarm as the service shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members of PutCompositeAlarm, which are documented there")]
pub struct CompositeAlarm {
    #[serde(flatten)]
    pub common: Common,
    pub alarm_rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_suppressed_by: Option<SuppressedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_suppressed_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_suppressor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_suppressor_wait_period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_suppressor_extension_period: Option<i64>,
}

/// Shows a composite alarm; `None` for others.
pub(super) fn shown(alarm: &Alarm) -> Option<CompositeAlarm> {
    let Watch::Composite(composite) = &alarm.configuration.watch else { return None };
    let suppressor = composite.suppressor.as_deref().unwrap_or_default();
    Some(CompositeAlarm {
        common: alarm.into(),
        alarm_rule: composite.text.clone(),
        actions_suppressed_by: alarm.suppression.as_ref().map(|one| one.by),
        actions_suppressed_reason: alarm.suppression.as_ref().map(|one| one.reason(suppressor)),
        actions_suppressor: composite.suppressor.clone(),
        actions_suppressor_wait_period: composite.wait,
        actions_suppressor_extension_period: composite.extension,
    })
}
