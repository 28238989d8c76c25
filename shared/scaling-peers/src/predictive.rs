//! EC2 Auto Scaling's predictive scaling beside target tracking.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, page "Predictive scaling for Amazon EC2 Auto Scaling"
//! (`ec2-auto-scaling-predictive-scaling`) and its "How it works":
//! - it needs 24 hours of history and looks at up to 14 days of it;
//! - it forecasts the load of each hour, and capacity is that load over the target utilisation;
//! - the capacity of an hour is set at its start, launched ahead by the scheduling buffer (300 s by default; API
//!   reference, `PredictiveScalingConfiguration`, whose example of 10:00 and 9:55 a test repeats);
//! - the group's maximum holds (`HonorMaxCapacity`);
//! - it never scales in; with a dynamic policy the larger of the two capacities holds (its example, 10 and 8, is a test).
//!
//! How the service forecasts is not published. Here the load of an hour is the mean of the same hour of the days
//! before (at most 14), and of the same weekday where a whole week is known: what the documentation says it is for,
//! daily and weekly patterns. The service forecasts 48 hours every 6 hours; here the forecast is made anew at every look,
//! from all hours that have ended, which is kinder to this rival.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::target_tracking::{self, TargetTracking};

/// Hours of history that are looked at.
const HOURS: usize = 14 * 24;

/// Hours of history that it needs.
const LEAST_HOURS: usize = 24;

/// Seconds before the hour at which its capacity is launched, unless the policy says another time.
const BUFFER: u64 = 300;

fn buffer() -> u64 {
    BUFFER
}

/// One minute as the policy sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// Seconds since the start of some day.
    pub now: u64,
    /// What target tracking sees.
    pub dynamic: target_tracking::Minute,
}

/// Both policies together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Predictive {
    settings: target_tracking::Settings,
    dynamic: TargetTracking,
    /// Load of the past hours, oldest first, in instances at full utilisation.
    hours: VecDeque<f64>,
    /// Hour that is being summed up, with sum and count.
    open: Option<(u64, f64, u32)>,
    /// Seconds before the hour at which its capacity is launched.
    #[serde(default = "buffer")]
    buffer: u64,
}

impl Predictive {
    /// Policies that have seen nothing yet.
    pub fn new(settings: target_tracking::Settings) -> Self {
        Self {
            settings,
            dynamic: TargetTracking::new(settings),
            hours: VecDeque::new(),
            open: None,
            buffer: BUFFER,
        }
    }

    /// The same with another time before the hour at which its capacity is launched (`SchedulingBufferTime`), in seconds.
    #[must_use]
    pub fn launching_ahead(mut self, seconds: u64) -> Self {
        self.buffer = seconds;
        self
    }

    /// Takes one minute in and says the desired capacity that follows, where it changes.
    pub fn observe(&mut self, minute: Minute) -> Option<u32> {
        if let Some(metric) = minute.dynamic.metric {
            self.remember(minute.now / 3600, metric * f64::from(minute.dynamic.in_service));
        }
        let have = minute.dynamic.in_service + minute.dynamic.pending;
        let dynamic = self.dynamic.observe(minute.dynamic);
        let floor = self.floor(minute.now);
        // What the dynamic policy would keep is what there is.
        let wanted = dynamic.unwrap_or(have).max(floor);
        (wanted != have).then_some(wanted)
    }

    /// Least capacity at `now`, in seconds: that of the running hour, and of the next one within the buffer before it.
    pub fn floor(&self, now: u64) -> u32 {
        let hour = now / 3600;
        let ahead = (now + self.buffer) / 3600;
        let wanted = [hour, ahead].into_iter().filter_map(|hour| self.forecast(hour)).fold(0.0, f64::max);
        self.capacity(wanted)
    }

    /// Load of the hour that `now`, in seconds, is in, in instances at full utilisation, and the capacity that is right
    /// for it; `None` before there is a day of history.
    pub fn expected(&self, now: u64) -> Option<(f64, u32)> {
        self.forecast(now / 3600).map(|load| (load, self.capacity(load)))
    }

    fn capacity(&self, load: f64) -> u32 {
        target_tracking::whole(load / self.settings.target).clamp(self.settings.min, self.settings.max)
    }

    /// Load of an hour, in instances at full utilisation; `None` before there is a day of history.
    fn forecast(&self, hour: u64) -> Option<f64> {
        if self.hours.len() < LEAST_HOURS {
            return None;
        }
        let newest = self.open.map_or(hour, |(open, ..)| open);
        // `hours[len - back]` is the load of `newest - back`.
        let of = |days_back: u64| {
            let back = usize::try_from((newest + days_back * 24).checked_sub(hour)?).ok()?;
            (back >= 1).then(|| self.hours.len().checked_sub(back).map(|at| self.hours[at]))?
        };
        let weekly = [of(7), of(14)];
        let daily: Vec<f64> = (1..=14).filter_map(of).collect();
        let mean = |loads: &[f64]| loads.iter().sum::<f64>() / loads.len() as f64;
        let weekly: Vec<f64> = weekly.into_iter().flatten().collect();
        if !weekly.is_empty() {
            return Some(mean(&weekly));
        }
        (!daily.is_empty()).then(|| mean(&daily))
    }

