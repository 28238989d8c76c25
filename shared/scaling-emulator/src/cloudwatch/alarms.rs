//! Metric alarms: M of N points, missing data, transitions and the functions they invoke.
//!
//! Evaluation follows *Using Amazon CloudWatch alarms* and *Configuring how CloudWatch alarms treat missing data* of
//! the CloudWatch user guide: an alarm is evaluated when a period has become complete; of its `EvaluationPeriods`
//! newest periods `DatapointsToAlarm` have to breach.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Empty;
use super::metric::{Dimension, MetricKey, invalid, required};
use super::series::{self, Window};
use super::statistic::Statistic;
use crate::lambda::Invocation;
use crate::region::Region;
use crate::wire::AwsError;

/// Transitions kept of each alarm.
const HISTORY: usize = 100;

/// What PutMetricAlarm takes; also how an alarm is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricAlarm {
    /// Name.
    pub alarm_name: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// Whether actions are taken; true when absent.
    pub actions_enabled: Option<bool>,
    /// Actions on a transition to OK.
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    /// Actions on a transition to ALARM.
    pub alarm_actions: Vec<String>,
    /// Actions on a transition to INSUFFICIENT_DATA.
    pub insufficient_data_actions: Vec<String>,
    /// Metric.
    pub metric_name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Statistic by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// Percentile, such as `p95`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    /// The metric's dimensions.
    pub dimensions: Vec<Dimension>,
    /// Seconds of a period.
    pub period: Option<i64>,
    /// N.
    pub evaluation_periods: Option<usize>,
    /// M; N when absent.
    pub datapoints_to_alarm: Option<usize>,
    /// The limit.
    pub threshold: Option<f64>,
    /// How a point is compared with it.
    pub comparison_operator: Option<String>,
    /// `missing` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// Unit of the metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// An alarm with its state.
#[derive(Debug, Clone)]
struct Alarm {
    settings: MetricAlarm,
    key: MetricKey,
    state: State,
    reason: String,
    reason_data: String,
    updated: Timestamp,
    configured: Timestamp,
    /// End of the newest period that was evaluated.
    evaluated: i64,
    history: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    fn parse(name: &str) -> Result<Self, AwsError> {
        [Self::Ok, Self::Alarm, Self::InsufficientData]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| invalid(format!("{name} is not a valid alarm state")))
    }
}

/// The region's alarms by name.
#[derive(Debug, Default)]
pub struct Alarms {
    by_name: BTreeMap<String, Alarm>,
    pending: Vec<Invocation>,
}

