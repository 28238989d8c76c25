//! Scheduled actions as time passes.

use jiff::Timestamp;

use super::cron::Cron;
use super::group::Group;
use super::policy::ScheduledAction;
use super::scaling::second;

impl ScheduledAction {
    /// When it is due next, after `after`. `None` when it will not be any more.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let first = self.start_time.filter(|start| *start > after);
        let next = match (&self.recurrence, first) {
            (_, Some(first)) => Some(first),
            (Some(cron), None) => Cron::parse(cron, self.time_zone.as_deref())?.next(after),
            (None, None) => None,
        };
        next.filter(|next| self.end_time.is_none_or(|end| *next <= end))
    }
}

impl Group {
    /// Carries out the actions that were due in `(before, now]`, and forgets those that will not be due again.
    pub(crate) fn run_schedule(&mut self, before: Timestamp, now: Timestamp) {
        let acts = !self.is_suspended("ScheduledActions");
        let mut due: Vec<(Timestamp, ScheduledAction)> = self
            .scheduled
            .values()
            .filter_map(|action| Some((action.next(before).filter(|next| *next <= now)?, action.clone())))
            .collect();
        due.sort_by_key(|(at, _)| *at);
        if acts {
            for (_, action) in &due {
                self.apply(action, now);
            }
        }
        self.scheduled.retain(|_, action| action.next(now).is_some());
    }

    fn apply(&mut self, action: &ScheduledAction, now: Timestamp) {
        let size = |given: Option<i32>| given.and_then(|size| u32::try_from(size).ok());
        let min = size(action.min_size).unwrap_or(self.settings.min);
        let max = size(action.max_size).unwrap_or(self.settings.max);
        if min > max {
            return;
        }
        let before = self.desired;
        let desired = size(action.desired_capacity).unwrap_or(before).clamp(min, max);
        (self.settings.min, self.settings.max) = (min, max);
        if desired != before {
            self.cause = format!(
                "At {now} a scheduled action update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: \
                 {desired} changing the desired capacity from {before} to {desired}.  ",
                now = second(now),
            );
            self.desired = desired;
            self.trouble.next_try = None;
        }
    }
}