    fn remember(&mut self, hour: u64, load: f64) {
        match &mut self.open {
            Some((open, sum, count)) if *open == hour => (*sum, *count) = (*sum + load, *count + 1),
            Some((open, sum, count)) => {
                let mean = *sum / f64::from(*count);
                // Hours without a point are taken to have been like the one before.
                for _ in *open..hour {
                    self.hours.push_back(mean);
                }
                while self.hours.len() > HOURS {
                    self.hours.pop_front();
                }
                self.open = Some((hour, load, 1));
            }
            None => self.open = Some((hour, load, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> target_tracking::Settings {
        target_tracking::Settings { target: 0.5, min: 1, max: 100 }
    }

    /// Days in which the hour `busy` has a load of 20 instances and the others of 2, always on 40 instances.
    fn after(days: u64, busy: u64) -> Predictive {
        let mut policy = Predictive::new(settings());
        for minute in 0..days * 1440 {
            let load = if minute / 60 % 24 == busy { 20.0 } else { 2.0 };
            let dynamic = target_tracking::Minute { metric: Some(load / 40.0), in_service: 40, pending: 0 };
            policy.observe(Minute { now: minute * 60, dynamic });
        }
        policy
    }

    #[test]
    fn nothing_is_forecast_before_a_day_has_passed() {
        assert_eq!(Predictive::new(settings()).floor(0), 1);
        assert_eq!(after(1, 9).floor(9 * 3600), 1);
    }

    #[test]
    fn capacity_is_the_hour_s_load_over_the_target() {
        let policy = after(3, 9);
        assert_eq!(policy.floor(3 * 86_400 + 9 * 3600), 40);
        assert_eq!(policy.floor(3 * 86_400 + 12 * 3600), 4);
    }

    #[test]
    fn the_reference_s_capacity_for_10_00_is_launched_at_9_55_with_a_buffer_of_5_minutes() {
        let policy = after(3, 10);
        let at = |hours: u64, minutes: u64| 3 * 86_400 + hours * 3600 + minutes * 60;
        assert_eq!(
            (policy.floor(at(9, 55) - 1), policy.floor(at(9, 55)), policy.floor(at(10, 0))),
            (4, 40, 40)
        );
    }

    #[test]
    fn another_buffer_launches_the_hour_s_capacity_by_so_much_earlier() {
        let policy = after(3, 10).launching_ahead(1800);
        let at = |hours: u64, minutes: u64| 3 * 86_400 + hours * 3600 + minutes * 60;
        assert_eq!((policy.floor(at(9, 30) - 1), policy.floor(at(9, 30))), (4, 40));
        assert_eq!(policy.expected(at(9, 45)), Some((2.0, 4)), "the hour's own forecast knows no buffer");
    }

    #[test]
    fn a_forecast_over_the_maximum_gets_the_maximum() {
        let mut policy = after(3, 10);
        policy.settings.max = 30;
        assert_eq!(policy.floor(3 * 86_400 + 10 * 3600), 30);
    }

    /// Days in which each hour but `busy` needs 4 instances at the target and that one needs 8.
    fn needing_8(busy: u64) -> Predictive {
        let mut policy = Predictive::new(settings());
        for minute in 0..3 * 1440 {
            let load = if minute / 60 % 24 == busy { 4.0 } else { 2.0 };
            let dynamic = target_tracking::Minute { metric: Some(load / 10.0), in_service: 10, pending: 0 };
            policy.observe(Minute { now: minute * 60, dynamic });
        }
        policy
    }

    #[test]
    fn the_documentation_s_10_of_target_tracking_and_8_of_the_forecast_make_10_whichever_is_the_larger() {
        let now = 3 * 86_400 + 9 * 3600;
        // From 6 instances: the metric asks for 10 on the third point over the target, the forecast for 8 at once.
        let mut policy = needing_8(9);
        let over = target_tracking::Minute { metric: Some(0.5 * 10.0 / 6.0), in_service: 6, pending: 0 };
        let observed =
            [0, 1, 2].map(|minute| policy.observe(Minute { now: now + minute * 60, dynamic: over }));
        assert_eq!(observed, [Some(8), Some(8), Some(10)]);
        // The other way round: the metric asks for no more than there is.
        let calm = target_tracking::Minute { metric: Some(0.5), in_service: 6, pending: 0 };
        assert_eq!(needing_8(9).observe(Minute { now, dynamic: calm }), Some(8));
    }

    #[test]
    fn it_never_scales_in_below_the_larger_of_the_two() {
        let mut policy = after(3, 9);
        let dynamic =
            |metric: f64| target_tracking::Minute { metric: Some(metric), in_service: 10, pending: 0 };
        let now = 3 * 86_400 + 9 * 3600;
        assert_eq!(policy.observe(Minute { now, dynamic: dynamic(0.4) }), Some(40));
        // Low load for a quarter of an hour: target tracking would go down, the forecast holds.
        for minute in 1..=20 {
            let seen = target_tracking::Minute { metric: Some(0.1), in_service: 40, pending: 0 };
            assert_eq!(policy.observe(Minute { now: now + minute * 60, dynamic: seen }), None);
        }
    }
}
