//! `PutMetricAlarm`.

use serde::{Deserialize, Serialize};

use super::rule::Treatment;
use super::tags::{self, Tag};
use super::told::{Verb, configuration_update};
use super::{Alarm, Comparison, Configuration, State, StateValue, Watch};
use crate::cloudwatch::Empty;
use crate::cloudwatch::members::Double;
use crate::cloudwatch::metric::{Dimension, Metric, unit};
use crate::cloudwatch::queries::{Ask, MetricDataQuery, Queries, Stat, as_validation};
use crate::cloudwatch::series;
use crate::cloudwatch::statistic::Statistic;
use crate::region::Region;
use crate::wire::AwsError;

/// Most actions for each state, and most metrics of an expression.
const MAX_ACTIONS: usize = 5;
const MAX_METRICS: usize = 10;

/// Longest time that an alarm looks back, in seconds: a day, or a week for periods of an hour and more.
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;

/// Input of `PutMetricAlarm`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutMetricAlarm {
    /// Its name.
    pub alarm_name: Option<String>,
    /// For people.
    pub alarm_description: Option<String>,
    /// Whether changes set off actions; true when absent.
    pub actions_enabled: Option<bool>,
    /// ARNs.
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    /// ARNs.
    pub alarm_actions: Vec<String>,
    /// ARNs.
    pub insufficient_data_actions: Vec<String>,
    /// Either a metric,
    pub metric_name: Option<String>,
    /// with its namespace,
    pub namespace: Option<String>,
    /// a statistic
    pub statistic: Option<String>,
    /// or percentile,
    pub extended_statistic: Option<String>,
    /// dimensions,
    pub dimensions: Vec<Dimension>,
    /// a period,
    pub period: Option<i64>,
    /// and a unit;
    pub unit: Option<String>,
    /// or queries of which one returns data.
    pub metrics: Vec<MetricDataQuery>,
    /// How many points are looked at.
    pub evaluation_periods: Option<i64>,
    /// How many of them must breach.
    pub datapoints_to_alarm: Option<i64>,
    /// The limit.
    pub threshold: Option<Double>,
    /// How points are compared with it.
    pub comparison_operator: Option<String>,
    /// What missing points count as.
    pub treat_missing_data: Option<String>,
    /// `evaluate` or `ignore`.
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Tags; ignored when the alarm exists.
    pub tags: Vec<Tag>,
}

/// Makes an alarm, or gives one a new configuration; its state stays until it is evaluated.
///
/// # Errors
/// `ValidationError` by the service's rules, and for what this emulator does not know: anomaly bands, and statistics other
/// than the simple ones and percentiles.
pub fn put_metric_alarm(region: &mut Region, input: PutMetricAlarm) -> Result<Empty, AwsError> {
    let name = checked_name(given(input.alarm_name.clone(), "AlarmName")?)?;
    check_texts(&input.tags, input.alarm_description.as_deref())?;
    let configuration = configuration(&input).map_err(as_validation)?;
    store(region, name, configuration, input.tags);
    Ok(Empty {})
}

/// Refuses tags that a new alarm cannot have and a description that is too long, whatever the alarm watches.
pub(super) fn check_texts(tags: &[Tag], description: Option<&str>) -> Result<(), AwsError> {
    tags::check_new(tags)?;
    if description.is_some_and(|text| text.chars().count() > 1_024) {
        return Err(AwsError::validation("AlarmDescription must have at most 1024 characters."));
    }
    Ok(())
}

/// What an alarm may be called, whatever it watches.
pub(super) fn checked_name(name: String) -> Result<String, AwsError> {
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(AwsError::validation(
            "AlarmName must have 1 to 255 characters, none of them control characters.",
        ));
    }
    Ok(name)
}

