//! Wanted capacity of the last while (for the stabilization window) and its hourly peaks (for the savings baseline).

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::GroupConfig;
use crate::decide::demand::Demand;
use crate::snapshot::Snapshot;

/// Longest window that is kept: an hour, in at most this many observations.
const KEPT: usize = 120;
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// The longest window that can be answered where evaluations are `period` apart: an hour, and less where so many do not reach
/// as far. Two fewer than are kept, because evaluations are not exact.
pub fn longest_window(period: Duration) -> Duration {
    let observations = u32::try_from(KEPT).unwrap_or(u32::MAX) - 2;
    KEPT_FOR.min(period.saturating_mul(observations))
}

/// Hours of peaks that are kept: 14 days.
const PEAK_HOURS: usize = 14 * 24;

/// Wanted vCPU, lately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// (When, vCPU wanted where it was known, highest load), oldest first.
    wanted: VecDeque<(Timestamp, Option<f32>, f32)>,
    /// (Hour since 1970, highest vCPU wanted in it), oldest first.
    peaks: VecDeque<(i64, f32)>,
}

impl Recent {
    /// The highest wanted vCPU within `window` before `now`, or `None` when the window is not covered: observations
    /// began later, or one is missing in between.
    pub fn highest(&self, window: Duration, period: Duration, now: Timestamp) -> Option<f64> {
        let known = self.wanted.iter().filter_map(|&(at, vcpu, _)| Some((at, vcpu?)));
        fold(known, (window, period, now), f32::max)
    }

    /// Whether the load was at its limit or over it for the whole `window` before `now`. Not where the window is not
    /// covered.
    pub fn was_high(&self, window: Duration, period: Duration, now: Timestamp) -> bool {
        let loads = self.wanted.iter().map(|&(at, _, load)| (at, load));
        fold(loads, (window, period, now), f32::min).is_some_and(|lowest| lowest >= 1.0)
    }

    /// The highest wanted vCPU of the trailing 14 days; 0 before the first observation.
    pub fn peak(&self) -> f64 {
        self.peaks.iter().map(|(_, vcpu)| f64::from(*vcpu)).fold(0.0, f64::max)
    }

    pub(super) fn observe(&mut self, config: &GroupConfig, demand: &Demand, snapshot: &Snapshot) {
        let offer = &snapshot.group.launch_type;
        // With a listed metric missing the wanted capacity is not known, and the window starts anew. What is read may be over
        // its limit all the same.
        let is_known = demand.missing.is_none();
        let wanted = is_known.then(|| narrow(demand.vcpu_on(config, offer.vcpu.0)));
        let load = narrow(demand.highest_load().map_or(0.0, |(_, load)| load));
        self.keep(config, snapshot.taken_at, wanted, load);
    }

    fn keep(&mut self, config: &GroupConfig, now: Timestamp, wanted: Option<f32>, load: f32) {
        self.wanted.push_back((now, wanted, load));
        // The first one beyond the longest window is what shows that it is covered.
        let kept_for = KEPT_FOR + 2 * config.evaluation_period;
        let is_old = |at: Timestamp| now.duration_since(at).as_secs_f64() > kept_for.as_secs_f64();
        while self.wanted.len() > KEPT || self.wanted.front().is_some_and(|(at, ..)| is_old(*at)) {
            self.wanted.pop_front();
        }
        let Some(wanted) = wanted else { return };
        let hour = now.as_second().div_euclid(3600);
        match self.peaks.back_mut() {
            Some((last, peak)) if *last == hour => *peak = peak.max(wanted),
            _ => self.peaks.push_back((hour, wanted)),
        }
        while self.peaks.len() > PEAK_HOURS {
            self.peaks.pop_front();
        }
    }
}

/// Folds the values within a window before now, newest first; `None` where they do not cover it.
fn fold(
    values: impl DoubleEndedIterator<Item = (Timestamp, f32)>,
    (window, period, now): (Duration, Duration, Timestamp),
    step: impl Fn(f32, f32) -> f32,
) -> Option<f64> {
    let gap = period.as_secs_f64() * 2.5;
    let mut folded: Option<f32> = None;
    let mut next = now;
    for (at, value) in values.rev() {
        if next.duration_since(at).as_secs_f64() > gap {
            return None;
        }
        folded = Some(folded.map_or(value, |before| step(before, value)));
        next = at;
        if now.duration_since(at).as_secs_f64() >= window.as_secs_f64() {
            return folded.map(f64::from);
        }
    }
    None
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are enough, and half as long in the record"
)]
fn narrow(value: f64) -> f32 {
    // An infinity has no form in JSON: the record could not be read again.
    (value as f32).clamp(f32::MIN, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(5);

    /// Two hours of evaluations every `period`, all wanting `vcpu`.
    fn steady(period: Duration, vcpu: Option<f32>) -> (Recent, Timestamp) {
        let mut recent = Recent::default();
        let config = GroupConfig { evaluation_period: period, ..GroupConfig::with_defaults("web") };
        let mut now = Timestamp::UNIX_EPOCH;
        for _ in 0..7200 / period.as_secs() {
            now += period;
            recent.keep(&config, now, vcpu, 1.1);
        }
        (recent, now)
    }

    #[test]
    fn the_longest_window_is_covered_after_a_while_whatever_the_period() {
        for period in [SHORT, Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(300)] {
            let (recent, now) = steady(period, Some(8.0));
            assert_eq!(recent.highest(longest_window(period), period, now), Some(8.0), "{period:?}");
        }
        assert_eq!(longest_window(Duration::from_secs(60)), Duration::from_secs(3600));
    }

    #[test]
    fn what_was_not_known_covers_no_window_of_wanted_capacity_and_is_a_load_all_the_same() {
        let (recent, now) = steady(SHORT, None);
        assert_eq!(recent.highest(Duration::from_secs(60), SHORT, now), None);
        assert!(recent.was_high(Duration::from_secs(60), SHORT, now));
    }

    #[test]
    fn a_value_beyond_all_measure_can_be_stored_and_read_again() {
        let (recent, _) = steady(SHORT, Some(narrow(1e300)));
        let text = serde_json::to_string(&recent).unwrap();
        assert_eq!(serde_json::from_str::<Recent>(&text).unwrap(), recent);
    }
}