/// PutMetricAlarm: creates the alarm, or replaces it and keeps its state.
pub fn put_metric_alarm(region: &mut Region, input: MetricAlarm) -> Result<Empty, AwsError> {
    let name = required(input.alarm_name.clone(), "AlarmName")?;
    let namespace = required(input.namespace.clone(), "Namespace")?;
    let metric = required(input.metric_name.clone(), "MetricName")?;
    let periods = required(input.evaluation_periods, "EvaluationPeriods")?;
    required(input.threshold, "Threshold")?;
    series::period(required(input.period, "Period")?, "Period")?;
    breaches(&required(input.comparison_operator.clone(), "ComparisonOperator")?, 0.0, 0.0)?;
    statistic(&input)?;
    if periods == 0 || input.datapoints_to_alarm.is_some_and(|points| points == 0 || points > periods) {
        return Err(invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods."));
    }
    let dimensions: Vec<(&str, &str)> =
        input.dimensions.iter().map(|d| (d.name.as_str(), d.value.as_str())).collect();
    let key = MetricKey::new(&namespace, &metric, &dimensions);
    let now = region.now;
    let before = region.cloudwatch.alarms.by_name.remove(&name);
    let alarm = match before {
        Some(before) => Alarm { settings: input, key, configured: now, ..before },
        None => Alarm {
            settings: input,
            key,
            state: State::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: String::new(),
            updated: now,
            configured: now,
            evaluated: 0,
            history: Vec::new(),
        },
    };
    region.cloudwatch.alarms.by_name.insert(name, alarm);
    Ok(Empty {})
}

/// Input of DescribeAlarms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarms {
    alarm_names: Vec<String>,
    alarm_name_prefix: Option<String>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

/// DescribeAlarms, in the order of the names.
pub fn describe_alarms(region: &mut Region, input: DescribeAlarms) -> Result<Value, AwsError> {
    if let Some(state) = &input.state_value {
        State::parse(state)?;
    }
    let most = input.max_records.unwrap_or(50).clamp(1, 100);
    let arn = arn_prefix(region);
    let wanted = |name: &str, alarm: &Alarm| {
        (input.alarm_names.is_empty() || input.alarm_names.iter().any(|wanted| wanted == name))
            && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && input.state_value.as_ref().is_none_or(|state| alarm.state.name() == state)
            && input.action_prefix.as_ref().is_none_or(|prefix| {
                alarm.settings.alarm_actions.iter().any(|action| action.starts_with(prefix))
            })
            && input.next_token.as_ref().is_none_or(|after| name > after.as_str())
    };
    let mut found =
        region.cloudwatch.alarms.by_name.iter().filter(|(name, alarm)| wanted(name, alarm)).peekable();
    let mut alarms = Vec::new();
    let mut last = None;
    while let Some((name, alarm)) = found.next_if(|_| alarms.len() < most) {
        alarms.push(described(alarm, &format!("{arn}{name}"))?);
        last = Some(name.clone());
    }
    let mut answer = json!({ "MetricAlarms": alarms, "CompositeAlarms": [] });
    if found.peek().is_some() {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}

fn arn_prefix(region: &Region) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:", region.name, region.account_id)
}

fn described(alarm: &Alarm, arn: &str) -> Result<Value, AwsError> {
    let mut value = serde_json::to_value(&alarm.settings).map_err(|error| invalid(error.to_string()))?;
    value["ActionsEnabled"] = json!(alarm.settings.actions_enabled.unwrap_or(true));
    value["AlarmArn"] = json!(arn);
    value["StateValue"] = json!(alarm.state.name());
    value["StateReason"] = json!(alarm.reason);
    value["StateReasonData"] = json!(alarm.reason_data);
    value["StateUpdatedTimestamp"] = json!(epoch(alarm.updated));
    value["StateTransitionedTimestamp"] = json!(epoch(alarm.updated));
    value["AlarmConfigurationUpdatedTimestamp"] = json!(epoch(alarm.configured));
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    Ok(value)
}

fn epoch(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// Input of SetAlarmState.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SetAlarmState {
    alarm_name: Option<String>,
    state_value: Option<String>,
    state_reason: Option<String>,
    state_reason_data: Option<String>,
}

/// SetAlarmState: sets the state and takes its actions, until the next evaluation says otherwise.
pub fn set_alarm_state(region: &mut Region, input: SetAlarmState) -> Result<Empty, AwsError> {
    let name = required(input.alarm_name, "AlarmName")?;
    let state = State::parse(&required(input.state_value, "StateValue")?)?;
    let reason = required(input.state_reason, "StateReason")?;
    let site = Site::of(region);
    let Some(alarm) = region.cloudwatch.alarms.by_name.get_mut(&name) else {
        return Err(AwsError::new("ResourceNotFound", format!("Alarm {name} does not exist")));
    };
    let invocations = alarm.become_state(state, reason, input.state_reason_data.unwrap_or_default(), &site);
    region.cloudwatch.alarms.pending.extend(invocations);
    Ok(Empty {})
}

/// Names of alarms, for the operations that take a list of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AlarmNames {
    alarm_names: Vec<String>,
}

/// DeleteAlarms: those that exist, or none when one does not.
pub fn delete_alarms(region: &mut Region, input: AlarmNames) -> Result<Empty, AwsError> {
    known(region, &input)?;
    for name in &input.alarm_names {
        region.cloudwatch.alarms.by_name.remove(name);
    }
    Ok(Empty {})
}

