//! The values that hold where the configuration says nothing, each in one place: the file format's
//! documentation, the resolver and [`GroupConfig::with_defaults`] all read them here.

use std::time::Duration;

use scaling_fleet::{Mebibytes, Vcpu};

use super::group::{
    Absence, ConfigVersion, ControlLevel, Cooldown, Dimension, GroupConfig, GroupName, LadderRule,
    MetricBinding, Mode, Platform, ReplicaBounds, ScaleDownRule, StabilizationWindow, Statistic,
    TriggerConfig, TypeBounds,
};
use crate::trigger::{PerTrigger, Trigger};

/// Name of the only group of a configuration that names none.
pub const GROUP: &str = "service";
/// Time zone of cron expressions.
pub const TIME_ZONE: &str = "UTC";
/// Which axes the policy uses when neither `mode` nor `policy.mode` says so.
pub const MODE: Mode = Mode::Hybrid;
/// Bounds on the count.
pub const REPLICAS: ReplicaBounds = ReplicaBounds { min: 1, max: 10, target: 2 };
/// Bounds on the type: wide enough to hold every general type, up to 64 vCPU and 512 GiB.
pub const RESOURCES: TypeBounds = TypeBounds {
    min_cpu: Vcpu(0.1),
    max_cpu: Vcpu(64.0),
    min_memory: Mebibytes(128.0),
    max_memory: Mebibytes(524_288.0),
};
/// Utilisation at which the plain rule scales up, and the default of the CPU and memory thresholds.
pub const SCALE_UP_THRESHOLD: f64 = 0.8;
/// Utilisation at which the plain rule scales down.
pub const SCALE_DOWN_THRESHOLD: f64 = 0.2;
/// Requests per minute per replica of the reference type.
pub const REQUEST_THRESHOLD: f64 = 1000.0;
/// What a savings plan takes off.
pub const DISCOUNT: f64 = 0.0;
/// Seconds, 95th percentile.
pub const LATENCY_THRESHOLD: f64 = 0.5;
/// Largest factor of one scale-up.
pub const SCALE_UP_FACTOR: f64 = 1.5;
/// Smallest factor of one scale-down.
pub const SCALE_DOWN_FACTOR: f64 = 0.75;
/// Share of the threshold that capacity is sized for.
pub const TARGET_LOAD: f64 = 0.75;
/// Whether wanted capacity looks one boot time ahead.
pub const FORECAST: bool = true;
/// Metric period and evaluation interval.
pub const EVALUATION_PERIOD: Duration = Duration::from_secs(60);
/// How long ordered replicas may be missing before growth stops.
pub const LAUNCH_TIMEOUT: Duration = Duration::from_secs(600);
/// Least time between two type changes for cost.
pub const MIN_TYPE_AGE: Duration = Duration::from_secs(86_400);
/// How long a type that failed to launch is left out at first.
pub const TYPE_BACKOFF: Duration = Duration::from_secs(3_600);
/// How long a manual change holds against scale-down.
pub const MANUAL_HOLD: Duration = Duration::from_secs(1_800);
/// Time-out of a program that drives a `standalone` group.
pub const PROGRAM_TIMEOUT: Duration = Duration::from_secs(10);

/// The threshold of a trigger that the configuration does not mention.
pub const fn threshold(trigger: Trigger) -> f64 {
    match trigger {
        Trigger::CpuUsage | Trigger::MemoryUsage => SCALE_UP_THRESHOLD,
        Trigger::RequestCount => REQUEST_THRESHOLD,
        Trigger::RequestLatency => LATENCY_THRESHOLD,
    }
}

/// The binding of a trigger on AWS when the configuration names none: CPU from EC2 and memory from the
/// CloudWatch agent, both by the group's name. Requests and latency need a load balancer's name, so they stay
/// unbound and have no opinion until one is given.
pub fn aws_binding(trigger: Trigger, group: &GroupName) -> Option<MetricBinding> {
    let (namespace, metric) = match trigger {
        Trigger::CpuUsage => ("AWS/EC2", "CPUUtilization"),
        Trigger::MemoryUsage => ("CWAgent", "mem_used_percent"),
        Trigger::RequestCount | Trigger::RequestLatency => return None,
    };
    Some(MetricBinding {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions: vec![Dimension {
            name: "AutoScalingGroupName".to_owned(),
            value: group.as_str().to_owned(),
        }],
        statistic: Statistic::Average,
        scale: 0.01,
        absence: Absence::Hold,
    })
}

impl GroupConfig {
    /// The resolved form of a configuration that says nothing but the group's name and `"control": "act"`:
    /// an AWS group in `hybrid` mode with every default of this module, all four triggers asking,
    /// `cpu_usage` a priority trigger, and the AWS bindings of [`aws_binding`].
    pub fn with_defaults(name: &str) -> Self {
        let name = GroupName::new(name);
        let triggers = PerTrigger::from_fn(|trigger| TriggerConfig {
            threshold: threshold(trigger),
            asks: true,
            priority: trigger == Trigger::CpuUsage,
            binding: aws_binding(trigger, &name),
        });
        Self {
            name,
            version: ConfigVersion::default(),
            platform: Platform::Aws,
            programs: None,
            control: ControlLevel::Act,
            mode: MODE,
            replicas: REPLICAS,
            resources: RESOURCES,
            triggers,
            target_load: TARGET_LOAD,
            scale_up_factor: SCALE_UP_FACTOR,
            scale_down_factor: SCALE_DOWN_FACTOR,
            scale_up_threshold: SCALE_UP_THRESHOLD,
            scale_down_threshold: SCALE_DOWN_THRESHOLD,
            scale_down: ScaleDownRule::Window,
            forecast: FORECAST,
            evaluation_period: EVALUATION_PERIOD,
            stabilization: StabilizationWindow::BootTime,
            cooldown: Cooldown::StabilizationWindow,
            launch_timeout: LAUNCH_TIMEOUT,
            min_type_age: MIN_TYPE_AGE,
            change_window: None,
            type_backoff: TYPE_BACKOFF,
            manual_hold: MANUAL_HOLD,
            coexist: false,
            ladder: LadderRule::FamilyOfCurrent,
            discount: DISCOUNT,
            alarms: Vec::new(),
            calendar: Vec::new(),
        }
    }
}
