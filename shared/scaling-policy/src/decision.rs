//! The result of a decision: what should be, why, what else was possible, and what it costs.

use std::fmt;

use jiff::Timestamp;
use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigVersion, GroupName};
use crate::trigger::{PerTrigger, Trigger};

/// What should be done with a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The group.
    pub group: GroupName,
    /// When it was made.
    pub at: Timestamp,
    /// The configuration it was made under.
    pub config_version: ConfigVersion,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Load of each trigger with a usable reading: value over threshold, 1.0 is at the limit.
    pub loads: PerTrigger<Option<f64>>,
    /// The trigger whose demand set the wanted capacity.
    pub driver: Option<Trigger>,
    /// What would carry the load at the target load.
    pub wanted: Wanted,
    /// Where the guards trimmed or held the draft, in their order.
    pub guards: Vec<GuardNote>,
    /// What people had set that held: calendar, override, pause, kill switch; each with its author and reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<String>,
    /// The other candidates that were priced, cheapest first, at most [`Decision::MAX_ALTERNATIVES`].
    pub alternatives: Vec<Alternative>,
    /// What runs now costs this.
    pub cost_before: UsdPerHour,
    /// What the decision leads to costs this.
    pub cost_after: UsdPerHour,
}

impl Decision {
    /// How many rejected candidates a decision keeps.
    pub const MAX_ALTERNATIVES: usize = 4;
}

/// What to do with the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Hold,
    /// Set the capacity.
    Scale {
        /// Desired capacity now.
        from: u32,
        /// Desired capacity wanted.
        to: u32,
    },
    /// Replace the instances by another type; the count follows when it is needed for the load.
    Retype {
        /// Launch type now.
        from: TypeName,
        /// Type wanted.
        to: TypeName,
        /// Other types that would carry the load, in order of price, should `to` have no capacity. Never `from`.
        fallbacks: Vec<TypeName>,
        /// Desired capacity now.
        from_replicas: u32,
        /// Desired capacity at which the replacement starts: never fewer than serve now.
        to_replicas: u32,
    },
}

impl Action {
    /// Nothing to do.
    pub const fn is_hold(&self) -> bool {
        matches!(self, Self::Hold)
    }

    /// The label for metrics: `hold`, `up`, `down`, `retype`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Scale { from, to } if *to > *from => "up",
            Self::Scale { .. } => "down",
            Self::Retype { .. } => "retype",
        }
    }
}

/// Capacity that carries the load at the target load.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// vCPU over the whole group.
    pub vcpu: Vcpu,
    /// Memory that each replica needs whatever their number (resident base).
    pub memory_base: Mebibytes,
    /// Memory that is shared between the replicas (grows with the load).
    pub memory_shared: Mebibytes,
    /// vCPU the forecast asks for, where there is one; already contained in `vcpu`.
    pub forecast_vcpu: Option<Vcpu>,
    /// Replicas of the current launch type that this comes to.
    pub replicas: u32,
}

impl Wanted {
    /// Memory that one of `replicas` replicas needs.
    pub fn memory_per_replica(&self, replicas: u32) -> Mebibytes {
        Mebibytes(self.memory_base.0 + self.memory_shared.0 / f64::from(replicas.max(1)))
    }

    /// Memory of `replicas` replicas together.
    pub fn memory(&self, replicas: u32) -> Mebibytes {
        Mebibytes(self.memory_per_replica(replicas).0 * f64::from(replicas))
    }
}

/// A candidate that was priced and not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Type.
    pub instance_type: TypeName,
    /// Replicas of it that would carry the wanted capacity.
    pub replicas: u32,
    /// What they would cost.
    pub cost: UsdPerHour,
    /// What changing to them would cost, spread over the time a choice is expected to last.
    pub change_cost: UsdPerHour,
}

/// A guard that did not let the draft pass unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuardNote {
    /// Replicas wanted before it.
    pub from: u32,
    /// Replicas left after it.
    pub to: u32,
    /// Why.
    pub reason: Reason,
}

