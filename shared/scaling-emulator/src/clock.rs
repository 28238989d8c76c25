//! How time passes: step by step to a wanted moment, with the invocations that fall due on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::emulator::{Shared, State};
use crate::lambda::{self, Invocation};
use crate::region::Region;
use crate::scenario;
use crate::settings::{ClockMode, Schedule};

/// A schedule and when it is due next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Due {
    schedule: Schedule,
    next: Timestamp,
}

impl Due {
    /// A schedule that begins at `now`. `None` if it would never pass.
    pub(crate) fn from(schedule: &Schedule, now: Timestamp) -> Option<Self> {
        let next = now.checked_add(schedule.every).ok().filter(|next| *next > now)?;
        Some(Self { schedule: schedule.clone(), next })
    }

    /// Whether it is of this schedule.
    pub(crate) fn is_of(&self, schedule: &Schedule) -> bool {
        self.schedule == *schedule
    }

    /// The invocation, if it is due at the region's present moment. What was due several times is invoked once.
    fn take(&mut self, region: &Region) -> Option<Invocation> {
        let now = region.now;
        if self.next > now {
            return None;
        }
        while self.next <= now {
            self.next = self.next.checked_add(self.schedule.every).unwrap_or(Timestamp::MAX);
        }
        let payload = match &self.schedule.payload {
            Value::Null => lambda::scheduled_event(region, &self.schedule.function),
            given => given.clone(),
        };
        Some(Invocation { function: self.schedule.function.clone(), payload })
    }
}

/// Advances by one step towards `until` and returns what it invokes, alarms before schedules. `None` when the time
/// has come, or when another state than that of `epoch` was loaded, whose time is another.
fn step(shared: &Shared, until: Timestamp, epoch: u64) -> Option<Vec<Invocation>> {
    let mut state = shared.state();
    if state.region.now >= until || state.epoch != epoch {
        return None;
    }
    let now = state.region.now;
    let planned = state.timeline.front().map(|(at, _)| *at);
    let due = state.schedules.iter().map(|due| due.next).chain(planned).filter(|next| *next > now).min();
    let limit = due.map_or(until, |due| due.min(until));
    let to = state.region.next_step(limit);
    let mut invocations = state.region.pass(to);
    scenario::happen(&mut state);
    let State { region, schedules, .. } = &mut *state;
    invocations.extend(schedules.iter_mut().filter_map(|due| due.take(region)));
    Some(invocations)
}

/// Advances to `until`, and waits for each invocation before time goes on. Ends early when another state is loaded.
pub(crate) async fn advance(shared: &Shared, until: Timestamp, epoch: u64) {
    while let Some(invocations) = step(shared, until, epoch) {
        for invocation in invocations {
            invoke(shared, &invocation).await;
        }
    }
}

/// Invokes one function; a failure is logged, as Lambda would drop the event.
pub(crate) async fn invoke(shared: &Shared, invocation: &Invocation) {
    if let Err(error) = shared.lambda.invoke(invocation).await {
        tracing::warn!(function = invocation.function, %error, "an invocation failed");
    }
}

/// Lets time pass by itself until `stopped`. Invocations run beside it, as they do on AWS.
pub(crate) async fn run(shared: Arc<Shared>, mode: ClockMode, mut stopped: watch::Receiver<()>) {
    let (factor, tick) = match mode {
        ClockMode::Stepped => return,
        ClockMode::Real => (1.0, Duration::from_secs(1)),
        ClockMode::Accelerated(factor) => (factor, Duration::from_millis(25)),
    };
    let present = || {
        let state = shared.state();
        (Instant::now(), state.region.now, state.epoch)
    };
    let (mut began, mut start, mut epoch) = present();
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        if shared.state().epoch != epoch {
            let loaded = present();
            epoch = loaded.2;
            // The wall's time stays the wall's: a state that is loaded catches up. Any other goes on from the state's.
            if mode != ClockMode::Real {
                (began, start) = (loaded.0, loaded.1);
            }
        }
        let passed = Duration::try_from_secs_f64(began.elapsed().as_secs_f64() * factor);
        let until = start.checked_add(passed.unwrap_or(Duration::ZERO)).unwrap_or(Timestamp::MAX);
        while let Some(invocations) = step(&shared, until, epoch) {
            for invocation in invocations {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { invoke(&shared, &invocation).await });
            }
            // A clock that cannot keep up must not keep the server from answering.
            tokio::task::yield_now().await;
        }
    }
}
