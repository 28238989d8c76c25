//! How a group's instances spread over its availability zones.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Auto Scaling benefits for application architecture" (rebalancing: a new
//! instance first, then an old one ends).

use super::group::Group;
use super::hooks::Place;
use super::launch::LaunchOption;
use super::member::Member;
use super::scaling::{Context, second};
use super::trouble::ANY;

impl Group {
    /// Its zones, the one with the fewest instances first; ties in the group's order.
    pub(crate) fn zones_by_need(&self) -> Vec<String> {
        let stays = |member: &&Member| !self.outgoing.contains(&member.id);
        let count = |zone: &String| self.alive().filter(|member| member.zone == *zone).filter(stays).count();
        let mut zones = self.settings.zones.clone();
        zones.sort_by_cached_key(count);
        zones
    }

    /// Launches one instance into a zone that has too few, or for one in a zone that is no longer the group's. The
    /// fullest zone, or the one that was taken away, then gives one, because the group is larger than desired.
    pub(crate) fn rebalance(&mut self, context: &mut Context<'_>) {
        if ["AZRebalance", "Launch", "Terminate"].iter().any(|process| self.is_suspended(process)) {
            return;
        }
        let counts = self.zone_counts();
        let count = |zone: &String| counts.get(zone.as_str()).copied().unwrap_or(0);
        let usable = || self.settings.zones.iter().filter(|zone| !context.faults.is_down(zone));
        let (Some(least), Some(most)) =
            (usable().map(count).min(), self.settings.zones.iter().map(count).max())
        else {
            return;
        };
        let misplaced = || self.alive().filter(|member| self.is_misplaced(member) && !member.protected);
        let lightest = misplaced().map(|member| member.weight).min();
        let balanced = most < least + 2 && lightest.is_none();
        if balanced || self.alive().any(|member| !member.is_in_service()) {
            return;
        }
        let source = &self.settings.source;
        let options = source.options(context.blueprints, context.machines).unwrap_or_default();
        let options = if self.wants_spot(source) { source.as_spot(&options) } else { options };
        let Some(zone) = usable().min_by_key(|zone| count(zone)).cloned() else { return };
        let possible = options.iter().find(|option| context.why_not(option, &zone, self).is_none());
        // What is launched has to make room for what it replaces.
        let replaces = |option: &&LaunchOption| {
            most >= least + 2 || lightest.is_some_and(|lightest| lightest <= option.weight)
        };
        if let Some(option) = possible.filter(replaces) {
            let cause = format!(
                "At {} an instance was launched to aid in balancing the group's zones.",
                second(context.now)
            );
            self.balancing = Some(self.launch_one(context, option, (zone, Place::Group), &cause));
        }
    }

    /// Whether an instance is in a zone that is not the group's.
    pub(crate) fn is_misplaced(&self, member: &Member) -> bool {
        !self.settings.zones.contains(&member.zone)
    }

    /// Capacity above what is desired that has to stay until the instance that balances the zones serves.
    pub(crate) fn held_for_balance(&mut self) -> u32 {
        let launched = self.balancing.as_deref().and_then(|id| self.member(id));
        let weight = launched.filter(|member| member.state.is_pending()).map_or(0, |member| member.weight);
        if weight == 0 {
            self.balancing = None;
        }
        weight
    }

    /// Its zones, the one with the fewest instances of group and warm pool first.
    pub(crate) fn zones_by_total(&self) -> Vec<String> {
        let count = |zone: &String| {
            self.members.iter().filter(|member| member.zone == *zone && !member.state.is_ending()).count()
        };
        let mut zones = self.settings.zones.clone();
        zones.sort_by_cached_key(count);
        zones
    }
}

impl super::trouble::LaunchFaults {
    /// Whether a zone is out.
    pub(crate) fn is_down(&self, zone: &str) -> bool {
        self.zones_down.contains(zone) || self.zones_down.contains(ANY)
    }
}
