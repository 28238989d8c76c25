//! Carries an instance refresh on, step by step.

use jiff::{SignedDuration, Timestamp};

use super::group::Group;
use super::member::Member;
use super::refresh::{Move, Refresh, RefreshStatus, View, plan};
use super::scaling::{Context, second};
use crate::cloudwatch::alarm::StateValue;

impl Group {
    /// Warm-up of a refresh's replacements: its own, the group's, the grace period.
    fn refresh_warmup(&self, refresh: &Refresh) -> SignedDuration {
        let own = refresh.preferences.instance_warmup.map(i64::from);
        let default = self.settings.default_instance_warmup.map(i64::from);
        SignedDuration::from_secs(
            own.or(default).unwrap_or_else(|| i64::from(self.settings.health_check_grace_period)),
        )
    }

    /// Does what the active refresh may do in this step.
    pub(crate) fn drive_refresh(&mut self, context: &mut Context<'_>) {
        let Some(mut refresh) = self.refreshes.pop() else { return };
        let (number, waited) = (refresh.passed, refresh.paused.is_some());
        match refresh.status {
            RefreshStatus::Cancelling => {
                let reason = Some("Cancelled due to user request.".to_owned());
                refresh.end(RefreshStatus::Cancelled, reason, context.now);
            }
            RefreshStatus::Pending => {
                refresh.status = RefreshStatus::InProgress;
                self.replace_some(&mut refresh, context);
            }
            _ => self.replace_some(&mut refresh, context),
        }
        if !waited && (refresh.paused.is_some() || refresh.passed > number) {
            self.tell_checkpoint(&refresh, number, context);
        }
        self.tell_status(&mut refresh, context);
        self.refreshes.push(refresh);
    }

    /// Whether the active refresh does nothing because its process is suspended; one that is cancelled ends all the same.
    pub(crate) fn refresh_rests(&self) -> bool {
        let cancelled =
            self.active_refresh().is_some_and(|refresh| refresh.status == RefreshStatus::Cancelling);
        self.is_suspended("InstanceRefresh") && !cancelled
    }

    /// Leaves the refresh where it is, and launches only what is missing.
    pub(crate) fn rest_refresh(&mut self, context: &mut Context<'_>) {
        let Some(mut refresh) = self.refreshes.pop() else { return };
        refresh.moved = context.now;
        refresh.reason =
            Some("The process InstanceRefresh of the Auto Scaling group is suspended.".to_owned());
        let missing = self.desired.saturating_sub(self.capacity());
        let cause = self.difference_cause(context.now, self.capacity(), self.desired);
        self.launch_new(&mut refresh, context, missing, &cause);
        self.refreshes.push(refresh);
    }

    fn replace_some(&mut self, refresh: &mut Refresh, context: &mut Context<'_>) {
        let now = context.now;
        if let Some(alarm) = raised(refresh, context) {
            self.fail(refresh, format!("Alarm {alarm} is in state ALARM."), now);
            return;
        }
        let warmup = self.refresh_warmup(refresh);
        if self.waits_for_standby(refresh, context) || self.pauses(refresh, warmup, now) {
            return;
        }
        let mut wanted = plan(self.view(refresh, warmup, now));
        let most = self.up_to_checkpoint(refresh, &mut wanted);
        let mut moved = false;
        if !self.is_suspended("Terminate") {
            moved |= self.end_old(refresh, wanted, most, context);
            moved |= self.end_old_pool(refresh, context);
        }
        let cause = format!("At {} an instance was started in response to an instance refresh.", second(now));
        moved |= self.launch_new(refresh, context, wanted.launch, &cause);
        self.end_surplus(refresh, context);
        moved |= self.refill_pool(refresh, context);
        if moved || self.is_coming(refresh, warmup, now) {
            refresh.moved = now;
        }
        self.count_progress(refresh, warmup, now);
        if wanted.done && self.has_new_pool(refresh) {
            self.replaced(refresh, now);
        } else if refresh.moved + context.refresh_patience <= now {
            self.give_up(refresh, now);
        } else {
            refresh.reason = Some(self.waiting_reason(refresh, warmup, now));
        }
    }

