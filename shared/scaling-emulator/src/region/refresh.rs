//! Instance refreshes: replacing a group's instances by ones of another configuration, and back.
//!
//! `plan` says what one step may do; it keeps the healthy share of the desired capacity at or above the minimum
//! and what exists at or below the maximum. With a minimum of 100 % replacements come first, one at a time at
//! least; with a lower one, one instance at a time may end even where the minimum rounds up to everything.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::blueprints::TemplateSpec;
use super::launch::{LaunchSource, MixedInstancesPolicy};

/// How a refresh stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshStatus {
    /// Asked for; begins with the next step.
    Pending,
    /// Replacing.
    InProgress,
    /// Done, waiting for the bake time to pass.
    Baking,
    /// Done.
    Successful,
    /// Given up.
    Failed,
    /// Asked to stop; stops with the next step.
    Cancelling,
    /// Stopped.
    Cancelled,
    /// Replacing backwards.
    RollbackInProgress,
    /// Given up backwards.
    RollbackFailed,
    /// Back.
    RollbackSuccessful,
}

impl RefreshStatus {
    /// Whether it has not ended.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::InProgress | Self::Baking | Self::Cancelling | Self::RollbackInProgress
        )
    }
}

/// What a refresh may and should do; absent members have AWS's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Preferences {
    /// Least share of the desired capacity that stays healthy, in percent.
    pub min_healthy_percentage: Option<i32>,
    /// Largest share of the desired capacity that may exist, in percent.
    pub max_healthy_percentage: Option<i32>,
    /// Warm-up of replacements in seconds.
    pub instance_warmup: Option<i32>,
    /// Whether instances that match already are left alone.
    pub skip_matching: Option<bool>,
    /// Whether to go back on failure.
    pub auto_rollback: Option<bool>,
    /// `Wait`, `Ignore` or `Refresh`.
    pub scale_in_protected_instances: Option<String>,
    /// `Wait`, `Ignore` or `Terminate`.
    pub standby_instances: Option<String>,
    /// Time to wait after the last replacement, in seconds.
    pub bake_time: Option<i32>,
    /// Shares of the replacements, in percent, after each of which it pauses; rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checkpoint_percentages: Vec<i32>,
    /// How long it pauses, in seconds.
    pub checkpoint_delay: Option<i32>,
    /// Alarms that end it.
    pub alarm_specification: Option<AlarmSpecification>,
}

/// Alarms that end a refresh.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmSpecification {
    /// Their names.
    #[serde(default)]
    pub alarms: Vec<String>,
}

/// What the group should launch from after the refresh.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DesiredConfiguration {
    /// A template alone.
    pub launch_template: Option<TemplateSpec>,
    /// Or a template with types.
    pub mixed_instances_policy: Option<MixedInstancesPolicy>,
}

/// Where a refresh stood when it turned back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RollbackDetails {
    /// Why.
    pub rollback_reason: String,
    /// When.
    pub rollback_start_time: Timestamp,
    /// Percent done then.
    pub percentage_complete_on_rollback: u32,
    /// Instances not yet replaced then.
    pub instances_to_update_on_rollback: u32,
    /// Both by group and warm pool, where there is one.
    #[serde(default)]
    pub progress_details_on_rollback: Option<ProgressDetails>,
}

/// How far a refresh is. An instance counts when its replacement serves and has warmed up, in a warm pool when it is
/// ready there; while a refresh is rolled back, the percentage falls to nothing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Progress {
    /// Percent of the replacements done.
    pub percentage_complete: u32,
    /// Instances not yet replaced.
    pub instances_to_update: u32,
}

/// How far a refresh is in a group that has a warm pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProgressDetails {
    /// In the group.
    pub live_pool_progress: Progress,
    /// In its warm pool.
    pub warm_pool_progress: Progress,
}

/// What a refresh has to do in the warm pool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pool {
    /// Instances of the pool to replace.
    pub old: BTreeSet<String>,
    /// Instances that it launched into the pool.
    pub launched: BTreeSet<String>,
    /// How many instances there were to replace.
    pub total: u32,
    /// How many of them are not yet replaced by one that is ready.
    pub left: u32,
}

