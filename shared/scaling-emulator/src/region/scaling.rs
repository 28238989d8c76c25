//! How a group gets from what it has to what is desired: launching, ending and replacing instances.
//!
//! `Group::reconcile` runs at the beginning of each step of time, `Group::progress` at its end.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::activity::{Activity, ActivityStatus};
use super::blueprints::Blueprints;
use super::events::Events;
use super::group::Group;
use super::hooks::{Place, Transition, pass_hooks};
use super::ids::Ids;
use super::launch::{LaunchOption, LaunchSource};
use super::member::{Condition, LifecycleState, Member};
use super::notices::Outcome;
use super::place_of;
use super::stamp::{self, Tags};
use super::trouble::LaunchFaults;
use super::usage::Room;
use crate::cloudwatch::alarm::Alarms;
use crate::ec2::market::Interruption;
use crate::ec2::network;
use crate::machines::Machines;

/// How long an ending instance takes to be gone: connections drain, then it shuts down.
pub const TERMINATION: SignedDuration = SignedDuration::from_secs(30);

/// How long after a failed launch the next one is tried.
pub const LAUNCH_RETRY: SignedDuration = SignedDuration::from_secs(60);

/// What is said where scaling in finds nothing that it may end.
const ONLY_PROTECTED: &str =
    "Could not scale to desired capacity because all remaining instances are protected from scale-in.";

/// What launching needs of the region.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) blueprints: &'a Blueprints,
    pub(crate) machines: Machines,
    pub(crate) faults: &'a LaunchFaults,
    pub(crate) alarms: &'a Alarms,
    pub(crate) ids: &'a mut Ids,
    pub(crate) events: &'a mut Events,
    pub(crate) refresh_patience: SignedDuration,
    /// What the quotas leave.
    pub(crate) room: Room,
}

impl Context<'_> {
    /// Why this cannot be launched in `zone`, as the activity's status message says it. `None` if it can.
    pub(super) fn why_not(&self, option: &LaunchOption, zone: &str, group: &Group) -> Option<String> {
        let fault = self.faults.why_not(option, zone, group);
        fault.or_else(|| option.too_dear()).or_else(|| self.room.why_not(option, &group.settings.source))
    }
}

impl Group {
    /// Launches and ends instances towards what is desired.
    pub(crate) fn reconcile(&mut self, context: &mut Context<'_>) {
        self.expire_hooks(context);
        self.check_health();
        self.end_unhealthy(context);
        self.end_outlived(context);
        if self.active_refresh().is_some() {
            if self.refresh_rests() {
                self.rest_refresh(context);
            } else {
                self.drive_refresh(context);
            }
            return;
        }
        self.end_replaced(context);
        let leaving = self.leaving_capacity(context.now);
        let (capacity, desired) = (self.capacity() - leaving, self.desired);
        if capacity <= desired {
            self.kept_above = None;
        }
        match capacity.cmp(&desired) {
            Ordering::Less => {
                let cause = self.difference_cause(context.now, capacity, desired);
                let source = self.settings.source.clone();
                self.launch(context, &source, self.launchable(desired - capacity, leaving), &cause);
            }
            Ordering::Greater => {
                let held = self.held_for_balance();
                self.scale_in(context, (capacity - desired).saturating_sub(held));
            }
            Ordering::Equal => {
                self.cause.clear();
                if leaving == 0 && !self.replace_at_risk(context) {
                    self.rebalance(context);
                }
            }
        }
        if self.warm_pool.is_some() {
            let source = self.settings.source.clone();
            self.keep_warm_pool(context, &source);
        }
    }

