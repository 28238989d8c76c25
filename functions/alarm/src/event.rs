//! The three shapes in which an alarm reaches a function, folded to what matters: which alarm, which dimensions.
//!
//! - CloudWatch calls the function itself: `alarmData`
//! - EventBridge passes a state change on: `detail`
//! - SNS carries the alarm as JSON text in `Records[].Sns.Message`
//!
//! An event is only a wake-up. What it says about values, states and times is never used.

use scaling::lambda::failure::Failure;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// An alarm that has fired, as far as it helps to find the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// The alarm's name.
    pub(crate) name: String,
    /// Values of the dimension `AutoScalingGroupName` over its metrics.
    pub(crate) groups: Vec<String>,
}

/// Why an event is no alarm.
#[derive(Debug, Error)]
pub(crate) enum EventError {
    /// None of the three shapes.
    #[error(
        "the event has none of `alarmData`, `detail.alarmName` and `Records[].Sns.Message`: it is no alarm; \
         let a CloudWatch alarm, an EventBridge rule for alarm state changes or an SNS topic invoke this function"
    )]
    UnknownShape,
    /// The shape is right and the content is not.
    #[error("the alarm in `{within}` could not be read: {source}")]
    Content {
        /// Where in the event.
        within: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        let name = match error {
            EventError::UnknownShape => "UnknownShape",
            EventError::Content { .. } => "UnreadableAlarm",
        };
        Self::new(name, error.to_string())
    }
}

/// Reads every alarm of an event.
pub(crate) fn alarms(event: &Value) -> Result<Vec<Alarm>, EventError> {
    if let Some(data) = event.get("alarmData") {
        return Ok(vec![state_change(data, "alarmData")?]);
    }
    if let Some(detail) = event.get("detail").filter(|detail| detail.get("alarmName").is_some()) {
        return Ok(vec![state_change(detail, "detail")?]);
    }
    let records = event.get("Records").and_then(Value::as_array).ok_or(EventError::UnknownShape)?;
    let messages: Vec<&str> =
        records.iter().filter_map(|record| record.pointer("/Sns/Message")?.as_str()).collect();
    if messages.is_empty() {
        return Err(EventError::UnknownShape);
    }
    messages.into_iter().map(notification).collect()
}

#[derive(Deserialize)]
struct StateChange {
    #[serde(rename = "alarmName")]
    name: String,
    #[serde(default)]
    configuration: Configuration,
}

#[derive(Deserialize, Default)]
struct Configuration {
    #[serde(default)]
    metrics: Vec<Value>,
}

fn state_change(value: &Value, within: &'static str) -> Result<Alarm, EventError> {
    let change = StateChange::deserialize(value).map_err(|source| EventError::Content { within, source })?;
    let groups = change
        .configuration
        .metrics
        .iter()
        .filter_map(|metric| metric.pointer("/metricStat/metric/dimensions/AutoScalingGroupName")?.as_str())
        .map(str::to_owned)
        .collect();
    Ok(Alarm { name: change.name, groups })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    alarm_name: String,
    #[serde(default)]
    trigger: Value,
}

