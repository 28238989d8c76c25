//! EC2 Auto Scaling's step scaling: capacity changes by steps that depend on how far an alarm's threshold is breached.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, page "Step and simple scaling policies for Amazon EC2 Auto Scaling"
//! (`as-scaling-simple-step`), whose worked example the tests repeat:
//! - Bounds of a step are relative to the alarm's threshold; the lower bound is inside for a breach upwards, the upper
//!   bound for one downwards.
//! - `PercentChangeInCapacity` is rounded towards zero, but to at least one instance.
//! - While instances from an earlier step out warm up, they count as capacity: another breach in the same step adds
//!   nothing, one in a higher step adds the difference. Nothing is removed meanwhile.
//! - Step scaling has no cooldown.

/// One step: from `lower` to `upper` above (or below) the threshold, capacity changes by `percent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Lower bound, relative to the threshold. Negative infinity where there is none.
    pub lower: f64,
    /// Upper bound, relative to the threshold. Infinity where there is none.
    pub upper: f64,
    /// Change in percent of the capacity.
    pub percent: f64,
}

/// The two alarms and their steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Over this for [`Settings::points`] points, `out` applies.
    pub high: f64,
    /// Steps upwards.
    pub out: Vec<Step>,
    /// Under this for [`Settings::points`] points, `back` applies.
    pub low: f64,
    /// Steps downwards.
    pub back: Vec<Step>,
    /// Points of one minute that breach before an alarm goes off.
    pub points: u32,
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

impl Settings {
    /// The steps of the documentation's example, around a band of `width` whose middle is `target`: 10 % in the first
    /// tenth beyond it, 30 % further out. The example has a band from 40 to 60 % CPU, and its alarms breach after two
    /// points of one minute.
    pub fn around(target: f64, width: f64, (min, max): (u32, u32)) -> Self {
        let step = |lower: f64, upper: f64, percent: f64| Step { lower, upper, percent };
        Self {
            high: target + width / 2.0,
            out: vec![step(0.0, width / 2.0, 10.0), step(width / 2.0, f64::INFINITY, 30.0)],
            low: target - width / 2.0,
            back: vec![step(-width / 2.0, 0.0, -10.0), step(f64::NEG_INFINITY, -width / 2.0, -30.0)],
            points: 2,
            min,
            max,
        }
    }
}

/// One minute as the policy sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// The metric over the instances in service; `None` without a point.
    pub metric: Option<f64>,
    /// Instances in service.
    pub in_service: u32,
    /// Instances that boot or warm up.
    pub warming: u32,
}

/// The policy with the state of its alarms.
#[derive(Debug, Clone, PartialEq)]
pub struct StepScaling {
    settings: Settings,
    high: u32,
    low: u32,
}

impl StepScaling {
    /// A policy whose alarms have seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, high: 0, low: 0 }
    }

    /// Takes one minute in and says the desired capacity that follows, where it changes.
    pub fn observe(&mut self, minute: Minute) -> Option<u32> {
        let Some(metric) = minute.metric else {
            (self.high, self.low) = (0, 0);
            return None;
        };
        let settings = &self.settings;
        self.high = if metric >= settings.high { self.high + 1 } else { 0 };
        self.low = if metric <= settings.low { self.low + 1 } else { 0 };
        let have = minute.in_service + minute.warming;
        let wanted = if self.high >= settings.points {
            let breach = metric - settings.high;
            let step = settings.out.iter().find(|step| breach >= step.lower && breach < step.upper)?;
            // Counted from what serves, so that what warms up is not ordered again.
            (minute.in_service + change(minute.in_service, step.percent)).max(have)
        } else if self.low >= settings.points && minute.warming == 0 {
            let breach = metric - settings.low;
            let step = settings.back.iter().find(|step| breach > step.lower && breach <= step.upper)?;
            have.saturating_sub(change(have, step.percent.abs()))
        } else {
            return None;
        };
        let wanted = wanted.clamp(settings.min, settings.max);
        (wanted != have).then_some(wanted)
    }
}

/// That percentage of a capacity, towards zero but at least one.
fn change(capacity: u32, percent: f64) -> u32 {
    let exact = f64::from(capacity) * percent / 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let whole = (exact + 1e-9).floor() as u32;
    whole.max(u32::from(percent > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> StepScaling {
        StepScaling::new(Settings { points: 1, ..Settings::around(50.0, 20.0, (1, 100)) })
    }

    fn at(metric: f64, in_service: u32) -> Minute {
        Minute { metric: Some(metric), in_service, warming: 0 }
    }

    #[test]
    fn the_documentation_s_example_goes_from_10_to_11_to_14_and_back_to_13_and_10() {
        let mut policy = policy();
        // 60: add 10 % of 10. 70: add 30 % of 11 = 3.3, rounded down. 40: remove 10 % of 14 = 1.4. 30: 30 % of 13 = 3.9.
        let path = [(60.0, 10, 11), (70.0, 11, 14), (40.0, 14, 13), (30.0, 13, 10)];
        for (metric, have, expected) in path {
            assert_eq!(policy.observe(at(metric, have)), Some(expected), "{metric} with {have}");
        }
    }

    #[test]
    fn between_the_thresholds_nothing_happens() {
        for metric in [41.0, 50.0, 59.9] {
            assert_eq!(policy().observe(at(metric, 10)), None);
        }
    }

    #[test]
    fn the_documentation_s_60_adds_one_to_10_then_62_adds_none_while_it_warms_up_and_70_makes_it_13() {
        let mut policy = policy();
        let warming = |metric: f64| Minute { metric: Some(metric), in_service: 10, warming: 1 };
        assert_eq!(policy.observe(at(60.0, 10)), Some(11));
        assert_eq!(policy.observe(warming(62.0)), None);
        assert_eq!(policy.observe(warming(70.0)), Some(13));
    }

    #[test]
    fn nothing_is_removed_while_an_instance_warms_up() {
        let warming = Minute { metric: Some(20.0), in_service: 10, warming: 1 };
        assert_eq!(policy().observe(warming), None);
    }

    #[test]
    fn the_documentation_s_12_7_becomes_12_its_67_hundredths_1_its_minus_58_hundredths_minus_1_its_minus_6_67_minus_6()
     {
        let step = |percent: f64| Step { lower: f64::NEG_INFINITY, upper: f64::INFINITY, percent };
        let settings = |percent: f64| Settings {
            out: vec![step(percent)],
            back: vec![step(-percent)],
            ..Settings { points: 1, ..Settings::around(50.0, 20.0, (1, 1000)) }
        };
        for (metric, percent, have, changed) in
            [(60.0, 10.0, 127, 12), (60.0, 1.0, 67, 1), (40.0, 1.0, 58, -1), (40.0, 1.0, 667, -6)]
        {
            let wanted = StepScaling::new(settings(percent)).observe(at(metric, have));
            assert_eq!(wanted, have.checked_add_signed(changed), "{percent} % of {have} at {metric}");
        }
    }

    #[test]
    fn an_alarm_needs_its_points_in_a_row() {
        let mut policy = StepScaling::new(Settings::around(50.0, 20.0, (1, 100)));
        assert_eq!(policy.observe(at(80.0, 10)), None);
        assert_eq!(policy.observe(at(80.0, 10)), Some(13));
        assert_eq!(policy.observe(at(50.0, 10)), None);
        assert_eq!(policy.observe(at(80.0, 10)), None);
    }

    #[test]
    fn no_point_is_insufficient_data() {
        let mut policy = policy();
        assert_eq!(policy.observe(Minute { metric: None, in_service: 10, warming: 0 }), None);
    }
}
