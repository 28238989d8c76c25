//! How another alarm keeps the actions of a composite alarm back.
//!
//! Source: *Amazon CloudWatch User Guide*, "Suppressing composite alarm actions": an alarm that goes off waits for its
//! suppressor to go off too, at most for the wait period; while the suppressor is on nothing is done; when it goes out,
//! the actions wait once more, for the extension period, and are carried out if the alarm is still on then.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::composite::Composite;
use super::composite_rule::name_of;
use super::{Alarm, Alarms, State, StateValue, Watch};

/// What keeps actions back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuppressedBy {
    /// The suppressor may still go off.
    WaitPeriod,
    /// The suppressor was on a moment ago.
    ExtensionPeriod,
    /// The suppressor is on.
    Alarm,
}

/// Actions that are kept back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    /// By what.
    pub by: SuppressedBy,
    /// Since when by that.
    since: Timestamp,
    /// The state before the change that they belong to.
    previous: State,
}

impl Suppression {
    /// Why, for people.
    pub fn reason(&self, suppressor: &str) -> String {
        match self.by {
            SuppressedBy::WaitPeriod => format!("Waiting for {suppressor} to go into ALARM."),
            SuppressedBy::ExtensionPeriod => format!("Waiting after {suppressor} went out of ALARM."),
            SuppressedBy::Alarm => format!("{suppressor} is in ALARM."),
        }
    }
}

/// What keeps the actions of a composite alarm back that changes now.
pub(super) fn begun(alarms: &Alarms, alarm: &Alarm, to: StateValue, now: Timestamp) -> Option<Suppression> {
    let (composite, suppressor) = watched(alarms, alarm)?;
    let extended = suppressor.calmed.filter(|left| *left + seconds(composite.extension) > now);
    let (by, since) = if suppressor.state.value == StateValue::Alarm {
        (SuppressedBy::Alarm, now)
    } else if let Some(left) = extended {
        (SuppressedBy::ExtensionPeriod, left)
    } else if to == StateValue::Alarm && !seconds(composite.wait).is_zero() {
        (SuppressedBy::WaitPeriod, now)
    } else {
        return None;
    };
    Some(Suppression { by, since, previous: alarm.state.clone() })
}

/// How a suppression goes on.
pub(super) enum Course {
    /// By this.
    On(Suppression),
    /// It is over; the actions of the change from this state are due.
    Over(State),
}

/// How the suppression of a composite alarm's actions goes on. `None` where there is none.
pub(super) fn course(alarms: &Alarms, alarm: &Alarm, now: Timestamp) -> Option<Course> {
    let suppression = alarm.suppression.clone()?;
    let Some((composite, suppressor)) = watched(alarms, alarm) else {
        return Some(Course::Over(suppression.previous));
    };
    let mut next = suppression;
    match (suppressor.state.value == StateValue::Alarm, next.by) {
        (true, SuppressedBy::Alarm) => {}
        (true, _) => (next.by, next.since) = (SuppressedBy::Alarm, now),
        (false, SuppressedBy::Alarm) => (next.by, next.since) = (SuppressedBy::ExtensionPeriod, now),
        (false, _) => {}
    }
    let length = match next.by {
        SuppressedBy::Alarm => return Some(Course::On(next)),
        SuppressedBy::WaitPeriod => seconds(composite.wait),
        SuppressedBy::ExtensionPeriod => seconds(composite.extension),
    };
    Some(if next.since + length <= now { Course::Over(next.previous) } else { Course::On(next) })
}

fn watched<'a>(alarms: &'a Alarms, alarm: &'a Alarm) -> Option<(&'a Composite, &'a Alarm)> {
    let Watch::Composite(composite) = &alarm.configuration.watch else { return None };
    let suppressor = alarms.by_name.get(name_of(composite.suppressor.as_deref()?))?;
    Some((composite, suppressor))
}

fn seconds(period: Option<i64>) -> SignedDuration {
    SignedDuration::from_secs(period.unwrap_or(0).max(0))
}
