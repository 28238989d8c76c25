//! The adapter at the wire: the requests that leave, and what becomes of each answer.
//!
//! The SDK is the real one; only its HTTP client is a script. Time is paused, so that time-outs and back-offs
//! pass at once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a script that does not fit fails its test")]

mod activities;
mod broken;
mod changes;
mod clients;
mod cloudwatch;
mod describing;
mod environment;
mod faults;
mod foreign;
mod metrics;
mod quotas;
mod script;
mod tls;
mod xml;