/// EnableAlarmActions and DisableAlarmActions.
pub fn set_actions(region: &mut Region, input: AlarmNames, enabled: bool) -> Result<Empty, AwsError> {
    known(region, &input)?;
    for name in &input.alarm_names {
        if let Some(alarm) = region.cloudwatch.alarms.by_name.get_mut(name) {
            alarm.settings.actions_enabled = Some(enabled);
        }
    }
    Ok(Empty {})
}

fn known(region: &Region, input: &AlarmNames) -> Result<(), AwsError> {
    let missing = input.alarm_names.iter().find(|name| !region.cloudwatch.alarms.by_name.contains_key(*name));
    missing
        .map_or(Ok(()), |name| Err(AwsError::new("ResourceNotFound", format!("Alarm {name} does not exist"))))
}

/// Input of DescribeAlarmHistory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmHistory {
    alarm_name: Option<String>,
}

/// DescribeAlarmHistory: state transitions, newest first.
pub fn describe_alarm_history(region: &mut Region, input: DescribeAlarmHistory) -> Result<Value, AwsError> {
    let chosen = |name: &&String| input.alarm_name.as_ref().is_none_or(|wanted| wanted == *name);
    let alarms = region.cloudwatch.alarms.by_name.iter().filter(|(name, _)| chosen(name));
    let items: Vec<&Value> = alarms.flat_map(|(_, alarm)| alarm.history.iter().rev()).collect();
    Ok(json!({ "AlarmHistoryItems": items }))
}

/// Evaluates what is due and returns the functions to invoke, those of SetAlarmState first.
pub fn evaluate(region: &mut Region) -> Vec<Invocation> {
    let mut invocations = std::mem::take(&mut region.cloudwatch.alarms.pending);
    let names: Vec<String> = region.cloudwatch.alarms.by_name.keys().cloned().collect();
    for name in names {
        let Some(alarm) = region.cloudwatch.alarms.by_name.get(&name) else { continue };
        let period = alarm.settings.period.unwrap_or(60);
        let complete = region.now.as_second().div_euclid(period) * period;
        if complete <= alarm.evaluated {
            continue;
        }
        let outcome = judge(region, alarm, complete, period);
        let site = Site::of(region);
        if let Some(alarm) = region.cloudwatch.alarms.by_name.get_mut(&name) {
            alarm.evaluated = complete;
            if let Some((state, reason, data)) = outcome.filter(|(state, ..)| *state != alarm.state) {
                invocations.extend(alarm.become_state(state, reason, data, &site));
            }
        }
    }
    invocations
}

/// The state that the newest periods say; `None` to stay as it is.
fn judge(region: &Region, alarm: &Alarm, complete: i64, period: i64) -> Option<(State, String, String)> {
    let settings = &alarm.settings;
    let (threshold, operator) = (settings.threshold?, settings.comparison_operator.as_deref()?);
    let total = settings.evaluation_periods?;
    let needed = settings.datapoints_to_alarm.unwrap_or(total);
    let statistic = statistic(settings).ok()?;
    let from = complete - period * i64::try_from(total).ok()?;
    let window = Window { from, to: complete, period, unit: None };
    let buckets = series::read(region, &alarm.key, window);
    let points: Vec<Option<f64>> = (0..total)
        .map(|index| {
            let start = from + period * i64::try_from(index).unwrap_or_default();
            buckets.get(&start).and_then(|bucket| bucket.statistic(statistic))
        })
        .collect();
    let treat = settings.treat_missing_data.as_deref().unwrap_or("missing");
    let present = points.iter().flatten().count();
    if present == 0 && matches!(treat, "missing" | "ignore") {
        let why = format!("Insufficient Data: {total} datapoints were unknown.");
        return (treat == "missing").then(|| (State::InsufficientData, why, String::new()));
    }
    let counts = |point: &Option<f64>| match point {
        Some(value) => breaches(operator, *value, threshold).unwrap_or(false),
        None => treat == "breaching",
    };
    let breaching = points.iter().filter(|point| counts(point)).count();
    let state = if breaching >= needed { State::Alarm } else { State::Ok };
    let data = json!({
        "version": "1.0",
        "period": period,
        "recentDatapoints": points.iter().flatten().collect::<Vec<_>>(),
        "threshold": threshold,
    });
    let why = format!(
        "Threshold Crossed: {breaching} out of the last {total} datapoints were breaching ({threshold})."
    );
    Some((state, why, data.to_string()))
}

