//! How long one call may take, retries included.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// Time-outs and retries of one call.
///
/// The SDK retries throttling, server faults and lost connections by itself, with exponential back-off and full
/// jitter. All of it, the first attempt included, ends after [`CallLimits::operation`]. One step that the
/// controller asks for is at most [`CallLimits::CALLS_PER_STEP`] calls, so a step has ended, one way or the
/// other, after [`CallLimits::longest_step`]. That must not be longer than the loop waits for a step
/// ([`scaling_control::LONGEST_STEP`]), and shorter than the lease on the group ([`scaling_control::LEASE`]): an owner whose lease has run out then has no call on the wire any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Longest time to a connection. Default 2 s.
    pub connect: Duration,
    /// Longest time for one attempt, connection included. Default 5 s.
    pub attempt: Duration,
    /// Longest time for the call with all its attempts and the waits between them. Default 20 s.
    pub operation: Duration,
    /// Most attempts, the first included; at least 1. Default 4.
    pub max_attempts: u32,
    /// The first wait lasts up to this long, each further one up to twice as long as the one before.
    /// Default 500 ms.
    pub initial_backoff: Duration,
}

impl CallLimits {
    /// Calls that one step takes at most: a look at the group as it is, then the change.
    pub const CALLS_PER_STEP: u32 = 2;

    /// After this long a step has ended.
    pub const fn longest_step(&self) -> Duration {
        self.operation.saturating_mul(Self::CALLS_PER_STEP)
    }

    /// The limits as the SDK's retry configuration.
    pub fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.max_attempts.max(1))
            .with_initial_backoff(self.initial_backoff)
            .with_max_backoff(self.attempt)
    }

    /// The limits as the SDK's time-out configuration.
    pub fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(5),
            operation: Duration::from_secs(20),
            max_attempts: 4,
            initial_backoff: Duration::from_millis(500),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_when_the_loop_gives_it_up_and_inside_the_lease() {
        let longest = CallLimits::default().longest_step();
        assert!(longest <= scaling_control::LONGEST_STEP);
        assert!(longest < scaling_control::LEASE);
        assert!(longest < Duration::from_secs(60));
    }

    #[test]
    fn there_is_always_a_first_attempt() {
        let limits = CallLimits { max_attempts: 0, ..CallLimits::default() };
        assert_eq!(limits.retries().max_attempts(), 1);
    }
}
