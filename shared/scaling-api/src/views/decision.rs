//! A decision.

use jiff::Timestamp;
use scaling_policy::decision::{Action, Alternative, Decision, GuardNote, Reason, Wanted};
use scaling_policy::trigger::{PerTrigger, Trigger};
use serde::Serialize;

/// What should be done with a group, and why.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Decision))]
pub(crate) struct DecisionView<'a> {
    /// The group.
    pub(crate) group: &'a str,
    /// When it was made.
    pub(crate) at: Timestamp,
    /// The configuration it was made under.
    pub(crate) config_version: u64,
    /// What to do.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Action))]
    pub(crate) action: &'a Action,
    /// Why.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Reason))]
    pub(crate) reason: &'a Reason,
    /// The reason as a sentence.
    pub(crate) explanation: String,
    /// Load of each trigger: value over threshold, 1 is at the limit, null is without a usable reading.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Loads))]
    pub(crate) loads: &'a PerTrigger<Option<f64>>,
    /// The trigger whose demand set the wanted capacity.
    #[cfg_attr(test, schema(value_type = Option<String>))]
    pub(crate) driver: Option<Trigger>,
    /// Capacity that carries the load at the target load.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Wanted))]
    pub(crate) wanted: &'a Wanted,
    /// Where guards trimmed or held it, in their order.
    #[cfg_attr(test, schema(value_type = [crate::openapi::schemas::GuardNote]))]
    pub(crate) guards: &'a [GuardNote],
    /// What people had set that held, with author and reason: calendar, override, pause, kill switch.
    pub(crate) in_force: &'a [String],
    /// Other candidates that were priced, cheapest first.
    #[cfg_attr(test, schema(value_type = [crate::openapi::schemas::Alternative]))]
    pub(crate) alternatives: &'a [Alternative],
    /// What runs costs, in USD per hour.
    pub(crate) cost_before: f64,
    /// What it leads to costs, in USD per hour.
    pub(crate) cost_after: f64,
}

impl<'a> From<&'a Decision> for DecisionView<'a> {
    fn from(decision: &'a Decision) -> Self {
        Self {
            group: decision.group.as_str(),
            at: decision.at,
            config_version: decision.config_version.0,
            action: &decision.action,
            reason: &decision.reason,
            explanation: decision.reason.to_string(),
            loads: &decision.loads,
            driver: decision.driver,
            wanted: &decision.wanted,
            guards: &decision.guards,
            in_force: &decision.in_force,
            alternatives: &decision.alternatives,
            cost_before: decision.cost_before.0,
            cost_after: decision.cost_after.0,
        }
    }
}
