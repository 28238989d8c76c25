//! Warm pools: instances made ready ahead of time, which start faster than new ones boot.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Warm pools for Amazon EC2 Auto Scaling": the pool holds what is missing
//! from the desired capacity to the prepared capacity, which is the group's maximum unless said otherwise.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::activity::ActivityStatus;
use super::group::Group;
use super::hooks::{Place, Transition};
use super::launch::LaunchSource;
use super::member::{LifecycleState, Member};
use super::scaling::{Context, second};

/// How long a stopped instance takes to serve; a hibernated one does as well.
pub const START: SignedDuration = SignedDuration::from_secs(30);

/// What instances of the pool do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PoolState {
    /// They are stopped.
    #[default]
    Stopped,
    /// They run.
    Running,
    /// They hibernate.
    Hibernated,
}

/// A warm pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmPool {
    /// Capacity of group and pool together; the group's maximum when absent.
    pub max_prepared: Option<u32>,
    /// Least instances of the pool.
    pub min: u32,
    /// What they do.
    pub state: PoolState,
    /// Whether instances return to it when the group shrinks.
    pub reuse: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
}

impl WarmPool {
    /// How many instances it should have, for a group of at most `max` that wants `desired`.
    pub(crate) fn wanted(&self, max: u32, desired: u32) -> u32 {
        if self.deleting {
            return 0;
        }
        self.max_prepared.unwrap_or(max).saturating_sub(desired).max(self.min)
    }

    fn settled(&self) -> LifecycleState {
        match self.state {
            PoolState::Stopped => LifecycleState::WarmedStopped,
            PoolState::Running => LifecycleState::WarmedRunning,
            PoolState::Hibernated => LifecycleState::WarmedHibernated,
        }
    }
}

impl Group {
    /// Launches and ends instances of the pool towards its size. Returns the ids of those that it launched from `source`.
    pub(crate) fn keep_warm_pool(&mut self, context: &mut Context<'_>, source: &LaunchSource) -> Vec<String> {
        let mut launched = Vec::new();
        let Some(pool) = self.warm_pool else { return launched };
        let stays = |member: &&Member| member.state.is_warm_pool() && !member.state.is_ending();
        let pooled = || self.members.iter().filter(stays);
        let (have, wanted) = (pooled().count(), pool.wanted(self.settings.max, self.desired) as usize);
        if pool.deleting && self.members.iter().all(|member| !member.state.is_warm_pool()) {
            self.warm_pool = None;
        } else if have > wanted && !self.is_suspended("Terminate") {
            let surplus: Vec<String> = pooled().take(have - wanted).map(|member| member.id.clone()).collect();
            let cause = format!("At {} an instance was removed from the warm pool.", second(context.now));
            for id in surplus {
                self.end(context, &id, &cause);
            }
        } else if have < wanted && !self.is_suspended("Launch") && self.trouble.next_try.is_none() {
            let options = source.options(context.blueprints, context.machines).unwrap_or_default();
            let Some(option) = options.first() else { return launched };
            let cause = format!("At {} an instance was added to the warm pool.", second(context.now));
            for _ in have..wanted {
                let zone = self
                    .zones_by_total()
                    .into_iter()
                    .find(|zone| context.why_not(option, zone, self).is_none());
                let Some(zone) = zone else { return launched };
                launched.push(self.launch_one(context, option, (zone, Place::WarmPool), &cause));
                if let Some(member) = self.members.last_mut() {
                    member.state = LifecycleState::WarmedPending;
                    self.world.retire(member.number);
                }
            }
        }
        launched
    }

    /// Lets booted instances of the pool stop.
    pub(crate) fn settle_warm_pool(&mut self) {
        let Some(pool) = self.warm_pool else { return };
        let Self { members, world, activities, .. } = self;
        let now = world.now();
        let free = |member: &&mut Member| {
            let goes_on = [LifecycleState::WarmedPending, LifecycleState::WarmedPendingProceed];
            member.hooks.is_empty() && goes_on.contains(&member.state)
        };
        for member in members.iter_mut().filter(free) {
            if world.has_booted(member.number) {
                member.state = pool.settled();
                activities.finish(&member.activity, ActivityStatus::Successful, now);
                if pool.state != PoolState::Running {
                    world.end(member.number);
                }
            }
        }
    }

    /// Moves an instance of the pool into the group, unless a refresh is about to end it. Returns its id and weight; `None`
    /// if there is none.
    pub(crate) fn take_warm(&mut self, context: &mut Context<'_>, cause: &str) -> Option<(String, u32)> {
        let settled = self.warm_pool.filter(|pool| !pool.deleting)?.settled();
        let zones = self.zones_by_need();
        let place = |member: &&Member| zones.iter().position(|zone| *zone == member.zone);
        let free = |member: &&Member| member.state == settled && !self.outgoing.contains(&member.id);
        let member = self.members.iter().filter(free).min_by_key(place)?;
        let (id, zone, weight) = (member.id.clone(), member.zone.clone(), member.weight);
        let machine = context.machines.machine(member.instance_type.as_str())?;
        let activity = self.record(context, &zone, cause, ActivityStatus::PreInService);
        activity.description = format!("Launching a new EC2 instance from warm pool: {id}");
        activity.progress = 30;
        let activity = activity.activity_id.clone();
        let way = (Place::WarmPool, Place::Group);
        let hooks = self.held_by(context, Transition::Launching, &id, way);
        let Self { members, world, .. } = self;
        let member = members.iter_mut().find(|member| member.id == id)?;
        if settled == LifecycleState::WarmedRunning {
            member.ready_at = Some(context.now);
        } else {
            member.number = world.adopt(machine);
            world.retire(member.number);
            member.ready_at = Some(context.now + START);
        }
        member.state = LifecycleState::Pending;
        member.hooks = hooks;
        member.activity = activity;
        Some((id, weight))
    }

    /// Returns an instance to the pool, where the pool takes them back. Hooks of instances that end hold it on its way
    /// there. False if the pool does not take it.
    pub(crate) fn return_warm(&mut self, context: &mut Context<'_>, id: &str, cause: &str) -> bool {
        if self.warm_pool.is_none_or(|pool| !pool.reuse || pool.deleting) {
            return false;
        }
        let Some(zone) =
            self.member(id).filter(|member| member.is_in_service()).map(|member| member.zone.clone())
        else {
            return false;
        };
        let activity = self.record(context, &zone, cause, ActivityStatus::InProgress);
        activity.description = format!("Returning EC2 instance to warm pool: {id}");
        let activity = activity.activity_id.clone();
        let hooks = self.held_by(context, Transition::Terminating, id, (Place::Group, Place::WarmPool));
        let Self { members, world, .. } = self;
        let Some(member) = members.iter_mut().find(|member| member.id == id) else { return false };
        member.served_until = Some(context.now);
        member.state = LifecycleState::WarmedPending;
        (member.hooks, member.activity) = (hooks, activity);
        world.retire(member.number);
        true
    }
}
