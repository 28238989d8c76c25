//! The scaling algorithms people use today, pure, for comparison and for the emulator.
//!
//! Each follows its published documentation, which its module names, with the defaults that stand there.
//!
//! # Layout
//! - [`target_tracking`]: EC2 Auto Scaling's target tracking in its classic form; [`predictive`]: with predictive scaling
//! - [`step_scaling`]: EC2 Auto Scaling's step scaling
//! - [`hpa`]: Kubernetes' HorizontalPodAutoscaler; [`vpa`]: the sizing of its VerticalPodAutoscaler; [`hpa_vpa`]: both
//! - [`threshold`]: two thresholds and two factors
//! - [`fixed`]: as many as the peak needs, for ever

pub mod fixed;
pub mod hpa;
pub mod hpa_vpa;
pub mod predictive;
pub mod step_scaling;
pub mod target_tracking;
pub mod threshold;
pub mod vpa;

pub use target_tracking::TargetTracking;
