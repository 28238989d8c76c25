//! Policies over load traces in virtual time: what they cost, what they miss, and how far they are from perfect.
//!
//! Deterministic: the same trace, conditions and seed give the same figures on any machine. What a policy sees are
//! metrics as late and as coarse as the [`Conditions`] say; the fleet behind them is scaling-fleet's own model.
//!
//! # The model
//! Time goes in intervals of [`STEP_SECONDS`]. In each, a Poisson number of requests arrives at the rate of the trace
//! (straight lines between its values), and the serving replicas do with them what
//! [`scaling_fleet::station::serve`] says: own queues or a shared one, a backlog with a time-out on overload, memory of
//! a base plus a part per busy vCPU. A replica is billed from its launch; it serves after its boot and, where there is one,
//! its warm-up. A type change runs old and new side by side. All policies of one trace face the same arrivals.
//!
//! # Layout
//! - [`trace`]: reads CSV, with what is wrong or was put right; makes counts fit for a larger service
//! - [`conditions`]: metrics, service, boot, bounds; [`world`]: a trace under such conditions, ready to be played
//! - [`group`]: a group in virtual time; [`metrics`]: what can be read of it, and when
//! - [`policy`]: what is played; [`hybrid`], [`rivals`] and [`oracle`] are its kinds
//! - [`play`]: the loop; [`figures`]: what is measured, with sources
//! - [`competition`]: policies by traces by settings, on all cores; [`disturbance`]: conditions other than planned;
//!   [`delays`]: metrics sooner and later; [`type_cases`]: what choosing the type is worth
//! - [`ranking`]: who is better, and whether it stays so; [`report`]: JSON, CSV and one HTML page

pub mod competition;
pub mod conditions;
pub mod delays;
pub mod disturbance;
pub mod figures;
pub mod group;
pub mod hybrid;
pub mod metrics;
pub mod oracle;
pub mod play;
pub mod policy;
pub mod ranking;
pub mod report;
pub mod rivals;
pub mod trace;
pub mod type_cases;
pub mod world;

pub use conditions::Conditions;
pub use figures::Figures;
pub use trace::Trace;
pub use world::World;

/// Length of an interval, in seconds: what latency is judged over.
pub const STEP_SECONDS: u32 = 15;
