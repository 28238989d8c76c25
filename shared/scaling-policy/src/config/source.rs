//! The file format: what may stand in a configuration, under which key, in which unit, with which default.
//!
//! These types are the one definition of the format. Their doc comments are the descriptions in the JSON Schema
//! ([`super::schema`]); they serialise to the format, so that a program can write a configuration. They have no
//! `Deserialize` on purpose: [`super::Config::parse`] reads them, because it reports every fault at once.

use std::collections::BTreeMap;

use super::defaults;
use super::group::{Absence, ControlLevel, Mode, Platform, ScaleDownRule, Statistic};
use super::read::section;
use super::values::{
    CpuBound, Discount, Fraction, GroupCount, GrowthFactor, Latency, MemoryBound, Period, Price,
    ReplicaCount, RequestRate, Scale, Seconds, Spending, WindowSeconds,
};
use crate::trigger::Trigger;

section! {
    /// The configuration of the Service Scaling Framework. Every key is optional. CPU is counted in vCPU, memory
    /// in MiB, utilisation as a fraction of 1, time in seconds, money in US dollars. What stands at the top
    /// holds for every group; a group may override any of it, key by key.
    fields struct Document {
        .. /// Settings that hold for every group unless it overrides them.
        settings: Settings,
        /// The groups. Without it the document describes one group, named by `group`.
        groups: Vec<GroupSource>,
        /// Name of the only group when there is no `groups` list: on AWS the name of the Auto Scaling group.
        /// Also set by the environment variable SCALING_GROUP.
        group: String = defaults::GROUP,
        /// AWS region, such as eu-central-1, for calls and prices; another takes effect when a process starts anew.
        /// Default: that of the process's environment.
        region: String,
        /// On-demand prices by instance type in USD per hour, over those of the built-in price list.
        /// Default: none.
        prices: BTreeMap<String, Price>,
        /// Prices of spot instances by type in USD per hour, in `region`. No list is built in: they move by the hour.
        /// Default: none, and spot instances count at the on-demand price.
        spot_prices: BTreeMap<String, Price>,
        /// The day of `spot_prices`, as YYYY-MM-DD; shown where they are used. Default: none.
        spot_prices_date: String,
        /// Limits over all groups together. Default: none.
        limits: LimitsSource,
        /// Whether POST /config must carry If-Match.
        require_if_match: bool = false,
    }
}

section! {
    /// What can be set for all groups or for one.
    fields struct Settings {
        /// Which axes the policy may use: `horizontal` (count), `vertical` (instance type) or `hybrid` (both).
        mode: Mode = defaults::MODE,
        /// How far the controller may go: `observe` (decides, changes nothing), `up_only` (adds capacity only)
        /// or `act`. Default: `observe` on aws, `act` on standalone.
        control: ControlLevel,
        /// What runs the group: `aws` or `standalone` (driven by `programs`). `kubernetes` is not there yet.
        platform: Platform = Platform::Aws,
        /// Bounds on what one replica's instance type offers.
        resources: ResourcesSource,
        /// Bounds on the replica count, and the utilisations of the plain rule.
        replicas: ReplicasSource,
        /// Thresholds and times.
        triggers: TriggersSource,
        /// How a decision is made.
        policy: PolicySource,
        /// Where readings come from, by trigger. Default on aws: `cpu_usage` from AWS/EC2 and `memory_usage`
        /// from the CloudWatch agent, both by Auto Scaling group; requests and latency from `load_balancer`
        /// where it is given. On standalone the `metrics` program gives them, and only `absence` counts.
        metrics: MetricsSource,
        /// Share of the on-demand price that a savings plan takes off, such as 0.28. Nothing is taken off spot instances.
        discount: Discount = defaults::DISCOUNT,
        /// Application load balancer in front of the group, as `app/<name>/<id>` or its ARN. Binds
        /// `request_count` to RequestCount (sum) and `request_latency` to TargetResponseTime (p95, seconds).
        /// Default: none.
        load_balancer: String,
        /// Target group behind the load balancer, as `targetgroup/<name>/<id>` or its ARN, where it serves more
        /// than this one. Default: all of the load balancer's traffic.
        target_group: String,
        /// Instance types that may be chosen. Default: the family and architecture of the type that runs.
        ladder: LadderSource,
        /// Names of CloudWatch alarms that wake the group, besides `scaling/<group>/<trigger>`. Default: none.
        alarms: Vec<String>,
        /// Times with other bounds on the replica count. Default: none.
        calendar: Vec<CalendarSource>,
        /// Programs that drive a standalone group.
        programs: ProgramsSource,
    }
}