/// Why a decision is what it is. The sentence is its `Display`; `label()` is for metrics and never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// Capacity fits the load.
    WithinTarget,
    /// A trigger is at or over its limit.
    LoadHigh {
        /// Which.
        trigger: Trigger,
        /// Its load.
        load: f64,
    },
    /// The load expected when a new replica could serve needs more.
    ForecastHigh {
        /// vCPU expected to be needed.
        vcpu: Vcpu,
    },
    /// The memory expected when a new replica could serve needs more replicas, of which each holds less of it.
    ForecastMemory {
        /// How many.
        replicas: u32,
    },
    /// The smaller fleet would have been enough for the whole window.
    LoadLow {
        /// Seconds for which it would have been enough.
        window_seconds: u64,
    },
    /// Every replica needs more memory than the running type offers.
    MemoryBound {
        /// Memory one replica needs at the target load.
        needed: Mebibytes,
    },
    /// At the largest count, and still not enough.
    SaturatedAtMax,
    /// Another type carries the same load for less.
    CheaperType {
        /// Expected saving.
        saving: UsdPerHour,
    },
    /// A present value lies outside the bounds.
    OutsideBounds,
    /// The configuration's and the group's own bounds meet here.
    ClampedByGroup,
    /// The configuration's bounds meet here.
    ClampedByConfig,
    /// A bound metric has no usable value, so nothing is taken away.
    DataMissing {
        /// Which.
        trigger: Trigger,
    },
    /// Replicas on order have not started to serve.
    CapacityPending {
        /// How many.
        replicas: u32,
    },
    /// Ordered replicas did not come within the launch timeout; growth stops at what runs plus one step.
    NothingLaunches {
        /// How many are missing.
        missing: u32,
    },
    /// Too soon after the last change in this direction.
    Cooldown {
        /// Seconds left.
        remaining_seconds: u64,
    },
    /// Demand was higher within the stabilization window.
    Stabilizing,
    /// Somebody changed the group by hand.
    ManualHold {
        /// Seconds left.
        remaining_seconds: u64,
    },
    /// Paused by a person.
    Paused,
    /// The kill switch is on.
    KillSwitch,
    /// The control level forbids it.
    ControlLevel,
    /// A type change is running, so capacity is only added.
    TypeChangeRunning,
    /// A type change was given up unread and may still be replacing instances.
    TypeChangeUnread,
    /// A replacement that is not ours is running.
    ForeignReplacement,
    /// A scaling policy, schedule or autoscaler that is not ours acts on the group.
    ForeignController,
    /// Whether somebody else acts on the group could not be looked up yet.
    TakeOverUnchecked,
    /// Launch, Terminate or AlarmNotification is suspended.
    ProcessSuspended,
    /// Type changes are not possible on this group.
    CountOnly,
    /// No type may start now: outside the change window, too young, or a peak is near.
    TypeChangeNotNow,
    /// Protected instances cannot be taken away.
    Protected {
        /// How many.
        replicas: u32,
    },
    /// Three operations failed; a person has to look.
    BreakerOpen,
    /// Limits over all groups together hold it until the next tick.
    FleetLimit,
    /// A scale-down was followed by high load and is undone.
    UndoneScaleDown,
    /// A type change was followed by more load than it explains and is undone.
    UndoneTypeChange,
    /// A person asked for it.
    Requested {
        /// Who, as far as known.
        by: String,
    },
    /// A person asked for what the group has already.
    AlreadySo {
        /// Who, as far as known.
        by: String,
    },
    /// A temporary override is in force.
    Override,
    /// There is no type to choose from: which one the group has is not known (until its first replica shows it, or because it
    /// is in no catalogue), or none fits the bounds and has a price.
    EmptyLadder,
    /// The group has just been taken over with less than `target_replicas`.
    TakenOver,
}

impl Reason {
    /// Stable label for metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::WithinTarget => "within_target",
            Self::LoadHigh { .. } => "load_high",
            Self::ForecastHigh { .. } => "forecast_high",
            Self::ForecastMemory { .. } => "forecast_memory",
            Self::LoadLow { .. } => "load_low",
            Self::MemoryBound { .. } => "memory_bound",
            Self::SaturatedAtMax => "saturated_at_max",
            Self::CheaperType { .. } => "cheaper_type",
            Self::OutsideBounds => "outside_bounds",
            Self::ClampedByGroup => "clamped_by_group",
            Self::ClampedByConfig => "clamped_by_config",
            Self::DataMissing { .. } => "data_missing",
            Self::CapacityPending { .. } => "capacity_pending",
            Self::NothingLaunches { .. } => "nothing_launches",
            Self::Cooldown { .. } => "cooldown",
            Self::Stabilizing => "stabilizing",
            Self::ManualHold { .. } => "manual_hold",
            Self::Paused => "paused",
            Self::KillSwitch => "kill_switch",
            Self::ControlLevel => "control_level",
            Self::TypeChangeRunning => "type_change_running",
            Self::TypeChangeUnread => "type_change_unread",
            Self::ForeignReplacement => "foreign_replacement",
            Self::ForeignController => "foreign_controller",
            Self::TakeOverUnchecked => "take_over_unchecked",
            Self::ProcessSuspended => "process_suspended",
            Self::CountOnly => "count_only",
            Self::TypeChangeNotNow => "type_change_not_now",
            Self::Protected { .. } => "protected",
            Self::BreakerOpen => "breaker_open",
            Self::FleetLimit => "fleet_limit",
            Self::UndoneScaleDown => "undone_scale_down",
            Self::UndoneTypeChange => "undone_type_change",
            Self::Requested { .. } => "requested",
            Self::AlreadySo { .. } => "already_so",
            Self::Override => "override",
            Self::EmptyLadder => "empty_ladder",
            Self::TakenOver => "taken_over",
        }
    }
}

/// Why there is no type to choose from.
const NO_TYPE: &str = "there is no instance type to choose: the group's own is not known yet or in no catalogue, or none fits \
                       the bounds and has a price";

