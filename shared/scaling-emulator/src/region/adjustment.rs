//! What a simple or step policy makes of a capacity.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Step and simple scaling policies for Amazon EC2 Auto Scaling". Which
//! step applies, and how instances that warm up count, is [`scaling_peers::step_scaling`]'s; its steps are percentages, so
//! the other kinds of adjustment are written as the percentage of the present capacity that they are.

use scaling_peers::step_scaling::{Minute, Settings, Step, StepScaling};

use super::policy::{ScalingPolicy, StepAdjustment};

/// The kinds of adjustment, as the service lists them.
pub const KINDS: [&str; 3] = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"];

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breach {
    /// The metric's value.
    pub value: f64,
    /// The alarm's threshold.
    pub threshold: f64,
    /// Whether values above the threshold raise the alarm.
    pub upward: bool,
}

/// What a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Have {
    /// In service and warm.
    pub in_service: u32,
    /// Booting or warming up.
    pub warming: u32,
}

/// The capacity that an adjustment of `kind` makes of `capacity`, with at least `least` changed by a percentage.
pub fn adjusted(kind: &str, amount: i32, least: Option<i32>, capacity: u32) -> u32 {
    let base = i64::from(capacity);
    let change = match kind {
        "ExactCapacity" => i64::from(amount) - base,
        "PercentChangeInCapacity" => {
            let exact = base * i64::from(amount);
            // Towards zero, but at least one.
            let whole = exact / 100;
            let change = if whole == 0 { exact.signum() } else { whole };
            let least = i64::from(least.unwrap_or(1).max(1));
            if amount == 0 { 0 } else { i64::from(amount.signum()) * change.abs().max(least) }
        }
        _ => i64::from(amount),
    };
    u32::try_from((base + change).max(0)).unwrap_or(u32::MAX)
}

/// The capacity that a step policy wants. `None` when no step fits, or nothing changes.
pub fn stepped(policy: &ScalingPolicy, breach: Breach, have: Have, (min, max): (u32, u32)) -> Option<u32> {
    let kind = policy.adjustment_type.as_deref().unwrap_or("ChangeInCapacity");
    let all = have.in_service + have.warming;
    if all == 0 {
        let step = policy.step_adjustments.iter().find(|step| fits(step, breach))?;
        let wanted =
            adjusted(kind, step.scaling_adjustment, policy.min_adjustment_magnitude, 0).clamp(min, max);
        return (wanted > 0).then_some(wanted);
    }
    let percent = |step: &StepAdjustment, base: u32| {
        let base = base.max(1);
        let wanted = adjusted(kind, step.scaling_adjustment, policy.min_adjustment_magnitude, base);
        100.0 * (f64::from(wanted) - f64::from(base)) / f64::from(base)
    };
    let grows = |step: &&StepAdjustment| percent(step, have.in_service) > 0.0;
    let shrinks = |step: &&StepAdjustment| percent(step, all) < 0.0;
    let out = policy.step_adjustments.iter().filter(grows);
    let back = policy.step_adjustments.iter().filter(shrinks);
    // Steps that grow stand above the threshold there, and steps that shrink below it; an alarm of the other direction is
    // turned round.
    let oriented = |step: &StepAdjustment, mirrored: bool, base: u32| {
        let (lower, upper) = bounds(step);
        let (lower, upper) = if mirrored { (-upper, -lower) } else { (lower, upper) };
        Step { lower, upper, percent: percent(step, base) }
    };
    let settings = |grow: bool| {
        let mirrored = grow != breach.upward;
        let sign = if mirrored { -1.0 } else { 1.0 };
        let (value, threshold) = (sign * breach.value, sign * breach.threshold);
        let settings = Settings {
            high: if grow { threshold } else { f64::INFINITY },
            out: if grow {
                out.clone().map(|step| oriented(step, mirrored, have.in_service)).collect()
            } else {
                vec![]
            },
            low: if grow { f64::NEG_INFINITY } else { threshold },
            back: if grow {
                vec![]
            } else {
                back.clone().map(|step| oriented(step, mirrored, all)).collect()
            },
            points: 1,
            min,
            max,
        };
        (settings, Minute { metric: Some(value), in_service: have.in_service, warming: have.warming })
    };
    [true, false].into_iter().find_map(|grow| {
        let (settings, minute) = settings(grow);
        StepScaling::new(settings).observe(minute)
    })
}

