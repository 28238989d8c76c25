//! What the account may run at once, as CloudWatch tells it: EC2 publishes how many vCPU of each kind of on-demand
//! instance run (namespace `AWS/Usage`), and the metric-math function `SERVICE_QUOTA` gives the quota that stands beside
//! such a metric. So neither another service nor another permission is needed.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use jiff::{SignedDuration, Timestamp};
use scaling_control::PortError;
use scaling_control::ports::Quota;
use scaling_fleet::TypeName;

use crate::error::Call;

const GET: Call = Call::cloudwatch("GetMetricData");

/// Usage is published every five minutes; the newest of an hour is taken.
const PERIOD_SECONDS: i32 = 300;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Quotas of the kinds that `types` belong to, by type. A kind whose usage or quota CloudWatch does not give is left out.
/// One call.
pub(crate) async fn of_types(
    client: &Client,
    types: &[TypeName],
    now: Timestamp,
) -> Result<BTreeMap<TypeName, Quota>, PortError> {
    let classes: Vec<&str> = types.iter().filter_map(class).collect::<BTreeSet<_>>().into_iter().collect();
    if classes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let queries = classes.iter().enumerate().flat_map(|(place, class)| queries(place, class)).collect();
    let answer = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs((now - WINDOW).as_second()))
        .end_time(DateTime::from_secs(now.as_second()))
        .send()
        .await
        .map_err(|error| GET.error("the account's quotas", error))?;
    let mut quotas: BTreeMap<&str, Quota> = BTreeMap::new();
    for (place, class) in classes.iter().enumerate() {
        let newest = |id: String| newest(answer.metric_data_results(), &id);
        if let (Some(used_vcpu), Some(limit_vcpu)) =
            (newest(format!("used{place}")), newest(format!("quota{place}")))
        {
            quotas.insert(class, Quota { class: (*class).to_owned(), limit_vcpu, used_vcpu });
        }
    }
    let of_type = |name: &TypeName| Some((name.clone(), quotas.get(class(name)?)?.clone()));
    Ok(types.iter().filter_map(of_type).collect())
}

/// The value of the metric's dimension `Class` for a type, by the letters that its family begins with; each class has a
/// quota of its own. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html>
fn class(name: &TypeName) -> Option<&'static str> {
    let letters = name.as_str().split(|c: char| !c.is_ascii_lowercase()).next()?;
    match letters {
        "a" | "c" | "d" | "h" | "i" | "im" | "is" | "m" | "r" | "t" | "z" => Some("Standard/OnDemand"),
        "g" | "gr" | "vt" => Some("G/OnDemand"),
        "p" => Some("P/OnDemand"),
        "x" => Some("X/OnDemand"),
        "f" => Some("F/OnDemand"),
        "inf" => Some("Inf/OnDemand"),
        _ => None,
    }
}

fn queries(place: usize, class: &str) -> [MetricDataQuery; 2] {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/Usage")
        .metric_name("ResourceCount")
        .dimensions(dimension("Service", "EC2"))
        .dimensions(dimension("Type", "Resource"))
        .dimensions(dimension("Resource", "vCPU"))
        .dimensions(dimension("Class", class));
    let statistic =
        MetricStat::builder().metric(metric.build()).period(PERIOD_SECONDS).stat("Maximum").build();
    [
        MetricDataQuery::builder().id(format!("used{place}")).metric_stat(statistic).build(),
        MetricDataQuery::builder()
            .id(format!("quota{place}"))
            .expression(format!("SERVICE_QUOTA(used{place})"))
            .build(),
    ]
}

/// The newest value of a result. Results come newest first unless asked otherwise.
fn newest(results: &[MetricDataResult], id: &str) -> Option<f64> {
    let result = results.iter().find(|result| result.id() == Some(id))?;
    result.values().first().copied().filter(|value| value.is_finite() && *value >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_the_quota_of_its_kind() {
        for (name, expected) in [
            ("m7i.large", Some("Standard/OnDemand")),
            ("c7gn.16xlarge", Some("Standard/OnDemand")),
            ("t3a.small", Some("Standard/OnDemand")),
            ("im4gn.large", Some("Standard/OnDemand")),
            ("g5.xlarge", Some("G/OnDemand")),
            ("inf2.xlarge", Some("Inf/OnDemand")),
            ("u-6tb1.112xlarge", None),
            ("mac2.metal", None),
        ] {
            assert_eq!(class(&TypeName::new(name)), expected, "{name}");
        }
    }
}
