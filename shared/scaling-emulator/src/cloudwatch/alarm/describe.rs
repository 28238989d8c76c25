//! `DescribeAlarms` and `DescribeAlarmsForMetric`.

use serde::{Deserialize, Serialize};

use super::change::few;
use super::composite::{self, CompositeAlarm};
use super::relatives::{self, Relation, Relative};
use super::rule::Treatment;
use super::shown::Common;
use super::{Alarm, Comparison, StateValue, Watch};
use crate::cloudwatch::metric::{Dimension, Metric};
use crate::cloudwatch::paging;
use crate::cloudwatch::queries::MetricDataQuery;
use crate::cloudwatch::statistic::Statistic;
use crate::region::Region;
use crate::wire::AwsError;

/// Alarms of a page when the caller does not say, and at the most.
const PAGE: usize = 50;
const MAX_PAGE: i64 = 100;

/// Input of `DescribeAlarms`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarms {
    /// Only these.
    pub alarm_names: Vec<String>,
    /// Or only those whose names begin so.
    pub alarm_name_prefix: Option<String>,
    /// Only of these kinds.
    pub alarm_types: Vec<String>,
    /// Only in this state.
    pub state_value: Option<String>,
    /// Only those with an action that begins so.
    pub action_prefix: Option<String>,
    /// Or only those that the rule of this composite alarm names,
    pub children_of_alarm_name: Option<String>,
    /// or the composite alarms whose rules name this one.
    pub parents_of_alarm_name: Option<String>,
    /// Most of one page.
    pub max_records: Option<i64>,
    /// From the page before.
    pub next_token: Option<String>,
}

/// Input of `DescribeAlarmsForMetric`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmsForMetric {
    /// Name.
    pub metric_name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Only with this statistic.
    pub statistic: Option<String>,
    /// Only with this percentile.
    pub extended_statistic: Option<String>,
    /// All dimensions.
    pub dimensions: Vec<Dimension>,
    /// Only with this period.
    pub period: Option<i64>,
    /// Only with this unit.
    pub unit: Option<String>,
}

/// Output of both.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmList {
    /// The alarms by name.
    pub metric_alarms: Vec<Shown<MetricAlarm>>,
    /// The composite alarms, where they are asked for; the alarms of a metric have no such member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composite_alarms: Option<Vec<Shown<CompositeAlarm>>>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// As much of an alarm as an answer tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shown<T> {
    /// All of it.
    Whole(Box<T>),
    /// What is told of alarms that are found by their relation to another.
    Relative(Relative),
}

impl<T> From<T> for Shown<T> {
    fn from(alarm: T) -> Self {
        Self::Whole(Box::new(alarm))
    }
}

/// An alarm as the service shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members of PutMetricAlarm, which are documented there")]
pub struct MetricAlarm {
    #[serde(flatten)]
    pub common: Common,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    pub dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    pub evaluation_periods: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<usize>,
    pub threshold: f64,
    pub comparison_operator: Comparison,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<Treatment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricDataQuery>,
}

