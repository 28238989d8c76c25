//! The scaling algorithms people use today, pure, for comparison and for the emulator.
//!
//! # Layout
//! - [`target_tracking`]: EC2 Auto Scaling's target tracking in its classic form
//! - [`replay`]: a simulated group in virtual time, and [`replay::track`], which runs target tracking on one

pub mod replay;
pub mod target_tracking;

pub use target_tracking::TargetTracking;
