//! A group in virtual time that follows decisions: what the policy is replayed on. Boots take their time, a type change
//! runs old and new side by side, and everything that runs is paid for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_policy::config::GroupConfig;
use scaling_policy::operation::{Operation, OperationState, Phase};
use scaling_policy::snapshot::{
    GroupView, ReplacementStatus, ReplacementView, ReplicaCount, SuspendedProcesses, TypeOffer,
};
use scaling_policy::trigger::{PerTrigger, Reading};
use scaling_policy::{Action, Decision, Learned, Snapshot, decide, learn};

use crate::history::GroupLimits;

/// A rolling replacement takes this many boot times.
const BOOTS_OF_A_REPLACEMENT: i32 = 4;

/// The group and what the control loop would keep of it.
pub(crate) struct Steered {
    config: GroupConfig,
    ladder: Arc<[TypeOffer]>,
    learned: Learned,
    state: OperationState,
    offer: TypeOffer,
    serving: u32,
    desired: u32,
    /// Replicas on order, and when they serve.
    pending: Vec<(Timestamp, u32)>,
    /// The type that replaces the present one, and when it has.
    replacing: Option<(TypeOffer, Timestamp)>,
    limits: GroupLimits,
}

impl Steered {
    pub(crate) fn new(
        config: GroupConfig,
        ladder: Arc<[TypeOffer]>,
        offer: TypeOffer,
        (replicas, begin): (u32, Timestamp),
        limits: GroupLimits,
    ) -> Self {
        let state = OperationState {
            reference_type: Some(offer.name.clone()),
            taken_over: Some(begin),
            known_desired: Some(replicas),
            ..OperationState::default()
        };
        Self {
            config,
            ladder,
            learned: Learned::default(),
            state,
            offer,
            serving: replicas,
            desired: replicas,
            pending: Vec::new(),
            replacing: None,
            limits,
        }
    }

    pub(crate) fn offer(&self) -> &TypeOffer {
        &self.offer
    }

    pub(crate) fn serving(&self) -> u32 {
        self.serving
    }

    /// USD per hour of everything that runs or boots.
    pub(crate) fn cost(&self) -> f64 {
        let ordered: u32 = self.pending.iter().map(|(_, count)| count).sum();
        let surplus =
            self.replacing.as_ref().map_or(0.0, |(offer, _)| offer.price.0 * f64::from(self.desired));
        f64::from(self.serving + ordered) * self.offer.price.0 + surplus
    }

    /// What has become ready by `now` serves.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let ready: u32 = self.pending.iter().filter(|(at, _)| *at <= now).map(|(_, count)| count).sum();
        self.pending.retain(|(at, _)| *at > now);
        self.serving += ready;
        if let Some((offer, _)) = self.replacing.take_if(|(_, done)| *done <= now) {
            self.offer = offer;
            self.serving = self.desired;
            self.pending.clear();
            self.state.last_type_change = Some(now);
            end(self.state.type_change.as_mut(), now);
        }
        if self.serving >= self.desired {
            end(self.state.operation.as_mut(), now);
        }
    }

    /// Decides on readings and follows the decision.
    pub(crate) fn decide(&mut self, readings: PerTrigger<Reading>, now: Timestamp) -> Decision {
        let snapshot =
            Snapshot { taken_at: now, group: self.view(), readings, ladder: Arc::clone(&self.ladder) };
        let learned = std::mem::take(&mut self.learned);
        self.state.forget_undone(now);
        self.learned = learn(&self.config, learned, &self.state, &snapshot);
        let decision = decide(&self.config, &self.learned, &self.state, &snapshot, now);
        self.follow(&decision, now);
        decision
    }

    fn follow(&mut self, decision: &Decision, now: Timestamp) {
        let boot = SignedDuration::try_from(self.learned.boot_time()).unwrap_or(SignedDuration::from_mins(2));
        match &decision.action {
            Action::Hold => {}
            Action::Scale { from, to } if to > from => {
                self.pending.push((now + boot, to - from));
                self.desired = *to;
            }
            Action::Scale { from, to } => {
                self.shrink(from - to);
                self.desired = *to;
            }
            Action::Retype { to, to_replicas, .. } => {
                let Some(offer) = self.ladder.iter().find(|offer| offer.name == *to).cloned() else { return };
                self.replacing = Some((offer, now + boot * BOOTS_OF_A_REPLACEMENT));
                self.desired = *to_replicas;
            }
        }
        self.state.follow(decision, self.config.evaluation_period, REPLACEMENT);
    }

    /// What has not come yet goes first.
    fn shrink(&mut self, mut by: u32) {
        while let Some((_, count)) = self.pending.last_mut().filter(|_| by > 0) {
            let taken = by.min(*count);
            *count -= taken;
            by -= taken;
            self.pending.retain(|(_, count)| *count > 0);
        }
        self.serving = self.serving.saturating_sub(by).max(1);
    }

    fn view(&self) -> GroupView {
        let pending = self.pending.iter().map(|(_, count)| count).sum();
        let replacement = self.replacing.as_ref().map(|(offer, _)| ReplacementView {
            id: REPLACEMENT.to_owned(),
            status: ReplacementStatus::InProgress,
            percent_complete: 0,
            reason: None,
            target_type: Some(offer.name.clone()),
            ended: None,
        });
        GroupView {
            min: self.limits.min,
            max: self.limits.max,
            desired: self.desired,
            launch_type: self.offer.clone(),
            replicas: vec![ReplicaCount {
                offer: self.offer.clone(),
                serving: self.serving,
                warming: 0,
                pending,
                protected: 0,
            }],
            retype: self.limits.retype.clone(),
            suspended: SuspendedProcesses::default(),
            replacement,
            foreign: Vec::new(),
        }
    }
}

const REPLACEMENT: &str = "replayed";

fn end(operation: Option<&mut Operation>, now: Timestamp) {
    if let Some(operation) = operation.filter(|operation| operation.phase.is_open()) {
        (operation.phase, operation.ended_at) = (Phase::Verified, Some(now));
    }
}
