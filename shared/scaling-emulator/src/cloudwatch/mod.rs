//! CloudWatch: metrics of the fleet and of callers, and alarms over them.
//!
//! # Layout
//! - [`put_data`], [`get_data`], [`get_statistics`], [`list_metrics`]: one operation each
//! - [`alarms`]: put, describe, set, delete, and their evaluation as time goes on
//! - [`fleet`]: metrics that follow from the fleet, computed when they are asked for; [`custom`]: those that were put
//! - [`series`], [`statistic`], [`queries`], [`math`], [`expression`]: from samples to answers

pub mod alarms;
pub mod custom;
pub mod expression;
pub mod fleet;
pub mod get_data;
pub mod get_statistics;
pub mod list_metrics;
pub mod math;
pub mod members;
pub mod metric;
pub mod paging;
pub mod put_data;
pub mod queries;
pub mod query;
pub mod series;
pub mod statistic;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lambda::Invocation;
use crate::region::Region;
use crate::wire::AwsError;

/// What CloudWatch holds of its own: metrics that were put.
#[derive(Debug, Default)]
pub struct CloudWatch {
    /// Metrics that callers put.
    pub custom: custom::CustomMetrics,
    /// Alarms.
    pub alarms: alarms::Alarms,
    /// How long after its end a minute of the fleet becomes visible.
    pub metric_delay: Duration,
}

/// The output of operations that answer with nothing.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Empty {}

/// Carries out one operation. Members have their AWS names, times are seconds since the epoch.
pub fn dispatch(region: &mut Region, operation: &str, input: Value) -> Result<Value, AwsError> {
    match operation {
        "DeleteAlarms" => call(region, input, alarms::delete_alarms),
        "DescribeAlarmHistory" => call(region, input, alarms::describe_alarm_history),
        "DescribeAlarms" => call(region, input, alarms::describe_alarms),
        "DisableAlarmActions" => {
            call(region, input, |region, input| alarms::set_actions(region, input, false))
        }
        "EnableAlarmActions" => call(region, input, |region, input| alarms::set_actions(region, input, true)),
        "GetMetricData" => call(region, input, get_data::get_metric_data),
        "GetMetricStatistics" => call(region, input, get_statistics::get_metric_statistics),
        "ListMetrics" => call(region, input, list_metrics::list_metrics),
        "PutMetricAlarm" => call(region, input, alarms::put_metric_alarm),
        "PutMetricData" => call(region, input, put_data::put_metric_data),
        "SetAlarmState" => call(region, input, alarms::set_alarm_state),
        _ => Err(AwsError::new("InvalidAction", format!("Could not find operation {operation}"))),
    }
}

fn call<Input: DeserializeOwned, Output: Serialize>(
    region: &mut Region,
    input: Value,
    operation: impl Fn(&mut Region, Input) -> Result<Output, AwsError>,
) -> Result<Value, AwsError> {
    let input = serde_json::from_value(input)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let output = operation(region, input)?;
    serde_json::to_value(output).map_err(|error| AwsError::new("InternalFailure", error.to_string()))
}

/// Evaluates the alarms that are due at `region.now`. Called after every step of time; returns the functions that
/// alarm actions invoke, in order.
pub fn evaluate_alarms(region: &mut Region) -> Vec<Invocation> {
    alarms::evaluate(region)
}
