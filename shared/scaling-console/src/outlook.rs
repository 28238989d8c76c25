//! When a group can be changed next, and what it waits for until then. Pure: a reading of its configuration and state.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_control::Evaluation;
use scaling_policy::config::{ControlLevel, GroupConfig, Mode};
use scaling_policy::decide::bounds::Bounds;
use scaling_policy::decide::{may_still_run, scale_down_delay};
use scaling_policy::decision::{counted, on_order};
use scaling_policy::snapshot::RetypeSupport;
use scaling_policy::{Learned, OperationState, Snapshot};
use serde::Serialize;

/// One kind of change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Possible {
    /// `up`, `down` or `retype`.
    pub change: &'static str,
    /// From when on it is possible; `None` is not without somebody's doing.
    pub from: Option<Timestamp>,
    /// What it waits for, as a sentence; empty where it is possible now.
    pub waits_for: String,
}

/// Something that stands in the way: until when, where that is known, and what.
type Bar = (Option<Timestamp>, String);

/// How a decision begins what it says of the switch.
pub(crate) const KILL_SWITCH: &str = "kill switch";

/// The changes and when each is possible.
pub fn possible(config: &GroupConfig, evaluation: &Evaluation, now: Timestamp) -> Vec<Possible> {
    let Evaluation { state, snapshot, learned, decision, .. } = evaluation;
    let kill_switch = decision.in_force.first().filter(|said| said.starts_with(KILL_SWITCH));
    let bounds = Bounds::of(config, state, snapshot, now);
    let look =
        Look { config, state, snapshot, learned, kill_switch: kill_switch.map(String::as_str), bounds, now };
    let mut changes = vec![look.sum_up("up", look.up()), look.sum_up("down", look.down())];
    if config.mode != Mode::Horizontal {
        changes.push(look.sum_up("retype", look.retype()));
    }
    changes
}

struct Look<'a> {
    config: &'a GroupConfig,
    state: &'a OperationState,
    snapshot: &'a Snapshot,
    learned: &'a Learned,
    /// What a decision says of it while it is on.
    kill_switch: Option<&'a str>,
    bounds: Bounds,
    now: Timestamp,
}

impl Look<'_> {
    /// The bar that falls last decides.
    fn sum_up(&self, change: &'static str, bars: Vec<Bar>) -> Possible {
        let standing = bars.into_iter().filter(|(until, _)| until.is_none_or(|until| until > self.now));
        let last = standing.max_by_key(|(until, _)| until.unwrap_or(Timestamp::MAX));
        match last {
            Some((from, waits_for)) => Possible { change, from, waits_for },
            None => Possible { change, from: Some(self.now), waits_for: String::new() },
        }
    }

    /// What stops every change.
    fn any(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        bars.extend(self.kill_switch.map(|said| (None, said.to_owned())));
        if self.config.control == ControlLevel::Observe {
            bars.push((None, "the group is only observed".to_owned()));
        }
        if let Some(pause) = &self.state.pause {
            bars.push((pause.until, format!("paused by {}: {}", pause.by, pause.reason)));
        }
        if self.state.breaker.is_open() {
            bars.push((
                None,
                "three operations failed in a row; resume it once the cause is known".to_owned(),
            ));
        }
        if self.snapshot.group.suspended.any() {
            bars.push((None, "a scaling process of the group is suspended".to_owned()));
        }
        if !self.snapshot.group.foreign.is_empty() && !self.config.coexist {
            bars.push((None, "another controller acts on the group".to_owned()));
        }
        bars
    }

    /// The type change that is under way, or may be.
    fn changing(&self) -> Option<Bar> {
        if self.state.open_type_change().is_some() {
            return Some((None, "a type change is running".to_owned()));
        }
        let may = may_still_run(self.state, self.snapshot);
        may.then(|| (None, "a type change that was given up may still run, and cannot be read".to_owned()))
    }

    fn up(&self) -> Vec<Bar> {
        let mut bars = self.any();
        let cooldown = self.config.cooldown_period(self.learned.boot_time());
        if let Some(until) = after(self.state.last_up, cooldown) {
            bars.push((
                Some(until),
                "cooldown after the last scale-up; an urgent one does not wait".to_owned(),
            ));
        }
        let most = self.bounds.max;
        if self.snapshot.group.desired >= most {
            bars.push((None, format!("the maximum is {}", counted(most, "replica", "replicas"))));
        }
        bars
    }

    fn down(&self) -> Vec<Bar> {
        let mut bars = self.any();
        if self.config.control == ControlLevel::UpOnly {
            bars.push((None, "the control level is up_only".to_owned()));
        }
        let delay = scale_down_delay(self.config, self.learned, self.state);
        if let Some(until) = after(self.state.last_down, delay) {
            bars.push((Some(until), "cooldown after the last scale-down".to_owned()));
        }
        if let Some(until) = after(self.state.manual.map(|manual| manual.at), self.config.manual_hold) {
            bars.push((Some(until), "a change by hand is kept for a while".to_owned()));
        }
        bars.extend(self.changing());
        let arriving = self.snapshot.group.arriving();
        if arriving > 0 {
            bars.push((None, on_order(arriving)));
        }
        let least = self.bounds.min;
        if self.snapshot.group.desired <= least {
            bars.push((None, format!("the minimum is {}", counted(least, "replica", "replicas"))));
        }
        bars
    }

    fn retype(&self) -> Vec<Bar> {
        let mut bars = self.any();
        if self.config.control == ControlLevel::UpOnly {
            bars.push((None, "the control level is up_only".to_owned()));
        }
        if let RetypeSupport::CountOnly { why } = &self.snapshot.group.retype {
            bars.push((None, why.clone()));
        }
        bars.extend(self.changing());
        if self.config.mode != Mode::Vertical {
            if let Some(until) = after(self.state.began_launching(), self.config.min_type_age) {
                bars.push((
                    Some(until),
                    "the type has to be of a certain age before it is changed for cost".to_owned(),
                ));
            }
            if !self.config.change_window_open(self.now) {
                bars.push((None, "the change window is closed".to_owned()));
            }
        }
        bars
    }
}

/// The end of a span after something, where that has happened.
fn after(begin: Option<Timestamp>, span: Duration) -> Option<Timestamp> {
    begin?.checked_add(SignedDuration::try_from(span).ok()?).ok()
}