/// One refresh of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refresh {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub status: RefreshStatus,
    /// Why it stands so.
    pub reason: Option<String>,
    /// When it was asked for.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// As asked, with defaults filled in.
    pub preferences: Preferences,
    /// As asked.
    pub desired: Option<DesiredConfiguration>,
    /// What it launches from.
    pub target: LaunchSource,
    /// What the group launched from before.
    pub origin: LaunchSource,
    /// Instances to replace.
    pub old: BTreeSet<String>,
    /// Instances it launched.
    pub launched: BTreeSet<String>,
    /// How many instances there were to replace.
    pub total: u32,
    /// How many of them are not yet replaced by one that serves and has warmed up.
    pub left: u32,
    /// The same of the group's warm pool. `None` where there was none.
    #[serde(default)]
    pub pool: Option<Pool>,
    /// When it turned back.
    pub rollback: Option<RollbackDetails>,
    /// Since when everything is replaced.
    pub replaced_since: Option<Timestamp>,
    /// When something last came of it: a launch, a replacement.
    pub moved: Timestamp,
    /// How many checkpoints are behind it.
    pub passed: usize,
    /// Since when it pauses at a checkpoint.
    pub paused: Option<Timestamp>,
    /// The status that the last event told of.
    #[serde(default)]
    pub told: Option<RefreshStatus>,
}

impl Refresh {
    /// How far it is in group and warm pool together.
    pub fn progress(&self) -> Progress {
        let (total, left) = self.pool.as_ref().map_or((0, 0), |pool| (pool.total, pool.left));
        self.progress_of(self.total + total, self.left + left)
    }

    /// How far it is in the group, and in its warm pool. `None` without a pool.
    pub fn details(&self) -> Option<ProgressDetails> {
        let pool = self.pool.as_ref()?;
        Some(ProgressDetails {
            live_pool_progress: self.progress_of(self.total, self.left),
            warm_pool_progress: self.progress_of(pool.total, pool.left),
        })
    }

    fn progress_of(&self, total: u32, left: u32) -> Progress {
        let done = matches!(self.status, RefreshStatus::Successful | RefreshStatus::Baking);
        let updated = total.saturating_sub(left);
        let percent = (100 * updated).checked_div(total).unwrap_or(if done { 100 } else { 0 });
        Progress { percentage_complete: percent, instances_to_update: left }
    }

    /// How many of the replacements may be done before it has to pause next. `None` where it goes on to its end.
    pub(crate) fn allowed(&self) -> Option<u32> {
        let next = self.preferences.checkpoint_percentages.get(self.passed);
        let percent = next.and_then(|percent| u32::try_from(*percent).ok())?;
        let paused = self.status != RefreshStatus::RollbackInProgress;
        paused.then(|| (self.total * percent.min(100)).div_ceil(100))
    }

    /// Ends it.
    pub(crate) fn end(&mut self, status: RefreshStatus, reason: Option<String>, now: Timestamp) {
        self.status = status;
        self.reason = reason;
        self.ended = Some(now);
    }

    /// Turns it back: what it launched is now what has to go.
    pub(crate) fn turn_back(&mut self, reason: String, now: Timestamp) {
        let progress = self.progress();
        self.rollback = Some(RollbackDetails {
            rollback_reason: reason.clone(),
            rollback_start_time: now,
            percentage_complete_on_rollback: progress.percentage_complete,
            instances_to_update_on_rollback: progress.instances_to_update,
            progress_details_on_rollback: self.details(),
        });
        self.status = RefreshStatus::RollbackInProgress;
        self.reason = Some(reason);
        self.old = std::mem::take(&mut self.launched);
        if let Some(pool) = &mut self.pool {
            pool.old = std::mem::take(&mut pool.launched);
        }
        self.target = self.origin.clone();
        self.replaced_since = None;
        self.paused = None;
        self.moved = now;
    }
}

/// What a step has to know of a group, in units of capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) desired: u32,
    pub(crate) min_percent: u32,
    pub(crate) max_percent: u32,
    /// Old capacity that serves.
    pub(crate) old_serving: u32,
    /// Capacity of the smallest old instance that serves and may end: what a step has to give up at least.
    pub(crate) smallest: u32,
    /// Old capacity that boots.
    pub(crate) old_pending: u32,
    /// New capacity, booting or serving.
    pub(crate) new: u32,
    /// New capacity that serves and has warmed up.
    pub(crate) new_warm: u32,
}

