//! The state of one region: everything that the services read and change, behind one lock.

pub mod acting;
pub mod activity;
pub mod adjustment;
pub mod blueprints;
pub mod cron;
pub mod events;
pub mod following;
pub mod group;
pub mod hooks;
pub mod ids;
mod interruptions;
mod latency;
pub mod launch;
pub mod loose;
mod maintenance;
pub mod member;
pub mod minutes;
mod notices;
pub mod options;
pub mod policy;
mod purchase;
pub mod refresh;
mod refresh_notices;
mod refreshing;
mod replaced;
pub mod requirements;
pub mod scaling;
pub mod scheduled;
pub mod stamp;
mod standby;
pub mod totals;
pub mod trouble;
pub mod usage;
pub mod victims;
pub mod warm_pool;
mod world;
mod zones;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use blueprints::Blueprints;
pub use group::Group;
pub use ids::Ids;
pub use member::{Condition, LifecycleState, Member};
pub use minutes::{Latency, MinuteRecord, Minutes, Samples, Sizes};
pub use totals::GroupTotals;
pub use trouble::LaunchFaults;

use crate::cloudwatch::{self, CloudWatch};
use crate::ec2::tags;
use crate::lambda::Invocation;
use crate::machines::Machines;
use crate::settings::Settings;
use crate::workload::Workload;
use scaling::Context;

/// The state of one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Region {
    /// Region name, such as `us-east-1`.
    pub name: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// The present moment of this region.
    pub now: Timestamp,
    /// What CloudWatch holds of its own.
    pub cloudwatch: CloudWatch,
    /// Launch templates and launch configurations.
    pub blueprints: Blueprints,
    /// Instance types and prices.
    pub machines: Machines,
    /// Launches that are made to fail.
    pub launch_faults: LaunchFaults,
    /// Groups, or [`trouble::ANY`], whose minutes are not recorded.
    pub lost_metrics: BTreeSet<String>,
    /// Most groups that callers may make.
    pub group_limit: usize,
    /// What happened to instances.
    pub events: events::Events,
    /// Instances that belong to no group, by id.
    pub loose: BTreeMap<String, loose::Loose>,
    /// What groups did that are deleted, oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) deleted: VecDeque<activity::Deleted>,
    /// Tags of EC2's resources that are no instances.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) resource_tags: crate::ec2::tags::ResourceTags,
    /// Security groups that callers made.
    pub security_groups: crate::ec2::network::SecurityGroups,
    /// vCPU that ran, by kind.
    #[serde(default)]
    pub usage: usage::Usage,
    pub(crate) ids: Ids,
    pub(crate) groups: BTreeMap<String, Group>,
    /// When a scheduled action of any group is due next; asked for anew when that may be another moment.
    #[serde(skip)]
    pub(crate) next_scheduled: OnceLock<Option<Timestamp>>,
    /// Workloads set before their group was made.
    waiting: BTreeMap<String, Workload>,
    /// Instances that will be interrupted, each once, and when.
    interruptions: Vec<(Timestamp, String)>,
    /// The delay of metrics when no fault changes it.
    pub(crate) usual_delay: SignedDuration,
    refresh_patience: SignedDuration,
    seed: u64,
}

impl Region {
    /// An empty region at the settings' start.
    pub fn new(settings: &Settings) -> Self {
        Self {
            name: settings.region.clone(),
            account_id: settings.account_id.clone(),
            now: settings.start,
            cloudwatch: CloudWatch::new(settings.metric_delay),
            blueprints: Blueprints::default(),
            machines: Machines::of(&settings.region),
            launch_faults: LaunchFaults::default(),
            lost_metrics: BTreeSet::new(),
            group_limit: settings.group_limit,
            events: events::Events::default(),
            loose: BTreeMap::new(),
            deleted: VecDeque::new(),
            resource_tags: BTreeMap::new(),
            security_groups: BTreeMap::new(),
            usage: usage::Usage::default(),
            ids: Ids::new(settings.seed),
            groups: BTreeMap::new(),
            next_scheduled: OnceLock::new(),
            waiting: BTreeMap::new(),
            interruptions: Vec::new(),
            usual_delay: SignedDuration::try_from(settings.metric_delay).unwrap_or(SignedDuration::MAX),
            refresh_patience: SignedDuration::try_from(settings.refresh_patience)
                .unwrap_or(SignedDuration::MAX),
            seed: settings.seed,
        }
    }

