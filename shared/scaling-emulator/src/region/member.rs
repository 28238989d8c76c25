//! One instance of a group.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::TypeName;
use scaling_fleet::fleet::InstanceNumber;
use serde::{Deserialize, Serialize};

use super::blueprints::TemplateSpec;
use super::hooks::Waiting;
use super::minutes::MinuteRecord;
use super::stamp::{Stamp, Tags};
use crate::ec2::market::Interruption;

/// How long EC2 knows instances that have ended.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LifecycleState {
    /// Booting.
    Pending,
    /// Booting, and lifecycle hooks hold it.
    #[serde(rename = "Pending:Wait")]
    PendingWait,
    /// Booting, and lifecycle hooks have let it go.
    #[serde(rename = "Pending:Proceed")]
    PendingProceed,
    /// Serving.
    InService,
    /// On its way to standby.
    EnteringStandby,
    /// Out of service by request; not part of the capacity.
    Standby,
    /// Ending, and lifecycle hooks hold it.
    #[serde(rename = "Terminating:Wait")]
    TerminatingWait,
    /// Ending, and lifecycle hooks have let it go.
    #[serde(rename = "Terminating:Proceed")]
    TerminatingProceed,
    /// Ending.
    Terminating,
    /// Gone.
    Terminated,
    /// In the warm pool, booting.
    #[serde(rename = "Warmed:Pending")]
    WarmedPending,
    /// In the warm pool, booting, and lifecycle hooks hold it.
    #[serde(rename = "Warmed:Pending:Wait")]
    WarmedPendingWait,
    /// In the warm pool, booting, and lifecycle hooks have let it go.
    #[serde(rename = "Warmed:Pending:Proceed")]
    WarmedPendingProceed,
    /// In the warm pool, stopped.
    #[serde(rename = "Warmed:Stopped")]
    WarmedStopped,
    /// In the warm pool, running.
    #[serde(rename = "Warmed:Running")]
    WarmedRunning,
    /// In the warm pool, hibernated.
    #[serde(rename = "Warmed:Hibernated")]
    WarmedHibernated,
    /// In the warm pool, ending.
    #[serde(rename = "Warmed:Terminating")]
    WarmedTerminating,
    /// In the warm pool, ending, and lifecycle hooks hold it.
    #[serde(rename = "Warmed:Terminating:Wait")]
    WarmedTerminatingWait,
    /// In the warm pool, ending, and lifecycle hooks have let it go.
    #[serde(rename = "Warmed:Terminating:Proceed")]
    WarmedTerminatingProceed,
}

impl LifecycleState {
    /// Whether it boots towards service.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::PendingWait | Self::PendingProceed)
    }

    /// Whether it boots towards the warm pool.
    pub fn is_warming(self) -> bool {
        matches!(self, Self::WarmedPending | Self::WarmedPendingWait | Self::WarmedPendingProceed)
    }

    /// Whether it ends or has ended, in the group or in the warm pool.
    pub fn is_ending(self) -> bool {
        self.leaves_warm_pool()
            || matches!(
                self,
                Self::Terminating | Self::TerminatingWait | Self::TerminatingProceed | Self::Terminated
            )
    }

    /// Whether it ends in the warm pool.
    pub fn leaves_warm_pool(self) -> bool {
        matches!(self, Self::WarmedTerminating | Self::WarmedTerminatingWait | Self::WarmedTerminatingProceed)
    }

    /// Whether it is ready in the warm pool.
    pub fn is_warmed(self) -> bool {
        matches!(self, Self::WarmedStopped | Self::WarmedRunning | Self::WarmedHibernated)
    }

    /// Whether it is in standby or on its way there.
    pub fn is_standby(self) -> bool {
        matches!(self, Self::EnteringStandby | Self::Standby)
    }

    /// Whether it is in the warm pool, on its way into it, or ending there.
    pub fn is_warm_pool(self) -> bool {
        self.is_warming() || self.is_warmed() || self.leaves_warm_pool()
    }
}

/// How the machine itself is, whatever its group knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Condition {
    /// It runs, or does what its place in the group says.
    #[default]
    Sound,
    /// It runs and fails its status checks.
    Failed,
    /// Its owner stopped it.
    Stopped,
    /// It was ended from outside of its group.
    Terminated,
}

