//! A clock that moves only when it is told to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::Clock;

/// Stands still until [`SteppedClock::advance`].
#[derive(Debug)]
pub struct SteppedClock(Mutex<Timestamp>);

impl SteppedClock {
    /// Starts at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it forward. A step beyond the end of time leaves it where it is.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(later) = now.checked_add(by) {
            *now = later;
        }
    }

    /// Moves it forward by whole seconds.
    pub fn advance_seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
