//! Spot Instances of a group: when the next one is, and replacing those that will be interrupted.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Capacity Rebalancing in Auto Scaling to replace at-risk Spot Instances": the
//! replacement is launched first, and the instance at risk ends when it serves.

use super::group::Group;
use super::launch::LaunchSource;
use super::scaling::{Context, second};

impl Group {
    /// Capacity that boots or serves and is on-demand.
    pub(crate) fn on_demand_capacity(&self) -> u32 {
        self.alive().filter(|member| !member.spot).map(|member| member.weight).sum()
    }

    /// Whether the next instance from `source` is a Spot Instance, where the source leaves that open.
    pub(crate) fn wants_spot(&self, source: &LaunchSource) -> bool {
        let enough = |target| self.on_demand_capacity() >= target;
        source.on_demand(self.capacity() + 1).is_some_and(enough)
    }

    /// Launches one instance in advance for one that will be interrupted, where the group rebalances its capacity. False
    /// if there is nothing to do.
    pub(crate) fn replace_at_risk(&mut self, context: &mut Context<'_>) -> bool {
        if !self.settings.capacity_rebalance || self.is_suspended("Launch") {
            return false;
        }
        let leaving = self.alive().find(|member| member.at_risk && !member.protected);
        let Some(id) = leaving.map(|member| member.id.clone()) else { return false };
        let cause = format!(
            "At {} an instance was launched in response to an EC2 instance rebalance recommendation for instance {id}.",
            second(context.now)
        );
        let source = self.settings.source.clone();
        self.balancing = self.launch(context, &source, 1, &cause).pop();
        self.balancing.is_some()
    }
}
