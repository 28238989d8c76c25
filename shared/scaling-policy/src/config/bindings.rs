//! Where the readings of a group's triggers come from: what the configuration says, over what follows from the
//! platform and the load balancer.

use super::defaults;
use super::fault::Faults;
use super::group::{Absence, Dimension, GroupName, MetricBinding, Platform, Statistic};
use super::origin::Origin;
use super::source::{MetricSource, MetricsSource, Settings};
use crate::trigger::{PerTrigger, Trigger};

/// CloudWatch's limit.
const MAX_DIMENSIONS: usize = 30;

/// Longest namespace, metric name and dimension name that CloudWatch takes.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html>
const LONGEST_NAME: usize = 255;

/// Longest dimension value that CloudWatch takes.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html>
const LONGEST_VALUE: usize = 1024;

/// What the bindings of a group depend on.
pub(super) struct BindingContext<'a> {
    pub(super) settings: &'a Settings,
    pub(super) group: &'a GroupName,
    pub(super) platform: Platform,
    /// Evaluation period in seconds.
    pub(super) period: u64,
    pub(super) origin: Origin<'a>,
}

impl BindingContext<'_> {
    /// The binding of every trigger; `listed` are the triggers that `policy.triggers` names, where it is given.
    pub(super) fn resolve(
        &self,
        listed: Option<&[Trigger]>,
        faults: &mut Faults,
    ) -> PerTrigger<Option<MetricBinding>> {
        let traffic = self.traffic_dimensions(faults);
        let none = MetricsSource::default();
        let metrics = self.settings.metrics.as_ref().unwrap_or(&none);
        PerTrigger::from_fn(|trigger| {
            let given = given(metrics, trigger);
            if self.platform == Platform::Standalone {
                let is_listed = listed.is_some_and(|listed| listed.contains(&trigger));
                return self.program_binding(trigger, given, is_listed, faults);
            }
            let own = defaults::aws_binding(trigger, self.group)
                .or_else(|| Some(self.traffic_binding(trigger, traffic.as_ref()?)));
            match given {
                None => own,
                Some(given) => self.custom_binding(trigger, given, own, faults),
            }
        })
    }

    /// A program answers by the trigger's name, in the trigger's unit.
    fn program_binding(
        &self,
        trigger: Trigger,
        given: Option<&MetricSource>,
        is_listed: bool,
        faults: &mut Faults,
    ) -> Option<MetricBinding> {
        let usual = matches!(trigger, Trigger::CpuUsage | Trigger::MemoryUsage);
        if !usual && !is_listed && given.is_none() {
            return None;
        }
        if given.is_some_and(|given| *given != MetricSource { absence: given.absence, ..Default::default() })
        {
            self.origin.warning(
                &format!("metrics/{trigger}"),
                "has no effect on standalone but for `absence`: the metrics program answers by trigger name",
                "keep only `absence`",
                faults,
            );
        }
        Some(MetricBinding {
            namespace: "standalone".to_owned(),
            metric: trigger.name().to_owned(),
            dimensions: Vec::new(),
            statistic: statistic(trigger),
            scale: 1.0,
            absence: given.and_then(|given| given.absence).unwrap_or_default(),
        })
    }

    fn custom_binding(
        &self,
        trigger: Trigger,
        given: &MetricSource,
        own: Option<MetricBinding>,
        faults: &mut Faults,
    ) -> Option<MetricBinding> {
        let path = format!("metrics/{trigger}");
        let another = given.namespace.is_some() || given.metric.is_some();
        let base = match own {
            Some(own) if !another => own,
            own => {
                let (namespace, metric) = own.map(|own| (own.namespace, own.metric)).unzip();
                let names = (given.namespace.clone().or(namespace), given.metric.clone().or(metric));
                let (Some(namespace), Some(metric)) = names else {
                    if self.origin.is_sound(&[&path], faults) {
                        let rule = "must name the metric: nothing is bound to this trigger otherwise";
                        let fix = "give `namespace` and `metric`, or the group's `load_balancer`";
                        self.origin.error(&path, rule, fix, faults);
                    }
                    return None;
                };
                MetricBinding {
                    namespace,
                    metric,
                    dimensions: vec![by_group(self.group)],
                    statistic: statistic(trigger),
                    scale: 1.0,
                    absence: Absence::Hold,
                }
            }
        };
        let dimensions = given.dimensions.as_ref().map_or(base.dimensions, |dimensions| {
            dimensions
                .iter()
                .map(|(name, value)| Dimension { name: name.clone(), value: value.clone() })
                .collect()
        });
        if dimensions.len() > MAX_DIMENSIONS {
            let rule = format!("must have at most {MAX_DIMENSIONS} dimensions");
            self.origin.error(&format!("{path}/dimensions"), rule, "name those of the one metric", faults);
        }
        self.takeable(&path, given, faults);
        let statistic = given.statistic.unwrap_or(base.statistic);
        Some(MetricBinding {
            dimensions,
            statistic,
            scale: given.scale.map_or_else(|| self.scale(trigger, statistic), |scale| scale.0),
            absence: given.absence.unwrap_or(base.absence),
            ..base
        })
    }

    /// Refuses what CloudWatch refuses: it would answer nothing to the whole call, which reads other groups' metrics, too.
    fn takeable(&self, path: &str, given: &MetricSource, faults: &mut Faults) {
        let mut refuse = |path: String, what: &str, unfit: Option<String>| {
            if let Some(unfit) = unfit {
                self.origin.error(
                    &path,
                    format!("must be {what}: {unfit}"),
                    "copy it from CloudWatch",
                    faults,
                );
            }
        };
        let namespace = given.namespace.as_deref().and_then(|name| unfit(name, LONGEST_NAME, true));
        refuse(format!("{path}/namespace"), "a namespace that CloudWatch takes", namespace);
        let metric = given.metric.as_deref().and_then(|name| unfit(name, LONGEST_NAME, false));
        refuse(format!("{path}/metric"), "a metric name that CloudWatch takes", metric);
        for (name, value) in given.dimensions.iter().flatten() {
            let at = format!("{path}/dimensions/{}", name.replace('~', "~0").replace('/', "~1"));
            let named = "a dimension whose name CloudWatch takes";
            refuse(at.clone(), named, unfit(name, LONGEST_NAME, true));
            refuse(at, "a dimension value that CloudWatch takes", unfit(value, LONGEST_VALUE, false));
        }
    }

    /// The binding of requests and latency to a load balancer. Both stop when traffic does.
    fn traffic_binding(&self, trigger: Trigger, dimensions: &[Dimension]) -> MetricBinding {
        let metric = if trigger == Trigger::RequestCount { "RequestCount" } else { "TargetResponseTime" };
        MetricBinding {
            namespace: "AWS/ApplicationELB".to_owned(),
            metric: metric.to_owned(),
            dimensions: dimensions.to_vec(),
            statistic: statistic(trigger),
            scale: self.scale(trigger, statistic(trigger)),
            absence: Absence::Zero,
        }
    }

    /// From the unit in which such a metric usually comes to the trigger's.
    #[expect(clippy::cast_precision_loss, reason = "a period is at most a day")]
    fn scale(&self, trigger: Trigger, statistic: Statistic) -> f64 {
        let counts = matches!(statistic, Statistic::Sum | Statistic::SampleCount);
        match trigger {
            Trigger::CpuUsage | Trigger::MemoryUsage => 0.01,
            Trigger::RequestCount if counts => 60.0 / self.period as f64,
            Trigger::RequestCount | Trigger::RequestLatency => 1.0,
        }
    }

    /// The dimensions of the load balancer's metrics, where one is given.
    fn traffic_dimensions(&self, faults: &mut Faults) -> Option<Vec<Dimension>> {
        let Settings { load_balancer, target_group, .. } = self.settings;
        if self.platform != Platform::Aws {
            for path in ["load_balancer", "target_group"] {
                if self.origin.gives(path) {
                    let rule = "has no effect on standalone: the metrics program answers";
                    self.origin.warning(path, rule, "take it out", faults);
                }
            }
            return None;
        }
        let Some(balancer) = load_balancer else {
            if target_group.is_some() && self.origin.is_sound(&["load_balancer"], faults) {
                let rule = "must come with `load_balancer`: its metrics have both dimensions";
                self.origin.error("target_group", rule, "give the load balancer in front of it", faults);
            }
            return None;
        };
        let balancer = balancer.rsplit_once(":loadbalancer/").map_or(balancer.as_str(), |(_, name)| name);
        if !has_form(balancer, "app") {
            let rule = "must be an application load balancer as app/<name>/<id> or its ARN";
            let fix = "take LoadBalancer as CloudWatch shows it; other kinds do not measure requests";
            self.origin.error("load_balancer", rule, fix, faults);
        }
        let mut dimensions = vec![Dimension { name: "LoadBalancer".to_owned(), value: balancer.to_owned() }];
        if let Some(group) = target_group {
            let group = group.rsplit_once(':').map_or(group.as_str(), |(_, name)| name);
            if !has_form(group, "targetgroup") {
                let rule = "must be a target group as targetgroup/<name>/<id> or its ARN";
                self.origin.error("target_group", rule, "take TargetGroup as CloudWatch shows it", faults);
            }
            dimensions.push(Dimension { name: "TargetGroup".to_owned(), value: group.to_owned() });
        }
        Some(dimensions)
    }
}

