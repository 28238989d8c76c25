//! The Service Scaling Framework as a library: ports, loop, interface and telemetry put together.
//!
//! Start with [`Controller`], which runs the whole inside the caller's tokio process.
//!
//! # Layout
//! - [`controller`]: the handle that others embed
//! - [`assembly`]: which store, which clients, which clock
//! - [`platforms`]: groups on AWS and groups driven by programs behind one set of ports; [`standalone`]
//! - [`lambda`]: what the three functions share
//! - `serve` (feature): listeners for the REST interface and for Prometheus, with TLS, tokens and a rate limit
//! - [`narrate`]: one log line for each decision
//! - [`configuration`]: files, environment layers and variables

pub mod assembly;
pub mod configuration;
pub mod controller;
pub mod lambda;
pub mod narrate;
#[cfg(not(feature = "programs"))]
mod no_programs;
pub mod platforms;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "programs")]
pub mod standalone;

pub use assembly::{Assembly, AssemblyError, StoreChoice};
pub use controller::{Controller, ControllerError, Running};
