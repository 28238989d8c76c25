//! What the emulator promises: the services' rules, their wire forms, and how groups live.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod attributes;
mod breadth;
mod call;
mod client;
mod control;
mod ec2;
mod ec2_filters;
mod ec2_rules;
mod everything;
mod faults;
mod gone;
mod hooks;
mod images;
mod interruptions;
mod launched_with;
mod lifecycle;
mod limits;
mod maintenance;
mod notices;
mod options;
mod overrides;
mod policies;
mod predictive;
mod protection;
mod quotas;
mod ranges;
mod refresh_progress;
mod refresh_rules;
mod refreshes;
mod refusals;
mod rules;
mod schedule;
mod security_groups;
mod signatures;
mod spot_prices;
mod spot_requests;
mod standby;
mod state;
mod termination;
mod traffic;
mod types;
mod usage;
mod wire;
mod world;
