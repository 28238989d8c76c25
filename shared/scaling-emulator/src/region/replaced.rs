//! How far an instance refresh is: in the group, up to the next checkpoint, and in the warm pool.
//!
//! Source: *Amazon EC2 Auto Scaling API Reference*, InstanceRefresh: an instance counts as updated when it is healthy and
//! its warm-up has passed; `PercentageComplete` goes back down to zero during a rollback. *User Guide*, "Add checkpoints to
//! an instance refresh": a checkpoint is a share of the instances that are new. Capacity is what is counted, because
//! instances of other weights may stand for the ones before.

use jiff::{SignedDuration, Timestamp};

use super::group::Group;
use super::member::Member;
use super::refresh::{Move, Refresh, RefreshStatus};
use super::scaling::{Context, second};

impl Group {
    /// Launches replacements, none of them from what the refresh is going to end. False if none was launched.
    pub(super) fn launch_new(
        &mut self,
        refresh: &mut Refresh,
        context: &mut Context<'_>,
        units: u32,
        cause: &str,
    ) -> bool {
        self.outgoing.clone_from(&refresh.old);
        self.outgoing.extend(refresh.pool.iter().flat_map(|pool| pool.old.iter().cloned()));
        let launched = self.launch(context, &refresh.target, units, cause);
        self.outgoing.clear();
        let any = !launched.is_empty();
        refresh.launched.extend(launched);
        any
    }

    /// Holds a step back at the next checkpoint. Returns how many old instances may end.
    pub(super) fn up_to_checkpoint(&self, refresh: &Refresh, wanted: &mut Move) -> usize {
        let Some(allowed) = refresh.allowed() else { return usize::MAX };
        let open = allowed.saturating_sub(refresh.total.saturating_sub(self.old_left(refresh)));
        let share =
            (u64::from(self.needed(refresh)) * u64::from(allowed)).div_ceil(u64::from(refresh.total.max(1)));
        let share =
            u32::try_from(share).unwrap_or(u32::MAX).saturating_sub(self.new_capacity(refresh, |_| true));
        // What is missing is launched all the same: the group has to have its capacity where it pauses.
        let missing = self.desired.saturating_sub(self.capacity());
        wanted.launch = wanted.launch.min(share.max(missing));
        open as usize
    }

    /// Whether the share of the next checkpoint is new and warm, and nothing else is under way.
    pub(super) fn is_at_checkpoint(&self, refresh: &Refresh, warmup: SignedDuration, now: Timestamp) -> bool {
        let Some(allowed) = refresh.allowed() else { return false };
        let ended = refresh.total.saturating_sub(self.old_left(refresh));
        let updated = refresh.total.saturating_sub(refresh.left);
        ended >= allowed
            && updated >= allowed
            && self.capacity() >= self.desired
            && !self.is_coming(refresh, warmup, now)
    }

    /// Whether a replacement boots or warms up, in the group or its warm pool.
    pub(super) fn is_coming(&self, refresh: &Refresh, warmup: SignedDuration, now: Timestamp) -> bool {
        let of_group =
            |member: &Member| refresh.launched.contains(&member.id) && !member.is_warm(warmup, now);
        let of_pool = |member: &Member| {
            let launched = refresh.pool.as_ref().is_some_and(|pool| pool.launched.contains(&member.id));
            launched && member.state.is_warming()
        };
        self.alive().any(of_group) || self.members.iter().any(of_pool)
    }

    /// Writes down how many instances are not replaced yet.
    pub(super) fn count_progress(&self, refresh: &mut Refresh, warmup: SignedDuration, now: Timestamp) {
        let needed = self.needed(refresh);
        let warm = self.new_capacity(refresh, |member| member.is_warm(warmup, now)).min(needed);
        let before = match &refresh.rollback {
            Some(rollback) if refresh.status == RefreshStatus::RollbackInProgress => Some(
                rollback
                    .progress_details_on_rollback
                    .map_or(rollback.instances_to_update_on_rollback, |details| {
                        details.live_pool_progress.instances_to_update
                    }),
            ),
            _ => None,
        };
        refresh.left = remaining(refresh.total, before, (warm, needed));
        let (ready, wanted) = self.new_pool(refresh);
        let on_rollback =
            refresh.rollback.as_ref().and_then(|rollback| rollback.progress_details_on_rollback);
        if let Some(pool) = &mut refresh.pool {
            let before = on_rollback.map(|details| details.warm_pool_progress.instances_to_update);
            pool.left = remaining(pool.total, before, (ready.min(wanted), wanted));
        }
    }

