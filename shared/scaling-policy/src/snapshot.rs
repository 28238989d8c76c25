//! Everything one decision looks at, read once.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};
use serde::{Deserialize, Serialize};

use crate::trigger::{PerTrigger, Reading};

/// The observation of one group at one moment: the platform's view, the readings, and the types to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// What the platform says of the group.
    pub group: GroupView,
    /// Newest complete period of each trigger.
    pub readings: PerTrigger<Reading>,
    /// Types that may be chosen now: inside the bounds, priced, of the running architecture, not backed off (as one is that
    /// failed to launch, or that a zone of the group turned out not to have). Ordered by vCPU, then memory, then name. The running type is in it only if it
    /// qualifies.
    pub ladder: Arc<[TypeOffer]>,
}

/// A type with what it offers and costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeOffer {
    /// Name.
    pub name: TypeName,
    /// vCPU of one replica.
    pub vcpu: Vcpu,
    /// Memory of one replica.
    pub memory: Mebibytes,
    /// Price of one replica: on demand, or the mean of a group that mixes on-demand and spot instances.
    pub price: UsdPerHour,
}

impl TypeOffer {
    /// Whether both are offers of one type, which has one size. Sizes are compared before names, because most types of a
    /// ladder differ in them and a decision asks this for each.
    pub fn is_same_type(&self, other: &Self) -> bool {
        self.vcpu == other.vcpu && self.memory == other.memory && self.name == other.name
    }
}

/// The platform's view of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// The group's own minimum.
    pub min: u32,
    /// The group's own maximum.
    pub max: u32,
    /// The capacity that was asked for last.
    pub desired: u32,
    /// The type new replicas get.
    pub launch_type: TypeOffer,
    /// Replicas by type; the order is the platform's and means nothing.
    pub replicas: Vec<ReplicaCount>,
    /// Whether the type can be changed at all.
    pub retype: RetypeSupport,
    /// Suspended processes that hold a decision.
    pub suspended: SuspendedProcesses,
    /// A rolling replacement that is running, ours or not.
    pub replacement: Option<ReplacementView>,
    /// Controllers other than this one that act on the group; read on take-over and hourly.
    pub foreign: Vec<ForeignController>,
}

/// Replicas of one type by life-cycle state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaCount {
    /// The type with its figures; the price is 0 when it is unknown.
    pub offer: TypeOffer,
    /// Serving load, warm-up over.
    pub serving: u32,
    /// In service, still within the warm-up.
    pub warming: u32,
    /// Ordered and booting.
    pub pending: u32,
    /// Protected from scale-in, of those serving and warming.
    pub protected: u32,
}

/// Whether the platform can change the group's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RetypeSupport {
    /// Yes.
    Supported,
    /// No; the group is scaled in count only.
    CountOnly {
        /// Why, as a sentence for a person.
        why: String,
    },
}

/// Suspended Auto Scaling processes that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SuspendedProcesses {
    /// Nothing launches.
    pub launch: bool,
    /// Nothing terminates.
    pub terminate: bool,
    /// Somebody has stopped alarm-driven scaling.
    pub alarm_notification: bool,
}

impl SuspendedProcesses {
    /// Any of them.
    pub const fn any(self) -> bool {
        self.launch || self.terminate || self.alarm_notification
    }
}

/// A rolling replacement (an instance refresh on AWS) as the platform reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplacementView {
    /// The platform's identifier.
    pub id: String,
    /// How far it is.
    pub status: ReplacementStatus,
    /// Share replaced, 0 to 100.
    pub percent_complete: u8,
    /// The platform's explanation, where it gives one.
    pub reason: Option<String>,
    /// The type it replaces to, when it names one.
    pub target_type: Option<TypeName>,
    /// When it ended, where it has.
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

/// The states of a rolling replacement, as EC2 Auto Scaling names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplacementStatus {
    /// Accepted, nothing replaced yet.
    Pending,
    /// Replacing.
    InProgress,
    /// All replaced.
    Successful,
    /// Gave up.
    Failed,
    /// Cancellation under way.
    Cancelling,
    /// Cancelled; what was replaced stays.
    Cancelled,
    /// Going back.
    RollbackInProgress,
    /// Could not go back.
    RollbackFailed,
    /// Gone back.
    RollbackSuccessful,
    /// Waiting after the last replacement.
    Baking,
}

impl ReplacementStatus {
    /// Whether it still holds the group.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::InProgress | Self::Cancelling | Self::RollbackInProgress | Self::Baking
        )
    }
}

/// Another controller of the same group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ForeignController {
    /// A scaling policy attached to the group.
    ScalingPolicy {
        /// Its name.
        name: String,
    },
    /// A scheduled action.
    ScheduledAction {
        /// Its name.
        name: String,
    },
    /// A tag by which another autoscaler claims the group.
    Tag {
        /// The tag's key.
        key: String,
    },
}

impl GroupView {
    /// Replicas that serve load now, whatever their type.
    pub fn serving(&self) -> u32 {
        self.replicas.iter().map(|count| count.serving).sum()
    }

    /// Replicas ordered that don't serve yet: pending and warming.
    pub fn arriving(&self) -> u32 {
        self.replicas.iter().map(|count| count.pending + count.warming).sum()
    }

    /// Replicas in service: serving, and within their warm-up.
    pub fn in_service(&self) -> u32 {
        self.replicas.iter().map(|count| count.serving + count.warming).sum()
    }

    /// Serving and arriving.
    pub fn total(&self) -> u32 {
        self.serving() + self.arriving()
    }

    /// Replicas protected from scale-in.
    pub fn protected(&self) -> u32 {
        self.replicas.iter().map(|count| count.protected).sum()
    }

    /// vCPU that serve load now, from the actual mix of types.
    pub fn serving_vcpu(&self) -> Vcpu {
        Vcpu(self.replicas.iter().map(|count| count.offer.vcpu.0 * f64::from(count.serving)).sum())
    }

    /// Memory of the replicas that serve now.
    pub fn serving_memory(&self) -> Mebibytes {
        Mebibytes(self.replicas.iter().map(|count| count.offer.memory.0 * f64::from(count.serving)).sum())
    }

    /// What everything that runs or boots costs.
    pub fn cost(&self) -> UsdPerHour {
        let of = |count: &ReplicaCount| {
            count.offer.price.0 * f64::from(count.serving + count.warming + count.pending)
        };
        // The sum of nothing is -0.0.
        UsdPerHour(self.replicas.iter().map(of).sum::<f64>() + 0.0)
    }
}
