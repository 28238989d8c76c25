//! A local stand-in for Auto Scaling, EC2, CloudWatch and STS over a living fleet.
//!
//! It speaks the services' wire protocols on a socket, so that any client works against it unchanged. It knows no
//! client and no adapter. Each operation is one typed function over the [`region::Region`]; each protocol is a
//! serialiser over the same types.
//!
//! # Layout
//! - [`emulator`]: start, stop, advance; [`settings`]; [`setup`]: groups ready-made; `server`, `clock`, `control`
//! - [`region`]: the state of one region: groups, instances, metrics by the minute, time
//! - [`autoscaling`], [`ec2`], [`sts`], [`cloudwatch`]: the services, one table of operations each
//! - [`scenario`] and [`load_request`]: both as JSON, with a timeline; `page`: the fleet as a page shows it
//! - `kept`: the whole state as a document, to save and load
//! - [`signature`]: checked where credentials are configured; `rates`: how often calls may be made
//! - [`wire`]: the protocols; [`faults`]: failures on demand; [`workload`]: what the fleet has to do
//! - [`lambda`]: invokes functions for alarms and schedules

pub mod autoscaling;
mod clock;
pub mod cloudwatch;
mod control;
mod cut;
pub mod ec2;
pub mod emulator;
pub mod fault_rules;
pub mod faults;
mod kept;
pub mod lambda;
pub mod load_request;
pub mod machines;
mod page;
mod rates;
pub mod region;
mod requests;
pub mod scenario;
mod server;
pub mod settings;
pub mod setup;
pub mod signature;
pub mod sts;
pub mod wire;
pub mod workload;

pub use emulator::{Emulator, EmulatorError};
pub use faults::Fault;
pub use kept::StateError;
pub use region::{GroupTotals, MinuteRecord, Region};
pub use scenario::Scenario;
pub use server::answer;
pub use settings::{ClockMode, Schedule, Settings};
pub use setup::GroupSetup;
pub use wire::AwsError;
pub use workload::Workload;