    /// The availability zones.
    pub fn zones(&self) -> [String; 3] {
        zones_of(&self.name)
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// All groups by name.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The group and member with this instance id; ended ones are known for an hour.
    pub fn instance(&self, id: &str) -> Option<(&Group, &Member)> {
        let member = |group: &'_ Group| {
            let position = |members: &[Member]| members.iter().position(|member| member.id == id);
            position(&group.members)
                .map(|at| (false, at))
                .or_else(|| position(&group.gone).map(|at| (true, at)))
        };
        self.groups.values().find_map(|group| {
            let (gone, at) = member(group)?;
            Some((group, if gone { &group.gone[at] } else { &group.members[at] }))
        })
    }

    /// The instance with this id, in a group or not, also where its group is deleted; ended ones are known for an hour.
    pub(crate) fn member(&self, id: &str) -> Option<&Member> {
        let loose = self.loose.get(id).map(|loose| &loose.member);
        let owned = || self.instance(id).map(|(_, member)| member);
        let left = || self.left_over().map(|(_, member)| member).find(|member| member.id == id);
        loose.or_else(owned).or_else(left)
    }

    /// The instances of deleted groups, each with the group's name.
    pub(crate) fn left_over(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.deleted
            .iter()
            .flat_map(|deleted| deleted.gone.iter().map(|member| (deleted.name.as_str(), member)))
    }

