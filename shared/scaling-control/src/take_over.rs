//! Who else acts on the groups: looked for at take-over and every hour after.
//!
//! A look may be long where there are many groups, so each evaluation looks at some of them: first those that were
//! never looked at, then those looked at longest ago, as many as its share of the tick's time is for. What is found of
//! one group is kept whatever becomes of the others. A group that was never looked at with success is not changed; a
//! later look that fails leaves what was known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::snapshot::ForeignController;

use crate::control_loop::{ControlLoop, lock};
use crate::pass::Read;
use crate::ports::LOOK_TIME;
use crate::reading::within;

/// How often other controllers of a group are looked for.
pub const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Longest time for one look: what an adapter takes, and a little for handing over what it has found.
pub const LONGEST_LOOK: Duration = LOOK_TIME.saturating_add(Duration::from_secs(2));

/// Shortest time for one, so that a loop with short periods, too, comes to look.
const SHORTEST_LOOK: Duration = Duration::from_secs(3);

/// Groups that are looked at in one [`LONGEST_LOOK`]; fewer in less time.
const AT_ONCE: u32 = 500;

/// Other controllers, by group.
type Others = BTreeMap<GroupName, Vec<ForeignController>>;

impl ControlLoop {
    /// Looks for others where that is due; with a deadline once, for as many groups as its time is for, otherwise until
    /// every group has had its turn.
    pub(crate) async fn look_for_other_controllers(&self, reads: &mut [Read], deadline: Option<Timestamp>) {
        let now = self.ports().clock.now();
        let doubted = lock(&self.doubted).clone();
        let is_due = |read: &&mut Read| doubted.contains(&read.config.name) || is_due(read, now);
        let mut due: Vec<&mut Read> = reads.iter_mut().filter(is_due).collect();
        {
            let tried = lock(&self.tried);
            // A group whose look fails again and again must not keep the others waiting.
            due.sort_by_cached_key(|read| {
                read.record.state.foreign_checked.max(tried.get(&read.config.name).copied())
            });
        }
        let mut due = due.into_iter();
        loop {
            let longest = share(deadline, self.ports().clock.now());
            let batch: Vec<&mut Read> = due.by_ref().take(groups_in(longest)).collect();
            let all = batch.is_empty();
            if !all {
                self.look(batch, longest, now).await;
            }
            if all || deadline.is_some() {
                return;
            }
        }
    }

    /// Who acts on the groups at this moment, as far as that is found within `longest`: who asks has often just removed, or
    /// made, another controller.
    pub(crate) async fn others_within(&self, groups: &[Arc<GroupConfig>], longest: Duration) -> Others {
        let look = self.ports().groups.foreign_controllers(groups);
        let found = within(longest.min(LONGEST_LOOK), "look for other controllers", look).await;
        found.unwrap_or_else(|error| {
            tracing::warn!(target: "scaling::integration", %error, "other controllers are those that were found last");
            Others::new()
        })
    }

    /// Puts beside what the loop knows what a look for somebody's answer has found. The loop itself looks with its next tick
    /// where the two differ; what it never knew it would find the same.
    pub(crate) fn know_others(&self, reads: &mut [Read], mut found: Others) {
        let now = self.ports().clock.now();
        for read in reads {
            let Some(others) = found.remove(&read.config.name) else { continue };
            let state = &mut read.record.state;
            if state.foreign_checked.is_none() {
                (state.foreign, state.foreign_checked) = (others.clone(), Some(now));
            } else if state.foreign != others {
                lock(&self.doubted).insert(read.config.name.clone());
            }
            read.others = Some(others);
        }
    }

    async fn look(&self, mut batch: Vec<&mut Read>, longest: Duration, now: Timestamp) {
        let configs: Vec<Arc<GroupConfig>> = batch.iter().map(|read| Arc::clone(&read.config)).collect();
        lock(&self.tried).extend(configs.iter().map(|config| (config.name.clone(), now)));
        lock(&self.doubted).retain(|name| configs.iter().all(|config| config.name != *name));
        let look = self.ports().groups.foreign_controllers(&configs);
        match within(longest, "look for other controllers", look).await {
            Ok(mut found) => {
                let mut unknown = 0_usize;
                for read in &mut batch {
                    let Some(controllers) = found.remove(&read.config.name) else {
                        unknown += 1;
                        continue;
                    };
                    read.record.state.foreign = controllers;
                    read.record.state.foreign_checked = Some(now);
                    // Stored, so that the next hour counts from here and not from the last other write.
                    read.must_store = true;
                }
                if unknown > 0 {
                    tracing::warn!(target: "scaling::integration", groups = unknown, "other controllers are not known yet");
                }
            }
            // What was found last holds until the next look.
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, groups = batch.len(), "other controllers could not be looked for");
            }
        }
    }
}

fn is_due(read: &Read, now: Timestamp) -> bool {
    let checked = read.record.state.foreign_checked;
    checked.is_none_or(|at| now.duration_since(at).as_secs_f64() >= LOOK_EVERY.as_secs_f64())
}

/// A quarter of what the deadline leaves, within the shortest and the longest look.
fn share(deadline: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = deadline.map(|deadline| Duration::try_from(deadline.duration_since(now)).unwrap_or_default());
    left.map_or(LONGEST_LOOK, |left| (left / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK))
}

fn groups_in(time: Duration) -> usize {
    usize::try_from(AT_ONCE.saturating_mul(seconds(time)) / seconds(LONGEST_LOOK))
        .unwrap_or(usize::MAX)
        .max(1)
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_has_a_quarter_of_the_tick_and_as_many_groups_as_go_into_it() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |seconds: i64| {
            let time = share(Some(now + jiff::SignedDuration::from_secs(seconds)), now);
            (time.as_secs(), groups_in(time))
        };
        assert_eq!(of(50), (12, 500));
        assert_eq!(of(24), (6, 250));
        assert_eq!(of(1), (3, 125));
        assert_eq!(of(-20), (3, 125));
        assert_eq!(share(None, now), LONGEST_LOOK);
    }
}
