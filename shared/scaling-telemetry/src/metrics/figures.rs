//! What one evaluation says in figures. Pure: a rendering of the evaluation and of how long ago the last one was.

use jiff::Timestamp;
use scaling_control::{Evaluation, GroupOutcome};
use scaling_fleet::{TypeName, UsdPerHour};
use scaling_policy::Trigger;
use scaling_policy::config::{ControlLevel, GroupName, Mode};
use scaling_policy::decide::demand::is_wanted_known;
use scaling_policy::operation::Operation;
use scaling_policy::snapshot::TypeOffer;
use scaling_policy::trigger::{PerTrigger, Reading};

use crate::{own_cost, savings};

/// Longest time between two evaluations that totals take as lasting what was seen, in seconds. What happened
/// while nobody looked for longer than that is not known and not counted.
pub const LONGEST_GAP_SECONDS: f64 = 900.0;

/// The figures of one evaluation of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The group.
    pub group: GroupName,
    /// When it was observed.
    pub at: Timestamp,
    /// Mean CPU utilisation, 0 to 100.
    pub cpu_usage: Option<f64>,
    /// Mean memory utilisation, 0 to 100.
    pub memory_usage: Option<f64>,
    /// Response time in seconds.
    pub request_latency: Option<f64>,
    /// Requests in the last complete period.
    pub request_count: Option<f64>,
    /// End of that period.
    pub requests_until: Option<Timestamp>,
    /// What runs costs now.
    pub cost: UsdPerHour,
    /// What a fixed fleet would cost more, in USD per hour; negative when it would cost less.
    pub savings: Option<f64>,
    /// What this evaluation adds to the totals.
    pub added: Added,
    /// Launch type.
    pub instance_type: TypeName,
    /// Label of the mode.
    pub mode: &'static str,
    /// Label of the control level.
    pub control: &'static str,
    /// Replicas: desired, serving, arriving.
    pub replicas: [(&'static str, u32); 3],
    /// Reading over threshold.
    pub loads: PerTrigger<Option<f64>>,
    /// Threshold of each trigger that is bound, as configured.
    pub thresholds: PerTrigger<Option<f64>>,
    /// vCPU that serve.
    pub serving_vcpu: f64,
    /// vCPU that would carry the load; `None` while nothing is known of it.
    pub wanted_vcpu: Option<f64>,
    /// What reading the group's metrics costs, in USD per month.
    pub own_cost: f64,
    /// Seconds since the end of the period that was read.
    pub data_age: PerTrigger<Option<f64>>,
    /// Label of the action.
    pub action: &'static str,
    /// Label of the reason.
    pub reason: &'static str,
}

/// What one evaluation adds to the totals.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Added {
    /// Requests.
    pub requests: f64,
    /// USD spent.
    pub cost: f64,
    /// USD saved; 0 while a fixed fleet would have been cheaper.
    pub savings: f64,
    /// USD spent beyond a fixed fleet; 0 while there were savings.
    pub excess: f64,
}

/// An operation that ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ended {
    /// Label of its kind.
    pub kind: &'static str,
    /// Label of its last phase.
    pub outcome: &'static str,
    /// From plan to end, in seconds.
    pub seconds: f64,
}

/// What was seen of the group before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Before {
    /// When it was last observed.
    pub at: Option<Timestamp>,
    /// Up to when its requests are counted.
    pub requests_until: Option<Timestamp>,
}

impl Figures {
    /// The figures of an outcome that has an evaluation. `reference` is the reference type where the snapshot does
    /// not hold it.
    pub fn of(
        outcome: &GroupOutcome,
        evaluation: &Evaluation,
        before: Before,
        reference: Option<&TypeOffer>,
    ) -> Self {
        let Evaluation { snapshot, decision, state, learned, .. } = evaluation;
        let reading = |trigger: Trigger| snapshot.readings[trigger].value();
        let cost = snapshot.group.cost();
        let offer = state.reference_type.as_ref().and_then(|name| {
            savings::offer_in(snapshot, name).or(reference.filter(|offer| offer.name == *name))
        });
        let savings = savings::baseline(learned, state, offer, outcome.config.discount)
            .map(|baseline| baseline.0 - cost.0);
        let period = outcome.config.evaluation_period.as_secs_f64();
        let per_minute = reading(Trigger::RequestCount);
        let requests_until = snapshot.readings[Trigger::RequestCount].ended();
        let hours = gap(before.at, snapshot.taken_at, period) / 3600.0;
        let counted = requests_until.map_or(0.0, |until| gap(before.requests_until, until, period));
        Self {
            group: outcome.config.name.clone(),
            at: snapshot.taken_at,
            cpu_usage: reading(Trigger::CpuUsage).map(|share| share * 100.0),
            memory_usage: reading(Trigger::MemoryUsage).map(|share| share * 100.0),
            request_latency: reading(Trigger::RequestLatency),
            request_count: per_minute.map(|rate| rate * period / 60.0),
            requests_until,
            cost,
            savings,
            added: Added {
                requests: per_minute.unwrap_or(0.0) * counted / 60.0,
                cost: cost.0 * hours,
                savings: savings.unwrap_or(0.0).max(0.0) * hours,
                excess: (-savings.unwrap_or(0.0)).max(0.0) * hours,
            },
            instance_type: snapshot.group.launch_type.name.clone(),
            mode: mode(outcome.config.mode),
            control: control(outcome.config.control),
            replicas: [
                ("desired", snapshot.group.desired),
                ("serving", snapshot.group.serving()),
                ("arriving", snapshot.group.arriving()),
            ],
            loads: decision.loads,
            thresholds: PerTrigger::from_fn(|trigger| {
                let config = &outcome.config.triggers[trigger];
                config.binding.as_ref().map(|_| config.threshold)
            }),
            serving_vcpu: snapshot.group.serving_vcpu().0,
            wanted_vcpu: is_wanted_known(&outcome.config, snapshot, decision)
                .then_some(decision.wanted.vcpu.0),
            own_cost: own_cost::of_group(&outcome.config),
            data_age: PerTrigger::from_fn(|trigger| age(snapshot.readings[trigger], snapshot.taken_at)),
            action: decision.action.label(),
            reason: decision.reason.label(),
        }
    }
}

/// Seconds that an observation stands for: since the one before, one period for the first, none for a repetition.
fn gap(before: Option<Timestamp>, now: Timestamp, period: f64) -> f64 {
    let seconds = before.map_or(period, |before| now.duration_since(before).as_secs_f64());
    seconds.clamp(0.0, LONGEST_GAP_SECONDS.max(period))
}

/// The label of a mode.
const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Horizontal => "horizontal",
        Mode::Vertical => "vertical",
        Mode::Hybrid => "hybrid",
    }
}

/// The label of a control level.
const fn control(level: ControlLevel) -> &'static str {
    match level {
        ControlLevel::Observe => "observe",
        ControlLevel::UpOnly => "up_only",
        ControlLevel::Act => "act",
    }
}

fn age(reading: Reading, now: Timestamp) -> Option<f64> {
    match reading {
        Reading::Fresh { ended, .. } | Reading::Stale { ended } => {
            Some(now.duration_since(ended).as_secs_f64().max(0.0))
        }
        Reading::Unbound | Reading::Missing | Reading::AbsentZero => None,
    }
}

impl Ended {
    /// The end of an operation; `None` for one that is still open.
    pub fn of(operation: &Operation) -> Option<Self> {
        let end = operation.ended_at?;
        let seconds = end.duration_since(operation.planned_at).as_secs_f64().max(0.0);
        Some(Self { kind: operation.kind.label(), outcome: operation.phase.label(), seconds })
    }
}