fn notification(message: &str) -> Result<Alarm, EventError> {
    let within = "Records[].Sns.Message";
    let parsed: Notification =
        serde_json::from_str(message).map_err(|source| EventError::Content { within, source })?;
    // An alarm on an expression lists the metrics that it reads.
    let metrics = parsed.trigger.get("Metrics").and_then(Value::as_array).into_iter().flatten();
    let read = metrics.filter_map(|metric| metric.pointer("/MetricStat/Metric"));
    let dimensions =
        std::iter::once(&parsed.trigger).chain(read).filter_map(|metric| metric.get("Dimensions"));
    let groups = dimensions
        .filter_map(Value::as_array)
        .flatten()
        .filter(|dimension| dimension.get("name").and_then(Value::as_str) == Some("AutoScalingGroupName"))
        .filter_map(|dimension| dimension.get("value")?.as_str().map(str::to_owned))
        .collect();
    Ok(Alarm { name: parsed.alarm_name, groups })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn web(groups: &[&str]) -> Alarm {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Alarm { name: "scaling/web/cpu_usage".to_owned(), groups }
    }

    #[test]
    fn reads_all_three_shapes() {
        let metric = json!({"id": "m1", "metricStat": {"metric": {
            "namespace": "AWS/EC2", "name": "CPUUtilization", "dimensions": {"AutoScalingGroupName": "web"}}}});
        let direct = json!({"source": "aws.cloudwatch", "alarmData": {
            "alarmName": "scaling/web/cpu_usage", "state": {"value": "ALARM"},
            "configuration": {"metrics": [metric]}}});
        let bridged = json!({"detail-type": "CloudWatch Alarm State Change", "detail": {
            "alarmName": "scaling/web/cpu_usage", "configuration": {"metrics": [metric]}}});
        let message = json!({"AlarmName": "scaling/web/cpu_usage", "NewStateValue": "ALARM", "Trigger": {
            "MetricName": "CPUUtilization", "Dimensions": [{"name": "AutoScalingGroupName", "value": "web"}]}});
        let notified =
            json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]});
        for event in [direct, bridged, notified] {
            assert_eq!(alarms(&event).unwrap(), vec![web(&["web"])], "{event}");
        }
    }

    #[test]
    fn an_alarm_on_an_expression_is_known_by_the_metrics_that_it_reads() {
        let stat = |name: &str| {
            json!({"Period": 60, "Stat": "Average", "Metric": {"Namespace": "AWS/EC2", "MetricName": name,
                "Dimensions": [{"name": "AutoScalingGroupName", "value": "web"}]}})
        };
        let message = json!({"AlarmName": "scaling/web/cpu_usage", "NewStateValue": "ALARM", "Trigger": {"Metrics": [
            {"Id": "e1", "Expression": "100 * m1", "ReturnData": true},
            {"Id": "m1", "MetricStat": stat("CPUUtilization"), "ReturnData": false}]}});
        let event = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]});
        assert_eq!(alarms(&event).unwrap(), vec![web(&["web"])]);
    }

    #[test]
    fn state_value_and_age_of_an_alarm_are_not_looked_at() {
        for state in [
            json!({"value": "INSUFFICIENT_DATA", "timestamp": "2026-03-02T08:00:00.000+0000"}),
            json!({"value": "OK", "timestamp": "2020-01-01T00:00:00.000+0000"}),
            json!({"value": "ALARM", "reasonData": "{\"recentDatapoints\": [99.0]}"}),
        ] {
            let event = json!({"time": "2020-01-01T00:00:00Z", "alarmData": {
                "alarmName": "scaling/web/cpu_usage", "state": state}});
            assert_eq!(alarms(&event).unwrap(), vec![web(&[])], "{event}");
        }
    }

    #[test]
    fn a_composite_alarm_has_a_name_and_no_dimension() {
        let event = json!({"alarmData": {"alarmName": "scaling/web/cpu_usage",
            "configuration": {"alarmRule": "ALARM(a) OR ALARM(b)"}}});
        assert_eq!(alarms(&event).unwrap(), vec![web(&[])]);
    }

    #[test]
    fn every_record_of_a_notification_counts() {
        let record = |name: &str| json!({"Sns": {"Message": json!({"AlarmName": name}).to_string()}});
        let event = json!({"Records": [record("a"), record("b")]});
        let names: Vec<String> = alarms(&event).unwrap().into_iter().map(|alarm| alarm.name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        for event in
            [json!({}), json!([1]), json!("text"), json!({"Records": []}), json!({"detail": {"x": 1}})]
        {
            let error = alarms(&event).unwrap_err();
            assert!(matches!(error, EventError::UnknownShape), "{event}");
            assert!(error.to_string().contains("let a CloudWatch alarm"), "{error}");
        }
    }

    #[test]
    fn a_broken_message_says_where() {
        let event = json!({"Records": [{"Sns": {"Message": "{"}}]});
        assert!(alarms(&event).unwrap_err().to_string().contains("Records[].Sns.Message"));
    }
}
