//! One invocation: one tick, or several where groups are evaluated more often than a schedule can come.

use std::collections::BTreeSet;
use std::time::Duration;

use scaling::lambda::Function;
use scaling::lambda::clock::ClockError;
use scaling::lambda::failure::Failure;
use scaling::lambda::notices::Notice;
use scaling_control::{Outcome, PortError, TickReport};
use serde::Serialize;
use thiserror::Error;
use tokio::time::Instant;

/// A schedule cannot come more often than once a minute; shorter periods are evaluated within one invocation.
const SCHEDULE: Duration = Duration::from_secs(60);

/// What an invocation answers; the schedule ignores it, a person reads it, and EventBridge gets it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    ticks: u32,
    evaluated: usize,
    changed: usize,
    failed: usize,
    left_over: usize,
    notices: BTreeSet<Notice>,
}

/// Why an invocation counts as an error, which alarms watch.
#[derive(Debug, Error)]
pub(crate) enum TickError {
    /// Nothing could be read at all.
    #[error("no group could be evaluated: {0}")]
    Whole(#[from] PortError),
    /// Each group on its own failed.
    #[error("none of the {groups} groups could be evaluated, the first because: {first}")]
    EveryGroup {
        /// How many.
        groups: usize,
        /// Why.
        first: String,
    },
    /// The emulator's clock cannot be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl From<TickError> for Failure {
    fn from(error: TickError) -> Self {
        let message = error.to_string();
        let name = match error {
            TickError::Whole(cause) => Self::from(cause).name,
            TickError::EveryGroup { .. } => "NoGroupEvaluated",
            TickError::Clock(_) => "Clock",
        };
        Self { name, message }
    }
}

/// Evaluates until `budget` is used up, at most for the minute until the next invocation.
///
/// # Errors
/// When a tick failed as a whole, after the others have been made: Lambda counts an error.
pub(crate) async fn handle(function: &Function, budget: Duration) -> Result<Summary, TickError> {
    let began = Instant::now();
    let (mut summary, mut failure) = (Summary::default(), None);
    let mut longest = Duration::ZERO;
    loop {
        let ticked = Instant::now();
        if let Err(error) = tick(function, budget.saturating_sub(began.elapsed()), &mut summary).await {
            tracing::error!(target: "scaling::monitor", %error, "the tick failed");
            failure = Some(error);
        }
        // After the groups, which matter more, in what they have left of the time.
        function.keep_alarms(budget.saturating_sub(began.elapsed())).await;
        let groups = &function.control().config().groups;
        let period = groups.iter().map(|group| group.evaluation_period).min().unwrap_or(SCHEDULE);
        let next = period * summary.ticks;
        longest = longest.max(ticked.elapsed());
        // Where ticks are slower than the period the time is over before their number is. One that would not come to its
        // end is not begun: an invocation that is ended leaves leases and notices behind.
        let begins = next.max(began.elapsed());
        if begins >= SCHEDULE.min(budget) || begins + longest > budget {
            break;
        }
        tokio::time::sleep(next.saturating_sub(began.elapsed())).await;
    }
    failure.map_or(Ok(summary), Err)
}

async fn tick(function: &Function, budget: Duration, summary: &mut Summary) -> Result<(), TickError> {
    summary.ticks += 1;
    function.follow_clock().await?;
    let began = Instant::now();
    let report = function.control().tick(budget).await?;
    summary.notices.extend(function.tell_tick(&report, began.elapsed()));
    function.control().recall(&report, budget.saturating_sub(began.elapsed())).await;
    summary.evaluated += report.outcomes.len();
    summary.changed += report.changed();
    summary.failed += report.failed();
    summary.left_over += report.left_over.len();
    every_group_failed(&report).map_or(Ok(()), Err)
}

fn every_group_failed(report: &TickReport) -> Option<TickError> {
    let groups = report.outcomes.len();
    let all = groups > 0 && report.failed() == groups && report.left_over.is_empty();
    match &report.outcomes.first()?.result {
        Outcome::Failed(error) if all => Some(TickError::EveryGroup { groups, first: error.to_string() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