/// One instance of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
pub struct Member {
    /// Instance id, such as `i-0123456789abcdef0`.
    pub id: String,
    /// Its number in the fleet.
    pub number: InstanceNumber,
    /// Its type.
    pub instance_type: TypeName,
    /// Its availability zone.
    pub zone: String,
    /// Its private address.
    pub address: String,
    /// Where it is in its life.
    pub state: LifecycleState,
    /// What its group holds it for: whether its health checks passed when they last counted.
    pub healthy: bool,
    /// How the machine itself is.
    #[serde(default)]
    pub condition: Condition,
    /// Whether scaling in leaves it alone.
    pub protected: bool,
    /// The exact template version it was launched from.
    pub template: Option<TemplateSpec>,
    /// The launch configuration it was launched from.
    pub configuration: Option<String>,
    /// The image it was launched with, where an override of its group said that and not its template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How much of the desired capacity it stands for, 1 unless the group has weights.
    pub weight: u32,
    /// When it was launched.
    pub launched: Timestamp,
    /// When it began to serve; `None` before.
    pub served_from: Option<Timestamp>,
    /// When it stopped to serve; `None` before.
    pub served_until: Option<Timestamp>,
    /// When it will be gone; `None` unless it is ending.
    pub gone_at: Option<Timestamp>,
    /// The activity that launches or ends it.
    pub activity: String,
    /// Lifecycle hooks that hold it.
    pub hooks: Vec<Waiting>,
    /// When it may serve at the earliest, where that is not its boot: an instance from the warm pool starts.
    pub ready_at: Option<Timestamp>,
    /// Whether it is a Spot Instance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spot: bool,
    /// Whether its Spot request outlives it, so that it can be stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub persistent: bool,
    /// What an interruption does to it.
    #[serde(default, skip_serializing_if = "Interruption::is_usual")]
    pub interruption: Interruption,
    /// Whether its Spot request was cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub request_cancelled: bool,
    /// When its Spot request came to the status that it has; with its launch where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_changed: Option<Timestamp>,
    /// Whether it was told that it will be interrupted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_risk: bool,
    /// Whether it was interrupted: who ends or stops it after the warning and before that is somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Its tags: those that it was launched with, and what callers have changed since.
    #[serde(default, skip_serializing_if = "no_tags")]
    pub tags: Tags,
    /// What it was launched with. `None` only where it is to be told yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Arc<Stamp>>,
}

fn no_tags(tags: &Tags) -> bool {
    tags.is_empty()
}

/// Differences of CPU utilisation between instances, as a share of the mean: requests never spread quite evenly.
const SPREAD: f64 = 0.02;

impl Member {
    /// Whether it boots or serves, and so is part of the capacity.
    pub fn is_alive(&self) -> bool {
        self.state.is_pending() || self.state == LifecycleState::InService
    }

    /// Whether its group checks its health.
    pub(crate) fn is_checked(&self) -> bool {
        self.is_alive() || (self.state.is_warm_pool() && !self.state.is_ending())
    }

    /// Whether it has no machine, but may be started again.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, LifecycleState::WarmedStopped | LifecycleState::WarmedHibernated)
            || self.condition == Condition::Stopped
    }

    /// Gives its Spot request, where it has one, another status from now on.
    pub(crate) fn change_request(&mut self, now: Timestamp) {
        self.request_changed = self.spot.then_some(now);
    }

    /// Tells it that it will be interrupted, or no longer. A request that is cancelled does not say so.
    pub(crate) fn warn(&mut self, at_risk: bool, now: Timestamp) {
        self.at_risk = at_risk;
        if !self.request_cancelled {
            self.change_request(now);
        }
    }

    /// Lets it be gone after a while. Its request knows already where its machine was taken away before.
    pub(crate) fn leave(&mut self, gone_at: Timestamp, now: Timestamp) {
        self.gone_at = Some(gone_at);
        if self.condition != Condition::Terminated {
            self.change_request(now);
        }
    }

    /// Whether its machine runs and passes its status checks.
    pub fn is_sound(&self) -> bool {
        self.condition == Condition::Sound
    }

    /// Whether its group's health checks find it unhealthy: at once where it does not run any more, and where it fails its
    /// status checks when the grace period has passed that begins with its service.
    pub(crate) fn is_found_unhealthy(&self, grace: SignedDuration, now: Timestamp) -> bool {
        match self.condition {
            Condition::Sound => false,
            Condition::Stopped | Condition::Terminated => true,
            Condition::Failed => !self.has_grace(grace, now),
        }
    }

    /// Whether the grace period of its health checks has not passed yet. There is none in a warm pool.
    pub(crate) fn has_grace(&self, grace: SignedDuration, now: Timestamp) -> bool {
        self.is_alive() && !grace.is_zero() && self.served_from.is_none_or(|from| now < from + grace)
    }

    /// Whether EC2 still knows it: all that has not ended, and for an hour what has.
    pub(crate) fn is_known(&self, now: Timestamp) -> bool {
        self.gone_at.is_none_or(|gone| now <= gone + KEPT)
    }

    /// Whether it serves.
    pub fn is_in_service(&self) -> bool {
        self.state == LifecycleState::InService
    }

    /// Whether it serves and its warm-up has passed.
    pub fn is_warm(&self, warmup: SignedDuration, now: Timestamp) -> bool {
        self.is_in_service() && self.served_from.is_some_and(|from| from + warmup <= now)
    }

    /// Whether it served at the end of the minute that began at `start`.
    pub fn served_in(&self, start: Timestamp) -> bool {
        let end = start + SignedDuration::from_secs(60);
        self.served_from.is_some_and(|from| from < end) && self.served_until.is_none_or(|until| until >= end)
    }

    /// Start of the minute, and this instance's CPU and memory utilisation in it, 0 to 1.
    pub fn share_of(&self, minute: &MinuteRecord) -> (Timestamp, f64, f64) {
        (minute.start, cpu_of(self.number, minute.start, minute.busy), minute.filled)
    }
}

/// CPU utilisation of one instance in the minute that began at `start`, when the mean was `busy`.
pub(crate) fn cpu_of(number: InstanceNumber, start: Timestamp, busy: f64) -> f64 {
    // The finaliser of SplitMix64: the same instance and minute always differ in the same way.
    let mut bits = number.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ start.as_second().unsigned_abs();
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let unit = ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    (busy * (1.0 + SPREAD * (2.0 * unit - 1.0))).min(1.0)
}
