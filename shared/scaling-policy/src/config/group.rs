//! The resolved configuration of one group: every value present, every bound checked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::{Mebibytes, TypeName, Vcpu};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::{self, CalendarEntry};
use super::window::ChangeWindow;
use crate::trigger::PerTrigger;

/// A scalable group by its name: the Auto Scaling group's name on AWS. Cloning is a reference count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(Arc<str>);

impl GroupName {
    /// Wraps a name; the configuration has checked it.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for GroupName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// The version of the configuration that a decision was made under; grows by one with each accepted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigVersion(pub u64);

/// What runs the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// An EC2 Auto Scaling group.
    #[default]
    Aws,
    /// Not yet available; refused at load with a message.
    Kubernetes,
    /// Anything that the programs named in the configuration can describe and change.
    Standalone,
}

/// How far the controller may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlLevel {
    /// Decides, records and exports; changes nothing. The default on AWS.
    Observe,
    /// Adds capacity, never takes any away, never changes a type.
    UpOnly,
    /// Acts on every decision.
    Act,
}

/// Which of the two axes the policy may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Count only; the type is fixed.
    Horizontal,
    /// Type only; the count stays.
    Vertical,
    /// Count and type.
    Hybrid,
}

/// When capacity may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaleDownRule {
    /// When the smaller fleet would have been enough for the whole stabilization window.
    #[default]
    Window,
    /// The plain rule: when every listed trigger's utilisation is under `scale_down_threshold`.
    Threshold,
}

/// Bounds on the replica count. `min <= target <= max`, `min >= 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaBounds {
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// First capacity of a group taken over, and the safe value when state is lost; never enforced otherwise.
    pub target: u32,
}

/// What a replica's type may offer: the intersection of requests, limits and the outer bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TypeBounds {
    /// Least vCPU of a type.
    pub min_cpu: Vcpu,
    /// Most vCPU of a type.
    pub max_cpu: Vcpu,
    /// Least memory of a type.
    pub min_memory: Mebibytes,
    /// Most memory of a type.
    pub max_memory: Mebibytes,
}

impl TypeBounds {
    /// Whether a type with these figures may be chosen. (A running type outside them goes on running.)
    pub fn allow(&self, vcpu: Vcpu, memory: Mebibytes) -> bool {
        vcpu >= self.min_cpu && vcpu <= self.max_cpu && memory >= self.min_memory && memory <= self.max_memory
    }
}

/// One trigger of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerConfig {
    /// Load 1.0. A fraction of 1 for CPU and memory, requests per minute per replica of the reference type
    /// for requests, seconds for latency. Greater than 0.
    pub threshold: f64,
    /// Listed in `policy.triggers`: may ask for capacity. One that is not is only reported.
    pub asks: bool,
    /// Listed in `policy.priority_triggers`: a scale-up it asks for does not wait and is not limited to a step.
    pub priority: bool,
    /// Where its readings come from; `None` where nothing is bound, and it has no opinion.
    pub binding: Option<MetricBinding>,
}

/// What it means when a bound metric has no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Absence {
    /// Nothing is known: never scale down.
    #[default]
    Hold,
    /// The value is zero: a load balancer's request counts stop when traffic does. So do its response times,
    /// and a latency of zero is a load of zero, which neither asks for capacity nor keeps any: no opinion.
    Zero,
}

/// A CloudWatch statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum Statistic {
    /// Mean of the samples.
    Average,
    /// Sum of the samples.
    Sum,
    /// Smallest sample.
    Minimum,
    /// Largest sample.
    Maximum,
    /// Number of samples.
    SampleCount,
    /// 95th percentile.
    #[serde(rename = "p95")]
    P95,
    /// 99th percentile.
    #[serde(rename = "p99")]
    P99,
}

impl Statistic {
    /// The name as CloudWatch spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::SampleCount => "SampleCount",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }
}

/// One CloudWatch dimension.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Dimension {
    /// Dimension name, such as `AutoScalingGroupName`.
    pub name: String,
    /// Dimension value.
    pub value: String,
}

/// Where the readings of one trigger come from. On `standalone` the group's metrics program answers by trigger
/// name, and only `absence` counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricBinding {
    /// CloudWatch namespace, such as `AWS/EC2`.
    pub namespace: String,
    /// Metric name, such as `CPUUtilization`.
    pub metric: String,
    /// All dimensions of the metric.
    pub dimensions: Vec<Dimension>,
    /// Statistic over one evaluation period.
    pub statistic: Statistic,
    /// The metric's value times this is the trigger's unit: 0.01 for a percentage, and for request counts
    /// 60 / evaluation period, so that the reading is in requests per minute.
    pub scale: f64,
    /// What no point means.
    pub absence: Absence,
}

/// Which types may be chosen, before bounds, prices, zones and back-offs filter them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LadderRule {
    /// The family and architecture of the type that runs now. Burstable only when that is what runs.
    FamilyOfCurrent,
    /// Exactly these types, of the running type's architecture.
    Types(Vec<TypeName>),
    /// Every type of these families (letters and generation, such as `m7i`), of the running architecture.
    Families(Vec<String>),
}

