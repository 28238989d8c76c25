//! Configuration: the file format, its validation, and what it resolves to.
//!
//! A file is read once, wholly, and either gives a complete [`GroupConfig`] for every group or a list of all
//! its faults. Nothing after that looks at an option again. Files and environment variables are read by the
//! caller; nothing here does.
//!
//! # Layout, in the order in which a configuration passes through
//! - [`layers`]: file, environment's file and environment variables, merged into one JSON document
//! - [`source`]: the file format: every key with its unit, range and default; [`schema()`] is made from it
//! - [`values`]: the numbers in it
//! - [`group`]: what one group's settings resolve to; [`window`]: its change window; [`calendar`]: its bounds by time
//! - [`defaults`]: what holds where nothing is said
//! - [`document`]: the whole configuration, [`Config::parse`]
//! - [`fault`]: what can be wrong with one; `replacing`: what somebody should know of one that takes the place of another

mod bindings;
mod bounds;
pub mod calendar;
pub mod defaults;
pub mod document;
pub mod fault;
pub mod group;
mod ladder;
pub mod layers;
mod origin;
mod read;
mod replacing;
mod resolve;
mod schema;
pub mod source;
mod text;
pub mod values;
pub mod window;

pub use calendar::CalendarEntry;
pub use document::{Config, FleetLimits, Loaded, SpotPrices};
pub use fault::{ConfigError, ConfigFault, Severity};
pub use group::{
    Absence, ConfigVersion, ControlLevel, Cooldown, Dimension, GroupConfig, GroupName, LONGEST_PROGRAM,
    LadderRule, MetricBinding, Mode, Platform, ProgramSet, ReplicaBounds, ScaleDownRule, StabilizationWindow,
    Statistic, TriggerConfig, TypeBounds,
};
pub use layers::Layers;
pub use replacing::{left_out, new_programs, programs_not_run};
pub use schema::schema;
pub use text::MAX_BYTES;
pub use window::{ChangeWindow, WindowError};
