//! The product's own policy as a [`Policy`]: observe, learn, decide, and the bookkeeping that the control loop does
//! between them. It is handed a [`Snapshot`] and nothing else.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::Vcpu;
use scaling_policy::config::{GroupConfig, Mode, ReplicaBounds};
use scaling_policy::operation::{OperationKind, OperationState, Phase};
use scaling_policy::snapshot::{
    GroupView, ReplacementStatus, ReplacementView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer,
};
use scaling_policy::{Action, Decision, Learned, PerTrigger, Reading, Snapshot, decide, learn};

use crate::conditions::Feed;
use crate::group::Group;
use crate::metrics::Period;
use crate::policy::{Policy, Seen, Wish};
use crate::world::World;

/// What the simulated group calls its type changes.
const REPLACEMENT: &str = "replacement";

/// The policy with what the control loop keeps of a group.
#[derive(Debug)]
pub struct Hybrid {
    feed: Feed,
    config: GroupConfig,
    learned: Learned,
    state: OperationState,
    offers: Vec<TypeOffer>,
    ladder: Arc<[TypeOffer]>,
    start: Timestamp,
    newest: Option<Period>,
}

/// The default configuration, as far as the world decides it: bounds, latency target, evaluation period. CPU, memory
/// and latency ask for capacity; requests are read, and ask for nothing, because what a replica can take of them is
/// for the policy to find out. The type is fixed where the world has one.
pub fn configuration(world: &World) -> GroupConfig {
    let conditions = &world.conditions;
    let mut config = GroupConfig::with_defaults("simulated");
    config.replicas = ReplicaBounds { min: conditions.min, max: conditions.max, target: conditions.min };
    config.triggers.request_latency.threshold = conditions.latency_target;
    config.triggers.request_count.asks = false;
    config.triggers.cpu_usage.threshold = conditions.cpu_threshold;
    config.evaluation_period = Duration::from_secs(u64::from(conditions.feed.period));
    if world.types.len() < 2 {
        config.mode = Mode::Horizontal;
    }
    config
}

impl Hybrid {
    /// The policy at the start of a world, under its default configuration.
    pub fn new(world: &World) -> Self {
        Self::configured(world, configuration(world))
    }

    /// The policy under another configuration.
    pub fn configured(world: &World, config: GroupConfig) -> Self {
        let offers: Vec<TypeOffer> = world
            .types
            .iter()
            .map(|machine| TypeOffer {
                name: machine.name.clone(),
                vcpu: Vcpu(f64::from(machine.vcpu)),
                memory: machine.memory,
                price: machine.price,
            })
            .collect();
        let mut ladder = offers.clone();
        ladder.sort_by(|a, b| {
            a.vcpu.0.total_cmp(&b.vcpu.0).then(a.memory.0.total_cmp(&b.memory.0)).then(a.name.cmp(&b.name))
        });
        Self {
            feed: world.conditions.feed,
            config,
            learned: Learned::default(),
            state: OperationState {
                reference_type: Some(offers[world.first].name.clone()),
                ..OperationState::default()
            },
            offers,
            ladder: ladder.into(),
            start: world.start,
            newest: None,
        }
    }

    /// What it has learned so far.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Goes on with another memory.
    pub fn set_learned(&mut self, learned: Learned) {
        self.learned = learned;
    }

    /// What the control loop would keep of the group.
    pub fn state(&self) -> &OperationState {
        &self.state
    }

    /// Looks, and says what it decided and what should follow.
    pub fn look(&mut self, seen: &Seen<'_>) -> (Decision, Wish) {
        self.newest = seen.period.or(self.newest);
        let snapshot = self.snapshot(self.start + Duration::from_secs(seen.now), seen.group);
        self.track(&snapshot);
        let learned = std::mem::take(&mut self.learned);
        self.learned = learn(&self.config, learned, &self.state, &snapshot);
        let decision = decide(&self.config, &self.learned, &self.state, &snapshot, snapshot.taken_at);
        let wish = self.act(&decision);
        (decision, wish)
    }

    fn snapshot(&self, now: Timestamp, group: &Group) -> Snapshot {
        let reading = |value: Option<f64>| match (self.newest, value) {
            (Some(period), Some(value)) => {
                let ended = self.start + Duration::from_secs(period.ended);
                let age = now.duration_since(ended).as_secs_f64();
                let stale = scaling_policy::trigger::stale_after(self.config.evaluation_period);
                if age > stale.as_secs_f64() {
                    Reading::Stale { ended }
                } else {
                    Reading::Fresh { value, ended }
                }
            }
            _ => Reading::Missing,
        };
        let per_minute = 60.0 / f64::from(self.feed.period);
        let newest = |value: fn(&Period) -> Option<f64>| self.newest.as_ref().and_then(value);
        let silent = newest(|period| period.requests) == Some(0.0);
        Snapshot {
            taken_at: now,
            group: self.view(group),
            readings: PerTrigger {
                cpu_usage: reading(newest(|period| period.cpu)),
                memory_usage: reading(newest(|period| period.memory)),
                request_count: reading(newest(|period| period.requests).map(|count| count * per_minute)),
                // As a load balancer's metrics do, it stops when traffic does.
                request_latency: match newest(|period| period.latency_p95) {
                    None if silent => Reading::AbsentZero,
                    value => reading(value),
                },
            },
            ladder: Arc::clone(&self.ladder),
        }
    }

    fn view(&self, group: &Group) -> GroupView {
        let replicas = group
            .cohorts()
            .iter()
            .zip(&self.offers)
            .filter(|(cohort, _)| cohort.total() > 0)
            .map(|(cohort, offer)| {
                let warming = group.warming(cohort);
                ReplicaCount {
                    offer: offer.clone(),
                    serving: cohort.serving,
                    warming,
                    pending: cohort.pending() - warming,
                    protected: 0,
                }
            })
            .collect();
        let replacement = group.is_replacing().then(|| ReplacementView {
            id: REPLACEMENT.to_owned(),
            status: ReplacementStatus::InProgress,
            percent_complete: 0,
            reason: None,
            target_type: None,
            ended: None,
        });
        GroupView {
            min: self.config.replicas.min,
            max: self.config.replicas.max,
            desired: group.desired(),
            launch_type: self.offers[group.launch_type()].clone(),
            replicas,
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement,
            foreign: Vec::new(),
        }
    }

    /// Follows the open operations, as the control loop would.
    fn track(&mut self, snapshot: &Snapshot) {
        let (group, now) = (&snapshot.group, snapshot.taken_at);
        self.state.forget_undone(now);
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

    fn act(&mut self, decision: &Decision) -> Wish {
        self.state.follow(decision, self.config.evaluation_period, REPLACEMENT);
        match &decision.action {
            Action::Hold => Wish::Keep,
            Action::Scale { to, .. } => Wish::Desired(*to),
            Action::Retype { to, to_replicas, .. } => {
                let index = self.offers.iter().position(|offer| offer.name == *to);
                index.map_or(Wish::Keep, |index| Wish::Retype(index, *to_replicas))
            }
        }
    }
}

impl Policy for Hybrid {
    fn feed(&self) -> Feed {
        self.feed
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Wish {
        self.look(seen).1
    }
}
