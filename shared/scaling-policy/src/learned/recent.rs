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

/// Hours of peaks that are kept: 14 days.
const PEAK_HOURS: usize = 14 * 24;

/// Wanted vCPU, lately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// (When, vCPU wanted, highest load), oldest first.
    wanted: VecDeque<(Timestamp, f32, f32)>,
    /// (Hour since 1970, highest vCPU wanted in it), oldest first.
    peaks: VecDeque<(i64, f32)>,
}

impl Recent {
    /// The highest wanted vCPU within `window` before `now`, or `None` when the window is not covered: observations
    /// began later, or one is missing in between.
    pub fn highest(&self, window: Duration, period: Duration, now: Timestamp) -> Option<f64> {
        self.fold(window, period, now, f64::NEG_INFINITY, |highest, vcpu, _| highest.max(vcpu))
    }

    /// Whether the load was at its limit or over it for the whole `window` before `now`. Not where the window is not
    /// covered.
    pub fn was_high(&self, window: Duration, period: Duration, now: Timestamp) -> bool {
        self.fold(window, period, now, f64::INFINITY, |lowest, _, load| lowest.min(load))
            .is_some_and(|lowest| lowest >= 1.0)
    }

    /// The highest wanted vCPU of the trailing 14 days; 0 before the first observation.
    pub fn peak(&self) -> f64 {
        self.peaks.iter().map(|(_, vcpu)| f64::from(*vcpu)).fold(0.0, f64::max)
    }

    fn fold(
        &self,
        window: Duration,
        period: Duration,
        now: Timestamp,
        start: f64,
        step: impl Fn(f64, f64, f64) -> f64,
    ) -> Option<f64> {
        let gap = period.as_secs_f64() * 2.5;
        let mut value = start;
        let mut next = now;
        for &(at, vcpu, load) in self.wanted.iter().rev() {
            if next.duration_since(at).as_secs_f64() > gap {
                return None;
            }
            value = step(value, f64::from(vcpu), f64::from(load));
            next = at;
            if now.duration_since(at).as_secs_f64() >= window.as_secs_f64() {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn observe(&mut self, config: &GroupConfig, demand: &Demand, snapshot: &Snapshot) {
        // With a bound metric missing the wanted capacity is not known, and the window starts anew.
        if demand.missing.is_some() {
            return;
        }
        let offer = &snapshot.group.launch_type;
        let wanted = narrow(demand.vcpu_on(config, offer.vcpu.0));
        let load = narrow(demand.highest_load().map_or(0.0, |(_, load)| load));
        let now = snapshot.taken_at;
        self.wanted.push_back((now, wanted, load));
        while self.wanted.len() > KEPT
            || self
                .wanted
                .front()
                .is_some_and(|(at, ..)| now.duration_since(*at).as_secs_f64() > KEPT_FOR.as_secs_f64())
        {
            self.wanted.pop_front();
        }
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

#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are enough, and half as long in the record"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}