    /// Brings instances into service that have booted, and removes those that have ended.
    pub(crate) fn progress(&mut self, now: Timestamp, events: &mut Events) {
        let mut over = false;
        let mut launched = Vec::new();
        for member in &mut self.members {
            if member.state == LifecycleState::InService {
                continue;
            }
            if let Some((activity, status)) = pass_hooks(member, now) {
                self.activities.set_status(&activity, status);
            }
            // What does not run comes into service too, and its health checks find it there.
            let booted = || !member.is_sound() || self.world.has_booted(member.number);
            let ready = || booted() && member.ready_at.is_none_or(|ready| ready <= now);
            match member.state {
                LifecycleState::Pending | LifecycleState::PendingProceed
                    if member.hooks.is_empty() && ready() =>
                {
                    if member.is_sound() {
                        self.world.restore(member.number);
                    }
                    member.state = LifecycleState::InService;
                    member.served_from = Some(now);
                    self.activities.finish(&member.activity, ActivityStatus::Successful, now);
                    self.last_activity = Some(now);
                    launched.push((member.activity.clone(), member.id.clone()));
                }
                LifecycleState::EnteringStandby => {
                    member.state = LifecycleState::Standby;
                    self.activities.finish(&member.activity, ActivityStatus::Successful, now);
                }
                _ => {}
            }
            over |= member.gone_at.is_some_and(|gone| gone <= now);
        }
        for (activity, id) in launched {
            self.tell(events, now, Outcome::Launched, (&activity, &id));
        }
        self.settle_warm_pool();
        if over {
            self.remove_ended(now, events);
        }
        if !self.gone.is_empty() {
            self.gone.retain(|member| member.is_known(now));
        }
    }

    fn remove_ended(&mut self, now: Timestamp, events: &mut Events) {
        let over = |member: &Member| member.gone_at.is_some_and(|gone| gone <= now);
        let (gone, left) = std::mem::take(&mut self.members).into_iter().partition(over);
        self.members = left;
        for mut member in Vec::from_iter::<Vec<Member>>(gone) {
            self.world.end(member.number);
            self.activities.finish(&member.activity, ActivityStatus::Successful, now);
            self.last_activity = Some(now);
            member.state = LifecycleState::Terminated;
            self.tell(events, now, Outcome::Ended, (&member.activity, &member.id));
            self.gone.push(member);
        }
    }

    /// Launches instances from `source` until `units` of capacity are on order, or a launch fails. Returns their ids.
    pub(crate) fn launch(
        &mut self,
        context: &mut Context<'_>,
        source: &LaunchSource,
        units: u32,
        cause: &str,
    ) -> Vec<String> {
        let mut launched = Vec::new();
        let held = self.trouble.next_try.is_some_and(|next| context.now < next);
        if units == 0 || held || self.is_suspended("Launch") {
            return launched;
        }
        let options = match source.options(context.blueprints, context.machines) {
            Ok(options) => options,
            Err(error) => {
                self.launch_failed(
                    context,
                    cause,
                    format!("{} Launching EC2 instance failed.", error.message),
                );
                return launched;
            }
        };
        let as_spot = source.as_spot(&options);
        let mut ordered = 0;
        while ordered < units {
            if let Some((id, weight)) = self.take_warm(context, cause) {
                ordered += weight;
                launched.push(id);
                continue;
            }
            let mut zones = self.zones_by_need();
            if self.settings.options.keeps_balance() {
                zones.truncate(1);
            }
            let options = if self.wants_spot(source) { &as_spot } else { &options };
            // Another type in the zone that needs an instance most comes before another zone.
            let possible =
                |zone: &&String| options.iter().find(|option| context.why_not(option, zone, self).is_none());
            let found = zones.iter().find_map(|zone| Some((possible(&zone)?, zone)));
            let Some((option, zone)) = found else {
                let zone = zones.first().map_or("", String::as_str);
                let why = options.first().and_then(|option| context.why_not(option, zone, self));
                self.launch_failed(context, cause, why.unwrap_or_default());
                break;
            };
            ordered += option.weight;
            launched.push(self.launch_one(context, option, (zone.clone(), Place::Group), cause));
            self.trouble = super::group::LaunchTrouble::default();
        }
        launched
    }

