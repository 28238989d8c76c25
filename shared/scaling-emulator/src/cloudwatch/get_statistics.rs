//! `GetMetricStatistics`, the older way to read one metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::members::Seconds;
use super::metric::{Dimension, Metric, invalid, required, unit};
use super::series::{self, Window};
use super::statistic::{Bucket, Statistic};
use crate::region::Region;
use crate::wire::AwsError;

/// Most points of one call.
const MAX_DATAPOINTS: i64 = 1440;

/// Input of `GetMetricStatistics`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetMetricStatistics {
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub metric_name: Option<String>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// The earliest time.
    pub start_time: Option<Seconds>,
    /// The time before which points begin.
    pub end_time: Option<Seconds>,
    /// Period in seconds.
    pub period: Option<i64>,
    /// Statistics,
    pub statistics: Vec<String>,
    /// or percentiles.
    pub extended_statistics: Vec<String>,
    /// Only samples of this unit.
    pub unit: Option<String>,
}

/// Output of `GetMetricStatistics`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricStatistics {
    /// The metric's name.
    pub label: String,
    /// Points; the service gives them in no order, here the oldest is first.
    pub datapoints: Vec<Datapoint>,
}

/// One point.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Datapoint {
    /// Start of the period.
    pub timestamp: Seconds,
    /// Number of samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_count: Option<f64>,
    /// Mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// The smallest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Unit.
    pub unit: &'static str,
    /// Percentiles by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extended_statistics: BTreeMap<String, f64>,
}

/// Reads statistics of one metric.
///
/// # Errors
/// `MissingParameter`, `InvalidParameterValue` and `InvalidParameterCombination` by the service's rules.
pub fn get_metric_statistics(
    region: &mut Region,
    input: GetMetricStatistics,
) -> Result<MetricStatistics, AwsError> {
    let start = required(input.start_time, "StartTime")?;
    let end = required(input.end_time, "EndTime")?;
    let period = series::period(required(input.period, "Period")?, "Period")?;
    let statistics = statistics(&input)?;
    let unit = input.unit.as_deref().map(|name| unit(name, "Unit")).transpose()?;
    if start >= end {
        return Err(AwsError::new(
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    let now = region.now.as_second();
    let (from, to) = (series::rounded_start(start.whole(), period, now), end.whole());
    // Whole periods, so that a day that begins at odd seconds is as long as any other.
    let asked = to.saturating_sub(start.whole()) / period;
    if asked > MAX_DATAPOINTS {
        return Err(AwsError::new(
            "InvalidParameterCombination",
            format!(
                "You have requested up to {asked} datapoints, which exceeds the limit of {MAX_DATAPOINTS}. You may \
                 reduce the datapoints requested by increasing Period, or decreasing the time range."
            ),
        ));
    }
    let metric =
        Metric { namespace: input.namespace, metric_name: input.metric_name, dimensions: input.dimensions };
    let key = metric.key("")?;
    let exists = period % series::resolution(now - start.whole()) == 0;
    let buckets = if exists {
        series::by_unit(region, &key, Window { from, to, period, unit })
    } else {
        BTreeMap::new()
    };
    let datapoints = buckets
        .iter()
        .map(|((start, unit), bucket)| datapoint(*start, unit, bucket, &statistics))
        // Percentiles alone may tell nothing: they are not known of what was put as a statistic set.
        .filter(|point| input.extended_statistics.is_empty() || !point.extended_statistics.is_empty())
        .collect();
    Ok(MetricStatistics { label: key.name, datapoints })
}

fn statistics(input: &GetMetricStatistics) -> Result<Vec<Statistic>, AwsError> {
    let (names, extended) = match (input.statistics.is_empty(), input.extended_statistics.is_empty()) {
        (false, true) => (&input.statistics, false),
        (true, false) => (&input.extended_statistics, true),
        (true, true) => {
            return Err(AwsError::new(
                "MissingParameter",
                "Must specify either Statistics or ExtendedStatistics",
            ));
        }
        (false, false) => {
            return Err(AwsError::new(
                "InvalidParameterCombination",
                "The parameters Statistics and ExtendedStatistics are mutually exclusive.",
            ));
        }
    };
    if names.len() > if extended { 10 } else { 5 } {
        return Err(invalid("Too many statistics."));
    }
    let read = |name: &String| match Statistic::parse(name)? {
        statistic if statistic.is_extended() == extended => Ok(statistic),
        _ => Err(invalid(format!("The value {name} is not allowed among these statistics."))),
    };
    names.iter().map(read).collect()
}

fn datapoint(start: i64, unit: &'static str, bucket: &Bucket, statistics: &[Statistic]) -> Datapoint {
    let mut point = Datapoint { timestamp: Seconds::from(start), unit, ..Datapoint::default() };
    for statistic in statistics {
        let value = bucket.statistic(*statistic);
        match statistic {
            Statistic::SampleCount => point.sample_count = value,
            Statistic::Average => point.average = value,
            Statistic::Sum => point.sum = value,
            Statistic::Minimum => point.minimum = value,
            Statistic::Maximum => point.maximum = value,
            Statistic::Percentile(_) | Statistic::Trimmed(_) => {
                point.extended_statistics.extend(value.map(|value| (statistic.to_string(), value)));
            }
        }
    }
    point
}
