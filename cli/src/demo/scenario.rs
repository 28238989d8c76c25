//! What the demo plays: the load, the service and the configuration.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::service::ServiceModel;
use scaling_policy::config::{Config, Layers};
use serde_json::json;

use super::stage::{FIRST_REPLICAS, GROUP, MAX, MIN, TARGET_GROUP};
use crate::arguments::DemoArguments;

/// The latency target, in seconds.
pub(crate) const LATENCY_TARGET: f64 = 0.25;

/// Mean requests per second of a working day of the drawn week, without its bursts.
const MEAN_RATE: f64 = 300.0;

/// The load that the arguments ask for, from `start`.
pub(crate) fn load(arguments: &DemoArguments, start: Timestamp) -> Result<Load> {
    let load = match &arguments.trace {
        None => {
            WeekProfile { mean_rate: arguments.rate.unwrap_or(MEAN_RATE), seed: arguments.seed }.draw(start)
        }
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the trace {}", path.display()))?;
            let load =
                Load::from_csv(&text, start).with_context(|| format!("the trace {}", path.display()))?;
            arguments.rate.map_or_else(|| load.clone(), |rate| load.clone().scaled_to_mean(rate))
        }
    };
    Ok(load.truncated(Duration::from_secs_f64(arguments.days * 86_400.0)))
}

/// The drawn week.
pub(crate) fn week(seed: u64, start: Timestamp) -> Load {
    WeekProfile { mean_rate: MEAN_RATE, seed }.draw(start)
}

/// The service behind the load. With a trace its memory stays what it is: the growth belongs to the drawn week.
pub(crate) fn service(arguments: &DemoArguments) -> ServiceModel {
    let mut service = ServiceModel::demo();
    if arguments.trace.is_some() {
        service.memory.base.truncate(1);
    }
    service
}

/// The configuration: every trigger, a ladder of three families from large to 4xlarge.
pub(crate) fn config() -> Result<Config> {
    let sizes = ["large", "xlarge", "2xlarge", "4xlarge"];
    let families = ["c7i", "m7i", "r7i"];
    let types: Vec<String> =
        families.iter().flat_map(|family| sizes.iter().map(move |size| format!("{family}.{size}"))).collect();
    let source = json!({
        "mode": "hybrid",
        "control": "act",
        "region": "us-east-1",
        "resources": {"min_cpu": 2, "max_cpu": 16, "min_memory": 4096, "max_memory": 131_072},
        "replicas": {"min_replicas": MIN, "max_replicas": MAX, "target_replicas": FIRST_REPLICAS},
        "triggers": {
            "cpu_threshold": 0.8,
            "memory_threshold": 0.8,
            "request_threshold": 4000,
            "latency_threshold": LATENCY_TARGET,
            "evaluation_period": 60
        },
        "policy": {
            "mode": "hybrid",
            "triggers": ["cpu_usage", "memory_usage", "request_count", "request_latency"],
            "priority_triggers": ["cpu_usage"],
            "scale_up_factor": 1.5,
            "scale_down_factor": 0.75
        },
        "groups": [{
            "name": GROUP,
            "load_balancer": format!("app/{TARGET_GROUP}"),
            "target_group": format!("targetgroup/{TARGET_GROUP}"),
            "ladder": {"types": types}
        }]
    });
    let loaded = Config::parse(source.to_string().as_bytes(), &Layers::none())?;
    Ok(loaded.config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_grows_with_the_drawn_week_and_not_with_a_trace() {
        let arguments = |trace: Option<&str>| DemoArguments {
            seed: 1,
            trace: trace.map(Into::into),
            rate: None,
            days: 7.0,
            plain: true,
            json: false,
        };
        let grown = |trace| {
            let memory = service(&arguments(trace)).memory;
            let week = Duration::from_secs(7 * 86_400);
            memory.base_at(week).0 > memory.base_at(Duration::ZERO).0
        };
        assert_eq!((grown(None), grown(Some("requests.csv"))), (true, false));
    }

    #[test]
    fn the_demo_s_configuration_has_no_faults() {
        let config = config().unwrap();
        assert_eq!(config.groups.len(), 1);
        assert!(
            config.groups[0].triggers.iter().all(|(_, trigger)| trigger.asks && trigger.binding.is_some())
        );
    }
}