section! {
    /// One group: its name, and whatever of the settings differs for it.
    fields struct GroupSource {
        .. /// Settings that this group overrides.
        settings: Settings,
        /// The group's name, required: on AWS the name of the Auto Scaling group.
        #[schemars(required)]
        name: String,
    }
}

section! {
    /// Bounds on what one replica's instance type offers. They filter what may be chosen; a type that runs
    /// already goes on running.
    fields struct ResourcesSource {
        /// Least vCPU of a type.
        min_cpu: CpuBound = defaults::RESOURCES.min_cpu,
        /// Most vCPU of a type.
        max_cpu: CpuBound = defaults::RESOURCES.max_cpu,
        /// Least memory of a type, in MiB.
        min_memory: MemoryBound = defaults::RESOURCES.min_memory,
        /// Most memory of a type, in MiB.
        max_memory: MemoryBound = defaults::RESOURCES.max_memory,
        /// vCPU that a type must at least offer the service. Default: `min_cpu`.
        cpu_request: CpuBound,
        /// MiB that a type must at least offer the service. Default: `min_memory`.
        memory_request: MemoryBound,
        /// Most vCPU a type may have, within `max_cpu`. Default: `max_cpu`.
        cpu_limit: CpuBound,
        /// Most MiB a type may have, within `max_memory`. Default: `max_memory`.
        memory_limit: MemoryBound,
    }
}

section! {
    /// Bounds on the replica count, and the utilisations of the plain rule.
    fields struct ReplicasSource {
        /// Fewest replicas, at least 1.
        min_replicas: ReplicaCount = defaults::REPLICAS.min,
        /// Most replicas.
        max_replicas: ReplicaCount = defaults::REPLICAS.max,
        /// First replica count of a group taken over with fewer, and of one whose state was lost, until a stabilization
        /// window has shown what it needs; otherwise never enforced. Where it is left out, its default is brought within the bounds.
        target_replicas: ReplicaCount = defaults::REPLICAS.target,
        /// Utilisation, as a fraction of 1, at which capacity is added, by either rule: the default of
        /// `cpu_threshold` and `memory_threshold`, which count where they say something else.
        scale_up_threshold: Fraction = defaults::SCALE_UP_THRESHOLD,
        /// Utilisation, as a fraction of 1, at which the plain rule scales down. Below `scale_up_threshold`.
        scale_down_threshold: Fraction = defaults::SCALE_DOWN_THRESHOLD,
    }
}

section! {
    /// Thresholds, at which a trigger's load is 1, and times.
    fields struct TriggersSource {
        /// CPU utilisation, as a fraction of 1. Default: `scale_up_threshold`.
        cpu_threshold: Fraction,
        /// Memory utilisation, as a fraction of 1. Default: `scale_up_threshold`.
        memory_threshold: Fraction,
        /// Requests per minute and replica of the reference type (the one found at take-over; scaled by vCPU
        /// for others).
        request_threshold: RequestRate = defaults::REQUEST_THRESHOLD,
        /// Response time in seconds, 95th percentile.
        latency_threshold: Latency = defaults::LATENCY_THRESHOLD,
        /// Metric period and evaluation interval, in seconds. On aws 1, 5, 10, 20, 30 or a multiple of 60.
        evaluation_period: Period = defaults::EVALUATION_PERIOD.as_secs(),
        /// How long a change delays the next one in the same direction, in seconds. Default: the stabilization
        /// window.
        cooldown_period: Seconds,
        /// How long demand must have been lower before a scale-down, in seconds. At most 3600, and at most 118
        /// times `evaluation_period`: that is as far as is remembered. Default: the boot time (learned, 120 s until it is).
        #[schemars(range(max = 3600))]
        stabilization_window: Seconds,
    }
}

