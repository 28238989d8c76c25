//! One invocation: as many ticks as fit, one where the groups are evaluated every minute or more seldom.

use std::time::{Duration, Instant};

use lambda_runtime::Error;
use scaling_control::{ControlLoop, TickReport};
use serde::Serialize;

/// A schedule cannot come more often than once a minute; shorter periods are evaluated within one invocation.
const SCHEDULE: Duration = Duration::from_secs(60);

/// What an invocation answers; the schedule ignores it, a person reads it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    ticks: u32,
    evaluated: usize,
    changed: usize,
    failed: usize,
    left_over: usize,
}

impl Summary {
    fn add(&mut self, report: &TickReport) {
        self.ticks += 1;
        self.evaluated += report.outcomes.len();
        self.changed += report.changed();
        self.failed += report.failed();
        self.left_over += report.left_over.len();
    }
}

/// Evaluates until `budget` is used up.
///
/// # Errors
/// When a tick failed as a whole, so that Lambda counts an error.
pub(crate) async fn handle(control: &ControlLoop, budget: Duration) -> Result<Summary, Error> {
    let began = Instant::now();
    let mut summary = Summary::default();
    loop {
        let left = budget.saturating_sub(began.elapsed());
        summary.add(&control.tick(left).await?);
        let period =
            control.config().groups.iter().map(|group| group.evaluation_period).min().unwrap_or(SCHEDULE);
        let next = period * summary.ticks;
        if period >= SCHEDULE || next >= budget {
            break;
        }
        tokio::time::sleep(next.saturating_sub(began.elapsed())).await;
    }
    tracing::info!(target: "scaling::monitor", ?summary, "evaluated");
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use scaling_control::Ports;
    use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
    use scaling_policy::config::{Config, Layers};

    use super::*;

    fn control() -> (ControlLoop, FakePlatform) {
        let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
        let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
        platform.group().busy_vcpu = Some(3.9);
        let ports = Ports {
            groups: Arc::new(platform.clone()),
            writer: Arc::new(platform.clone()),
            metrics: Arc::new(platform.clone()),
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock,
        };
        let source = br#"{"mode": "horizontal", "control": "act", "group": "web"}"#;
        (ControlLoop::new(ports, Config::parse(source, &Layers::none()).unwrap().config), platform)
    }

    #[tokio::test]
    async fn one_invocation_is_one_tick_where_the_period_is_a_minute() {
        let (control, platform) = control();
        let summary = handle(&control, Duration::from_secs(45)).await.unwrap();
        assert_eq!(summary, Summary { ticks: 1, evaluated: 1, changed: 1, failed: 0, left_over: 0 });
        assert!(platform.group().desired > 2);
    }
}
