//! The Service Scaling Framework as a library: ports, loop, interface and telemetry put together.

pub mod configuration;
pub mod standalone;