fn bounds(step: &StepAdjustment) -> (f64, f64) {
    let lower = step.metric_interval_lower_bound.unwrap_or(f64::NEG_INFINITY);
    (lower, step.metric_interval_upper_bound.unwrap_or(f64::INFINITY))
}

fn fits(step: &StepAdjustment, breach: Breach) -> bool {
    let (lower, upper) = bounds(step);
    let distance = breach.value - breach.threshold;
    if breach.upward { distance >= lower && distance < upper } else { distance > lower && distance <= upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guide's rules of rounding, with its numbers.
    #[test]
    fn percentages_are_rounded_towards_zero_but_to_at_least_one() {
        for (amount, least, capacity, expected) in [
            (10, None, 10, 11),
            (30, None, 11, 14),
            (10, None, 5, 6),
            (-10, None, 5, 4),
            (-30, None, 9, 7),
            (25, Some(2), 4, 6),
            (-100, None, 3, 0),
            (0, Some(2), 3, 3),
        ] {
            let found = adjusted("PercentChangeInCapacity", amount, least, capacity);
            assert_eq!(found, expected, "{amount} % of {capacity}");
        }
        assert_eq!(adjusted("ChangeInCapacity", -7, None, 5), 0);
        assert_eq!(adjusted("ExactCapacity", 7, None, 5), 7);
    }

    fn policy(kind: &str, steps: &[(Option<f64>, Option<f64>, i32)]) -> ScalingPolicy {
        let step = |(lower, upper, amount): &(Option<f64>, Option<f64>, i32)| StepAdjustment {
            metric_interval_lower_bound: *lower,
            metric_interval_upper_bound: *upper,
            scaling_adjustment: *amount,
        };
        ScalingPolicy {
            auto_scaling_group_name: "web".to_owned(),
            policy_name: "step".to_owned(),
            policy_type: Some("StepScaling".to_owned()),
            adjustment_type: Some(kind.to_owned()),
            min_adjustment_magnitude: None,
            scaling_adjustment: None,
            cooldown: None,
            estimated_instance_warmup: None,
            metric_aggregation_type: None,
            step_adjustments: steps.iter().map(step).collect(),
            target_tracking_configuration: None,
            predictive_scaling_configuration: None,
            enabled: None,
        }
    }

    fn wanted(
        policy: &ScalingPolicy,
        value: f64,
        upward: bool,
        in_service: u32,
        warming: u32,
    ) -> Option<u32> {
        let breach = Breach { value, threshold: 60.0, upward };
        stepped(policy, breach, Have { in_service, warming }, (1, 100))
    }

    #[test]
    fn the_step_that_the_breach_falls_into_applies() {
        let out = policy("ChangeInCapacity", &[(Some(0.0), Some(10.0), 1), (Some(10.0), None, 3)]);
        assert_eq!(wanted(&out, 60.0, true, 10, 0), Some(11));
        assert_eq!(wanted(&out, 70.0, true, 10, 0), Some(13));
        assert_eq!(wanted(&out, 59.0, true, 10, 0), None);
        let exact = policy("ExactCapacity", &[(Some(0.0), None, 25)]);
        assert_eq!(wanted(&exact, 70.0, true, 10, 0), Some(25));
        let back = policy("PercentChangeInCapacity", &[(None, Some(0.0), -10)]);
        assert_eq!(wanted(&back, 50.0, false, 14, 0), Some(13));
    }

    #[test]
    fn what_warms_up_is_not_ordered_again_and_nothing_ends_meanwhile() {
        let out = policy("ChangeInCapacity", &[(Some(0.0), Some(10.0), 1), (Some(10.0), None, 3)]);
        assert_eq!(wanted(&out, 65.0, true, 10, 1), None);
        assert_eq!(wanted(&out, 75.0, true, 10, 1), Some(13));
        let back = policy("ChangeInCapacity", &[(None, Some(0.0), -1)]);
        assert_eq!(wanted(&back, 50.0, false, 10, 1), None);
    }

    #[test]
    fn an_alarm_may_point_either_way() {
        let shrink_above = policy("ChangeInCapacity", &[(Some(0.0), None, -2)]);
        assert_eq!(wanted(&shrink_above, 61.0, true, 10, 0), Some(8));
        let grow_below = policy("ChangeInCapacity", &[(None, Some(0.0), 2)]);
        assert_eq!(wanted(&grow_below, 50.0, false, 10, 0), Some(12));
        let from_nothing = policy("ChangeInCapacity", &[(Some(0.0), None, 2)]);
        assert_eq!(wanted(&from_nothing, 70.0, true, 0, 0), Some(2));
    }
}