/// Stores an alarm; its state stays.
pub(super) fn store(region: &mut Region, name: String, configuration: Configuration, tags: Vec<Tag>) {
    let now = region.now;
    let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", region.name, region.account_id);
    let metric_id = region.ids.uuid();
    let alarms = &mut region.cloudwatch.alarms;
    let verb = if alarms.by_name.contains_key(&name) { Verb::Update } else { Verb::Create };
    if verb == Verb::Create && !tags.is_empty() {
        let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        alarms.tags.insert(arn.clone(), tags);
    }
    let initial = || State {
        value: StateValue::InsufficientData,
        reason: "Unchecked: Initial alarm creation".to_owned(),
        reason_data: None,
        updated: now,
    };
    let state = alarms.by_name.get(&name).map_or_else(initial, |alarm| alarm.state.clone());
    let alarm = Alarm {
        name: name.clone(),
        arn,
        configuration,
        configured: now,
        state,
        metric_id,
        calmed: None,
        suppression: None,
        evaluated: None,
    };
    alarms.history.push(configuration_update(&alarm, verb, now));
    alarms.by_name.insert(name, alarm);
}

fn given<T>(value: Option<T>, member: &str) -> Result<T, AwsError> {
    value.ok_or_else(|| AwsError::validation(format!("{member} must not be null.")))
}

/// One of a table's values, by name.
fn named<T>(name: &str, member: &str, table: impl Fn(&str) -> Option<T>) -> Result<T, AwsError> {
    table(name).ok_or_else(|| {
        AwsError::validation(format!("The value {name} for parameter {member} is not supported."))
    })
}

fn configuration(input: &PutMetricAlarm) -> Result<Configuration, AwsError> {
    let watch = watch(input)?;
    let (evaluation_periods, datapoints_to_alarm) = datapoints(input, watch.period())?;
    let threshold = given(input.threshold, "Threshold")?.0;
    if !threshold.is_finite() {
        return Err(AwsError::validation("Threshold must be a number."));
    }
    let comparison = given(input.comparison_operator.as_deref(), "ComparisonOperator")?;
    let treatment = input.treat_missing_data.as_deref();
    if let Some(low) = &input.evaluate_low_sample_count_percentile {
        named(low, "EvaluateLowSampleCountPercentile", |name| {
            matches!(name, "evaluate" | "ignore").then_some(())
        })?;
    }
    for (member, actions) in [
        ("OKActions", &input.ok_actions),
        ("AlarmActions", &input.alarm_actions),
        ("InsufficientDataActions", &input.insufficient_data_actions),
    ] {
        check_actions(member, actions)?;
    }
    Ok(Configuration {
        description: input.alarm_description.clone(),
        actions_enabled: input.actions_enabled.unwrap_or(true),
        ok_actions: input.ok_actions.clone(),
        alarm_actions: input.alarm_actions.clone(),
        insufficient_data_actions: input.insufficient_data_actions.clone(),
        watch,
        evaluation_periods,
        datapoints_to_alarm,
        threshold,
        comparison: named(comparison, "ComparisonOperator", Comparison::named)?,
        treat_missing_data: treatment
            .map(|name| named(name, "TreatMissingData", Treatment::named))
            .transpose()?,
        low_sample_percentile: input.evaluate_low_sample_count_percentile.clone(),
    })
}

pub(super) fn check_actions(member: &str, actions: &[String]) -> Result<(), AwsError> {
    if actions.len() > MAX_ACTIONS {
        return Err(AwsError::validation(format!(
            "The collection {member} must not have a size greater than {MAX_ACTIONS}."
        )));
    }
    match actions.iter().find(|arn| !arn.starts_with("arn:") || arn.split(':').count() < 6) {
        Some(arn) => Err(AwsError::validation(format!("Invalid arn syntax: {arn}"))),
        None => Ok(()),
    }
}

fn datapoints(input: &PutMetricAlarm, period: i64) -> Result<(usize, Option<usize>), AwsError> {
    let evaluated = given(input.evaluation_periods, "EvaluationPeriods")?;
    let count = |number: i64, member: &str| {
        usize::try_from(number).ok().filter(|count| *count > 0).ok_or_else(|| {
            AwsError::validation(format!("The value {number} for parameter {member} must be 1 or more."))
        })
    };
    let most = if period >= 3600 { WEEK } else { DAY };
    if evaluated.checked_mul(period).is_none_or(|span| span > most) {
        return Err(AwsError::validation(format!(
            "Metrics cannot be checked across more than {} (EvaluationPeriods * Period must be <= {most}).",
            if most == DAY { "a day" } else { "a week" }
        )));
    }
    let needed = input.datapoints_to_alarm.map(|number| count(number, "DatapointsToAlarm")).transpose()?;
    let evaluated = count(evaluated, "EvaluationPeriods")?;
    if needed.is_some_and(|needed| needed > evaluated) {
        return Err(AwsError::validation(
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods.",
        ));
    }
    Ok((evaluated, needed))
}

