//! Metrics of the fleet, computed on read from the groups' complete minutes.
//!
//! Namespaces, names, dimensions, units and statistics are those of the services that would publish them: EC2, the
//! CloudWatch agent, the application load balancer, and Auto Scaling with its group metrics enabled.

use jiff::Timestamp;

use super::metric::MetricKey;
use super::statistic::{Bucket, Curve};
use super::{machine, usage};
use crate::region::{Group, Latency, MinuteRecord, Region, Samples, Sizes};

const EC2: &str = "AWS/EC2";
const AGENT: &str = "CWAgent";
const BALANCER: &str = "AWS/ApplicationELB";
const GROUPS: &str = "AWS/AutoScaling";

const GROUP: &str = "AutoScalingGroupName";
const INSTANCE: &str = "InstanceId";
const TARGETS: &str = "TargetGroup";
const LOAD_BALANCER: &str = "LoadBalancer";

const CPU: &str = "CPUUtilization";
const MEMORY: &str = "mem_used_percent";

/// Length of a minute in seconds.
const MINUTE: i64 = 60;

/// Metrics of a load balancer with their units.
const BALANCER_METRICS: [(&str, Balancing); 5] = [
    ("RequestCount", Balancing::Requests),
    ("RequestCountPerTarget", Balancing::RequestsPerTarget),
    ("TargetResponseTime", Balancing::ResponseTime),
    ("HealthyHostCount", Balancing::HealthyHosts),
    ("UnHealthyHostCount", Balancing::UnhealthyHosts),
];

/// Metrics of a group's size. They are collected only where the group has them enabled.
const SIZE_METRICS: [(&str, SizeOf); 21] = [
    ("GroupDesiredCapacity", |sizes| sizes.desired),
    ("GroupInServiceInstances", |sizes| sizes.in_service),
    ("GroupMaxSize", |sizes| sizes.max),
    ("GroupMinSize", |sizes| sizes.min),
    ("GroupPendingInstances", |sizes| sizes.pending),
    ("GroupStandbyInstances", |sizes| sizes.standby),
    ("GroupTerminatingInstances", |sizes| sizes.terminating),
    ("GroupTotalInstances", |sizes| sizes.total - sizes.warm),
    ("GroupInServiceCapacity", |sizes| sizes.in_service_capacity),
    ("GroupPendingCapacity", |sizes| sizes.pending_capacity),
    ("GroupStandbyCapacity", |sizes| sizes.standby_capacity),
    ("GroupTerminatingCapacity", |sizes| sizes.terminating_capacity),
    ("GroupTotalCapacity", |sizes| {
        sizes.in_service_capacity
            + sizes.pending_capacity
            + sizes.standby_capacity
            + sizes.terminating_capacity
    }),
    ("WarmPoolMinSize", |sizes| sizes.warm_min),
    ("WarmPoolDesiredCapacity", |sizes| sizes.warm_desired),
    ("WarmPoolWarmedCapacity", |sizes| {
        sizes.warm.saturating_sub(sizes.warm_pending + sizes.warm_terminating)
    }),
    ("WarmPoolPendingCapacity", |sizes| sizes.warm_pending),
    ("WarmPoolTerminatingCapacity", |sizes| sizes.warm_terminating),
    ("WarmPoolTotalCapacity", |sizes| sizes.warm),
    ("GroupAndWarmPoolDesiredCapacity", |sizes| sizes.desired + sizes.warm_desired),
    ("GroupAndWarmPoolTotalCapacity", |sizes| sizes.total),
];

/// Picks one of a group's sizes.
type SizeOf = fn(&Sizes) -> u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Balancing {
    Requests,
    RequestsPerTarget,
    ResponseTime,
    HealthyHosts,
    UnhealthyHosts,
}

