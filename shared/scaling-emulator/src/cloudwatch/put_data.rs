//! `PutMetricData`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Empty;
use super::members::{Double, Seconds};
use super::metric::{Dimension, Metric, MetricKey, invalid, required, unit};
use super::statistic::Bucket;
use crate::region::Region;
use crate::wire::AwsError;

/// Most metrics of one call.
const MAX_DATA: usize = 1000;

/// Most different values of one metric in one call.
const MAX_VALUES: usize = 150;

/// Values lie within plus and minus 2 to the power of this.
const MAX_EXPONENT: i32 = 360;

/// What AWS's own namespaces begin with; nobody else may put anything there.
const RESERVED: &str = "AWS/";

/// How old samples may be, and how far ahead.
const OLDEST: SignedDuration = SignedDuration::from_hours(14 * 24);
const NEWEST: SignedDuration = SignedDuration::from_hours(2);

/// Input of `PutMetricData`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutMetricData {
    /// Namespace of all of them.
    pub namespace: Option<String>,
    /// The data.
    pub metric_data: Vec<Datum>,
    /// Data of entities; the entity is not kept.
    pub entity_metric_data: Vec<EntityData>,
}

/// Data that belongs to an entity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EntityData {
    /// The data.
    pub metric_data: Vec<Datum>,
}

/// Samples of one metric.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Datum {
    /// Name.
    pub metric_name: Option<String>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// When; now when absent.
    pub timestamp: Option<Seconds>,
    /// One sample.
    pub value: Option<Double>,
    /// Or several by their statistics.
    pub statistic_values: Option<StatisticSet>,
    /// Or several by their values.
    pub values: Vec<Double>,
    /// How often each of `values` occurred; once when empty.
    pub counts: Vec<Double>,
    /// Unit; `None` when absent.
    pub unit: Option<String>,
    /// 1 for a high resolution, else 60.
    pub storage_resolution: Option<i64>,
}

/// Samples by their statistics.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatisticSet {
    /// How many.
    pub sample_count: Option<Double>,
    /// Their sum.
    pub sum: Option<Double>,
    /// The smallest.
    pub minimum: Option<Double>,
    /// The largest.
    pub maximum: Option<Double>,
}

/// One datum that keeps all rules.
struct Sample {
    key: MetricKey,
    unit: &'static str,
    second: i64,
    bucket: Bucket,
}

/// Keeps samples of callers' metrics. One fault refuses the whole call.
///
/// # Errors
/// `MissingParameter`, `InvalidParameterValue` and `InvalidParameterCombination` by the service's rules.
pub fn put_metric_data(region: &mut Region, input: PutMetricData) -> Result<Empty, AwsError> {
    let namespace = required(input.namespace, "Namespace")?;
    if namespace.starts_with(':') {
        return Err(invalid("The value for parameter Namespace must not begin with a colon."));
    }
    if namespace.starts_with(RESERVED) {
        return Err(invalid(format!("The value {RESERVED} for parameter Namespace is invalid.")));
    }
    let entities = input.entity_metric_data.into_iter().flat_map(|entity| entity.metric_data);
    let data: Vec<Datum> = input.metric_data.into_iter().chain(entities).collect();
    if data.is_empty() {
        return required(None, "MetricData");
    }
    if data.len() > MAX_DATA {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {MAX_DATA}."
        )));
    }
    let read = |(number, datum): (usize, Datum)| {
        sample(region, &namespace, datum, &format!("MetricData.member.{number}"))
    };
    let samples: Vec<Sample> = (1..).zip(data).map(read).collect::<Result<_, _>>()?;
    let now = region.now;
    for Sample { key, unit, second, bucket } in samples {
        region.cloudwatch.custom.put(key, unit, second, &bucket, now);
    }
    Ok(Empty {})
}