fn watch(input: &PutMetricAlarm) -> Result<Watch, AwsError> {
    match (&input.metric_name, input.metrics.is_empty()) {
        (Some(_), true) => metric(input).map(Watch::Metric),
        (None, false) => {
            let others = [
                ("Namespace", input.namespace.is_some()),
                ("Dimensions", !input.dimensions.is_empty()),
                ("Period", input.period.is_some()),
                ("Unit", input.unit.is_some()),
                ("Statistic", input.statistic.is_some()),
                ("ExtendedStatistic", input.extended_statistic.is_some()),
            ];
            match others.iter().find(|(_, is_given)| *is_given) {
                Some((member, _)) => Err(AwsError::validation(format!(
                    "{member} must not be specified if Metrics is specified."
                ))),
                None => expression(input),
            }
        }
        (None, true) => Err(AwsError::validation("Either MetricName or Metrics must be specified.")),
        (Some(_), false) => {
            Err(AwsError::validation("MetricName must not be specified if Metrics is specified."))
        }
    }
}

fn metric(input: &PutMetricAlarm) -> Result<Stat, AwsError> {
    let statistic = match (&input.statistic, &input.extended_statistic) {
        (Some(name), None) => match Statistic::parse(name)? {
            extended if extended.is_extended() => {
                return Err(AwsError::validation(format!(
                    "The value {name} for parameter Statistic is not supported."
                )));
            }
            simple => simple,
        },
        (None, Some(name)) => match Statistic::parse(name)? {
            extended if extended.is_extended() => extended,
            _ => {
                return Err(AwsError::validation(format!(
                    "The value {name} for parameter ExtendedStatistic is not supported."
                )));
            }
        },
        _ => {
            return Err(AwsError::validation(
                "Exactly one of Statistic and ExtendedStatistic must be specified.",
            ));
        }
    };
    let metric = Metric {
        namespace: input.namespace.clone(),
        metric_name: input.metric_name.clone(),
        dimensions: input.dimensions.clone(),
    };
    Ok(Stat {
        key: metric.key("")?,
        period: alarm_period(given(input.period, "Period")?)?,
        statistic,
        unit: input.unit.as_deref().map(|name| unit(name, "Unit")).transpose()?,
    })
}

fn alarm_period(seconds: i64) -> Result<i64, AwsError> {
    if matches!(seconds, 1 | 5) {
        return Err(AwsError::validation("Period must be 10, 20, 30, or a multiple of 60."));
    }
    series::period(seconds, "Period")
}

fn expression(input: &PutMetricAlarm) -> Result<Watch, AwsError> {
    let queries = Queries::check(&input.metrics, "Metrics")?;
    if queries.all.iter().filter(|query| query.returned).count() != 1 {
        return Err(AwsError::validation("Exactly one element of the metrics list should return data."));
    }
    let periods: Vec<i64> = queries
        .all
        .iter()
        .filter_map(|query| match &query.ask {
            Ask::Stat(stat) => Some(stat.period),
            Ask::Math(_) => None,
        })
        .collect();
    if periods.len() > MAX_METRICS {
        return Err(AwsError::validation(format!("An alarm may have {MAX_METRICS} metrics at the most.")));
    }
    match periods.as_slice() {
        [] => Err(AwsError::validation("An alarm must have at least one metric.")),
        [first, rest @ ..] if rest.iter().all(|period| period == first) => {
            Ok(Watch::Math { members: input.metrics.clone(), period: alarm_period(*first)?, queries })
        }
        _ => Err(AwsError::validation("All metrics of an alarm must have the same period.")),
    }
}