/// A number and what it counts: `1 replica`, `2 replicas`.
pub fn counted(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// That replicas were ordered and do not serve yet, as a sentence.
pub fn on_order(replicas: u32) -> String {
    counted(replicas, "replica on order does not serve yet", "replicas on order do not serve yet")
}

fn memory_needs(replicas: u32) -> String {
    format!("the memory expected one boot time from now needs {}", counted(replicas, "replica", "replicas"))
}

fn not_come(missing: u32) -> String {
    let many = "ordered replicas have not come in their time";
    counted(missing, "ordered replica has not come in its time", many)
}

fn protected(replicas: u32) -> String {
    counted(replicas, "replica is protected from scale-in", "replicas are protected from scale-in")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithinTarget => f.write_str("capacity fits the load"),
            Self::LoadHigh { trigger, load } => {
                write!(f, "{trigger} is at {:.0} % of its limit", load * 100.0)
            }
            Self::ForecastHigh { vcpu } => write!(f, "the load expected one boot time from now needs {vcpu}"),
            Self::ForecastMemory { replicas } => write!(f, "{}", memory_needs(*replicas)),
            Self::LoadLow { window_seconds } => {
                write!(f, "a smaller fleet would have been enough for {window_seconds} s")
            }
            Self::MemoryBound { needed } => {
                write!(f, "each replica needs {needed}, more than its type can give within the target")
            }
            Self::SaturatedAtMax => f.write_str("more replicas are needed than the maximum allows"),
            Self::CheaperType { saving } => write!(f, "another type carries the same load for {saving} less"),
            Self::OutsideBounds => f.write_str("the present capacity is outside the bounds"),
            Self::ClampedByGroup => f.write_str("the group's own minimum or maximum is the limit"),
            Self::ClampedByConfig => f.write_str("the configured minimum or maximum is the limit"),
            Self::DataMissing { trigger } => {
                write!(f, "{trigger} has no recent reading, so nothing is taken away")
            }
            Self::CapacityPending { replicas } => f.write_str(&on_order(*replicas)),
            Self::NothingLaunches { missing } => write!(f, "{}, so growth stops", not_come(*missing)),
            Self::Cooldown { remaining_seconds } => {
                write!(f, "the cooldown of the last change in this direction has {remaining_seconds} s left")
            }
            Self::Stabilizing => f.write_str("more was needed within the stabilization window"),
            Self::ManualHold { remaining_seconds } => {
                write!(f, "a manual change is kept against scale-down for another {remaining_seconds} s")
            }
            Self::Paused => f.write_str("the group is paused"),
            Self::KillSwitch => f.write_str("the kill switch is on"),
            Self::ControlLevel => f.write_str("the group's control level does not allow it"),
            Self::TypeChangeRunning => f.write_str("a type change is running, so capacity is only added"),
            Self::TypeChangeUnread => f.write_str(
                "a type change that was given up may still run, because its replacement cannot be read; capacity is only added",
            ),
            Self::ForeignReplacement => f.write_str("an instance refresh that is not ours is running"),
            Self::ForeignController => f.write_str("another controller acts on the group"),
            Self::TakeOverUnchecked => f.write_str(
                "whether another controller acts on the group could not be looked up yet, so nothing is changed",
            ),
            Self::ProcessSuspended => f.write_str("a scaling process of the group is suspended"),
            Self::CountOnly => f.write_str("the type of this group cannot be changed"),
            Self::TypeChangeNotNow => f.write_str("no type change may start now"),
            Self::Protected { replicas } => f.write_str(&protected(*replicas)),
            Self::BreakerOpen => f.write_str("three operations failed in a row, so a person has to look"),
            Self::FleetLimit => f.write_str("the limits over all groups hold it until the next tick"),
            Self::UndoneScaleDown => f.write_str("load rose right after the scale-down, so it is undone"),
            Self::UndoneTypeChange => {
                f.write_str("load is worse than the type change explains, so it is undone")
            }
            Self::Requested { by } => write!(f, "requested by {by}"),
            Self::AlreadySo { by } => write!(f, "the group already has what {by} asks for"),
            Self::Override => f.write_str("a temporary override is in force"),
            Self::EmptyLadder => f.write_str(NO_TYPE),
            Self::TakenOver => f.write_str("the group is new here and begins with target_replicas"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_group_s_type_is_not_known_yet_it_is_not_said_that_none_fits() {
        let said = Reason::EmptyLadder.to_string();
        assert!(
            said.contains("the group's own is not known yet") && said.contains(", or none fits"),
            "{said}"
        );
    }

    #[test]
    fn one_replica_is_not_told_as_many() {
        for (replicas, said) in [
            (1, "1 replica on order does not serve yet"),
            (2, "2 replicas on order do not serve yet"),
            (0, "0 replicas on order do not serve yet"),
        ] {
            assert_eq!(Reason::CapacityPending { replicas }.to_string(), said);
        }
        let missing = Reason::NothingLaunches { missing: 1 }.to_string();
        assert_eq!(missing, "1 ordered replica has not come in its time, so growth stops");
        assert_eq!(Reason::Protected { replicas: 1 }.to_string(), "1 replica is protected from scale-in");
    }
}