/// How long wanted capacity must have been lower before a scale-down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StabilizationWindow {
    /// One boot time: learned, 120 s until it is.
    BootTime,
    /// As configured.
    Fixed(Duration),
}

/// How long a change delays the next one in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cooldown {
    /// As long as the stabilization window.
    StabilizationWindow,
    /// As configured.
    Fixed(Duration),
}

/// Longest time-out of a program: within what the control loop gives one step, and one reading.
pub const LONGEST_PROGRAM: Duration = Duration::from_secs(30);

/// The programs that drive a `standalone` group: argument vectors, run without a shell, JSON in and out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramSet {
    /// Prints the group's state.
    pub describe: Vec<String>,
    /// Carries out one step given on standard input.
    pub apply: Vec<String>,
    /// Prints the newest readings by trigger name.
    pub metrics: Vec<String>,
    /// After this long a program is ended and its call failed.
    pub timeout: Duration,
}

impl ProgramSet {
    /// The argument lists, each a command.
    pub fn lists(&self) -> [&Vec<String>; 3] {
        [&self.describe, &self.apply, &self.metrics]
    }
}

/// Everything the policy needs to know of one group's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// The group.
    pub name: GroupName,
    /// Version of the configuration this was resolved from.
    pub version: ConfigVersion,
    /// What runs it.
    pub platform: Platform,
    /// Programs, on `standalone`.
    pub programs: Option<ProgramSet>,
    /// How far the controller may go.
    pub control: ControlLevel,
    /// Which axes it may use.
    pub mode: Mode,
    /// Bounds on the count.
    pub replicas: ReplicaBounds,
    /// Bounds on the type.
    pub resources: TypeBounds,
    /// Thresholds, roles and bindings.
    pub triggers: PerTrigger<TriggerConfig>,
    /// Load that capacity is sized for, 0 to 1 of the threshold. Default 0.75.
    pub target_load: f64,
    /// One scale-up grows capacity at most by this factor. At least 1.
    pub scale_up_factor: f64,
    /// One scale-down shrinks capacity at most by this factor. Between 0 and 1.
    pub scale_down_factor: f64,
    /// Utilisation at which the plain rule scales up, 0 to 1.
    pub scale_up_threshold: f64,
    /// Utilisation at which the plain rule scales down, 0 to 1.
    pub scale_down_threshold: f64,
    /// Which rule takes capacity away.
    pub scale_down: ScaleDownRule,
    /// Whether wanted capacity looks one boot time ahead.
    pub forecast: bool,
    /// Metric period, and how often the group is evaluated.
    pub evaluation_period: Duration,
    /// How long demand must have been lower before a scale-down.
    pub stabilization: StabilizationWindow,
    /// How long a change delays the next in its direction.
    pub cooldown: Cooldown,
    /// Fewer serving than ordered for longer than this stops growth. Default 600 s.
    pub launch_timeout: Duration,
    /// Least time between two type changes for cost. Default 24 h.
    pub min_type_age: Duration,
    /// When type changes for cost may start; `None` is always.
    pub change_window: Option<ChangeWindow>,
    /// How long a type that failed to launch is left out; doubles each time. Default 1 h.
    pub type_backoff: Duration,
    /// How long a manual change holds against scale-down. Default 1800 s.
    pub manual_hold: Duration,
    /// Acts although a foreign scaling policy or schedule is attached.
    pub coexist: bool,
    /// Types that may be chosen.
    pub ladder: LadderRule,
    /// Share of the on-demand price, 0 up to but not 1, that a savings plan takes off.
    pub discount: f64,
    /// Alarm names that wake this group, besides `scaling/<group>/<trigger>`.
    pub alarms: Vec<String>,
    /// Times with other bounds on the count.
    pub calendar: Vec<CalendarEntry>,
}

impl GroupConfig {
    /// The stabilization window, given the learned boot time.
    pub fn stabilization_window(&self, boot_time: Duration) -> Duration {
        match self.stabilization {
            StabilizationWindow::BootTime => boot_time,
            StabilizationWindow::Fixed(window) => window,
        }
    }

    /// The cooldown, given the learned boot time.
    pub fn cooldown_period(&self, boot_time: Duration) -> Duration {
        match self.cooldown {
            Cooldown::StabilizationWindow => self.stabilization_window(boot_time),
            Cooldown::Fixed(period) => period,
        }
    }

    /// The bounds on the count that hold at `now`: the configured ones, or those of the calendar.
    pub fn replicas_at(&self, now: Timestamp) -> ReplicaBounds {
        calendar::bounds_at(self.replicas, &self.calendar, now)
    }

    /// The entries of the calendar that are open at `now`.
    pub fn open_calendar(&self, now: Timestamp) -> impl Iterator<Item = &CalendarEntry> {
        self.calendar.iter().filter(move |entry| entry.window.is_open(now))
    }

    /// Whether a type change for cost may start at `now`.
    pub fn change_window_open(&self, now: Timestamp) -> bool {
        self.change_window.as_ref().is_none_or(|window| window.is_open(now))
    }
}