fn statistic(settings: &MetricAlarm) -> Result<Statistic, AwsError> {
    let name = settings.statistic.as_deref().or(settings.extended_statistic.as_deref());
    Statistic::parse(name.ok_or_else(|| invalid("Statistic or ExtendedStatistic must be given."))?)
}

fn breaches(operator: &str, value: f64, threshold: f64) -> Result<bool, AwsError> {
    Ok(match operator {
        "GreaterThanThreshold" => value > threshold,
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => return Err(invalid(format!("{operator} is not a supported ComparisonOperator."))),
    })
}

/// Where and when: what an event says beside the alarm itself.
struct Site {
    region: String,
    account_id: String,
    arn_prefix: String,
    now: Timestamp,
}

impl Site {
    fn of(region: &Region) -> Self {
        Self {
            region: region.name.clone(),
            account_id: region.account_id.clone(),
            arn_prefix: arn_prefix(region),
            now: region.now,
        }
    }
}

impl Alarm {
    /// Makes the transition, and returns the functions that its actions invoke.
    fn become_state(&mut self, state: State, reason: String, data: String, site: &Site) -> Vec<Invocation> {
        let name = self.settings.alarm_name.clone().unwrap_or_default();
        let shown = |value: &str, reason: &str, data: &str, at: Timestamp| {
            json!({ "value": value, "reason": reason, "reasonData": data,
                "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string() })
        };
        let previous = shown(self.state.name(), &self.reason, &self.reason_data, self.updated);
        let summary = format!("Alarm updated from {} to {}", self.state.name(), state.name());
        (self.state, self.reason, self.reason_data, self.updated) = (state, reason, data, site.now);
        self.history.push(json!({
            "AlarmName": name, "AlarmType": "MetricAlarm", "Timestamp": epoch(site.now),
            "HistoryItemType": "StateUpdate", "HistorySummary": summary,
        }));
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
        if self.settings.actions_enabled == Some(false) {
            return Vec::new();
        }
        let actions = match state {
            State::Ok => &self.settings.ok_actions,
            State::Alarm => &self.settings.alarm_actions,
            State::InsufficientData => &self.settings.insufficient_data_actions,
        };
        let event = json!({
            "source": "aws.cloudwatch",
            "alarmArn": format!("{}{name}", site.arn_prefix),
            "accountId": site.account_id,
            "time": site.now.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
            "region": site.region,
            "alarmData": {
                "alarmName": name,
                "state": shown(state.name(), &self.reason, &self.reason_data, site.now),
                "previousState": previous,
                "configuration": { "metrics": [self.metric()] },
            },
        });
        let functions = actions.iter().filter(|action| action.contains(":lambda:"));
        functions.map(|function| Invocation { function: function.clone(), payload: event.clone() }).collect()
    }

    fn metric(&self) -> Value {
        let settings = &self.settings;
        let dimensions: BTreeMap<_, _> =
            settings.dimensions.iter().map(|d| (d.name.clone(), d.value.clone())).collect();
        json!({
            "id": "m1",
            "metricStat": {
                "metric": { "namespace": settings.namespace, "name": settings.metric_name, "dimensions": dimensions },
                "period": settings.period,
                "stat": settings.statistic.as_ref().or(settings.extended_statistic.as_ref()),
            },
            "returnData": true,
        })
    }
}