section! {
    /// How a decision is made.
    fields struct PolicySource {
        /// Same as the top-level `mode`, and must not differ from it where both are given.
        mode: Mode = defaults::MODE,
        /// Triggers that may ask for capacity; the others are only reported. Default: all four, of which those
        /// without a metric have no opinion.
        triggers: Vec<Trigger>,
        /// Triggers whose scale-up waits for no cooldown and goes straight to what is wanted; each must be in
        /// `triggers`. Default: `cpu_usage` where it is in `triggers`.
        priority_triggers: Vec<Trigger>,
        /// One scale-up grows the capacity at most by this factor, and at least by one replica.
        scale_up_factor: GrowthFactor = defaults::SCALE_UP_FACTOR,
        /// One scale-down shrinks the capacity at most to this fraction of it, and at least by one replica.
        scale_down_factor: Fraction = defaults::SCALE_DOWN_FACTOR,
        /// What takes capacity away: `window` (the smaller fleet would have been enough for the whole
        /// stabilization window) or `threshold` (every utilisation is under `scale_down_threshold`).
        scale_down: ScaleDownRule = ScaleDownRule::Window,
        /// Share of each threshold that capacity is sized for, as a fraction of 1.
        target_load: Fraction = defaults::TARGET_LOAD,
        /// Whether wanted capacity looks one boot time ahead.
        forecast: bool = defaults::FORECAST,
        /// Fewer replicas serving than ordered for longer than this many seconds stops growth.
        launch_timeout: Period = defaults::LAUNCH_TIMEOUT.as_secs(),
        /// Least time in seconds between two type changes for cost in `hybrid` mode.
        min_type_age: Seconds = defaults::MIN_TYPE_AGE.as_secs(),
        /// When type changes for cost may start. Default: always.
        change_window: ChangeWindowSource,
        /// How long a type that failed to launch is left out, in seconds; doubles with each failure.
        type_backoff: Seconds = defaults::TYPE_BACKOFF.as_secs(),
        /// How long a manual change holds against scale-down, in seconds.
        manual_hold: Seconds = defaults::MANUAL_HOLD.as_secs(),
        /// Acts although scaling policies, scheduled actions or another autoscaler are attached to the group.
        /// Where false, such a group is only observed.
        coexist: bool = false,
    }
}

section! {
    /// Times at which type changes for cost may start: each firing of `cron` opens a window.
    fields struct ChangeWindowSource {
        /// Five-field cron expression, required: minute, hour, day of month, month, day of week (0 or 7 is
        /// Sunday). One of the two day fields must be `*`.
        cron: String,
        /// How long each window stays open, in seconds, required; at most 7 days.
        duration: WindowSeconds,
        /// IANA time zone that `cron` is read in, such as Europe/Berlin.
        time_zone: String = defaults::TIME_ZONE,
    }
}

section! {
    /// Times with other bounds on the replica count: each firing of `cron` opens a window in which they hold.
    /// Where several are open, the highest minimum and the lowest maximum hold, and the minimum wins over the
    /// maximum.
    fields struct CalendarSource {
        /// What it is for, such as "morning peak"; shown wherever the bounds are. Default: its place in the list.
        name: String,
        /// Five-field cron expression, required: minute, hour, day of month, month, day of week (0 or 7 is
        /// Sunday). One of the two day fields must be `*`.
        cron: String,
        /// How long each window stays open, in seconds, required; at most 7 days.
        duration: WindowSeconds,
        /// IANA time zone that `cron` is read in, such as Europe/Berlin.
        time_zone: String = defaults::TIME_ZONE,
        /// Fewest replicas meanwhile. Default: `min_replicas`.
        min_replicas: ReplicaCount,
        /// Most replicas meanwhile. Default: `max_replicas`.
        max_replicas: ReplicaCount,
    }
}

