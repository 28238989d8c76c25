//! One Auto Scaling group: what was asked of it, and what it has.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::fleet::InstanceNumber;
use serde::{Deserialize, Serialize};

use super::activity::Activities;
use super::following::Follower;
use super::hooks::LifecycleHook;
use super::launch::LaunchSource;
use super::member::{LifecycleState, Member};
use super::minutes::{Minutes, Sizes};
use super::options::Options;
use super::policy::ScalingPolicy;
use super::refresh::Refresh;
use super::scheduled::Schedule;
use super::totals::GroupTotals;
use super::warm_pool::WarmPool;
use super::world::World;
use crate::wire::AwsError;
use crate::workload::Workload;

/// A process of a group that can be suspended. `AddToLoadBalancer` is only remembered: load balancing has no part of its
/// own here.
pub const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTag {
    /// Value.
    pub value: String,
    /// Whether instances launched later carry it.
    pub propagate: bool,
}

/// How many instances may be missing or in surplus while a group replaces instances, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MaintenancePolicy {
    /// Least share that stays healthy.
    pub min_healthy_percentage: i32,
    /// Largest share that may exist.
    pub max_healthy_percentage: i32,
}

impl MaintenancePolicy {
    /// Refuses percentages that are more than 100 apart.
    pub(crate) fn check_difference(self) -> Result<(), AwsError> {
        if self.max_healthy_percentage - self.min_healthy_percentage > 100 {
            return Err(AwsError::validation(
                "The difference between MinHealthyPercentage and MaxHealthyPercentage must not be greater than 100.",
            ));
        }
        Ok(())
    }
}

/// What is asked of a group. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSettings {
    /// What it launches from.
    pub source: LaunchSource,
    /// Least desired capacity.
    pub min: u32,
    /// Most desired capacity.
    pub max: u32,
    /// Availability zones; never empty.
    pub zones: Vec<String>,
    /// Subnets, with commas between them.
    pub subnets: Option<String>,
    /// Time after a scaling activity in which `HonorCooldown` refuses another.
    pub default_cooldown: u32,
    /// Warm-up of instances unless a refresh says another.
    pub default_instance_warmup: Option<u32>,
    /// `EC2` or `ELB`.
    pub health_check_type: String,
    /// Time before health checks count; the warm-up of last resort.
    pub health_check_grace_period: u32,
    /// ARNs of target groups, each `...:targetgroup/NAME/ID`.
    pub target_group_arns: Vec<String>,
    /// ARNs of target groups of VPC Lattice.
    #[serde(default)]
    pub lattice_target_groups: Vec<String>,
    /// Names of classic load balancers.
    pub load_balancer_names: Vec<String>,
    /// Which instance ends first; see [`super::victims`].
    pub termination_policies: Vec<String>,
    /// Whether new instances are protected from scaling in.
    pub new_instances_protected: bool,
    /// Defaults of refreshes.
    pub maintenance: Option<MaintenancePolicy>,
    /// Seconds after which an instance is replaced.
    pub max_instance_lifetime: Option<u32>,
    /// Whether instances at risk are replaced in advance.
    pub capacity_rebalance: bool,
    /// What else it is told.
    #[serde(default)]
    pub options: Options,
}

/// Launches that fail.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct LaunchTrouble {
    /// No launch is tried before this.
    pub(crate) next_try: Option<Timestamp>,
    /// Since when every launch failed.
    pub(crate) since: Option<Timestamp>,
}