    pub(super) fn launch_one(
        &mut self,
        context: &mut Context<'_>,
        option: &LaunchOption,
        (zone, destination): (String, Place),
        cause: &str,
    ) -> String {
        let id = context.ids.instance();
        let activity = self.record(context, &zone, cause, ActivityStatus::PreInService);
        activity.description = format!("Launching a new EC2 instance: {id}");
        activity.progress = 30;
        let activity = activity.activity_id.clone();
        let number = self.world.launch(option.machine.clone());
        if !option.spot {
            context.room.taken(&option.machine);
        }
        let hooks = self.held_by(context, Transition::Launching, &id, (Place::Ec2, destination));
        if !hooks.is_empty() {
            self.world.retire(number);
        }
        let mut member = Member {
            id: id.clone(),
            number,
            instance_type: option.machine.instance_type.clone(),
            address: context.ids.address(place_of(&zone)),
            zone,
            state: LifecycleState::Pending,
            healthy: true,
            condition: Condition::Sound,
            protected: self.settings.new_instances_protected,
            template: option.template.clone(),
            configuration: option.configuration.clone(),
            image: option.image.clone(),
            weight: option.weight,
            launched: context.now,
            served_from: None,
            served_until: None,
            gone_at: None,
            activity,
            hooks,
            ready_at: None,
            spot: option.spot,
            persistent: false,
            interruption: Interruption::default(),
            request_cancelled: false,
            request_changed: None,
            at_risk: false,
            interrupted: false,
            tags: Tags::default(),
            stamp: None,
        };
        let (stamp, tags) = stamp::of_launch(context.blueprints, &member, &self.tags, self.members.last());
        (member.stamp, member.tags) = (Some(stamp), tags);
        self.members.push(member);
        id
    }

    /// Adds instances that serve at once, without activities: the fleet found at the start.
    pub(crate) fn adopt(&mut self, context: &mut Context<'_>, option: &LaunchOption, count: u32) {
        for _ in 0..count {
            let zone = self.zones_by_need().into_iter().next().unwrap_or_default();
            self.launch_one(context, option, (zone, Place::Group), "");
            let Some(member) = self.members.last_mut() else { continue };
            member.hooks.clear();
            self.world.end(member.number);
            member.number = self.world.adopt(option.machine.clone());
            member.state = LifecycleState::InService;
            member.served_from = Some(context.now);
            self.activities.finish(&member.activity, ActivityStatus::Successful, context.now);
        }
    }

    fn launch_failed(&mut self, context: &mut Context<'_>, cause: &str, why: String) {
        self.trouble.next_try = Some(context.now + LAUNCH_RETRY);
        self.trouble.since.get_or_insert(context.now);
        let zone = self.zones_by_need().into_iter().next().unwrap_or_default();
        let now = context.now;
        let activity = self.record(context, &zone, cause, ActivityStatus::Failed);
        activity.description = format!("Launching a new EC2 instance.  Status Reason: {why}");
        activity.status_message = Some(why);
        activity.end_time = Some(now);
        activity.progress = 100;
        let activity = activity.activity_id.clone();
        self.tell(context.events, now, Outcome::NotLaunched, (&activity, ""));
    }