fn given(metrics: &MetricsSource, trigger: Trigger) -> Option<&MetricSource> {
    match trigger {
        Trigger::CpuUsage => metrics.cpu_usage.as_ref(),
        Trigger::MemoryUsage => metrics.memory_usage.as_ref(),
        Trigger::RequestCount => metrics.request_count.as_ref(),
        Trigger::RequestLatency => metrics.request_latency.as_ref(),
    }
}

fn statistic(trigger: Trigger) -> Statistic {
    match trigger {
        Trigger::CpuUsage | Trigger::MemoryUsage => Statistic::Average,
        Trigger::RequestCount => Statistic::Sum,
        Trigger::RequestLatency => Statistic::P95,
    }
}

fn by_group(group: &GroupName) -> Dimension {
    Dimension { name: "AutoScalingGroupName".to_owned(), value: group.as_str().to_owned() }
}

/// What CloudWatch has against a text as a name or a value, if anything.
fn unfit(text: &str, longest: usize, not_after_colon: bool) -> Option<String> {
    if text.trim().is_empty() {
        Some("it must not be empty".to_owned())
    } else if text.len() > longest {
        Some(format!("it must have at most {longest} characters"))
    } else if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Some("it must have printable ASCII characters only".to_owned())
    } else if not_after_colon && text.starts_with(':') {
        Some("it must not begin with a colon".to_owned())
    } else {
        None
    }
}

/// `<kind>/<name>/<id>` with all three present, in characters that a dimension may have.
fn has_form(text: &str, kind: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    unfit(text, LONGEST_VALUE, false).is_none()
        && parts.len() == 3
        && parts[0] == kind
        && parts.iter().all(|part| !part.is_empty())
}