/// One Auto Scaling group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// What is asked of it.
    pub settings: GroupSettings,
    /// How many instances it should have.
    pub desired: u32,
    /// Its tags by key.
    pub tags: BTreeMap<String, GroupTag>,
    /// Suspended processes with the reason shown.
    pub suspended: BTreeMap<String, String>,
    /// Names of the group metrics that are collected, such as `GroupInServiceInstances`; none by default.
    pub enabled_metrics: BTreeSet<String>,
    /// When metrics were enabled and disabled, by metric, oldest first; one that is enabled and not told of here has been
    /// so from the beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) collection: BTreeMap<String, Vec<(Timestamp, Option<Timestamp>)>>,
    /// Its instances, ending ones included, in order of launch.
    pub members: Vec<Member>,
    /// Instances that are gone, kept for an hour.
    pub gone: Vec<Member>,
    /// What it did.
    pub activities: Activities,
    /// Its instance refreshes, oldest first.
    pub refreshes: Vec<Refresh>,
    /// Its scaling policies by name.
    pub policies: BTreeMap<String, ScalingPolicy>,
    /// Its scheduled actions by name.
    pub scheduled: Schedule,
    /// Its lifecycle hooks by name.
    pub hooks: BTreeMap<String, LifecycleHook>,
    /// Its warm pool.
    pub warm_pool: Option<WarmPool>,
    /// Kinds of notifications by topic ARN.
    pub notifications: BTreeMap<String, BTreeSet<String>>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why desired capacity last changed, as the next activities' cause begins.
    pub(crate) cause: String,
    /// When the last scaling activity ended.
    pub(crate) last_activity: Option<Timestamp>,
    pub(crate) trouble: LaunchTrouble,
    /// The desired capacity of which it was told that protected instances keep the group above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept_above: Option<u32>,
    /// Instances that a refresh is about to end: they do not count where new ones are spread over the zones.
    pub(crate) outgoing: BTreeSet<String>,
    /// The instance launched to balance the zones; what it replaces ends when it serves.
    pub(crate) balancing: Option<String>,
    /// What the policies that follow a metric have seen, by policy.
    pub(crate) followers: BTreeMap<String, Follower>,
    pub(crate) world: World,
}

