//! Scheduled actions as time passes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// The scheduled actions of a group by name.
///
/// Every step of time asks when the next one is due, and a cron expression takes long to say so: the answer is kept until an
/// action comes, goes or acts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    actions: BTreeMap<String, ScheduledAction>,
    #[serde(skip)]
    next: OnceLock<Option<Timestamp>>,
}

impl Schedule {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether there is one of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.actions.contains_key(name)
    }

    /// All by name.
    pub fn iter(&self) -> impl Iterator<Item = &ScheduledAction> {
        self.actions.values()
    }

    /// Adds an action, or sets it anew.
    pub(crate) fn put(&mut self, action: ScheduledAction) {
        self.actions.insert(action.scheduled_action_name.clone(), action);
        self.next.take();
    }

    /// Takes an action away. False if there is none of that name.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.next.take();
        self.actions.remove(name).is_some()
    }

    /// When there is next something to do after `now`, the present moment: an action is due, or, at once, one will never be
    /// again and is to be forgotten.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let of = |action: &ScheduledAction| action.next(now).unwrap_or(now);
        *self.next.get_or_init(|| self.actions.values().map(of).min())
    }

    /// The actions that are due in `(before, now]`, in their order. Those that will not be due again are forgotten.
    fn take_due(&mut self, before: Timestamp, now: Timestamp) -> Vec<ScheduledAction> {
        let due =
            |action: &ScheduledAction| Some((action.next(before).filter(|at| *at <= now)?, action.clone()));
        let mut all: Vec<(Timestamp, ScheduledAction)> = self.actions.values().filter_map(due).collect();
        all.sort_by_key(|(at, _)| *at);
        self.actions.retain(|_, action| action.next(now).is_some());
        self.next.take();
        all.into_iter().map(|(_, action)| action).collect()
    }
}

impl Group {
    /// Carries out the actions that are due at the end of a step of time, from `before` to `now`. Steps end where one is
    /// due, so that it acts in its own second.
    pub(crate) fn run_schedule(&mut self, before: Timestamp, now: Timestamp) {
        if self.scheduled.next(before).is_none_or(|next| next > now) {
            return;
        }
        let due = self.scheduled.take_due(before, now);
        if !self.is_suspended("ScheduledActions") && !self.deleting {
            for action in &due {
                self.apply(action, now);
            }
        }
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
