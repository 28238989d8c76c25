//! Policies that follow a metric by themselves: target tracking and predictive scaling, decided by `scaling-peers`.
//!
//! Both decide without knowing the group's bounds, which may change; what they want is brought within them afterwards.

use jiff::{SignedDuration, Timestamp};
use scaling_peers::predictive::{self, Predictive};
use scaling_peers::target_tracking::{self, Settings};
use serde::{Deserialize, Serialize};

use super::Region;
use super::adjustment::Have;
use super::group::Group;
use super::policy::{CustomMetric, PredefinedMetric, PredictiveScaling, ScalingPolicy};
use crate::cloudwatch::metric::{Dimension, Metric};
use crate::cloudwatch::queries::{MetricDataQuery, MetricStat, Queries, Span};
use crate::wire::AwsError;

/// How far predictive scaling looks back.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(14 * 24);

/// More instances than any group has.
const MANY: u32 = 1_000_000;

/// A policy that follows a metric, with what it has seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Follower {
    /// What it reads.
    pub(crate) queries: Queries,
    /// Names of the alarms made for it.
    pub(crate) alarms: Vec<String>,
    decides: Decides,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Decides {
    Tracking(target_tracking::TargetTracking),
    /// The flag: whether it scales, or only forecasts.
    Predictive(Box<Predictive>, bool),
}

impl Follower {
    /// A target tracking policy that has seen nothing yet.
    pub(crate) fn tracking(queries: Queries, alarms: Vec<String>, target: f64) -> Self {
        let settings = Settings { target, min: 0, max: MANY };
        Self { queries, alarms, decides: Decides::Tracking(target_tracking::TargetTracking::new(settings)) }
    }

    /// A predictive policy that has seen nothing yet.
    pub(crate) fn predictive(queries: Queries, target: f64, configuration: &PredictiveScaling) -> Self {
        let mut policy = Predictive::new(Settings { target, min: 0, max: MANY });
        if let Some(seconds) = configuration.scheduling_buffer_time.and_then(|time| u64::try_from(time).ok())
        {
            policy = policy.launching_ahead(seconds);
        }
        let scales = configuration.mode.as_deref() == Some("ForecastAndScale");
        let decides = Decides::Predictive(Box::new(policy), scales);
        Self { queries, alarms: Vec::new(), decides }
    }

    /// Whether it is a target tracking policy: all of these must agree before a group shrinks.
    pub(crate) fn tracks(&self) -> bool {
        matches!(self.decides, Decides::Tracking(_))
    }

    /// The capacity that it wants, where that is another than there is.
    pub(crate) fn observe(&mut self, metric: Option<f64>, have: Have, now: Timestamp) -> Option<u32> {
        let minute = target_tracking::Minute { metric, in_service: have.in_service, pending: have.warming };
        match &mut self.decides {
            Decides::Tracking(policy) => policy.observe(minute),
            Decides::Predictive(policy, scales) => {
                let now = u64::try_from(now.as_second()).unwrap_or(0);
                policy.observe(predictive::Minute { now, dynamic: minute });
                scales.then(|| policy.floor(now)).filter(|floor| *floor > have.in_service + have.warming)
            }
        }
    }

    /// The capacity under which a predictive policy that scales lets no other go now; 0 for others.
    pub(crate) fn floor(&self, now: Timestamp) -> u32 {
        match &self.decides {
            Decides::Predictive(policy, true) => policy.floor(u64::try_from(now.as_second()).unwrap_or(0)),
            _ => 0,
        }
    }

    /// Shows a predictive policy what the group's metric has been for as long as it looks back.
    pub(crate) fn learn(&mut self, region: &Region, group: &Group) {
        let Decides::Predictive(policy, _) = &mut self.decides else { return };
        let (from, to) = (region.now - LOOKS_BACK, region.now);
        let span = Span { from: from.as_second().div_euclid(60) * 60, to: to.as_second(), aligned: true };
        let lines = self.queries.read(region, span).unwrap_or_default();
        let Some(points) = lines.into_iter().next().map(|line| line.points) else { return };
        for minute in group.minutes().between(from, to) {
            let start = minute.start.as_second();
            let dynamic = target_tracking::Minute {
                metric: points.get(&start).copied(),
                in_service: minute.sizes.in_service,
                pending: 0,
            };
            let now = u64::try_from(start + 60).unwrap_or(0);
            policy.observe(predictive::Minute { now, dynamic });
        }
    }

    /// Load and capacity that a predictive policy forecasts for the hour of a time. `None` for others, and before there is a
    /// day of history.
    pub(crate) fn forecast(&self, at: Timestamp) -> Option<(f64, u32)> {
        match &self.decides {
            Decides::Predictive(policy, _) => policy.expected(u64::try_from(at.as_second()).ok()?),
            Decides::Tracking(_) => None,
        }
    }
}

impl Group {
    /// What it has at `now`, where instances warm up for `warmup`.
    pub(crate) fn have(&self, warmup: SignedDuration, now: Timestamp) -> Have {
        let mut have = Have { in_service: 0, warming: 0 };
        for member in self.alive() {
            if member.is_warm(warmup, now) {
                have.in_service += member.weight;
            } else {
                have.warming += member.weight;
            }
        }
        have
    }

