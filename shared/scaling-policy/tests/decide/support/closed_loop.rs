//! The policy on a replayed group: observe, learn, decide, act, once a minute.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use scaling_peers::replay::{Minute, ReplayedGroup, Scenario, Totals};
use scaling_policy::config::GroupConfig;
use scaling_policy::operation::{Operation, OperationKind, OperationState, Phase};
use scaling_policy::snapshot::{
    GroupView, ReplacementStatus, ReplacementView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer,
};
use scaling_policy::{Action, Decision, Learned, PerTrigger, Reading, Snapshot, decide, learn};

use super::case::operation;
use super::offers::machine;

/// A group, the policy's memory of it, and the state that the control loop would keep.
pub(crate) struct ClosedLoop {
    pub(crate) config: GroupConfig,
    pub(crate) learned: Learned,
    pub(crate) state: OperationState,
    pub(crate) group: ReplayedGroup,
    pub(crate) ladder: Arc<[TypeOffer]>,
    /// Readings are withheld while this is set.
    pub(crate) blind: bool,
    /// Minutes by which metrics are late.
    pub(crate) lag: usize,
    minutes: VecDeque<Minute>,
    known: Vec<TypeOffer>,
}

impl ClosedLoop {
    pub(crate) fn new(config: GroupConfig, scenario: &Scenario, ladder: Arc<[TypeOffer]>) -> Self {
        let first = TypeOffer {
            name: scenario.machine.instance_type.clone(),
            vcpu: scenario.machine.vcpu,
            memory: scenario.machine.memory,
            price: scenario.machine.price,
        };
        let known = ladder.iter().cloned().chain([first]).collect();
        let state = OperationState {
            reference_type: Some(scenario.machine.instance_type.clone()),
            ..OperationState::default()
        };
        Self {
            config,
            learned: Learned::default(),
            state,
            group: ReplayedGroup::new(scenario),
            ladder,
            blind: false,
            lag: 0,
            minutes: VecDeque::new(),
            known,
        }
    }

    /// Advances one minute, then decides and acts on it.
    pub(crate) fn minute(&mut self) -> Decision {
        self.minutes.push_front(self.group.advance_minute());
        self.minutes.truncate(self.lag + 1);
        // Before the first minute is published, the first one stands for it.
        let minute = self.minutes.back().copied().unwrap();
        let snapshot = self.snapshot(&minute);
        self.track(&snapshot);
        let learned = std::mem::take(&mut self.learned);
        self.learned = learn(&self.config, learned, &self.state, &snapshot);
        let decision = decide(&self.config, &self.learned, &self.state, &snapshot, snapshot.taken_at);
        self.act(&decision);
        decision
    }

    /// Runs to the end of `until`, handing each decision out.
    pub(crate) fn run_until(&mut self, until: Timestamp, mut each: impl FnMut(&Self, &Decision)) -> Totals {
        while self.group.now() < until {
            let decision = self.minute();
            each(self, &decision);
        }
        *self.group.totals()
    }

    fn snapshot(&self, minute: &Minute) -> Snapshot {
        let fresh = |value: Option<f64>| match value {
            Some(value) if !self.blind => Reading::Fresh { value, ended: minute.ended },
            _ => Reading::Missing,
        };
        Snapshot {
            taken_at: self.group.now(),
            group: self.view(),
            readings: PerTrigger {
                cpu_usage: fresh(minute.cpu),
                memory_usage: fresh(minute.memory),
                request_count: fresh(Some(minute.requests)),
                // As a load balancer's metrics do, it stops when traffic does.
                request_latency: match minute.latency_p95 {
                    None if !self.blind => Reading::AbsentZero,
                    value => fresh(value),
                },
            },
            ladder: self.ladder.clone(),
        }
    }

    pub(crate) fn view(&self) -> GroupView {
        let now = self.group.now();
        let mut replicas: Vec<ReplicaCount> = Vec::new();
        for instance in self.group.instances() {
            let offer = self.offer(instance.machine.instance_type.as_str());
            let index =
                replicas.iter().position(|count| count.offer.name == offer.name).unwrap_or_else(|| {
                    replicas.push(ReplicaCount { offer, serving: 0, warming: 0, pending: 0, protected: 0 });
                    replicas.len() - 1
                });
            if instance.serves(now) {
                replicas[index].serving += 1;
            } else {
                replicas[index].pending += 1;
            }
        }
        let replacement = self.group.is_replacing().then(|| ReplacementView {
            id: "replacement".to_owned(),
            status: ReplacementStatus::InProgress,
            percent_complete: 0,
            reason: None,
            target_type: None,
            ended: None,
        });
        GroupView {
            min: self.config.replicas.min,
            max: self.config.replicas.max,
            desired: self.group.desired(),
            launch_type: self.offer(self.group.launch_machine().instance_type.as_str()),
            replicas,
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement,
            foreign: Vec::new(),
        }
    }

    fn offer(&self, name: &str) -> TypeOffer {
        self.known.iter().find(|offer| offer.name.as_str() == name).unwrap().clone()
    }

    /// Follows the open operation, as the control loop would.
    fn track(&mut self, snapshot: &Snapshot) {
        let (group, now) = (&snapshot.group, snapshot.taken_at);
        let missing = group.serving() < group.desired;
        self.state.missing_since = if missing { self.state.missing_since.or(Some(now)) } else { None };
        if let Some(scale) = self.state.operation.as_mut().filter(|operation| operation.phase.is_open())
            && let OperationKind::Scale { to, .. } = scale.kind
            && (group.serving() >= to || group.desired != to)
        {
            (scale.phase, scale.ended_at) = (Phase::Verified, Some(now));
        }
        if let Some(change) = self.state.type_change.as_mut().filter(|operation| operation.phase.is_open())
            && group.replacement.is_none()
        {
            (change.phase, change.ended_at) = (Phase::Verified, Some(now));
            self.state.last_type_change = Some(now);
        }
    }

    fn act(&mut self, decision: &Decision) {
        let now = decision.at;
        match &decision.action {
            Action::Hold => {}
            Action::Scale { from, to } => {
                let moment = if to > from { &mut self.state.last_up } else { &mut self.state.last_down };
                *moment = Some(now);
                self.group.set_desired(*to);
                let kind = OperationKind::Scale { from: *from, to: *to };
                self.state.operation = Some(accepted(&kind, decision));
            }
            Action::Retype { from, to, fallbacks, from_replicas, to_replicas } => {
                if to_replicas > from_replicas {
                    self.state.last_up = Some(now);
                    self.group.set_desired(*to_replicas);
                }
                self.group.replace_by(machine(&self.offer(to.as_str())));
                let kind = OperationKind::Retype {
                    from: from.clone(),
                    to: to.clone(),
                    fallbacks: fallbacks.clone(),
                    replicas: *from_replicas,
                };
                self.state.type_change = Some(accepted(&kind, decision));
            }
        }
    }
}

fn accepted(kind: &OperationKind, decision: &Decision) -> Operation {
    operation(kind, Phase::Accepted, &decision.reason, decision.at)
}