    /// Whether instances in standby have to come back first.
    fn waits_for_standby(&mut self, refresh: &mut Refresh, context: &mut Context<'_>) -> bool {
        let standby: Vec<String> = self
            .members
            .iter()
            .filter(|member| member.state.is_standby())
            .map(|member| member.id.clone())
            .collect();
        match refresh.preferences.standby_instances.as_deref() {
            _ if standby.is_empty() => false,
            Some("Ignore") => false,
            Some("Terminate") => {
                let cause = format!(
                    "At {} an instance in standby was taken out of service in response to an instance refresh.",
                    second(context.now)
                );
                for id in standby {
                    self.end(context, &id, &cause);
                }
                false
            }
            _ if refresh.moved + context.refresh_patience <= context.now => {
                let reason = "Instances in standby did not come back in time.".to_owned();
                self.fail(refresh, reason, context.now);
                true
            }
            _ => {
                refresh.reason = Some("Waiting for instances in standby.".to_owned());
                true
            }
        }
    }

    /// Whether it pauses at a checkpoint.
    fn pauses(&self, refresh: &mut Refresh, warmup: SignedDuration, now: Timestamp) -> bool {
        if refresh.status == RefreshStatus::RollbackInProgress
            || refresh.total == 0
            || refresh.passed >= refresh.preferences.checkpoint_percentages.len()
        {
            return false;
        }
        self.count_progress(refresh, warmup, now);
        if !self.is_at_checkpoint(refresh, warmup, now) {
            return false;
        }
        let since = *refresh.paused.get_or_insert(now);
        let delay = i64::from(refresh.preferences.checkpoint_delay.unwrap_or(3600));
        refresh.moved = now;
        if since + SignedDuration::from_secs(delay) > now {
            refresh.reason = Some("Waiting for the checkpoint delay to elapse.".to_owned());
            return true;
        }
        (refresh.paused, refresh.passed) = (None, refresh.passed + 1);
        let last = refresh.passed == refresh.preferences.checkpoint_percentages.len();
        if last && refresh.preferences.checkpoint_percentages.last().is_some_and(|last| *last < 100) {
            // It was asked for a part of the instances only.
            refresh.end(RefreshStatus::Successful, None, now);
            return true;
        }
        false
    }