/// What a step may do, in units of capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    /// New capacity to launch.
    pub(crate) launch: u32,
    /// Old serving capacity that may end; what boots may always.
    pub(crate) end: u32,
    /// Whether everything is replaced and warm.
    pub(crate) done: bool,
}

/// What one step may do.
pub(crate) fn plan(view: View) -> Move {
    let least = least(&view);
    let one_more = view.desired + u32::from(view.min_percent >= 100);
    let most = (view.desired * view.max_percent / 100).max(one_more);
    let exists = view.old_serving + view.old_pending + view.new;
    let healthy = view.old_serving + view.new_warm;
    let missing = view.desired.saturating_sub(view.new);
    Move {
        launch: missing.min(most.saturating_sub(exists)),
        end: healthy.saturating_sub(least).min(view.old_serving),
        done: view.old_serving + view.old_pending == 0 && view.new_warm >= view.desired,
    }
}

/// Capacity that has to stay healthy.
///
/// A refresh replaces one instance at a time at least: 90 % of 4 rounds up to 4, and nothing could ever end.
fn least(view: &View) -> u32 {
    let share = (view.desired * view.min_percent).div_ceil(100);
    if view.min_percent < 100 { share.min(view.desired.saturating_sub(view.smallest)) } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: View = View {
        desired: 4,
        min_percent: 100,
        max_percent: 200,
        old_serving: 4,
        smallest: 1,
        old_pending: 0,
        new: 0,
        new_warm: 0,
    };

    #[test]
    fn replacements_come_first_when_nothing_may_be_missing() {
        for (view, launch, end, done) in [
            (BASE, 4, 0, false),
            (View { max_percent: 150, ..BASE }, 2, 0, false),
            (View { max_percent: 110, ..BASE }, 1, 0, false),
            (View { max_percent: 100, ..BASE }, 1, 0, false),
            (View { new: 4, ..BASE }, 0, 0, false),
            (View { new: 4, new_warm: 3, ..BASE }, 0, 3, false),
            (View { new: 4, new_warm: 4, ..BASE }, 0, 4, false),
            (View { new: 4, new_warm: 4, old_serving: 0, ..BASE }, 0, 0, true),
            (View { desired: 0, old_serving: 0, ..BASE }, 0, 0, true),
        ] {
            assert_eq!(plan(view), Move { launch, end, done }, "{view:?}");
        }
    }

    #[test]
    fn a_lower_minimum_ends_before_it_launches() {
        let view = View { desired: 10, min_percent: 90, max_percent: 100, old_serving: 10, ..BASE };
        assert_eq!(plan(view), Move { launch: 0, end: 1, done: false });
        assert_eq!(plan(View { old_serving: 9, ..view }), Move { launch: 1, end: 0, done: false });
    }

    #[test]
    fn one_instance_may_end_where_the_minimum_rounds_up_to_everything() {
        for desired in 1..10 {
            let view = View { desired, min_percent: 90, max_percent: 100, old_serving: desired, ..BASE };
            assert_eq!(plan(view), Move { launch: 0, end: 1, done: false }, "of {desired}");
            let begun = View { old_serving: desired - 1, ..view };
            assert_eq!(plan(begun), Move { launch: 1, end: 0, done: false }, "of {desired}, one gone");
        }
        let heavy =
            View { desired: 8, min_percent: 90, max_percent: 100, old_serving: 8, smallest: 4, ..BASE };
        assert_eq!(plan(heavy), Move { launch: 0, end: 4, done: false });
    }

    #[test]
    fn healthy_capacity_never_falls_below_the_minimum_from_any_start() {
        for desired in 0..12 {
            for (min_percent, max_percent) in [(100, 100), (100, 200), (90, 110), (50, 100), (0, 100)] {
                for (old_serving, new_warm) in (0..12).flat_map(|old| (0..12).map(move |new| (old, new))) {
                    let view = View {
                        desired,
                        min_percent,
                        max_percent,
                        old_serving,
                        new: new_warm,
                        new_warm,
                        ..BASE
                    };
                    let healthy = old_serving + new_warm;
                    let share = (desired * min_percent).div_ceil(100);
                    // The one exception: below 100 %, one instance at a time.
                    let one_less = desired.saturating_sub(1);
                    let least = if min_percent < 100 { share.min(one_less) } else { share };
                    assert!(healthy - plan(view).end >= least.min(healthy), "{view:?}");
                }
            }
        }
    }
}
