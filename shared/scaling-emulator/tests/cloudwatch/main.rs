//! CloudWatch of the emulator, as its callers see it.

#![expect(clippy::unwrap_used, reason = "what a test builds on must hold")]

mod alarms;
mod composites;
mod dashboards;
mod functions;
mod machines;
mod metrics;
mod protocols;
mod rules;
mod support;
