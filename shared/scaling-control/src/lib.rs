//! The control loop: observe, decide, act, record.
//!
//! # Layout
//! - [`ports`]: what the loop needs of the world, as traits
//! - [`error`]: how a port fails
//! - [`key`]: which keys and prefixes a state store takes, and why
//! - `fakes` (feature `fakes`): ports in memory, and the contract suite of the state store

pub mod error;
#[cfg(any(test, feature = "fakes"))]
pub mod fakes;
pub mod key;
pub mod ports;

pub use error::PortError;
