//! Instances that leave a group's capacity and come back: standby, detaching and attaching.

use std::sync::Arc;

use scaling_fleet::fleet::Machine;

use super::activity::ActivityStatus;
use super::group::Group;
use super::hooks::{Place, Transition};
use super::member::{LifecycleState, Member};
use super::scaling::{Context, second};

impl Group {
    /// Puts an instance in service into standby. With `decrement` nothing replaces it. Returns the activity's id.
    pub(crate) fn enter_standby(
        &mut self,
        context: &mut Context<'_>,
        id: &str,
        decrement: bool,
    ) -> Option<String> {
        let activity =
            self.moved(context, id, decrement, ("moved to standby", "Moving EC2 instance to Standby"))?;
        let Self { members, world, .. } = self;
        let member = members.iter_mut().find(|member| member.id == id)?;
        world.retire(member.number);
        member.state = LifecycleState::EnteringStandby;
        member.served_until = member.served_from.map(|_| context.now);
        member.activity.clone_from(&activity);
        Some(activity)
    }

    /// Brings an instance back from standby. Returns the activity's id.
    pub(crate) fn exit_standby(&mut self, context: &mut Context<'_>, id: &str) -> Option<String> {
        let member = self.member(id).filter(|member| member.state == LifecycleState::Standby)?;
        let (zone, weight) = (member.zone.clone(), member.weight);
        let (before, after) = (self.desired, self.desired + weight);
        let cause = format!(
            "At {} instance {id} was moved out of standby in response to a user request, increasing the capacity from \
             {before} to {after}.",
            second(context.now)
        );
        let activity = self.record(context, &zone, &cause, ActivityStatus::PreInService);
        activity.description = format!("Moving EC2 instance out of Standby: {id}");
        activity.progress = 30;
        let activity = activity.activity_id.clone();
        self.desired = after;
        let hooks = self.held_by(context, Transition::Launching, id, (Place::Ec2, Place::Group));
        let member = self.members.iter_mut().find(|member| member.id == id)?;
        member.state = LifecycleState::Pending;
        member.served_until = None;
        member.hooks = hooks;
        member.activity.clone_from(&activity);
        Some(activity)
    }

    /// Takes an instance out of the group. With `decrement` nothing replaces it. Returns it with the activity's id.
    pub(crate) fn detach(
        &mut self,
        context: &mut Context<'_>,
        id: &str,
        decrement: bool,
    ) -> Option<(Member, String)> {
        let activity = self.moved(context, id, decrement, ("detached", "Detaching EC2 instance"))?;
        self.activities.finish(&activity, ActivityStatus::Successful, context.now);
        let position = self.members.iter().position(|member| member.id == id)?;
        let member = self.members.remove(position);
        self.world.end(member.number);
        Some((member, activity))
    }

    /// Takes an instance into the group, which grows by it and gives it the tags that it gives to those that it launches.
    pub(crate) fn attach(&mut self, context: &mut Context<'_>, mut member: Member, machine: Machine) {
        let id = member.id.clone();
        let (before, after) = (self.desired, self.desired + member.weight);
        let cause = format!(
            "At {} an instance was added in response to user request, increasing the capacity from {before} to {after}.",
            second(context.now)
        );
        let activity = self.record(context, &member.zone, &cause, ActivityStatus::PreInService);
        activity.description = format!("Attaching an existing EC2 instance: {id}");
        let activity = activity.activity_id.clone();
        self.desired = after;
        member.number = self.world.adopt(machine);
        self.world.retire(member.number);
        member.state = LifecycleState::Pending;
        member.hooks = self.held_by(context, Transition::Launching, &id, (Place::Ec2, Place::Group));
        member.protected = self.settings.new_instances_protected;
        let carried = self.tags.iter().filter(|(_, tag)| tag.propagate);
        Arc::make_mut(&mut member.tags).extend(carried.map(|(key, tag)| (key.clone(), tag.value.clone())));
        member.activity = activity;
        (member.served_from, member.served_until, member.ready_at) = (None, None, None);
        self.members.push(member);
    }

    /// The activity of an instance that leaves the capacity. `None` if it is no part of it.
    fn moved(
        &mut self,
        context: &mut Context<'_>,
        id: &str,
        decrement: bool,
        (past, doing): (&str, &str),
    ) -> Option<String> {
        let member = self.member(id).filter(|member| member.is_in_service() || member.state.is_standby())?;
        let (zone, weight, counted) = (member.zone.clone(), member.weight, member.is_in_service());
        let before = self.desired;
        if decrement && counted {
            self.desired = self.desired.saturating_sub(weight);
        }
        let shrinking = if decrement && counted {
            format!(", shrinking the capacity from {before} to {}", self.desired)
        } else {
            String::new()
        };
        let cause = format!(
            "At {} instance {id} was {past} in response to a user request{shrinking}.",
            second(context.now)
        );
        let activity = self.record(context, &zone, &cause, ActivityStatus::InProgress);
        activity.description = format!("{doing}: {id}");
        activity.progress = 50;
        Some(activity.activity_id.clone())
    }
}
