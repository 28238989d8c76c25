//! The event that an alarm hands to a function: the form of direct Lambda actions, whose sample stands in "Invoke a Lambda
//! function from an alarm" of the CloudWatch user guide.

use serde_json::{Map, Value, json};

use super::reason::written;
use super::{Alarm, State, Watch};
use crate::cloudwatch::metric::MetricKey;
use crate::cloudwatch::queries::{Ask, MetricDataQuery, Query, Stat};
use crate::lambda::Invocation;
use crate::region::Region;

/// The invocation that `action` stands for. `None` unless it is a Lambda function's ARN.
pub fn invocation(region: &Region, alarm: &Alarm, previous: &State, action: &str) -> Option<Invocation> {
    let mut parts = action.split(':');
    let is_lambda = parts.next() == Some("arn") && parts.nth(1) == Some("lambda");
    let function =
        action.split(':').nth(6).filter(|_| is_lambda && action.split(':').nth(5) == Some("function"))?;
    Some(Invocation { function: function.to_owned(), payload: payload(region, alarm, previous) })
}

fn payload(region: &Region, alarm: &Alarm, previous: &State) -> Value {
    json!({
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn,
        "accountId": region.account_id,
        "time": written(alarm.state.updated),
        "region": region.name,
        "alarmData": {
            "alarmName": alarm.name,
            "state": state(&alarm.state),
            "previousState": state(previous),
            "configuration": configuration(alarm),
        },
    })
}

fn state(state: &State) -> Value {
    let mut members = json!({
        "value": state.value,
        "reason": state.reason,
        "timestamp": written(state.updated),
    });
    if let Some(data) = &state.reason_data {
        members["reasonData"] = Value::String(data.clone());
    }
    members
}

fn configuration(alarm: &Alarm) -> Value {
    if let Watch::Composite(composite) = &alarm.configuration.watch {
        let mut members = json!({ "alarmRule": composite.text });
        if let Some(suppressor) = &composite.suppressor {
            members["actionsSuppressor"] = json!(suppressor);
        }
        return members;
    }
    let metrics = match &alarm.configuration.watch {
        Watch::Metric(stat) => {
            vec![json!({ "id": alarm.metric_id, "metricStat": metric_stat(stat), "returnData": true })]
        }
        Watch::Math { members, queries, .. } => {
            members.iter().zip(&queries.all).map(|(member, query)| math(member, query)).collect()
        }
        Watch::Composite(_) => Vec::new(),
    };
    let mut members = json!({ "metrics": metrics });
    if let Some(description) = &alarm.configuration.description {
        members["description"] = Value::String(description.clone());
    }
    members
}

fn math(member: &MetricDataQuery, query: &Query) -> Value {
    let mut members = json!({ "id": query.id, "returnData": query.returned });
    if let Some(label) = &member.label {
        members["label"] = Value::String(label.clone());
    }
    match &query.ask {
        Ask::Stat(stat) => members["metricStat"] = metric_stat(stat),
        Ask::Math(_) => members["expression"] = json!(member.expression),
    }
    members
}

fn metric_stat(stat: &Stat) -> Value {
    let mut members = json!({
        "metric": metric(&stat.key),
        "period": stat.period,
        "stat": stat.statistic.to_string(),
    });
    if let Some(unit) = stat.unit {
        members["unit"] = Value::String(unit.to_owned());
    }
    members
}

fn metric(key: &MetricKey) -> Value {
    let dimensions: Map<String, Value> =
        key.dimensions.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    json!({ "namespace": key.namespace, "name": key.name, "dimensions": dimensions })
}
