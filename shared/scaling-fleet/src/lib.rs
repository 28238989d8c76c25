//! The ground floor: instance types and their prices, the instances of a group, the load on them and how
//! they answer it. Pure: no I/O, no clock, every random draw from a seed that the caller gives.
//!
//! # Layout
//! - [`units`]: vCPU, MiB, USD per hour and instance type names as types
//! - [`catalogue`]: instance types with their vCPU and memory; [`prices`]: what they cost, where, as of when
//! - [`queueing`]: the textbook formulas (Erlang C, response time quantiles)
//! - [`latency`]: the same quantiles from a table, for loops that ask millions of times
//! - [`service`]: what one simulated service needs per request and how its replicas queue
//! - [`station`]: what serving replicas do with the requests of one interval
//! - [`load`]: requests per second over time, from a seeded profile or from a trace file
//! - [`random`]: how a random number generator is written down
//! - [`fleet`]: instances that boot, warm up, serve, fill their memory, fail and end

pub mod catalogue;
pub mod fleet;
pub mod latency;
pub mod load;
pub mod prices;
pub mod queueing;
pub mod random;
pub mod service;
pub mod station;
pub mod units;

pub use catalogue::{Architecture, Catalogue, InstanceClass, InstanceType};
pub use prices::PriceBook;
pub use units::{Mebibytes, TypeName, UsdPerHour, Vcpu};
