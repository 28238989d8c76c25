//! `ListMetrics`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::metric::{Metric, MetricKey, invalid};
use super::{fleet, paging};
use crate::region::Region;
use crate::wire::AwsError;

/// Metrics of one page.
const PAGE: usize = 500;

/// Most dimension filters.
const MAX_FILTERS: usize = 10;

/// Input of `ListMetrics`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListMetrics {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this name.
    pub metric_name: Option<String>,
    /// Only metrics with all of these dimensions.
    pub dimensions: Vec<DimensionFilter>,
    /// From the page before.
    pub next_token: Option<String>,
    /// `PT3H`: only metrics with samples in the last three hours.
    pub recently_active: Option<String>,
}

/// A dimension that a metric must have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DimensionFilter {
    /// Its name.
    pub name: String,
    /// Its value; any when absent.
    pub value: Option<String>,
}

/// Output of `ListMetrics`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricList {
    /// One page of metrics, in order.
    pub metrics: Vec<Metric>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Lists metrics, the fleet's and those put.
///
/// # Errors
/// `InvalidParameterValue` by the service's rules; it has no other code for a wrong token.
pub fn list_metrics(region: &mut Region, input: &ListMetrics) -> Result<MetricList, AwsError> {
    if input.dimensions.len() > MAX_FILTERS {
        return Err(invalid(format!(
            "The collection Dimensions must not have a size greater than {MAX_FILTERS}."
        )));
    }
    let since = match input.recently_active.as_deref() {
        None => None,
        Some("PT3H") => Some(region.now - SignedDuration::from_hours(3)),
        Some(_) => return Err(invalid("The value for parameter RecentlyActive must be PT3H.")),
    };
    let mut keys = fleet::keys(region);
    keys.extend(region.cloudwatch.custom.listed(region.now, since).cloned());
    keys.retain(|key| matches(key, input));
    keys.sort();
    keys.dedup();
    let (page, next_token) =
        paging::page(keys, PAGE, input.next_token.as_deref()).map_err(|error| invalid(error.message))?;
    Ok(MetricList { metrics: page.iter().map(MetricKey::to_member).collect(), next_token })
}

fn matches(key: &MetricKey, input: &ListMetrics) -> bool {
    let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    let has =
        |filter: &DimensionFilter| key.dimension(&filter.name).is_some_and(|value| is(&filter.value, value));
    is(&input.namespace, &key.namespace)
        && is(&input.metric_name, &key.name)
        && input.dimensions.iter().all(has)
}
