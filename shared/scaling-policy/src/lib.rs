//! What a group should be, and why: configuration, its validation, and the scaling decision.
//!
//! Everything here is pure. Time, readings and randomness come in as arguments, so that a decision can be
//! printed, compared, tested and repeated. Nothing in this crate reads a clock, a file or a socket.
//!
//! # Layout
//! - [`config`]: the file format, validation, and the complete [`config::GroupConfig`] it resolves to
//! - [`trigger`]: the four triggers and their readings
//! - [`snapshot`]: everything one decision looks at, read once
//! - [`learned`]: what is remembered between decisions, and [`learned::learn`]
//! - [`decision`]: the result, its reasons and alternatives
//! - [`mod@decide`]: the fixed list of stages that turns the one into the other
//! - [`operation`]: a decision being carried out, and [`operation::next_step`]
//! - [`admit`]: limits over all groups of a tick together

pub mod admit;
pub mod config;
pub mod decide;
pub mod decision;
pub mod learned;
pub mod operation;
pub mod snapshot;
pub mod trigger;

pub use decide::decide;
pub use decision::{Action, Decision, Reason};
pub use learned::{Learned, learn};
pub use operation::{OperationState, next_step};
pub use snapshot::Snapshot;
pub use trigger::{PerTrigger, Reading, Trigger};