section! {
    /// Where readings come from, by trigger.
    fields struct MetricsSource {
        /// Mean CPU utilisation. Default on aws: AWS/EC2 CPUUtilization, Average, x 0.01.
        cpu_usage: MetricSource,
        /// Mean memory utilisation. Default on aws: CWAgent mem_used_percent, Average, x 0.01.
        memory_usage: MetricSource,
        /// Requests over the whole group. Default on aws: RequestCount of `load_balancer`, Sum.
        request_count: MetricSource,
        /// Response time. Default on aws: TargetResponseTime of `load_balancer`, p95.
        request_latency: MetricSource,
    }
}

section! {
    /// One CloudWatch metric. Keys that are left out keep the default of the trigger's own metric.
    fields struct MetricSource {
        /// CloudWatch namespace, such as AWS/EC2. Default: that of the trigger's own metric, where it has one.
        namespace: String,
        /// Metric name, such as CPUUtilization. Default: that of the trigger's own metric, where it has one.
        metric: String,
        /// All dimensions of the metric, value by name. Default: that of the trigger's own metric, otherwise
        /// AutoScalingGroupName with the group's name.
        dimensions: BTreeMap<String, String>,
        /// Statistic over one evaluation period. Default: Average for utilisations, Sum for requests, p95 for
        /// latency.
        statistic: Statistic,
        /// The metric's value times this is in the trigger's unit: a fraction of 1, requests per minute, or
        /// seconds. Default: 0.01 for utilisations (percentages), 60 / evaluation period for a Sum of requests,
        /// otherwise 1.
        scale: Scale,
        /// What no point means: `hold` (nothing is known: never scale down) or `zero` (no traffic; for a
        /// latency that is no opinion). Default: `zero` for a load balancer's metrics, otherwise `hold`.
        absence: Absence,
    }
}

section! {
    /// Instance types that may be chosen: either `types` or `families`.
    whole struct LadderSource {
        /// Exactly these instance types, such as m7i.large. Those of another architecture than the running
        /// type's are left out. Default: none.
        types: Vec<String>,
        /// Every type of these families (letters and generation, such as m7i). Default: none.
        families: Vec<String>,
    }
}

section! {
    /// Programs that drive a standalone group: argument vectors, run without a shell, JSON in and out.
    fields struct ProgramsSource {
        /// Prints the group's state. Required.
        describe: Vec<Argument>,
        /// Carries out one step that it is given on standard input. Required.
        apply: Vec<Argument>,
        /// Prints the newest readings by trigger name. Required.
        metrics: Vec<Argument>,
        /// After this many seconds a program is ended, and its call has failed. At most 30.
        timeout: Period = defaults::PROGRAM_TIMEOUT.as_secs(),
    }
}

section! {
    /// Limits over all groups of one evaluation together; what exceeds them is held and goes first next time.
    fields struct LimitsSource {
        /// Most groups changed in one evaluation. Default: no limit.
        max_groups_changed: GroupCount,
        /// Most added spending in one evaluation, in USD per hour. Default: no limit.
        max_added_usd_per_hour: Spending,
    }
}

/// One argument of a program: any text without a NUL character, unlike other text also empty or of many lines.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Argument(pub String);

impl super::read::Read for Argument {
    fn read(
        value: &serde_json::Value,
        at: &super::fault::Path<'_>,
        faults: &mut super::fault::Faults,
    ) -> Option<Self> {
        let read = value.as_str().filter(|text| !text.contains('\0'));
        if read.is_none() {
            faults.error(
                at,
                Some(value),
                "must be text without a NUL character",
                "write each argument in quotes",
            );
        }
        read.map(|text| Self(text.to_owned()))
    }
}

/// Where a key belongs that stands in the wrong place.
pub(super) fn section_of(key: &str) -> Option<String> {
    let sections: [(&str, &[&str]); 9] = [
        ("", Settings::KEYS),
        ("", Document::KEYS),
        ("/resources", ResourcesSource::KEYS),
        ("/replicas", ReplicasSource::KEYS),
        ("/triggers", TriggersSource::KEYS),
        ("/policy", PolicySource::KEYS),
        ("/policy/change_window", ChangeWindowSource::KEYS),
        ("/limits", LimitsSource::KEYS),
        ("/ladder", LadderSource::KEYS),
    ];
    let (section, _) = sections.into_iter().find(|(_, keys)| keys.contains(&key))?;
    Some(format!("{section}/{key}"))
}
