//! When capacity is given back, and how much of it.

use std::time::Duration;

use super::demand::count;
use super::draft::{Draft, needed};
use super::{Inputs, stand_still};
use crate::config::{GroupConfig, ScaleDownRule};
use crate::decision::Reason;
use crate::learned::Learned;
use crate::learned::recent::longest_window;
use crate::operation::OperationState;
use crate::trigger::Trigger;

/// A release of at most this share of the replicas, and of one in any case, is small.
const SMALL_RELEASE: f64 = 0.1;

/// How long after a scale-up a small release waits for more than one window.
const RESTLESS: Duration = Duration::from_secs(1800);

/// For so many windows fewer replicas must have been enough then. Chosen over the traces of the policy table: a quarter
/// fewer changes a day and a third fewer reversals, for 0.7 % of the cost in the median. Spacing the large releases out as
/// well, twice or three times as far, costs 5 or 13 % where the load comes in bursts.
const RESTLESS_WINDOWS: u32 = 3;

/// Fewer replicas, one step down, where the rule of the configuration says that fewer are enough.
pub(super) fn down(inputs: &Inputs<'_>) -> Option<Draft> {
    let have = inputs.snapshot.group.desired;
    let (floor, reason) = match inputs.config.scale_down {
        ScaleDownRule::Window => down_by_window(inputs)?,
        ScaleDownRule::Threshold => down_by_threshold(inputs)?,
    };
    let replicas = one_step_down(inputs.config, have).max(floor).max(held_by_memory(inputs));
    (replicas < have).then(|| Draft { replicas, ..stand_still(inputs, reason) })
}

/// Replicas, of those there are, that memory needs up to its very limit. Where what each holds anyway leaves little room, no
/// more are ordered by that quotient; but what is there is not given back either, or the rest would be over the limit.
fn held_by_memory(inputs: &Inputs<'_>) -> u32 {
    let least = inputs.demand.least_for_memory(inputs.config, &inputs.snapshot.group.launch_type);
    least.min(inputs.snapshot.group.desired)
}

/// The fewest that one step leaves of `have`. Rounded up: a factor of 0.75 takes at most a quarter; but one at least.
pub(super) fn one_step_down(config: &GroupConfig, have: u32) -> u32 {
    count(f64::from(have) * config.scale_down_factor).min(have.saturating_sub(1))
}

/// The highest count that was wanted within the window, where that is lower than what there is.
fn down_by_window(inputs: &Inputs<'_>) -> Option<(u32, Reason)> {
    let (config, group) = (inputs.config, &inputs.snapshot.group);
    let window = down_window(inputs);
    let now_needed = needed(inputs, &inputs.demand, &group.launch_type).max(inputs.bounds.min);
    if now_needed >= group.desired || !inputs.demand.is_known(config) {
        return None;
    }
    let floor_over = |window| {
        let highest = inputs.learned.recent.highest(window, config.evaluation_period, inputs.now)?;
        Some(count(highest / group.launch_type.vcpu.0).max(now_needed))
    };
    let Some(floor) = floor_over(window) else { return Some((group.desired, Reason::Stabilizing)) };
    if is_small(group.desired, floor) && is_restless(inputs) {
        let longer = window.saturating_mul(RESTLESS_WINDOWS);
        if let Some(floor) = floor_over(longer) {
            return Some((floor, Reason::LoadLow { window_seconds: longer.as_secs() }));
        }
    }
    Some((floor, Reason::LoadLow { window_seconds: window.as_secs() }))
}

/// Whether so few replicas would go that ordering them back costs about what keeping them does.
fn is_small(have: u32, floor: u32) -> bool {
    have.saturating_sub(floor) <= count(f64::from(have) * SMALL_RELEASE)
}

/// Whether capacity was added a while ago: a load that rises and falls by a replica would order and return it all day.
fn is_restless(inputs: &Inputs<'_>) -> bool {
    inputs
        .state
        .last_up
        .is_some_and(|up| inputs.now.duration_since(up).as_secs_f64() < RESTLESS.as_secs_f64())
}

pub(super) fn down_window(inputs: &Inputs<'_>) -> Duration {
    doubled_window(inputs.config, inputs.learned, inputs.state)
}

/// The stabilization window, doubled for every scale-down that had to be undone.
fn doubled_window(config: &GroupConfig, learned: &Learned, state: &OperationState) -> Duration {
    let window = config.stabilization_window(learned.boot_time());
    // A longer one than is remembered would never be over.
    let doubled = window * 2_u32.pow(u32::from(state.down_delay_doublings.min(5)));
    doubled.min(longest_window(config.evaluation_period))
}

/// Time between two scale-downs: the cooldown, or the window in which fewer replicas must have been enough.
pub fn scale_down_delay(config: &GroupConfig, learned: &Learned, state: &OperationState) -> Duration {
    config.cooldown_period(learned.boot_time()).max(doubled_window(config, learned, state))
}

/// The plain rule: everything that may ask is under the lower threshold.
fn down_by_threshold(inputs: &Inputs<'_>) -> Option<(u32, Reason)> {
    let config = inputs.config;
    let quiet = |trigger: Trigger| {
        let reading = inputs.snapshot.readings[trigger].value();
        let against = match trigger {
            Trigger::CpuUsage | Trigger::MemoryUsage => reading,
            Trigger::RequestCount | Trigger::RequestLatency => inputs.demand.loads[trigger],
        };
        against.is_none_or(|value| value < config.scale_down_threshold)
    };
    let asking = Trigger::ALL.into_iter().filter(|trigger| config.triggers[*trigger].asks);
    let known = asking.clone().any(|trigger| inputs.demand.loads[trigger].is_some());
    let all_quiet = known && asking.into_iter().all(quiet);
    all_quiet.then_some((
        inputs.bounds.min,
        Reason::LoadLow { window_seconds: config.evaluation_period.as_secs() },
    ))
}