/// What a metric of the fleet is read from.
enum Source<'a> {
    /// One sample a serving instance.
    Utilisation(&'a Group, fn(&MinuteRecord) -> Samples),
    /// Of one instance: CPU (false) or memory (true).
    Instance(&'a str, bool),
    /// Bytes of a group's instances, so many a request.
    Traffic(&'a Group, f64),
    /// The same of one instance.
    InstanceTraffic(&'a str, f64),
    /// Status checks of one instance, and whether a failed machine fails them.
    Checks(&'a str, bool),
    /// Behind a load balancer.
    Balancer(Vec<&'a Group>, Balancing),
    /// One of a group's sizes.
    Size(&'a Group, SizeOf),
}

/// Whether the fleet has this metric: the group, instance or target group exists.
pub fn contains(region: &Region, key: &MetricKey) -> bool {
    usage::class(key).is_some() || source(region, key).is_some()
}

/// Samples of the complete minutes in `[from, to)`, with their unit, oldest first.
pub fn samples(region: &Region, key: &MetricKey, from: i64, to: i64) -> Vec<(i64, &'static str, Bucket)> {
    if let Some(class) = usage::class(key) {
        return usage::samples(region, class, from, to);
    }
    let delay = region.cloudwatch.metric_delay.as_secs().saturating_add(MINUTE);
    let end = to.min(region.now.as_second().saturating_sub(delay).saturating_add(1));
    let (Ok(from), Ok(end)) = (Timestamp::from_second(from), Timestamp::from_second(end)) else {
        return Vec::new();
    };
    match source(region, key) {
        None => Vec::new(),
        Some(Source::Utilisation(group, of)) => minutes(group, from, end)
            .filter_map(|minute| Some((minute.start.as_second(), "Percent", utilisation(of(&minute))?)))
            .collect(),
        Some(Source::Instance(id, memory)) => region
            .instance_minutes(id, from, end)
            .map(|(start, cpu, filled)| {
                let share = if memory { filled } else { cpu };
                (start.as_second(), "Percent", Bucket::of_value(share * 100.0, 1.0))
            })
            .collect(),
        Some(Source::Traffic(group, bytes)) => machine::of_group(group, bytes, from, end),
        Some(Source::InstanceTraffic(id, bytes)) => machine::of_instance(region, id, bytes, from, end),
        Some(Source::Checks(id, fails)) => machine::checks(region, id, fails, from, end),
        Some(Source::Size(group, of)) => minutes(group, from, end)
            .filter(|minute| group.collected(&key.name, minute.start))
            .map(|minute| {
                (minute.start.as_second(), "None", Bucket::of_value(f64::from(of(&minute.sizes)), 1.0))
            })
            .collect(),
        Some(Source::Balancer(groups, what)) => balanced(&groups, what, from, end),
    }
}

/// All metrics that the fleet has now.
pub fn keys(region: &Region) -> Vec<MetricKey> {
    let mut keys = Vec::new();
    for group in region.groups() {
        let name = group.name.as_str();
        keys.push(MetricKey::new(EC2, CPU, &[(GROUP, name)]));
        keys.push(MetricKey::new(AGENT, MEMORY, &[(GROUP, name)]));
        keys.extend(machine::TRAFFIC.map(|(metric, _)| MetricKey::new(EC2, metric, &[(GROUP, name)])));
        for member in group.members.iter().filter(|member| member.served_from.is_some()) {
            keys.push(MetricKey::new(EC2, CPU, &[(INSTANCE, &member.id)]));
            keys.push(MetricKey::new(AGENT, MEMORY, &[(INSTANCE, &member.id)]));
            let of_machine = machine::TRAFFIC.iter().map(|(metric, _)| *metric);
            let of_machine = of_machine.chain(machine::CHECKS.iter().map(|(metric, _)| *metric));
            keys.extend(of_machine.map(|metric| MetricKey::new(EC2, metric, &[(INSTANCE, &member.id)])));
            keys.push(MetricKey::new(AGENT, MEMORY, &[(GROUP, name), (INSTANCE, &member.id)]));
        }
        for (metric, _) in SIZE_METRICS.iter().filter(|(metric, _)| group.was_collected(metric)) {
            keys.push(MetricKey::new(GROUPS, metric, &[(GROUP, name)]));
        }
        for (targets, balancer) in group.load_balancing() {
            keys.extend(balancer_keys(&targets, &balancer));
        }
    }
    keys.extend(region.usage.classes().map(usage::key));
    // Several groups may stand behind one target group.
    keys.sort();
    keys.dedup();
    keys
}

fn balancer_keys(targets: &str, balancer: &str) -> Vec<MetricKey> {
    let both = [(LOAD_BALANCER, balancer), (TARGETS, targets)];
    BALANCER_METRICS
        .iter()
        .flat_map(|(metric, what)| {
            let other: &[(&str, &str)] = match what {
                Balancing::Requests | Balancing::ResponseTime => &both[..1],
                Balancing::RequestsPerTarget => &both[1..],
                Balancing::HealthyHosts | Balancing::UnhealthyHosts => &[],
            };
            let alone = (!other.is_empty()).then(|| MetricKey::new(BALANCER, metric, other));
            alone.into_iter().chain([MetricKey::new(BALANCER, metric, &both)])
        })
        .collect()
}

fn source<'a>(region: &'a Region, key: &'a MetricKey) -> Option<Source<'a>> {
    let group = || region.group(key.dimension(GROUP)?);
    let instance = || key.dimension(INSTANCE).filter(|id| region.instance(id).is_some());
    match (key.namespace.as_str(), key.name.as_str()) {
        (EC2, CPU) if key.has_exactly(&[GROUP]) => Some(Source::Utilisation(group()?, |minute| minute.cpu)),
        (EC2, CPU) if key.has_exactly(&[INSTANCE]) => Some(Source::Instance(instance()?, false)),
        (EC2, name) if key.has_exactly(&[GROUP]) => {
            let (_, bytes) = machine::TRAFFIC.iter().find(|(metric, _)| *metric == name)?;
            Some(Source::Traffic(group()?, *bytes))
        }
        (EC2, name) if key.has_exactly(&[INSTANCE]) => {
            if let Some((_, bytes)) = machine::TRAFFIC.iter().find(|(metric, _)| *metric == name) {
                return Some(Source::InstanceTraffic(instance()?, *bytes));
            }
            let (_, fails) = machine::CHECKS.iter().find(|(metric, _)| *metric == name)?;
            Some(Source::Checks(instance()?, *fails))
        }
        (AGENT, MEMORY) if key.has_exactly(&[GROUP]) => {
            Some(Source::Utilisation(group()?, |minute| minute.memory))
        }
        (AGENT, MEMORY) if key.has_exactly(&[INSTANCE]) => Some(Source::Instance(instance()?, true)),
        (AGENT, MEMORY) if key.has_exactly(&[GROUP, INSTANCE]) => {
            let (owner, _) = region.instance(key.dimension(INSTANCE)?)?;
            (key.dimension(GROUP) == Some(&owner.name)).then_some(Source::Instance(instance()?, true))
        }
        (GROUPS, name) if key.has_exactly(&[GROUP]) => {
            let (_, of) = SIZE_METRICS.iter().find(|(metric, _)| *metric == name)?;
            let group = group().filter(|group| group.was_collected(name))?;
            Some(Source::Size(group, *of))
        }
        (BALANCER, name) => {
            let (_, what) = BALANCER_METRICS.iter().find(|(metric, _)| *metric == name)?;
            let groups = behind(region, key);
            (!groups.is_empty()).then_some(Source::Balancer(groups, *what))
        }
        _ => None,
    }
}

/// The groups behind a load balancer's dimensions. A target group alone names its groups whatever its load balancer
/// is called; a load balancer alone is the one of the same name and id as a target group.
fn behind<'a>(region: &'a Region, key: &MetricKey) -> Vec<&'a Group> {
    let (targets, balancer) = (key.dimension(TARGETS), key.dimension(LOAD_BALANCER));
    let named = usize::from(targets.is_some()) + usize::from(balancer.is_some());
    if named == 0 || key.dimensions.len() != named {
        return Vec::new();
    }
    // Both forms end in NAME/ID, as the ARN of the target group does.
    let wanted = match (targets, balancer) {
        (Some(targets), _) => targets.strip_prefix("targetgroup/"),
        (None, balancer) => balancer.and_then(|balancer| balancer.strip_prefix("app/")),
    };
    let Some(wanted) = wanted else { return Vec::new() };
    let named = |arn: &String| arn.split_once(":targetgroup/").is_some_and(|(_, rest)| rest == wanted);
    region.groups().filter(|group| group.settings.target_group_arns.iter().any(named)).collect()
}

fn minutes(group: &Group, from: Timestamp, end: Timestamp) -> impl Iterator<Item = MinuteRecord> + '_ {
    group.minutes().between(from, end)
}

/// Samples of 0 to 1 as percent.
fn utilisation(samples: Samples) -> Option<Bucket> {
    let mean = samples.mean()?;
    let quantiles =
        vec![(0.0, samples.min * 100.0), (0.5, mean * 100.0), (1.0, samples.max.max(mean) * 100.0)];
    Some(Bucket::of_curve(Curve { samples: f64::from(samples.count), quantiles }, samples.sum * 100.0))
}

/// What a load balancer publishes of one minute of all groups behind it.
#[derive(Default)]
struct Balanced {
    requests: f64,
    healthy: u32,
    unhealthy: u32,
    times: Bucket,
}

fn balanced(
    groups: &[&Group],
    what: Balancing,
    from: Timestamp,
    end: Timestamp,
) -> Vec<(i64, &'static str, Bucket)> {
    let mut by_minute = std::collections::BTreeMap::<i64, Balanced>::new();
    for group in groups {
        for minute in minutes(group, from, end) {
            let total = by_minute.entry(minute.start.as_second()).or_default();
            total.requests += minute.requests;
            total.healthy += minute.sizes.in_service;
            total.unhealthy += minute.sizes.pending;
            if let (Some(latency), Balancing::ResponseTime) = (minute.latency, what) {
                total.times.absorb(&response_times(&latency, minute.requests));
            }
        }
    }
    let sample = |(start, total): (i64, Balanced)| {
        let (unit, bucket) = published(what, total)?;
        Some((start, unit, bucket))
    };
    by_minute.into_iter().filter_map(sample).collect()
}

/// A load balancer publishes requests and response times only where there was traffic.
fn published(what: Balancing, total: Balanced) -> Option<(&'static str, Bucket)> {
    match what {
        Balancing::Requests => (total.requests > 0.0)
            .then(|| ("Count", Bucket::of_statistics(total.requests, total.requests, 1.0, 1.0))),
        Balancing::RequestsPerTarget => (total.requests > 0.0 && total.healthy > 0)
            .then(|| ("Count", Bucket::of_value(total.requests / f64::from(total.healthy), 1.0))),
        Balancing::ResponseTime => (total.times.samples() > 0.0).then_some(("Seconds", total.times)),
        Balancing::HealthyHosts => Some(("Count", Bucket::of_value(f64::from(total.healthy), 1.0))),
        Balancing::UnhealthyHosts => Some(("Count", Bucket::of_value(f64::from(total.unhealthy), 1.0))),
    }
}

fn response_times(latency: &Latency, requests: f64) -> Bucket {
    let points = [
        (0.0, latency.min),
        (0.5, latency.p50),
        (0.9, latency.p90),
        (0.95, latency.p95),
        (0.99, latency.p99),
        (1.0, latency.max),
    ];
    let mut highest = 0.0_f64;
    let quantiles = points
        .into_iter()
        .map(|(share, value)| {
            highest = highest.max(value);
            (share, highest)
        })
        .collect();
    Bucket::of_curve(Curve { samples: requests, quantiles }, latency.sum)
}
