//! The control loop: observe, decide, act, record.
//!
//! # Layout
//! - [`ports`]: what the loop needs of the world, as traits
//! - [`error`]: how a port fails
//! - [`key`]: which keys and prefixes a state store takes, and why
//! - `fakes` (feature `fakes`): ports in memory, and the contract suite of the state store

mod act;
pub mod bookkeeping;
pub mod control_loop;
pub mod controls;
pub mod error;
#[cfg(any(test, feature = "fakes"))]
pub mod fakes;
pub mod key;
mod limits;
#[cfg(test)]
mod mocked;
pub mod observe;
pub mod pass;
pub mod ports;
mod ports_set;
mod reading;
mod recall;
pub mod record;
pub mod report;
pub mod request;
mod take_over;
pub mod versions;

pub use act::{LEASE, LONGEST_STEP};
pub use control_loop::{ControlLoop, RefusedConfig};
pub use error::PortError;
pub use ports_set::Ports;
pub use reading::within;
pub use report::{Evaluation, GroupOutcome, Outcome, TickReport};
pub use request::{ConfigRefusal, Obstacle, Refusal, Requested, ScaleRequest, check_type};
pub use take_over::{LONGEST_LOOK, LOOK_EVERY};
pub use versions::ConfigChange;
