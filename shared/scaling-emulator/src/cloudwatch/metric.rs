//! What a metric is: a namespace, a name, and dimensions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::AwsError;

/// Most dimensions of one metric.
pub const MAX_DIMENSIONS: usize = 30;

/// One dimension of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Identifies one metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct MetricKey {
    /// Namespace, such as `AWS/EC2`.
    pub namespace: String,
    /// Name, such as `CPUUtilization`.
    pub name: String,
    /// Values by dimension name.
    pub dimensions: BTreeMap<String, String>,
}

impl MetricKey {
    /// A metric with the given dimensions.
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(owned).collect(),
        }
    }

    /// The value of a dimension.
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.get(name).map(String::as_str)
    }

    /// Whether its dimensions are exactly the named ones, in any order.
    pub fn has_exactly(&self, names: &[&str]) -> bool {
        self.dimensions.len() == names.len() && names.iter().all(|name| self.dimensions.contains_key(*name))
    }

    /// It as a member of requests and replies.
    pub fn to_member(&self) -> Metric {
        Metric {
            namespace: Some(self.namespace.clone()),
            metric_name: Some(self.name.clone()),
            dimensions: self
                .dimensions
                .iter()
                .map(|(name, value)| Dimension { name: name.clone(), value: value.clone() })
                .collect(),
        }
    }
}

/// A metric as a member of requests and replies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Metric {
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub metric_name: Option<String>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
}

impl Metric {
    /// The metric it names. `member` is the name of the structure it stands in, for the error; empty at the top.
    ///
    /// # Errors
    /// `MissingParameter` without a namespace or name, `InvalidParameterValue` for dimensions that cannot be.
    pub fn key(&self, member: &str) -> Result<MetricKey, AwsError> {
        let at = |name: &str| if member.is_empty() { name.to_owned() } else { format!("{member}.{name}") };
        let namespace = required(self.namespace.as_deref(), &at("Namespace"))?;
        let name = required(self.metric_name.as_deref(), &at("MetricName"))?;
        Ok(MetricKey {
            namespace: sized(namespace, 255, &at("Namespace"))?.to_owned(),
            name: sized(name, 255, &at("MetricName"))?.to_owned(),
            dimensions: dimensions(&self.dimensions, &at("Dimensions"))?,
        })
    }
}

/// Dimensions by name.
///
/// # Errors
/// `InvalidParameterValue` for too many, for a name given twice, and for empty or too long names and values.
pub fn dimensions(given: &[Dimension], member: &str) -> Result<BTreeMap<String, String>, AwsError> {
    if given.len() > MAX_DIMENSIONS {
        return Err(invalid(format!(
            "The collection {member} must not have a size greater than {MAX_DIMENSIONS}."
        )));
    }
    let mut named = BTreeMap::new();
    for (number, dimension) in (1..).zip(given) {
        let at = |name: &str| format!("{member}.member.{number}.{name}");
        sized(&dimension.name, 255, &at("Name"))?;
        sized(&dimension.value, 1024, &at("Value"))?;
        if named.insert(dimension.name.clone(), dimension.value.clone()).is_some() {
            return Err(invalid(format!("No two dimensions may have the same name: {}", dimension.name)));
        }
    }
    Ok(named)
}

/// `InvalidParameterValue`.
pub fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterValue", message)
}

/// The member, which must be there.
///
/// # Errors
/// `MissingParameter` when it is absent.
pub fn required<T>(value: Option<T>, member: &str) -> Result<T, AwsError> {
    value.ok_or_else(|| AwsError::new("MissingParameter", format!("The parameter {member} is required.")))
}

/// Text of 1 to `most` characters without control characters.
fn sized<'a>(text: &'a str, most: usize, member: &str) -> Result<&'a str, AwsError> {
    if text.is_empty() || text.chars().count() > most {
        return Err(invalid(format!("The value of {member} must have 1 to {most} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(format!("The value of {member} must not contain control characters.")));
    }
    Ok(text)
}

/// Units that a metric's values can have.
pub const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// The name of a unit, one of [`UNITS`].
pub type Unit = &'static str;

/// The unit, which must be one of [`UNITS`].
///
/// # Errors
/// `InvalidParameterValue` for any other.
pub fn unit(name: &str, member: &str) -> Result<&'static str, AwsError> {
    UNITS
        .into_iter()
        .find(|unit| *unit == name)
        .ok_or_else(|| invalid(format!("The value {name} for parameter {member} is not a supported unit.")))
}
