//! Scheduled actions: stored and shown. What they do is the group's, as time passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::page::{Sizes, not_too_many, sorted};
use super::policies::{arn, selected};
use super::{at_most, check_stays, fits, group_mut};
use crate::region::Region;
use crate::region::cron::Cron;
use crate::region::policy::ScheduledAction;
use crate::wire::AwsError;

/// Most scheduled actions of a group.
const MOST: usize = 125;

/// Most of one call.
const MOST_AT_ONCE: usize = 50;

/// Stores a scheduled action.
pub fn schedule(region: &mut Region, action: &ScheduledAction) -> Result<(), AwsError> {
    let now = region.now;
    fits(&action.scheduled_action_name, 255, "scheduledActionName")?;
    let group = group_mut(region, &action.auto_scaling_group_name)?;
    check_stays(group)?;
    if action.start_time.is_none() && action.recurrence.is_none() {
        return Err(AwsError::validation("Start time or recurrence must be specified."));
    }
    if action.min_size.is_none() && action.max_size.is_none() && action.desired_capacity.is_none() {
        return Err(AwsError::validation(
            "At least one of the following must be specified: MinSize, MaxSize, DesiredCapacity.",
        ));
    }
    if action.start_time.is_some_and(|start| start <= now) && action.recurrence.is_none() {
        return Err(AwsError::validation("Given start time is in the past"));
    }
    let once = |one: &ScheduledAction| one.start_time.filter(|_| one.recurrence.is_none());
    let others =
        group.scheduled.iter().filter(|other| other.scheduled_action_name != action.scheduled_action_name);
    if once(action).is_some_and(|start| others.into_iter().any(|other| once(other) == Some(start))) {
        // *User Guide*, "Scheduled scaling": every scheduled action must have a unique time value.
        return Err(AwsError::new(
            "AlreadyExists",
            "Another scheduled action with the same start time already exists",
        ));
    }
    if action.end_time.is_some_and(|end| end < action.start_time.unwrap_or(now)) {
        return Err(AwsError::validation("Given end time is before the start time, or in the past"));
    }
    check_sizes(action)?;
    if let Some(recurrence) = &action.recurrence
        && Cron::parse(recurrence, action.time_zone.as_deref()).is_none()
    {
        return Err(AwsError::validation(format!(
            "Given recurrence string '{recurrence}' or time zone is invalid"
        )));
    }
    let is_new = !group.scheduled.contains(&action.scheduled_action_name);
    if is_new && group.scheduled.len() >= MOST {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A group must not have more than {MOST} scheduled actions."),
        ));
    }
    group.scheduled.put(action.clone());
    region.next_scheduled.take();
    Ok(())
}

/// Sizes are none below zero, and each fits the others that are given.
fn check_sizes(action: &ScheduledAction) -> Result<(), AwsError> {
    let (min, max) = (("MinSize", action.min_size), ("MaxSize", action.max_size));
    let desired = ("DesiredCapacity", action.desired_capacity);
    for (member, size) in [min, max, desired] {
        if let Some(size) = size.filter(|size| *size < 0) {
            return Err(AwsError::validation(format!("Given {member} {size} is below 0")));
        }
    }
    for ((less, lower), (more, upper)) in [(min, max), (desired, max), (min, desired)] {
        if lower.zip(upper).is_some_and(|(lower, upper)| lower > upper) {
            return Err(AwsError::validation(format!("Given {less} is above {more}")));
        }
    }
    Ok(())
}

/// Input of BatchPutScheduledUpdateGroupAction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The actions.
    pub scheduled_update_group_actions: Vec<ScheduledAction>,
}

/// Input of BatchDeleteScheduledAction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchDeleteInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Their names.
    pub scheduled_action_names: Vec<String>,
}

/// Output of both batches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchOutput {
    /// Those that failed.
    #[serde(rename = "FailedScheduledUpdateGroupActions", skip_serializing_if = "Option::is_none")]
    pub failed_put: Option<Vec<Failed>>,
    /// Those that failed.
    #[serde(rename = "FailedScheduledActions", skip_serializing_if = "Option::is_none")]
    pub failed_delete: Option<Vec<Failed>>,
}

/// One that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failed {
    /// Its name.
    pub scheduled_action_name: String,
    /// The code.
    pub error_code: String,
    /// The sentence.
    pub error_message: String,
}

fn failed(name: &str, error: AwsError) -> Failed {
    Failed {
        scheduled_action_name: name.to_owned(),
        error_code: error.code.into_owned(),
        error_message: error.message,
    }
}