fn sample(region: &Region, namespace: &str, datum: Datum, at: &str) -> Result<Sample, AwsError> {
    let bucket = bucket(&datum, at)?;
    let resolution = match datum.storage_resolution {
        None => 60,
        Some(resolution @ (1 | 60)) => resolution,
        Some(other) => {
            return Err(invalid(format!("The value {other} for {at}.StorageResolution must be 1 or 60.")));
        }
    };
    let time = match datum.timestamp {
        None => region.now,
        Some(seconds) => {
            let time =
                seconds.timestamp().filter(|time| (region.now - OLDEST..=region.now + NEWEST).contains(time));
            time.ok_or_else(|| {
                invalid(format!(
                    "The parameter {at}.Timestamp must specify a time within the past two weeks, and at most two hours \
                     ahead."
                ))
            })?
        }
    };
    let unit = datum.unit.as_deref().map_or(Ok("None"), |name| unit(name, &format!("{at}.Unit")))?;
    let metric = Metric {
        namespace: Some(namespace.to_owned()),
        metric_name: Some(required(datum.metric_name, &format!("{at}.MetricName"))?),
        dimensions: datum.dimensions,
    };
    let second = time.as_second().div_euclid(resolution) * resolution;
    Ok(Sample { key: metric.key(at)?, unit, second, bucket })
}

/// The datum's samples, given in exactly one of three ways.
fn bucket(datum: &Datum, at: &str) -> Result<Bucket, AwsError> {
    match (datum.value, &datum.statistic_values, datum.values.is_empty()) {
        (Some(value), None, true) => Ok(Bucket::of_value(number(value, &format!("{at}.Value"))?, 1.0)),
        (None, Some(set), true) => statistics(set, &format!("{at}.StatisticValues")),
        (None, None, false) => values(datum, at),
        (None, None, true) => Err(AwsError::new(
            "MissingParameter",
            format!(
                "At least one of the parameters {at}.Value, {at}.Values and {at}.StatisticValues is required."
            ),
        )),
        _ => Err(AwsError::new(
            "InvalidParameterCombination",
            format!(
                "The parameters {at}.Value, {at}.Values and {at}.StatisticValues are mutually exclusive."
            ),
        )),
    }
}

fn statistics(set: &StatisticSet, at: &str) -> Result<Bucket, AwsError> {
    let member = |value: Option<Double>, name: &str| {
        let at = format!("{at}.{name}");
        number(required(value, &at)?, &at)
    };
    let samples = member(set.sample_count, "SampleCount")?;
    let sum = member(set.sum, "Sum")?;
    let (low, high) = (member(set.minimum, "Minimum")?, member(set.maximum, "Maximum")?);
    if samples <= 0.0 {
        return Err(invalid(format!("The value for parameter {at}.SampleCount must be above 0.")));
    }
    if low > high {
        return Err(invalid(format!("The value for parameter {at}.Minimum must not be above {at}.Maximum.")));
    }
    Ok(Bucket::of_statistics(samples, sum, low, high))
}

fn values(datum: &Datum, at: &str) -> Result<Bucket, AwsError> {
    if datum.values.len() > MAX_VALUES {
        return Err(invalid(format!(
            "The collection {at}.Values must not have a size greater than {MAX_VALUES}."
        )));
    }
    if !datum.counts.is_empty() && datum.counts.len() != datum.values.len() {
        return Err(invalid(format!("The collections {at}.Values and {at}.Counts must have the same size.")));
    }
    let once = [Double(1.0)];
    let counts = datum.counts.iter().chain(once.iter().cycle());
    let mut all = Bucket::default();
    for (value, count) in datum.values.iter().zip(counts) {
        let count = number(*count, &format!("{at}.Counts"))?;
        if count <= 0.0 {
            return Err(invalid(format!("The values of {at}.Counts must be above 0.")));
        }
        all.absorb(&Bucket::of_value(number(*value, &format!("{at}.Values"))?, count));
    }
    Ok(all)
}

fn number(value: Double, at: &str) -> Result<f64, AwsError> {
    let most = f64::from(MAX_EXPONENT).exp2();
    if value.0.is_nan() || value.0.abs() > most {
        return Err(invalid(format!("The value {} for parameter {at} is invalid.", value.0)));
    }
    Ok(value.0)
}