    /// The capacity under which no policy takes it: of what several policies want, the most counts (*User Guide*, "How
    /// predictive scaling works").
    pub(crate) fn forecast_floor(&self, now: Timestamp) -> u32 {
        let floors = self.followers.iter().filter_map(|(name, follower)| {
            self.policies.get(name).filter(|policy| policy.is_enabled()).map(|_| follower.floor(now))
        });
        floors.max().unwrap_or(0).clamp(self.settings.min, self.settings.max)
    }

    /// Warm-up of instances for a policy: its own, the group's, the cooldown.
    pub(crate) fn policy_warmup(&self, policy: &ScalingPolicy) -> SignedDuration {
        let own = policy.estimated_instance_warmup.and_then(|own| u32::try_from(own).ok());
        let seconds = own.or(self.settings.default_instance_warmup).unwrap_or(self.settings.default_cooldown);
        SignedDuration::from_secs(i64::from(seconds))
    }
}

/// The queries that a short name stands for.
///
/// # Errors
/// `ValidationError` for an unknown name, or without the resource label that it needs.
pub(crate) fn predefined(group: &str, metric: &PredefinedMetric) -> Result<Vec<MetricDataQuery>, AwsError> {
    let of_group = [("AutoScalingGroupName", group)];
    let stat = |namespace: &str, name: &str, statistic: &str, dimensions: &[(&str, &str)]| {
        vec![query(namespace, name, statistic, dimensions)]
    };
    match metric.predefined_metric_type.as_str() {
        "ASGAverageCPUUtilization" | "ASGCPUUtilization" => {
            Ok(stat("AWS/EC2", "CPUUtilization", "Average", &of_group))
        }
        "ASGAverageNetworkIn" | "ASGNetworkIn" => Ok(stat("AWS/EC2", "NetworkIn", "Average", &of_group)),
        "ASGAverageNetworkOut" | "ASGNetworkOut" => Ok(stat("AWS/EC2", "NetworkOut", "Average", &of_group)),
        "ALBRequestCountPerTarget" | "ALBRequestCount" => {
            let label = metric.resource_label.as_deref().unwrap_or_default();
            let (balancer, targets) = label.split_once("/targetgroup/").ok_or_else(|| {
                AwsError::validation(
                    "A resource label of the form app/NAME/ID/targetgroup/NAME/ID is required for this metric type.",
                )
            })?;
            let targets = format!("targetgroup/{targets}");
            let dimensions = [("LoadBalancer", balancer), ("TargetGroup", targets.as_str())];
            Ok(stat("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", &dimensions))
        }
        other => Err(AwsError::validation(format!("Invalid predefined metric type: {other}"))),
    }
}

/// The queries of any other metric.
///
/// # Errors
/// `ValidationError` where it is neither a metric nor queries.
pub(crate) fn customized(metric: &CustomMetric) -> Result<Vec<MetricDataQuery>, AwsError> {
    if !metric.metrics.is_empty() {
        let with_period = |query: &MetricDataQuery| {
            let mut query = query.clone();
            if let Some(stat) = &mut query.metric_stat {
                stat.period = Some(period(stat.period)?);
            }
            Ok(query)
        };
        return metric.metrics.iter().map(with_period).collect();
    }
    let (Some(name), Some(namespace), Some(statistic)) =
        (&metric.metric_name, &metric.namespace, &metric.statistic)
    else {
        return Err(AwsError::validation(
            "A customized metric needs MetricName, Namespace and Statistic, or Metrics.",
        ));
    };
    let dimensions: Vec<(&str, &str)> =
        metric.dimensions.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    let mut made = query(namespace, name, statistic, &dimensions);
    if let Some(stat) = &mut made.metric_stat {
        stat.unit.clone_from(&metric.unit);
        stat.period = Some(period(metric.period)?);
    }
    Ok(vec![made])
}

/// How far apart the points of a tracked metric are: *API Reference*, CustomizedMetricSpecification and
/// TargetTrackingMetricStat, which know three periods and default to a minute.
fn period(given: Option<i64>) -> Result<i64, AwsError> {
    let period = given.unwrap_or(60);
    if [10, 30, 60].contains(&period) {
        return Ok(period);
    }
    Err(AwsError::validation("The period of a customized metric must be 10, 30 or 60 seconds."))
}

fn query(namespace: &str, name: &str, statistic: &str, dimensions: &[(&str, &str)]) -> MetricDataQuery {
    let dimension =
        |(name, value): &(&str, &str)| Dimension { name: (*name).to_owned(), value: (*value).to_owned() };
    MetricDataQuery {
        id: Some("m1".to_owned()),
        metric_stat: Some(MetricStat {
            metric: Some(Metric {
                namespace: Some(namespace.to_owned()),
                metric_name: Some(name.to_owned()),
                dimensions: dimensions.iter().map(dimension).collect(),
            }),
            period: Some(60),
            stat: Some(statistic.to_owned()),
            unit: None,
        }),
        ..MetricDataQuery::default()
    }
}
