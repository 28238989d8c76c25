//! Lifecycle hooks: they hold an instance while it boots or ends, until it is completed or its time is up.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "How lifecycle hooks work" and "Considerations and limitations for
//! lifecycle hooks", and "Use lifecycle hooks with a warm pool": all hooks of a transition hold an instance at once; one
//! abandoned launch ends the instance, while an instance that ends does so whatever the result, and where it is to abandon,
//! without waiting for its other hooks.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::activity::ActivityStatus;
use super::group::Group;
use super::member::{LifecycleState, Member};
use super::scaling::{Context, TERMINATION, second};

/// Longest time in a wait state, heartbeats included: 48 hours or a hundred times the time-out, whichever is less.
const LONGEST: SignedDuration = SignedDuration::from_hours(48);

/// What a hook holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transition {
    /// Instances that boot.
    #[serde(rename = "autoscaling:EC2_INSTANCE_LAUNCHING")]
    Launching,
    /// Instances that end.
    #[serde(rename = "autoscaling:EC2_INSTANCE_TERMINATING")]
    Terminating,
}

impl Transition {
    /// As the service writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Launching => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Self::Terminating => "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Launching => "EC2 Instance-launch Lifecycle Action",
            Self::Terminating => "EC2 Instance-terminate Lifecycle Action",
        }
    }
}

/// Where an instance is on its way from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Outside of the group: not launched yet, or ended.
    Ec2,
    /// In service.
    Group,
    /// In the warm pool.
    WarmPool,
}

impl Place {
    /// As events write it.
    fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Group => "AutoScalingGroup",
            Self::WarmPool => "WarmPool",
        }
    }
}

/// How a held instance goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HookResult {
    /// It goes on.
    Continue,
    /// A launch is given up.
    Abandon,
}

/// A lifecycle hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleHook {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub transition: Transition,
    /// Seconds until its time is up.
    pub heartbeat: u32,
    /// What then.
    pub default_result: HookResult,
    /// Handed on in the event.
    pub metadata: Option<String>,
    /// Where the event goes; kept and shown.
    pub target: Option<String>,
    /// Role for that; kept and shown.
    pub role: Option<String>,
}

impl LifecycleHook {
    /// Longest time that it holds an instance, heartbeats included.
    pub fn longest(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.heartbeat) * 100).min(LONGEST)
    }
}

/// A hook that holds an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The hook's name.
    pub hook: String,
    /// The token of this action.
    pub token: String,
    /// When its time is up.
    pub until: Timestamp,
    /// When it is, whatever heartbeats come.
    pub at_most: Timestamp,
    heartbeat: SignedDuration,
    default_result: HookResult,
}

impl Waiting {
    /// Whether a caller means this one, by hook and, where given, token.
    fn is_meant(&self, hook: &str, token: Option<&str>) -> bool {
        self.hook == hook && token.is_none_or(|token| token == self.token)
    }
}

impl Group {
    /// The hooks that hold an instance from now on.
    pub(crate) fn held_by(
        &self,
        context: &mut Context<'_>,
        transition: Transition,
        instance: &str,
        (origin, destination): (Place, Place),
    ) -> Vec<Waiting> {
        let mut held = Vec::new();
        for hook in self.hooks.values().filter(|hook| hook.transition == transition) {
            let token = context.ids.uuid();
            let heartbeat = SignedDuration::from_secs(i64::from(hook.heartbeat));
            let mut detail = json!({
                "LifecycleActionToken": token,
                "AutoScalingGroupName": self.name,
                "LifecycleHookName": hook.name,
                "EC2InstanceId": instance,
                "LifecycleTransition": transition.name(),
                "Origin": origin.name(),
                "Destination": destination.name(),
            });
            if let Some(metadata) = &hook.metadata {
                detail["NotificationMetadata"] = json!(metadata);
            }
            context.events.push(context.now, "aws.autoscaling", transition.event(), detail);
            held.push(Waiting {
                hook: hook.name.clone(),
                token,
                until: context.now + heartbeat,
                at_most: context.now + hook.longest(),
                heartbeat,
                default_result: hook.default_result,
            });
        }
        held
    }

