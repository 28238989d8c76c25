//! What the emulator promises: the services' rules, their wire forms, and how groups live.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod client;
mod faults;
mod lifecycle;
mod refreshes;
mod rules;
mod wire;
mod world;
