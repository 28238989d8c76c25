//! `DescribeAlarms` by relation: the alarms that a composite one follows from, and the composite ones that follow from an alarm.

use serde::Serialize;

use super::composite_rule::name_of;
use super::describe::{AlarmList, DescribeAlarms, Shown};
use super::{Alarm, Alarms, StateValue, Watch};
use crate::cloudwatch::members::Seconds;
use crate::cloudwatch::paging;
use crate::wire::AwsError;

/// What is asked for, with the name of the alarm that it is seen from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation<'a> {
    /// Those that its rule names.
    Children(&'a str),
    /// Those whose rules name it.
    Parents(&'a str),
}

/// What is told of such an alarm: of children the state too.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Relative {
    pub alarm_name: String,
    pub alarm_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_value: Option<StateValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_updated_timestamp: Option<Seconds>,
}

impl<'a> Relation<'a> {
    /// The relation that a request asks for, if it asks for one.
    ///
    /// # Errors
    /// `ValidationError` beside anything but the size and the token of a page.
    pub(super) fn of(input: &'a DescribeAlarms) -> Result<Option<Self>, AwsError> {
        let (relation, member) = match (&input.children_of_alarm_name, &input.parents_of_alarm_name) {
            (None, None) => return Ok(None),
            (Some(name), None) => (Self::Children(name), "ChildrenOfAlarmName"),
            (None, Some(name)) => (Self::Parents(name), "ParentsOfAlarmName"),
            (Some(_), Some(_)) => return Err(not_alone("ChildrenOfAlarmName")),
        };
        let others = DescribeAlarms {
            children_of_alarm_name: None,
            parents_of_alarm_name: None,
            max_records: None,
            next_token: None,
            ..input.clone()
        };
        if others == DescribeAlarms::default() { Ok(Some(relation)) } else { Err(not_alone(member)) }
    }

    fn holds(self, alarms: &Alarms, alarm: &Alarm) -> bool {
        match self {
            Self::Children(of) => alarms.by_name.get(of).is_some_and(|parent| names(parent, &alarm.name)),
            Self::Parents(of) => names(alarm, of),
        }
    }

    fn told(self, alarm: &Alarm) -> Relative {
        let with_state = matches!(self, Self::Children(_));
        Relative {
            alarm_name: alarm.name.clone(),
            alarm_arn: alarm.arn.clone(),
            state_value: with_state.then_some(alarm.state.value),
            state_updated_timestamp: with_state.then(|| alarm.state.updated.into()),
        }
    }
}

fn not_alone(member: &str) -> AwsError {
    AwsError::validation(format!(
        "When {member} is specified, only MaxRecords and NextToken can be specified beside it."
    ))
}

/// Whether the rule of an alarm names another.
pub(super) fn names(parent: &Alarm, child: &str) -> bool {
    match &parent.configuration.watch {
        Watch::Composite(composite) => {
            composite.rule.children().into_iter().any(|named| name_of(named) == child)
        }
        Watch::Metric(_) | Watch::Math { .. } => false,
    }
}

/// The alarms in a relation, by pages.
///
/// # Errors
/// `InvalidNextToken`.
pub(super) fn list(
    alarms: &Alarms,
    relation: Relation<'_>,
    size: usize,
    token: Option<&str>,
) -> Result<AlarmList, AwsError> {
    let found = alarms.by_name.values().filter(|alarm| relation.holds(alarms, alarm)).collect();
    let (page, next_token) = paging::page(found, size, token)?;
    let mut list = AlarmList { next_token, ..AlarmList::default() };
    let mut composites = Vec::new();
    for alarm in page {
        let told = relation.told(alarm);
        if alarm.configuration.is_composite() {
            composites.push(Shown::Relative(told));
        } else {
            list.metric_alarms.push(Shown::Relative(told));
        }
    }
    list.composite_alarms = Some(composites);
    Ok(list)
}
