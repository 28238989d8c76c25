//! The Service Scaling Framework as a library: ports, loop, interface and telemetry put together.

pub mod standalone;
