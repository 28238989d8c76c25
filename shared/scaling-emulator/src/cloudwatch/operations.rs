//! The table of CloudWatch's operations.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::alarm::{change, composite, describe, history, put, tags};
use super::{dashboards, get_data, get_statistics, list_metrics, put_data};
use crate::region::Region;
use crate::wire::AwsError;
use crate::wire::form::{Form, FormError};

/// One operation: how it is carried out, and how its input is read from a form.
struct Operation {
    name: &'static str,
    run: fn(&mut Region, Value) -> Result<Value, AwsError>,
    read: fn(&Form) -> Result<Value, AwsError>,
}

/// An entry for a typed function.
macro_rules! operation {
    ($name:literal, $function:path) => {
        Operation {
            name: $name,
            run: |region, members| run($function, region, members),
            read: |form| read_as($function, form),
        }
    };
    // The function only looks at its input.
    ($name:literal, & $function:path) => {
        Operation {
            name: $name,
            run: |region, members| run(|region, input| $function(region, &input), region, members),
            read: |form| read_as(|region, input| $function(region, &input), form),
        }
    };
}

const OPERATIONS: [Operation; 20] = [
    operation!("DeleteAlarms", change::delete_alarms),
    operation!("DeleteDashboards", dashboards::delete_dashboards),
    operation!("DescribeAlarmHistory", &history::describe_alarm_history),
    operation!("DescribeAlarms", &describe::describe_alarms),
    operation!("DescribeAlarmsForMetric", &describe::describe_alarms_for_metric),
    operation!("DisableAlarmActions", change::disable_alarm_actions),
    operation!("EnableAlarmActions", change::enable_alarm_actions),
    operation!("GetDashboard", dashboards::get_dashboard),
    operation!("GetMetricData", &get_data::get_metric_data),
    operation!("GetMetricStatistics", get_statistics::get_metric_statistics),
    operation!("ListDashboards", &dashboards::list_dashboards),
    operation!("ListMetrics", &list_metrics::list_metrics),
    operation!("ListTagsForResource", tags::list_tags_for_resource),
    operation!("PutCompositeAlarm", composite::put_composite_alarm),
    operation!("PutDashboard", dashboards::put_dashboard),
    operation!("PutMetricAlarm", put::put_metric_alarm),
    operation!("PutMetricData", put_data::put_metric_data),
    operation!("SetAlarmState", change::set_alarm_state),
    operation!("TagResource", tags::tag_resource),
    operation!("UntagResource", tags::untag_resource),
];

/// The names of all operations.
pub(crate) fn names() -> Vec<&'static str> {
    OPERATIONS.iter().map(|operation| operation.name).collect()
}

fn find(name: &str) -> Result<&'static Operation, AwsError> {
    OPERATIONS
        .iter()
        .find(|operation| operation.name == name)
        .ok_or_else(|| AwsError::new("InvalidAction", format!("Could not find operation {name}")))
}

/// Carries out one operation. Members have their AWS names, times are seconds since the epoch.
///
/// # Errors
/// `InvalidAction` for an operation that is not in the table, `SerializationException` for members of the wrong type, and
/// the operation's own.
pub fn dispatch(region: &mut Region, operation: &str, input: Value) -> Result<Value, AwsError> {
    (find(operation)?.run)(region, input)
}

/// Reads a form into the operation's members by their AWS names.
///
/// # Errors
/// `InvalidAction` for an operation that is not in the table, `MalformedInput` for members of the wrong type.
pub(super) fn read(operation: &str, form: &Form) -> Result<Value, AwsError> {
    (find(operation)?.read)(form)
}

fn run<I: DeserializeOwned, O: Serialize>(
    function: impl Fn(&mut Region, I) -> Result<O, AwsError>,
    region: &mut Region,
    members: Value,
) -> Result<Value, AwsError> {
    let input = serde_json::from_value(without_nulls(members))
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let output = function(region, input)?;
    serde_json::to_value(output)
        .map_err(|error| AwsError::new("InternalServiceError", error.to_string()).with_status(500))
}

/// The function only says which input is meant.
fn read_as<I: DeserializeOwned + Serialize, O>(
    _function: impl Fn(&mut Region, I) -> Result<O, AwsError>,
    form: &Form,
) -> Result<Value, AwsError> {
    let input: I = form.read().map_err(|error| match error {
        FormError::Missing(member) => {
            AwsError::new("MissingParameter", format!("The parameter {member} is required."))
        }
        FormError::Invalid { .. } | FormError::Kind { .. } | FormError::Constraint { .. } => {
            AwsError::new("MalformedInput", error.to_string())
        }
    })?;
    serde_json::to_value(input).map_err(|error| AwsError::new("MalformedInput", error.to_string()))
}

/// Some clients send absent members as null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(present.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
