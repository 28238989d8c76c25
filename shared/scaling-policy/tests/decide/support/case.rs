//! One group at one moment: what the table tests decide on.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::queueing::response_quantile;
use scaling_policy::config::{GroupConfig, Mode, ReplicaBounds};
use scaling_policy::operation::{Operation, OperationKind, Phase};
use scaling_policy::snapshot::{GroupView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer};
use scaling_policy::{
    Action, Decision, Learned, OperationState, PerTrigger, Reading, Reason, Snapshot, Trigger, decide, learn,
};

use super::offers::{demo_ladder, offer};

/// Processor time of a request in every case, in seconds.
pub(crate) const SERVICE_SECONDS: f64 = 0.05;

/// Some moment; the cases move on from it a minute at a time.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_767_571_200).unwrap()
}

/// A group of m7i.xlarge with everything the decision looks at. Thresholds: CPU and memory 0.8, 4000 requests a minute
/// a replica, 250 ms; target load 0.75, so a quiet group is planned at 60 % CPU. No forecast unless asked for.
pub(crate) struct Case {
    pub(crate) config: GroupConfig,
    pub(crate) learned: Learned,
    pub(crate) state: OperationState,
    pub(crate) snapshot: Snapshot,
}

impl Case {
    /// `replicas` that serve at `cpu` utilisation, as they have for ten minutes.
    pub(crate) fn of(mode: Mode, replicas: u32, cpu: f64) -> Self {
        Self::fresh(mode, replicas, cpu).minutes(10)
    }

    /// The same, seen for the first time.
    pub(crate) fn fresh(mode: Mode, replicas: u32, cpu: f64) -> Self {
        let mut config = GroupConfig::with_defaults("web");
        config.mode = mode;
        config.forecast = false;
        config.replicas = ReplicaBounds { min: 2, max: 60, target: 8 };
        config.triggers.request_count.threshold = 4000.0;
        config.triggers.request_latency.threshold = 0.25;
        let state = OperationState { reference_type: Some("m7i.xlarge".into()), ..OperationState::default() };
        let group = GroupView {
            min: 1,
            max: 100,
            desired: replicas,
            launch_type: offer("m7i.xlarge"),
            replicas: Vec::new(),
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement: None,
            foreign: Vec::new(),
        };
        let snapshot =
            Snapshot { taken_at: start(), group, readings: PerTrigger::default(), ladder: demo_ladder() };
        Self { config, learned: Learned::default(), state, snapshot }.running("m7i.xlarge", replicas).cpu(cpu)
    }

    /// Only these types may be chosen.
    pub(crate) fn ladder(mut self, names: &[&str]) -> Self {
        self.snapshot.ladder = super::offers::ladder(names.iter().map(|name| (*name).to_owned()));
        self
    }

    pub(crate) fn config(mut self, change: impl FnOnce(&mut GroupConfig)) -> Self {
        change(&mut self.config);
        self
    }

    pub(crate) fn state(mut self, change: impl FnOnce(&mut OperationState)) -> Self {
        change(&mut self.state);
        self
    }

    pub(crate) fn group(mut self, change: impl FnOnce(&mut GroupView)) -> Self {
        change(&mut self.snapshot.group);
        self
    }

    /// `serving` replicas of `name` and nothing else; desired capacity is left alone.
    pub(crate) fn running(mut self, name: &str, serving: u32) -> Self {
        let offer = offer(name);
        self.snapshot.group.launch_type = offer.clone();
        self.snapshot.group.replicas =
            vec![ReplicaCount { offer, serving, warming: 0, pending: 0, protected: 0 }];
        self
    }

    /// `pending` replicas more are on order, and desired.
    pub(crate) fn ordered(mut self, pending: u32) -> Self {
        self.snapshot.group.replicas[0].pending += pending;
        self.snapshot.group.desired += pending;
        self
    }

