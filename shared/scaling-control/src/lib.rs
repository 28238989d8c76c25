//! The control loop: observe, decide, act, record.
//!
//! # Layout
//! - [`ports`]: what the loop needs of the world, as traits
//! - [`error`]: how a port fails

pub mod error;
pub mod ports;

pub use error::PortError;