    /// Applies the default result of hooks whose time is up.
    pub(crate) fn expire_hooks(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let mut abandoned = Vec::new();
        for member in self.members.iter_mut().filter(|member| !member.hooks.is_empty()) {
            let over: Vec<Waiting> =
                member.hooks.extract_if(.., |waiting| waiting.until.min(waiting.at_most) <= now).collect();
            if let Some(waiting) = over.into_iter().find(|one| one.default_result == HookResult::Abandon) {
                abandoned.push((member.id.clone(), waiting.token));
            }
        }
        for (id, token) in abandoned {
            self.abandon(context, &id, &format!("{token} was abandoned: Heartbeat Timeout"));
        }
    }

    /// Ends what an instance waits for. False if no such hook holds it.
    pub(crate) fn complete_hook(
        &mut self,
        context: &mut Context<'_>,
        id: &str,
        (hook, token): (&str, Option<&str>),
        result: HookResult,
    ) -> bool {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return false };
        let meant = member.hooks.extract_if(.., |waiting| waiting.is_meant(hook, token)).last();
        if let Some(waiting) = meant.as_ref().filter(|_| result == HookResult::Abandon) {
            self.abandon(
                context,
                id,
                &format!("{} was abandoned: Lifecycle Action Completed with ABANDON Result", waiting.token),
            );
        }
        meant.is_some()
    }

    /// Lets a hook hold an instance for another of its time-outs. False if no such hook holds it.
    pub(crate) fn heartbeat(&mut self, id: &str, hook: &str, token: Option<&str>, now: Timestamp) -> bool {
        let member = self.members.iter_mut().find(|member| member.id == id);
        let waiting =
            member.and_then(|member| member.hooks.iter_mut().find(|waiting| waiting.is_meant(hook, token)));
        waiting.map(|waiting| waiting.until = now + waiting.heartbeat).is_some()
    }

    /// Ends an instance that boots; one that ends is held by nothing any more. `how` says which action, and how it ended.
    fn abandon(&mut self, context: &mut Context<'_>, id: &str, how: &str) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return };
        if !(member.state.is_pending() || member.state.is_warming()) {
            member.hooks.clear();
            return;
        }
        let why =
            format!("Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {how}");
        self.activities.explain(&member.activity, why);
        let cause = format!(
            "At {} an instance was taken out of service in response to a lifecycle action that was abandoned or timed \
             out.",
            second(context.now)
        );
        self.end(context, id, &cause);
    }
}

/// Moves an instance through the states in which hooks hold it. Returns its activity and status where that changed.
pub(crate) fn pass_hooks(member: &mut Member, now: Timestamp) -> Option<(String, ActivityStatus)> {
    let held = !member.hooks.is_empty();
    let status = match (member.state, held) {
        (LifecycleState::Pending, true) => {
            member.state = LifecycleState::PendingWait;
            ActivityStatus::MidLifecycleAction
        }
        (LifecycleState::PendingWait, false) => {
            member.state = LifecycleState::PendingProceed;
            ActivityStatus::PreInService
        }
        (LifecycleState::WarmedPending, true) => {
            member.state = LifecycleState::WarmedPendingWait;
            ActivityStatus::MidLifecycleAction
        }
        (LifecycleState::WarmedPendingWait, false) => {
            member.state = LifecycleState::WarmedPendingProceed;
            ActivityStatus::PreInService
        }
        (LifecycleState::WarmedTerminating, true) => {
            member.state = LifecycleState::WarmedTerminatingWait;
            ActivityStatus::MidLifecycleAction
        }
        (LifecycleState::WarmedTerminatingWait, false) => {
            member.state = LifecycleState::WarmedTerminatingProceed;
            member.leave(now + TERMINATION, now);
            ActivityStatus::InProgress
        }
        (LifecycleState::Terminating, true) => {
            member.state = LifecycleState::TerminatingWait;
            ActivityStatus::MidLifecycleAction
        }
        (LifecycleState::TerminatingWait, false) => {
            member.state = LifecycleState::TerminatingProceed;
            member.leave(now + TERMINATION, now);
            ActivityStatus::InProgress
        }
        _ => return None,
    };
    Some((member.activity.clone(), status))
}