/// Stores several scheduled actions; those that break a rule are told and leave the others alone.
pub fn batch_put(region: &mut Region, input: &BatchInput) -> Result<BatchOutput, AwsError> {
    at_most(&input.scheduled_update_group_actions, MOST_AT_ONCE, "scheduledUpdateGroupActions")?;
    group_mut(region, &input.auto_scaling_group_name)?;
    let mut all = Vec::new();
    for action in &input.scheduled_update_group_actions {
        let group = input.auto_scaling_group_name.clone();
        let action = ScheduledAction { auto_scaling_group_name: group, ..action.clone() };
        if let Err(error) = schedule(region, &action) {
            all.push(failed(&action.scheduled_action_name, error));
        }
    }
    Ok(BatchOutput { failed_put: Some(all), failed_delete: None })
}

/// Deletes several scheduled actions.
pub fn batch_delete(region: &mut Region, input: &BatchDeleteInput) -> Result<BatchOutput, AwsError> {
    at_most(&input.scheduled_action_names, MOST_AT_ONCE, "scheduledActionNames")?;
    group_mut(region, &input.auto_scaling_group_name)?;
    let mut all = Vec::new();
    for name in &input.scheduled_action_names {
        let one = UnscheduleInput {
            auto_scaling_group_name: input.auto_scaling_group_name.clone(),
            scheduled_action_name: name.clone(),
        };
        if let Err(error) = unschedule(region, &one) {
            all.push(failed(name, error));
        }
    }
    Ok(BatchOutput { failed_put: None, failed_delete: Some(all) })
}

/// Input of DescribeScheduledActions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ScheduledInput {
    /// One group; all when absent.
    pub auto_scaling_group_name: Option<String>,
    /// All when empty.
    pub scheduled_action_names: Vec<String>,
    /// Those that run next at this moment or later,
    pub start_time: Option<Timestamp>,
    /// and at this moment or before; neither counts where names are given.
    pub end_time: Option<Timestamp>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeScheduledActions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledOutput {
    /// The page.
    pub scheduled_update_group_actions: Vec<ScheduledDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A scheduled action as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduledDescription {
    /// As it was stored, with the time of its next run as its start.
    #[serde(flatten)]
    pub action: ScheduledAction,
    /// The same time by its older name.
    #[serde(rename = "Time")]
    pub time: Option<Timestamp>,
    /// ARN.
    #[serde(rename = "ScheduledActionARN")]
    pub scheduled_action_arn: String,
}

/// Describes scheduled actions by group and name.
pub fn describe_scheduled(region: &mut Region, input: &ScheduledInput) -> Result<ScheduledOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    not_too_many(&input.scheduled_action_names, "scheduled action names")?;
    let names = &input.scheduled_action_names;
    let mut found = Vec::new();
    for group in selected(region, input.auto_scaling_group_name.as_deref())? {
        let wanted =
            |action: &&ScheduledAction| names.is_empty() || names.contains(&action.scheduled_action_name);
        for action in group.scheduled.iter().filter(wanted) {
            let name = format!("scheduledActionName/{}", action.scheduled_action_name);
            let scheduled_action_arn = arn(group, "scheduledUpdateGroupAction", &name);
            let time = action.next(region.now).or(action.start_time);
            let action = ScheduledAction { start_time: time, ..action.clone() };
            found.push(ScheduledDescription { action, time, scheduled_action_arn });
        }
    }
    if names.is_empty() {
        let (from, to) = (input.start_time, input.end_time);
        found.retain(|one| {
            from.is_none_or(|from| one.time.is_some_and(|time| time >= from))
                && to.is_none_or(|to| one.time.is_some_and(|time| time <= to))
        });
    }
    let key = |one: &ScheduledDescription| {
        format!("{}\t{}", one.action.auto_scaling_group_name, one.action.scheduled_action_name)
    };
    found.sort_by_key(key);
    let page = sorted(found, key, input.next_token.as_deref(), size)?;
    Ok(ScheduledOutput { scheduled_update_group_actions: page.items, next_token: page.next_token })
}

/// Input of DeleteScheduledAction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnscheduleInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The action.
    pub scheduled_action_name: String,
}

/// Deletes a scheduled action.
pub fn unschedule(region: &mut Region, input: &UnscheduleInput) -> Result<(), AwsError> {
    let name = &input.scheduled_action_name;
    if !group_mut(region, &input.auto_scaling_group_name)?.scheduled.remove(name) {
        return Err(AwsError::validation(format!("Scheduled action name not found - {name}")));
    }
    region.next_scheduled.take();
    Ok(())
}