impl Group {
    /// A new group without instances.
    pub(crate) fn new(name: &str, arn: String, settings: GroupSettings, now: Timestamp, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            arn,
            created: now,
            settings,
            desired: 0,
            tags: BTreeMap::new(),
            suspended: BTreeMap::new(),
            enabled_metrics: BTreeSet::new(),
            collection: BTreeMap::new(),
            members: Vec::new(),
            gone: Vec::new(),
            activities: Activities::default(),
            refreshes: Vec::new(),
            policies: BTreeMap::new(),
            scheduled: Schedule::default(),
            hooks: BTreeMap::new(),
            warm_pool: None,
            notifications: BTreeMap::new(),
            deleting: false,
            cause: String::new(),
            last_activity: None,
            trouble: LaunchTrouble::default(),
            kept_above: None,
            outgoing: BTreeSet::new(),
            balancing: None,
            followers: BTreeMap::new(),
            world: World::idle(now, seed),
        }
    }

    /// Its complete minutes.
    pub fn minutes(&self) -> &Minutes {
        self.world.minutes()
    }

    /// Totals since its workload was set.
    pub fn totals(&self) -> &GroupTotals {
        self.world.totals()
    }

    /// Sets load and service.
    pub fn set_workload(&mut self, workload: Workload) {
        let renumbered = self.world.set_workload(workload);
        for member in &mut self.members {
            if let Some((_, new)) = renumbered.iter().find(|(old, _)| *old == member.number) {
                member.number = *new;
            }
        }
    }

    /// Begins to collect a metric.
    pub(crate) fn collect(&mut self, metric: &str, now: Timestamp) {
        if self.enabled_metrics.insert(metric.to_owned()) {
            self.collection.entry(metric.to_owned()).or_default().push((now, None));
        }
    }

    /// Ends to collect a metric; what was collected stays.
    pub(crate) fn collect_no_more(&mut self, metric: &str, now: Timestamp) {
        if !self.enabled_metrics.remove(metric) {
            return;
        }
        let spans = self.collection.entry(metric.to_owned()).or_default();
        match spans.last_mut() {
            Some((_, end)) => *end = Some(now),
            None => spans.push((self.created, Some(now))),
        }
    }

    /// Whether a metric is collected, or was.
    pub(crate) fn was_collected(&self, metric: &str) -> bool {
        self.enabled_metrics.contains(metric) || self.collection.contains_key(metric)
    }

    /// Whether a metric was collected at the end of the minute that begins at `start`.
    pub(crate) fn collected(&self, metric: &str, start: Timestamp) -> bool {
        let end = start + SignedDuration::from_secs(60);
        let within =
            |(from, to): &(Timestamp, Option<Timestamp>)| *from < end && to.is_none_or(|to| end <= to);
        match self.collection.get(metric) {
            Some(spans) => spans.iter().any(within),
            None => self.enabled_metrics.contains(metric),
        }
    }

    /// Values of the `TargetGroup` and `LoadBalancer` dimensions under which its load balancer metrics stand: a
    /// target group `targetgroup/NAME/ID` belongs to the load balancer `app/NAME/ID`.
    pub fn load_balancing(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.settings.target_group_arns.iter().filter_map(|arn| {
            let rest = arn.split_once(":targetgroup/")?.1;
            Some((format!("targetgroup/{rest}"), format!("app/{rest}")))
        })
    }

    /// Instances that boot or serve.
    pub fn alive(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.is_alive())
    }

    /// Capacity that boots or serves.
    pub fn capacity(&self) -> u32 {
        self.alive().map(|member| member.weight).sum()
    }

    /// Whether a change of its desired capacity is still to be acted on, and will be with the next step of time.
    pub(crate) fn is_about_to_scale(&self) -> bool {
        let process = match self.capacity().cmp(&self.desired) {
            Ordering::Less if self.trouble.next_try.is_none() => "Launch",
            Ordering::Greater if self.kept_above != Some(self.desired) => "Terminate",
            _ => return false,
        };
        !self.is_suspended(process)
    }

    /// The member with this instance id, unless it is gone.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// How long health checks leave an instance alone that begins to serve.
    pub(crate) fn grace(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.settings.health_check_grace_period))
    }

    /// Whether a process is suspended.
    pub fn is_suspended(&self, process: &str) -> bool {
        self.suspended.contains_key(process)
    }

    /// The refresh that has not ended; there is at most one.
    pub fn active_refresh(&self) -> Option<&Refresh> {
        self.refreshes.last().filter(|refresh| refresh.status.is_active())
    }

    /// How many instances there are.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes {
            desired: self.desired,
            min: self.settings.min,
            max: self.settings.max,
            warm_desired: self.warm_pool.map_or(0, |pool| pool.wanted(self.settings.max, self.desired)),
            warm_min: self.warm_pool.filter(|pool| !pool.deleting).map_or(0, |pool| pool.min),
            ..Sizes::default()
        };
        for member in &self.members {
            sizes.total += 1;
            match member.state {
                LifecycleState::InService => {
                    sizes.in_service += 1;
                    sizes.in_service_capacity += member.weight;
                }
                state if state.is_pending() => {
                    sizes.pending += 1;
                    sizes.pending_capacity += member.weight;
                }
                state if state.is_standby() => {
                    sizes.standby += 1;
                    sizes.standby_capacity += member.weight;
                }
                state if state.is_warm_pool() => {
                    sizes.warm += 1;
                    sizes.warm_pending += u32::from(state.is_warming());
                    sizes.warm_terminating += u32::from(state.leaves_warm_pool());
                }
                _ => {
                    sizes.terminating += 1;
                    sizes.terminating_capacity += member.weight;
                }
            }
        }
        sizes
    }

    /// Fleet numbers of the instances that serve.
    pub(crate) fn serving(&self) -> Vec<InstanceNumber> {
        self.members.iter().filter(|member| member.is_in_service()).map(|member| member.number).collect()
    }
}
