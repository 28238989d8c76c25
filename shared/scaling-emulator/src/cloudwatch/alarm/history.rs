//! What happened to alarms, kept for two weeks, and `DescribeAlarmHistory`.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::describe::page_size;
use crate::cloudwatch::members::Seconds;
use crate::cloudwatch::paging;
use crate::region::Region;
use crate::wire::AwsError;

/// How long items are kept, and how many.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
const MOST: usize = 50_000;

/// What an item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// It was put, or deleted.
    ConfigurationUpdate,
    /// Its state changed.
    StateUpdate,
    /// An action was set off.
    Action,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The alarm's name.
    pub alarm: String,
    /// Whether that is a composite one.
    pub composite: bool,
    /// When.
    pub time: Timestamp,
    /// What it is about.
    pub kind: Kind,
    /// For people.
    pub summary: String,
    /// As JSON.
    pub data: String,
}

/// What happened to alarms, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    items: VecDeque<Item>,
}

impl History {
    /// Adds the newest item and forgets old ones.
    pub fn push(&mut self, item: Item) {
        let oldest = item.time - KEPT;
        self.items.push_back(item);
        while self.items.len() > MOST || self.items.front().is_some_and(|item| item.time < oldest) {
            self.items.pop_front();
        }
    }

    /// All items, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items.iter()
    }
}

/// Input of `DescribeAlarmHistory`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmHistory {
    /// Only of this alarm.
    pub alarm_name: Option<String>,
    /// Only of these kinds of alarm, `MetricAlarm` and `CompositeAlarm`; of metric alarms when empty.
    pub alarm_types: Vec<String>,
    /// Only of this kind.
    pub history_item_type: Option<String>,
    /// Only from then on.
    pub start_date: Option<Seconds>,
    /// Only until then.
    pub end_date: Option<Seconds>,
    /// Most items of one page.
    pub max_records: Option<i64>,
    /// From the page before.
    pub next_token: Option<String>,
    /// `TimestampDescending`, the default, or `TimestampAscending`.
    pub scan_by: Option<String>,
}

/// Output of `DescribeAlarmHistory`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmHistory {
    /// One page.
    pub alarm_history_items: Vec<AlarmHistoryItem>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// One item as the service shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmHistoryItem {
    alarm_name: String,
    alarm_type: &'static str,
    timestamp: Seconds,
    history_item_type: Kind,
    history_summary: String,
    history_data: String,
}

/// The kinds of items that the service knows; those of contributors never come about here.
const KINDS: [&str; 5] =
    ["ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction"];

fn check_kind(input: &DescribeAlarmHistory) -> Result<(), AwsError> {
    match input.history_item_type.as_deref().filter(|kind| !KINDS.contains(kind)) {
        Some(kind) => Err(AwsError::validation(format!(
            "The value {kind} for parameter HistoryItemType is not supported."
        ))),
        None => Ok(()),
    }
}

/// Shows what happened to alarms.
///
/// # Errors
/// `ValidationError` for a page size or a kind of item that cannot be, `InvalidNextToken`.
pub fn describe_alarm_history(
    region: &mut Region,
    input: &DescribeAlarmHistory,
) -> Result<AlarmHistory, AwsError> {
    let size = page_size(input.max_records)?;
    check_kind(input)?;
    let wanted = |item: &&Item| {
        let (start, end) =
            (input.start_date.and_then(Seconds::timestamp), input.end_date.and_then(Seconds::timestamp));
        let kind = format!("{:?}", item.kind);
        let alarm_type = if item.composite { "CompositeAlarm" } else { "MetricAlarm" };
        let by_type = if input.alarm_types.is_empty() {
            !item.composite || input.alarm_name.is_some()
        } else {
            input.alarm_types.iter().any(|wanted| wanted == alarm_type)
        };
        by_type
            && input.alarm_name.as_ref().is_none_or(|name| *name == item.alarm)
            && input.history_item_type.as_ref().is_none_or(|wanted| *wanted == kind)
            && start.is_none_or(|start| item.time >= start)
            && end.is_none_or(|end| item.time <= end)
    };
    let mut items: Vec<AlarmHistoryItem> = region
        .cloudwatch
        .alarms
        .history
        .iter()
        .rev()
        .filter(wanted)
        .map(|item| AlarmHistoryItem {
            alarm_name: item.alarm.clone(),
            alarm_type: if item.composite { "CompositeAlarm" } else { "MetricAlarm" },
            timestamp: item.time.into(),
            history_item_type: item.kind,
            history_summary: item.summary.clone(),
            history_data: item.data.clone(),
        })
        .collect();
    if input.scan_by.as_deref() == Some("TimestampAscending") {
        items.reverse();
    }
    let (alarm_history_items, next_token) = paging::page(items, size, input.next_token.as_deref())?;
    Ok(AlarmHistory { alarm_history_items, next_token })
}
