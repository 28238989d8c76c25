//! A decision being carried out: its durable state, and [`next_step`], the one function that says what follows.
//!
//! There is no separate recovery. Every evaluation reads the group and the stored [`OperationState`] and asks
//! [`next_step`]; a controller that died between two steps is continued by whichever comes next.

mod changes;
mod next_step;
mod plan;
mod retype;
mod state;

pub use changes::Changes;
pub use next_step::{
    FIRST_RETRY_DELAY, LONGEST, LaunchFailure, LaunchFailureKind, MOST_ATTEMPTS, Observed, Progress,
    SETTLING, Step, next_step,
};
pub use state::{
    Before, Breaker, LaunchTemplate, ManualChange, Operation, OperationId, OperationKind, OperationState,
    Override, Pause, Phase, TypeBackoff, Zones,
};
