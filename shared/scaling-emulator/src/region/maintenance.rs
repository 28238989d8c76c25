//! Replacing what is unhealthy or has lived too long, by the rules of the group's instance maintenance policy.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Instance maintenance policies": without one, and with one that lets less
//! than everything be healthy, an instance ends and its replacement follows; where all of the desired capacity has to stay
//! healthy, the replacement is launched and warms up before the instance ends. What does not run any more ends at once.

use jiff::{SignedDuration, Timestamp};

use super::group::{Group, MaintenancePolicy};
use super::member::{Condition, Member};
use super::scaling::{Context, second};

impl Group {
    /// The maintenance policy where replacements come first. A refresh has its own bounds.
    fn launches_first(&self) -> Option<MaintenancePolicy> {
        let policy = self.settings.maintenance.filter(|policy| policy.min_healthy_percentage >= 100);
        policy.filter(|_| self.active_refresh().is_none())
    }

    /// Whether an instance stays until its replacement is ready.
    pub(super) fn stays_until_replaced(&self, member: &Member) -> bool {
        let runs = matches!(member.condition, Condition::Sound | Condition::Failed);
        self.launches_first().is_some() && runs && member.is_in_service()
    }

    /// Instances in service that are to be replaced first and then ended: unhealthy ones, else the one that has outlived
    /// the group's maximum by most.
    fn leaving(&self, now: Timestamp) -> Vec<&Member> {
        if self.launches_first().is_none() || self.is_suspended("Terminate") {
            return Vec::new();
        }
        let unhealthy = |member: &&Member| !member.healthy && self.stays_until_replaced(member);
        let unhealthy: Vec<&Member> = if self.is_suspended("ReplaceUnhealthy") {
            Vec::new()
        } else {
            self.members.iter().filter(unhealthy).collect()
        };
        if unhealthy.is_empty() { self.outlived(now).into_iter().collect() } else { unhealthy }
    }

    /// Capacity that is only there until its replacement is ready.
    pub(super) fn leaving_capacity(&self, now: Timestamp) -> u32 {
        self.leaving(now).iter().map(|member| member.weight).sum()
    }

    /// How much may be launched of what is missing while `leaving` is still there: up to the policy's maximum, and at least
    /// one unit at a time.
    pub(super) fn launchable(&self, missing: u32, leaving: u32) -> u32 {
        let Some(policy) = self.launches_first().filter(|_| leaving > 0) else { return missing };
        let percent = u64::try_from(policy.max_healthy_percentage).unwrap_or(100);
        let most = u32::try_from(u64::from(self.desired) * percent / 100).unwrap_or(u32::MAX);
        let most = most.max(self.desired.saturating_add(1));
        missing.min(most.saturating_sub(self.capacity()))
    }

    /// Ends as much of what is to be replaced as has a replacement that is ready.
    pub(super) fn end_replaced(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let leaving = self.leaving(now);
        if leaving.is_empty() {
            return;
        }
        let warmup = SignedDuration::from_secs(i64::from(self.settings.default_instance_warmup.unwrap_or(0)));
        let leaves = |member: &Member| leaving.iter().any(|one| one.id == member.id);
        let ready: u32 = self
            .alive()
            .filter(|member| member.is_warm(warmup, now) && !leaves(member))
            .map(|member| member.weight)
            .sum();
        let mut surplus = (ready + self.leaving_capacity(now)).saturating_sub(self.desired);
        let ending: Vec<(String, u32, String)> =
            leaving.into_iter().map(|member| (member.id.clone(), member.weight, why(member, now))).collect();
        for (id, weight, cause) in ending {
            if weight <= surplus && self.end(context, &id, &cause) {
                surplus -= weight;
            }
        }
    }

    /// Ends what is unhealthy and need not wait for a replacement.
    pub(super) fn end_unhealthy(&mut self, context: &mut Context<'_>) {
        if self.is_suspended("Terminate")
            || self.is_suspended("ReplaceUnhealthy")
            || self.members.iter().all(|member| member.healthy)
        {
            return;
        }
        let ends =
            |member: &&Member| !member.healthy && member.is_checked() && !self.stays_until_replaced(member);
        let unhealthy: Vec<(String, String)> = self
            .members
            .iter()
            .filter(ends)
            .map(|member| (member.id.clone(), why(member, context.now)))
            .collect();
        for (id, cause) in unhealthy {
            self.end(context, &id, &cause);
        }
    }

    /// The oldest instance that has lived longer than the group allows.
    fn outlived(&self, now: Timestamp) -> Option<&Member> {
        let lifetime = self.settings.max_instance_lifetime.filter(|lifetime| *lifetime > 0)?;
        let born_before = now - SignedDuration::from_secs(i64::from(lifetime));
        let old = self.alive().filter(|member| member.is_in_service() && member.launched <= born_before);
        old.min_by_key(|member| member.launched)
    }

    /// Ends the oldest instance that has lived longer than the group allows, one at a time, unless it waits for its
    /// replacement.
    pub(super) fn end_outlived(&mut self, context: &mut Context<'_>) {
        if self.settings.max_instance_lifetime.is_none()
            || self.launches_first().is_some()
            || self.is_suspended("Terminate")
            || self.alive().any(|member| !member.is_in_service())
        {
            return;
        }
        let oldest = self.outlived(context.now).map(|member| (member.id.clone(), why(member, context.now)));
        if let Some((id, cause)) = oldest {
            self.end(context, &id, &cause);
        }
    }
}

/// Why an instance is taken out of service.
fn why(member: &Member, now: Timestamp) -> String {
    let why = match member.condition {
        _ if member.healthy => "the maximum instance lifetime of the group.",
        Condition::Sound => "a user health-check.",
        Condition::Failed => "an EC2 instance status check failure.",
        Condition::Stopped | Condition::Terminated => {
            "an EC2 health check indicating it has been terminated or stopped."
        }
    };
    format!("At {} an instance was taken out of service in response to {why}", second(now))
}