    /// Readings of a group at this CPU utilisation: requests and latency follow from it.
    pub(crate) fn cpu(self, cpu: f64) -> Self {
        let vcpu = self.snapshot.group.serving_vcpu().0;
        let replicas = f64::from(self.snapshot.group.serving());
        let servers = (vcpu / replicas).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few vCPU")]
        let latency = SERVICE_SECONDS * response_quantile(servers as u32, cpu.min(0.99) * servers, 0.95);
        self.reading(Trigger::CpuUsage, cpu.min(1.0))
            .reading(Trigger::MemoryUsage, 0.2)
            .reading(Trigger::RequestCount, cpu * vcpu / SERVICE_SECONDS * 60.0)
            .reading(Trigger::RequestLatency, latency)
    }

    pub(crate) fn reading(mut self, trigger: Trigger, value: f64) -> Self {
        let ended = self.snapshot.taken_at;
        self.snapshot.readings[trigger] = Reading::Fresh { value, ended };
        self
    }

    pub(crate) fn without(mut self, trigger: Trigger) -> Self {
        self.snapshot.readings[trigger] = Reading::Missing;
        self
    }

    /// Takes the same readings in for `count` minutes; the last of them is the present one.
    pub(crate) fn minutes(mut self, count: u32) -> Self {
        for _ in 0..count {
            self = self.next().taken_in();
        }
        self
    }

    /// A minute later; the readings are of that minute.
    pub(crate) fn next(mut self) -> Self {
        self.snapshot.taken_at += SignedDuration::from_secs(60);
        let now = self.snapshot.taken_at;
        for trigger in Trigger::ALL {
            if let Reading::Fresh { ended, .. } = &mut self.snapshot.readings[trigger] {
                *ended = now;
            }
        }
        self
    }

    pub(crate) fn taken_in(mut self) -> Self {
        self.learned = learn(&self.config, self.learned, &self.state, &self.snapshot);
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.snapshot.taken_at
    }

    pub(crate) fn ago(&self, seconds: u64) -> Timestamp {
        self.now() - Duration::from_secs(seconds)
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(&self.config, &self.learned, &self.state, &self.snapshot, self.now())
    }

    pub(crate) fn outcome(&self) -> (u32, &'static str) {
        let decision = self.decide();
        (replicas_after(&decision, self.snapshot.group.desired), decision.reason.label())
    }
}

/// Desired capacity that a decision leads to.
pub(crate) fn replicas_after(decision: &Decision, desired: u32) -> u32 {
    match decision.action {
        Action::Hold => desired,
        Action::Scale { to, .. } => to,
        Action::Retype { to_replicas, .. } => to_replicas,
    }
}

/// The type that a decision changes to, if it does.
pub(crate) fn type_after(decision: &Decision) -> Option<String> {
    match &decision.action {
        Action::Retype { to, .. } => Some(to.to_string()),
        _ => None,
    }
}

/// An operation as the control loop would have stored it.
pub(crate) fn operation(
    kind: &OperationKind,
    phase: Phase,
    reason: &Reason,
    planned_at: Timestamp,
) -> Operation {
    // Through its stored form, where everything else has a default.
    let stored = serde_json::json!({
        "id": planned_at.to_string(),
        "kind": kind,
        "phase": phase,
        "reason": reason,
        "config_version": 0,
        "planned_at": planned_at,
        "accepted_at": planned_at,
        "platform_id": "replacement",
        "attempts": 1,
    });
    serde_json::from_value(stored).unwrap()
}

/// An open change from m7i.xlarge to another type.
pub(crate) fn type_change(to: &str, planned_at: Timestamp) -> Operation {
    let kind = OperationKind::Retype {
        from: "m7i.xlarge".into(),
        to: to.into(),
        fallbacks: Vec::new(),
        replicas: 8,
    };
    operation(&kind, Phase::Accepted, &Reason::SaturatedAtMax, planned_at)
}

/// The types of a ladder by name.
pub(crate) fn named<'a>(ladder: &'a Arc<[TypeOffer]>, name: &str) -> &'a TypeOffer {
    ladder.iter().find(|offer| offer.name.as_str() == name).unwrap()
}