    /// All complete minutes of a group, oldest first.
    pub fn minutes(&self, group: &str) -> impl Iterator<Item = MinuteRecord> + '_ {
        self.groups.get(group).into_iter().flat_map(|group| group.minutes().iter())
    }

    /// The complete minutes of a group that begin in `[from, to)`, oldest first.
    pub fn minutes_between(
        &self,
        group: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = MinuteRecord> + '_ {
        self.groups.get(group).into_iter().flat_map(move |group| group.minutes().between(from, to))
    }

    /// Start, CPU and memory utilisation (0 to 1) of the minutes in `[from, to)` in which an instance served.
    pub fn instance_minutes(
        &self,
        id: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, f64, f64)> + '_ {
        self.instance(id).into_iter().flat_map(move |(group, member)| {
            group
                .minutes()
                .between(from, to)
                .filter(|minute| member.served_in(minute.start))
                .map(|minute| member.share_of(&minute))
        })
    }

    /// Sets the workload of a group, now or when it is made.
    pub fn set_workload(&mut self, group: &str, workload: Workload) {
        match self.groups.get_mut(group) {
            Some(group) => group.set_workload(workload),
            None => drop(self.waiting.insert(group.to_owned(), workload)),
        }
    }

    /// Lets an instance fail: it stops serving, and its status checks with it. Unknown ones are ignored.
    pub fn crash(&mut self, id: &str) {
        self.lose(id, Condition::Failed);
    }

    /// Takes the machine of an instance away, or its soundness. Its group finds out by its health checks, at once unless
    /// they are suspended or the instance is in standby. False if there is no such instance.
    pub(crate) fn lose(&mut self, id: &str, condition: Condition) -> bool {
        let now = self.now;
        if let Some(loose) = self.loose.get_mut(id) {
            loose.lose(condition, now);
            return true;
        }
        for group in self.groups.values_mut() {
            let (checked, grace) = (!group.is_suspended("HealthCheck"), group.grace());
            let Group { members, world, .. } = group;
            let Some(member) = members.iter_mut().find(|member| member.id == id) else { continue };
            if member.state.is_ending() || member.condition == Condition::Terminated {
                return true;
            }
            member.condition = condition;
            if matches!(condition, Condition::Terminated | Condition::Stopped) {
                member.change_request(now);
            }
            member.healthy &= !(checked && member.is_checked() && member.is_found_unhealthy(grace, now));
            if member.state.is_standby() && condition != Condition::Failed {
                // It stays, and is paid for no longer.
                world.end(member.number);
            } else {
                world.retire(member.number);
            }
            if member.is_alive() {
                member.served_until = member.served_from.map(|_| now);
            }
            return true;
        }
        false
    }

    /// Lets a stopped or failed instance of a group run again, with another type where one is given.
    pub(crate) fn mend(&mut self, id: &str) {
        let machines = self.machines;
        for group in self.groups.values_mut() {
            let Group { members, world, .. } = group;
            let Some(member) = members.iter_mut().find(|member| member.id == id) else { continue };
            let Some(machine) = machines.machine(member.instance_type.as_str()) else { return };
            member.condition = Condition::Sound;
            world.end(member.number);
            member.number = world.adopt(machine);
            if member.is_in_service() {
                member.served_until = None;
            } else {
                world.retire(member.number);
            }
            return;
        }
    }

    /// Lets a zone, or [`trouble::ANY`], fail with all its instances.
    pub fn fail_zone(&mut self, zone: String) {
        let is_meant = |member: &Member| member.zone == zone || zone == trouble::ANY;
        let inside = |member: &&Member| is_meant(member) && (member.is_alive() || member.state.is_standby());
        let members = self.groups.values().flat_map(|group| &group.members);
        let loose = self.loose.values().map(|loose| &loose.member);
        let ids: Vec<String> = members.chain(loose).filter(inside).map(|member| member.id.clone()).collect();
        for id in ids {
            self.crash(&id);
        }
        self.launch_faults.zones_down.insert(zone);
    }

    /// Lets what an older state tells of instances be told as it is today.
    pub(crate) fn stamp_old(&mut self) {
        for group in self.groups.values_mut() {
            group.stamp_old(&self.blueprints);
        }
        for loose in self.loose.values_mut() {
            stamp::complete(&self.blueprints, loose);
        }
    }

    /// Removes groups that are deleted and empty; what they did is known for six weeks, and their instances as others are.
    pub(crate) fn forget_deleted(&mut self) {
        let now = self.now;
        let is_over = |group: &&Group| group.deleting && group.members.is_empty();
        let over: Vec<String> =
            self.groups.values().filter(is_over).map(|group| group.name.clone()).collect();
        for name in over {
            self.next_scheduled.take();
            if let Some(Group { activities, gone, .. }) = self.groups.remove(&name) {
                self.deleted.push_back(activity::Deleted { name, at: now, activities, gone });
            }
        }
        self.deleted.iter_mut().for_each(|deleted| deleted.forget_instances(now));
        while self.deleted.front().is_some_and(|deleted| deleted.is_forgotten(now)) {
            self.deleted.pop_front();
        }
    }

    /// Adds a group, with the workload that waits for it.
    pub(crate) fn insert_group(&mut self, mut group: Group) {
        if let Some(workload) = self.waiting.remove(&group.name) {
            group.set_workload(workload);
        }
        self.groups.insert(group.name.clone(), group);
    }

    /// The seed of a new group's boot times.
    pub(crate) fn group_seed(&self, name: &str) -> u64 {
        name.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Lets a group act with what it needs of the region. `None` if there is no such group.
    pub(crate) fn with_group<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut Group, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let (groups, mut context) = self.parts();
        Some(act(groups.get_mut(name)?, &mut context))
    }

    /// The groups, and beside them what they need of the region to act.
    fn parts(&mut self) -> (&mut BTreeMap<String, Group>, Context<'_>) {
        let context = Context {
            room: self.room(),
            now: self.now,
            blueprints: &self.blueprints,
            machines: self.machines,
            faults: &self.launch_faults,
            alarms: &self.cloudwatch.alarms,
            ids: &mut self.ids,
            events: &mut self.events,
            refresh_patience: self.refresh_patience,
        };
        (&mut self.groups, context)
    }

    /// Lets time pass, with alarms and policies but without the functions that alarms invoke.
    pub fn advance(&mut self, by: Duration) {
        let until = self.now.checked_add(by).unwrap_or(self.now);
        while self.now < until {
            let to = self.next_step(until);
            drop(self.pass(to));
        }
    }

    /// One step of time to `to`, which [`Region::next_step`] gave, and what it sets off. Returns the functions that
    /// alarms invoke.
    pub(crate) fn pass(&mut self, to: Timestamp) -> Vec<Invocation> {
        self.step(to);
        let invocations = cloudwatch::evaluate_alarms(self);
        if ends_minute(to) {
            acting::act(self);
        }
        invocations
    }

    /// The next moment at which something may happen, after `now` and at most `until`: steps are 15 s of the clock's
    /// grid, so that every minute is made of whole steps, and end too where a scheduled action is due.
    pub(crate) fn next_step(&self, until: Timestamp) -> Timestamp {
        const STEP: i64 = 15;
        let grid = (self.now.as_second().div_euclid(STEP) + 1) * STEP;
        let end = Timestamp::from_second(grid).map_or(until, |grid| grid.min(until));
        self.next_scheduled().filter(|next| *next > self.now).map_or(end, |next| next.min(end))
    }

    /// When a scheduled action of any group is due next.
    fn next_scheduled(&self) -> Option<Timestamp> {
        let of = |group: &Group| group.scheduled.next(self.now);
        *self.next_scheduled.get_or_init(|| self.groups.values().filter_map(of).min())
    }

    /// Lets the scheduled actions act that are due at the end of a step from `before`: what they change is acted on from
    /// there, and the minute that ends there is told as it was.
    fn run_schedules(&mut self, before: Timestamp) {
        let now = self.now;
        if self.next_scheduled().is_none_or(|next| next > now) {
            return;
        }
        for group in self.groups.values_mut().filter(|group| !group.scheduled.is_empty()) {
            group.run_schedule(before, now);
        }
        self.next_scheduled.take();
    }

    /// Advances to `to`, which [`Region::next_step`] gave.
    fn step(&mut self, to: Timestamp) {
        if !self.interruptions.is_empty() {
            self.carry_out_interruptions();
        }
        let before = self.now;
        let (groups, mut context) = self.parts();
        for group in groups.values_mut() {
            group.reconcile(&mut context);
            group.world.advance(to);
            group.progress(to, context.events);
        }
        if ends_minute(to) {
            for group in self.groups.values_mut() {
                let lost =
                    self.lost_metrics.contains(&group.name) || self.lost_metrics.contains(trouble::ANY);
                group.world.close_minute(group.sizes(), &group.serving(), lost);
            }
        }
        self.forget_deleted();
        self.loose.retain(|_, loose| loose.member.is_known(to));
        if to.as_second() % 3600 == 0 {
            tags::forget_requests(self);
        }
        self.record_usage(to);
        self.now = to;
        self.run_schedules(before);
    }
}

/// The availability zones of a region.
fn zones_of(region: &str) -> [String; 3] {
    ["a", "b", "c"].map(|letter| format!("{region}{letter}"))
}

/// The place of a zone in its region: zones are named by their letters, in the order of the region's subnets.
fn place_of(zone: &str) -> usize {
    zone.bytes().last().map_or(0, |letter| usize::from(letter.saturating_sub(b'a')))
}

/// Whether a minute ends at this moment.
fn ends_minute(at: Timestamp) -> bool {
    at.as_second() % 60 == 0 && at.subsec_nanosecond() == 0
}