    fn view(&self, refresh: &Refresh, warmup: SignedDuration, now: Timestamp) -> View {
        let percent = |value: Option<i32>, default: u32| {
            value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default)
        };
        let mut view = View {
            desired: self.desired,
            min_percent: percent(refresh.preferences.min_healthy_percentage, 90),
            max_percent: percent(refresh.preferences.max_healthy_percentage, 100),
            old_serving: 0,
            smallest: self.replaceable(refresh).map(|(_, weight)| weight).min().unwrap_or(1),
            old_pending: 0,
            new: 0,
            new_warm: 0,
        };
        for member in self.alive() {
            match (refresh.old.contains(&member.id), member.is_in_service()) {
                (true, true) => view.old_serving += member.weight,
                (true, false) => view.old_pending += member.weight,
                (false, _) => {
                    view.new += member.weight;
                    // What was there before a refresh and stays has nothing to warm up.
                    let warm = if refresh.launched.contains(&member.id) {
                        member.is_warm(warmup, now)
                    } else {
                        member.is_in_service()
                    };
                    view.new_warm += if warm { member.weight } else { 0 };
                }
            }
        }
        view
    }

    /// Old instances that serve or boot and may end, with their weight.
    fn replaceable<'a>(&'a self, refresh: &'a Refresh) -> impl Iterator<Item = (&'a Member, u32)> + 'a {
        let waits = waits_for_protected(refresh);
        self.alive()
            .filter(move |member| refresh.old.contains(&member.id) && !(member.protected && waits))
            .map(|member| (member, member.weight))
    }

    /// Ends old instances, `most` of them at most. False if none did.
    fn end_old(&mut self, refresh: &Refresh, wanted: Move, most: usize, context: &mut Context<'_>) -> bool {
        let old: Vec<(String, u32, bool)> = self
            .replaceable(refresh)
            .map(|(member, weight)| (member.id.clone(), weight, member.is_in_service()))
            .collect();
        let (mut allowed, mut ended) = (wanted.end, 0);
        for (id, weight, serves) in old {
            if serves && (weight > allowed || ended >= most) {
                continue;
            }
            let cause = format!(
                "At {} an instance was taken out of service in response to an instance refresh.",
                second(context.now)
            );
            self.end(context, &id, &cause);
            allowed -= if serves { weight } else { 0 };
            ended += 1;
        }
        ended > 0
    }

    /// Ends new instances that a lowered desired capacity left over, the newest first.
    fn end_surplus(&mut self, refresh: &Refresh, context: &mut Context<'_>) {
        if self.is_suspended("Terminate") {
            return;
        }
        let new: Vec<(String, u32)> = self
            .alive()
            .filter(|member| !refresh.old.contains(&member.id) && !member.protected)
            .map(|member| (member.id.clone(), member.weight))
            .collect();
        let mut capacity: u32 =
            self.alive().filter(|member| !refresh.old.contains(&member.id)).map(|member| member.weight).sum();
        for (id, weight) in new.into_iter().rev() {
            if capacity < self.desired + weight {
                break;
            }
            let cause = format!(
                "{}At {now} an instance was taken out of service in response to a difference between desired and \
                 actual capacity, shrinking the capacity from {capacity} to {}.",
                self.cause,
                self.desired,
                now = second(context.now),
            );
            self.end(context, &id, &cause);
            capacity -= weight;
        }
    }

    fn replaced(&mut self, refresh: &mut Refresh, now: Timestamp) {
        if refresh.status == RefreshStatus::RollbackInProgress {
            refresh.end(RefreshStatus::RollbackSuccessful, None, now);
            return;
        }
        let since = *refresh.replaced_since.get_or_insert(now);
        let bake = SignedDuration::from_secs(i64::from(refresh.preferences.bake_time.unwrap_or(0)));
        if since + bake > now {
            refresh.status = RefreshStatus::Baking;
            refresh.reason = Some("Waiting for bake time to elapse.".to_owned());
            return;
        }
        refresh.end(RefreshStatus::Successful, None, now);
        self.settings.source = refresh.target.clone();
    }

    fn give_up(&mut self, refresh: &mut Refresh, now: Timestamp) {
        let last = self.activities.iter().find_map(|activity| activity.status_message.clone());
        let held = |member: &Member| refresh.old.contains(&member.id) && member.protected;
        let reason = if let Some(message) = last.filter(|_| self.trouble.since.is_some()) {
            format!("Instance launches keep failing. {message}")
        } else if let Some(process) = ["Launch", "Terminate"].into_iter().find(|one| self.is_suspended(one)) {
            format!("The process {process} of the Auto Scaling group was not resumed in time.")
        } else if waits_for_protected(refresh) && self.alive().any(held) {
            "Instances that are protected from scale in were not released in time.".to_owned()
        } else {
            format!("No instance was replaced in time. {}", refresh.reason.as_deref().unwrap_or_default())
        };
        self.fail(refresh, reason, now);
    }

    /// Ends it as failed, or turns it back where that is asked for.
    fn fail(&mut self, refresh: &mut Refresh, reason: String, now: Timestamp) {
        self.trouble = super::group::LaunchTrouble::default();
        if refresh.status == RefreshStatus::RollbackInProgress {
            refresh.end(RefreshStatus::RollbackFailed, Some(reason), now);
        } else if refresh.preferences.auto_rollback == Some(true) {
            refresh.turn_back(reason, now);
        } else {
            refresh.end(RefreshStatus::Failed, Some(reason), now);
        }
    }

    fn waiting_reason(&self, refresh: &Refresh, warmup: SignedDuration, now: Timestamp) -> String {
        let waiting = self.alive().find(|member| {
            refresh.launched.contains(&member.id) && !(member.is_in_service() && member.is_warm(warmup, now))
        });
        match waiting {
            Some(member) if member.is_in_service() => {
                format!(
                    "Waiting for instances to warm up before continuing. For example: {} is warming up.",
                    member.id
                )
            }
            Some(member) => format!(
                "Waiting for remaining instances to be available. For example: {} has insufficient data to evaluate \
                 its health with Amazon EC2.",
                member.id
            ),
            None => "Waiting for instances to launch before continuing.".to_owned(),
        }
    }
}

/// Whether it waits until instances are no longer protected from scale in.
fn waits_for_protected(refresh: &Refresh) -> bool {
    refresh.preferences.scale_in_protected_instances.as_deref() != Some("Refresh")
}

/// An alarm of the refresh that is on.
fn raised(refresh: &Refresh, context: &Context<'_>) -> Option<String> {
    let names = &refresh.preferences.alarm_specification.as_ref()?.alarms;
    let is_on = |name: &&String| {
        context.alarms.by_name.get(*name).is_some_and(|alarm| alarm.state.value == StateValue::Alarm)
    };
    let watched = matches!(refresh.status, RefreshStatus::InProgress | RefreshStatus::Baking);
    names.iter().find(is_on).filter(|_| watched).cloned()
}