    /// Ends what is old in the warm pool. False if nothing did.
    pub(super) fn end_old_pool(&mut self, refresh: &Refresh, context: &mut Context<'_>) -> bool {
        let Some(pool) = &refresh.pool else { return false };
        let old = |member: &&Member| member.state.is_warm_pool() && pool.old.contains(&member.id);
        let old: Vec<String> = self.members.iter().filter(old).map(|member| member.id.clone()).collect();
        let cause = format!(
            "At {} an instance was removed from the warm pool in response to an instance refresh.",
            second(context.now)
        );
        let ended = old.iter().filter(|id| self.end(context, id, &cause)).count();
        ended > 0
    }

    /// Fills the warm pool with what the refresh launches. False if nothing was launched.
    pub(super) fn refill_pool(&mut self, refresh: &mut Refresh, context: &mut Context<'_>) -> bool {
        let launched = self.keep_warm_pool(context, &refresh.target);
        if launched.is_empty() {
            return false;
        }
        // The pool may be newer than the refresh.
        refresh.pool.get_or_insert_default().launched.extend(launched);
        true
    }

    /// Whether the warm pool has nothing old left, and what it should have is ready.
    pub(super) fn has_new_pool(&self, refresh: &Refresh) -> bool {
        let (ready, wanted) = self.new_pool(refresh);
        let old = |member: &Member| {
            let known = refresh.pool.as_ref().is_some_and(|pool| pool.old.contains(&member.id));
            known && member.state.is_warm_pool() && !member.state.is_ending()
        };
        ready >= wanted && !self.members.iter().any(old)
    }

    /// Instances of the warm pool that are ready and need not be replaced, and how many there should be.
    fn new_pool(&self, refresh: &Refresh) -> (u32, u32) {
        let Some(pool) = self.warm_pool else { return (0, 0) };
        let fits = |member: &&Member| {
            member.state.is_warmed()
                && refresh.pool.as_ref().is_none_or(|pool| !pool.old.contains(&member.id))
        };
        let ready = u32::try_from(self.members.iter().filter(fits).count()).unwrap_or(u32::MAX);
        (ready, pool.wanted(self.settings.max, self.desired))
    }

    /// Old instances that boot or serve.
    fn old_left(&self, refresh: &Refresh) -> u32 {
        let old = self.alive().filter(|member| refresh.old.contains(&member.id)).count();
        u32::try_from(old).unwrap_or(u32::MAX)
    }

    /// Capacity that the refresh launched.
    fn new_capacity(&self, refresh: &Refresh, counts: impl Fn(&Member) -> bool) -> u32 {
        let new = self.alive().filter(|member| refresh.launched.contains(&member.id));
        new.filter(|member| counts(member)).map(|member| member.weight).sum()
    }

    /// Capacity that the refresh has to launch in all: what is desired without what stays.
    fn needed(&self, refresh: &Refresh) -> u32 {
        let stays =
            |member: &&Member| !refresh.old.contains(&member.id) && !refresh.launched.contains(&member.id);
        let kept: u32 = self.alive().filter(stays).map(|member| member.weight).sum();
        self.desired.saturating_sub(kept)
    }
}

/// How many of `total` instances are not replaced when `done` of `needed` is; on the way back from `before`, more and more.
fn remaining(total: u32, before: Option<u32>, (done, needed): (u32, u32)) -> u32 {
    let share = |of: u32| {
        let share = (u64::from(of) * u64::from(done)).checked_div(u64::from(needed));
        share.map_or(of, |share| u32::try_from(share).unwrap_or(u32::MAX))
    };
    match before {
        None => total - share(total),
        Some(before) => before + share(total.saturating_sub(before)),
    }
}
