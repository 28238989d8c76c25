//! `AWS/Usage`: vCPU that run, by kind, and the quota that stands beside each (`SERVICE_QUOTA`).

use super::metric::MetricKey;
use super::statistic::Bucket;
use crate::region::Region;
use crate::region::usage::Class;

const NAMESPACE: &str = "AWS/Usage";
const NAME: &str = "ResourceCount";

/// The metric of a kind.
pub(super) fn key(class: Class) -> MetricKey {
    let dimensions =
        [("Service", "EC2"), ("Type", "Resource"), ("Resource", "vCPU"), ("Class", class.name())];
    MetricKey::new(NAMESPACE, NAME, &dimensions)
}

/// The kind that a metric is of.
pub(super) fn class(asked: &MetricKey) -> Option<Class> {
    if asked.namespace != NAMESPACE || asked.name != NAME {
        return None;
    }
    let class = Class::named(asked.dimension("Class")?)?;
    (*asked == key(class)).then_some(class)
}

/// Points in `[from, to)` as samples with their unit.
pub(super) fn samples(region: &Region, class: Class, from: i64, to: i64) -> Vec<(i64, &'static str, Bucket)> {
    let points = region.usage.points(class, from, to).into_iter();
    points.map(|(start, vcpu)| (start, "None", Bucket::of_value(vcpu, 1.0))).collect()
}

/// The quota in force for a metric of usage; `None` where there is none.
pub(super) fn quota(region: &Region, key: &MetricKey) -> Option<f64> {
    region.launch_faults.vcpu_quotas.get(&class(key)?).copied().map(f64::from)
}