    /// Begins to end an instance, wherever it is. False if it is ending already or gone.
    pub(crate) fn end(&mut self, context: &mut Context<'_>, id: &str, cause: &str) -> bool {
        let Some(member) = self.members.iter().find(|member| member.id == id && !member.state.is_ending())
        else {
            return false;
        };
        let (zone, launching, pooled) =
            (member.zone.clone(), member.activity.clone(), member.state.is_warm_pool());
        let now = context.now;
        self.activities.finish(&launching, ActivityStatus::Cancelled, now);
        let (origin, state) = if pooled {
            (Place::WarmPool, LifecycleState::WarmedTerminating)
        } else {
            (Place::Group, LifecycleState::Terminating)
        };
        let hooks = self.held_by(context, Transition::Terminating, id, (origin, Place::Ec2));
        let activity = self.record(context, &zone, cause, ActivityStatus::InProgress);
        activity.description = format!("Terminating EC2 instance: {id}");
        let activity = activity.activity_id.clone();
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return false };
        self.world.retire(member.number);
        member.state = state;
        member.served_until = member.served_until.or(member.served_from.map(|_| now));
        if hooks.is_empty() {
            member.leave(now + TERMINATION, now);
        }
        member.hooks = hooks;
        member.activity = activity;
        true
    }

    /// Adds a running activity.
    pub(super) fn record(
        &mut self,
        context: &mut Context<'_>,
        zone: &str,
        cause: &str,
        status: ActivityStatus,
    ) -> &mut Activity {
        let subnet = network::subnet(place_of(zone));
        self.activities.push(Activity {
            activity_id: context.ids.uuid(),
            auto_scaling_group_name: self.name.clone(),
            description: String::new(),
            cause: cause.to_owned(),
            start_time: context.now,
            end_time: None,
            status_code: status,
            status_message: None,
            progress: 0,
            details: format!("{{\"Subnet ID\":\"{subnet}\",\"Availability Zone\":\"{zone}\"}}"),
            auto_scaling_group_arn: self.arn.clone(),
        })
    }

    fn scale_in(&mut self, context: &mut Context<'_>, mut surplus: u32) {
        if surplus == 0 || self.is_suspended("Terminate") {
            return;
        }
        let options = self.settings.source.options(context.blueprints, context.machines).unwrap_or_default();
        let (mut capacity, desired) = (self.capacity(), self.desired);
        while let Some(id) = self.victim(&options, surplus) {
            let Some(weight) = self.member(&id).map(|member| member.weight) else { break };
            let cause = format!(
                "{}At {now} an instance was taken out of service in response to a difference between desired and \
                 actual capacity, shrinking the capacity from {capacity} to {desired}.  At {now} instance {id} was \
                 selected for termination.",
                self.cause,
                now = second(context.now),
            );
            if !self.return_warm(context, &id, &cause) {
                self.end(context, &id, &cause);
            }
            surplus -= weight;
            capacity -= weight;
        }
        if surplus > 0 {
            self.tell_protected(context);
        }
    }

    /// Tells, once for each desired capacity, that only protected instances are left where there should be fewer.
    ///
    /// Source: *Amazon EC2 Auto Scaling User Guide*, "Use instance scale-in protection", for the words; the status and the
    /// cause are those that groups show.
    fn tell_protected(&mut self, context: &mut Context<'_>) {
        let is_left = self.alive().count() > 0 && self.alive().all(|member| member.protected);
        if !is_left || self.kept_above.replace(self.desired) == Some(self.desired) {
            return;
        }
        let now = context.now;
        let cause = format!("{}At {} group reached equilibrium.", self.cause, second(now));
        let activity = self.record(context, "", &cause, ActivityStatus::Cancelled);
        ONLY_PROTECTED.clone_into(&mut activity.description);
        activity.status_message = Some(ONLY_PROTECTED.to_owned());
        // It is about no zone.
        "{}".clone_into(&mut activity.details);
        activity.end_time = Some(now);
        activity.progress = 100;
    }

    /// Marks those whose machine does not run as it should. Instances in standby are not checked: they are, and are
    /// told to be, what they were before.
    fn check_health(&mut self) {
        if self.is_suspended("HealthCheck") {
            return;
        }
        let (grace, now) = (self.grace(), self.world.now());
        for member in &mut self.members {
            if member.is_checked() && member.is_found_unhealthy(grace, now) {
                member.healthy = false;
            }
        }
    }

    pub(super) fn difference_cause(&self, now: Timestamp, capacity: u32, desired: u32) -> String {
        format!(
            "{}At {} an instance was started in response to a difference between desired and actual capacity, \
             increasing the capacity from {capacity} to {desired}.",
            self.cause,
            second(now),
        )
    }
}

/// A moment in whole seconds, as causes write it.
pub(crate) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