/// Shows alarms by name, by pages.
///
/// # Errors
/// `ValidationError` by the service's rules, `InvalidNextToken`.
pub fn describe_alarms(region: &mut Region, input: &DescribeAlarms) -> Result<AlarmList, AwsError> {
    let size = page_size(input.max_records)?;
    few(&input.alarm_names)?;
    if let Some(relation) = Relation::of(input)? {
        return relatives::list(&region.cloudwatch.alarms, relation, size, input.next_token.as_deref());
    }
    if !input.alarm_names.is_empty() && input.alarm_name_prefix.is_some() {
        return Err(AwsError::validation("AlarmNames and AlarmNamePrefix must not both be specified."));
    }
    let state = match input.state_value.as_deref() {
        None => None,
        Some(name) => Some(StateValue::named(name).ok_or_else(|| {
            AwsError::validation(format!("The value {name} for parameter StateValue is not supported."))
        })?),
    };
    let metric_alarms_wanted =
        input.alarm_types.is_empty() || input.alarm_types.iter().any(|kind| kind == "MetricAlarm");
    let action = |alarm: &Alarm, prefix: &String| {
        [StateValue::Ok, StateValue::Alarm, StateValue::InsufficientData].iter().any(|state| {
            alarm.configuration.actions(*state).iter().any(|arn| arn.starts_with(prefix.as_str()))
        })
    };
    let composites_wanted = input.alarm_types.iter().any(|kind| kind == "CompositeAlarm");
    let wanted = |alarm: &&Alarm| {
        (if alarm.configuration.is_composite() { composites_wanted } else { metric_alarms_wanted })
            && (input.alarm_names.is_empty() || input.alarm_names.contains(&alarm.name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| alarm.name.starts_with(prefix.as_str()))
            && state.is_none_or(|state| alarm.state.value == state)
            && input.action_prefix.as_ref().is_none_or(|prefix| action(alarm, prefix))
    };
    let found: Vec<&Alarm> = region.cloudwatch.alarms.by_name.values().filter(wanted).collect();
    let (page, next_token) = paging::page(found, size, input.next_token.as_deref())?;
    let (composite, metric): (Vec<&Alarm>, Vec<&Alarm>) =
        page.into_iter().partition(|alarm| alarm.configuration.is_composite());
    Ok(AlarmList {
        metric_alarms: metric.into_iter().map(shown).map(Shown::from).collect(),
        composite_alarms: Some(composite.into_iter().filter_map(composite::shown).map(Shown::from).collect()),
        next_token,
    })
}

/// Shows the alarms that watch exactly this metric.
///
/// # Errors
/// `MissingParameter` without namespace or name.
pub fn describe_alarms_for_metric(
    region: &mut Region,
    input: &DescribeAlarmsForMetric,
) -> Result<AlarmList, AwsError> {
    let metric = Metric {
        namespace: input.namespace.clone(),
        metric_name: input.metric_name.clone(),
        dimensions: input.dimensions.clone(),
    };
    let key = metric.key("")?;
    let statistic = input.statistic.as_ref().or(input.extended_statistic.as_ref());
    let wanted = |alarm: &&Alarm| match &alarm.configuration.watch {
        Watch::Metric(stat) => {
            stat.key == key
                && statistic.is_none_or(|name| *name == stat.statistic.to_string())
                && input.period.is_none_or(|period| period == stat.period)
                && (input.unit.is_none() || input.unit.as_deref() == stat.unit)
        }
        Watch::Math { .. } | Watch::Composite(_) => false,
    };
    let found = region.cloudwatch.alarms.by_name.values().filter(wanted);
    Ok(AlarmList { metric_alarms: found.map(shown).map(Shown::from).collect(), ..AlarmList::default() })
}

/// How many items a page has.
///
/// # Errors
/// `ValidationError` unless it is 1 to 100.
pub(super) fn page_size(asked: Option<i64>) -> Result<usize, AwsError> {
    match asked {
        None => Ok(PAGE),
        Some(size) => {
            usize::try_from(size).ok().filter(|_| (1..=MAX_PAGE).contains(&size)).ok_or_else(|| {
                AwsError::validation(format!(
                    "The value {size} for parameter MaxRecords must be 1 to {MAX_PAGE}."
                ))
            })
        }
    }
}

pub(super) fn shown(alarm: &Alarm) -> MetricAlarm {
    let configuration = &alarm.configuration;
    let mut shown = MetricAlarm {
        common: alarm.into(),
        metric_name: None,
        namespace: None,
        statistic: None,
        extended_statistic: None,
        dimensions: Vec::new(),
        period: None,
        unit: None,
        evaluation_periods: configuration.evaluation_periods,
        datapoints_to_alarm: configuration.datapoints_to_alarm,
        threshold: configuration.threshold,
        comparison_operator: configuration.comparison,
        treat_missing_data: configuration.treat_missing_data,
        evaluate_low_sample_count_percentile: configuration.low_sample_percentile.clone(),
        metrics: Vec::new(),
    };
    match &configuration.watch {
        Watch::Composite(_) => {}
        Watch::Math { members, .. } => shown.metrics.clone_from(members),
        Watch::Metric(stat) => {
            let metric = stat.key.to_member();
            (shown.metric_name, shown.namespace) = (metric.metric_name, metric.namespace);
            (shown.dimensions, shown.period, shown.unit) = (metric.dimensions, Some(stat.period), stat.unit);
            let name = Some(stat.statistic.to_string());
            match stat.statistic {
                Statistic::Percentile(_) | Statistic::Trimmed(_) => shown.extended_statistic = name,
                _ => shown.statistic = name,
            }
        }
    }
    shown
}
