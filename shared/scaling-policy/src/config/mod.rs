//! Configuration: the file format, its validation, and what it resolves to.
//!
//! A file is read once, wholly, and either gives a complete [`GroupConfig`] for every group or a list of all
//! its faults. Nothing after that looks at an option again.

pub mod defaults;
pub mod group;

pub use group::{
    Absence, ChangeWindow, ConfigVersion, ControlLevel, Cooldown, Dimension, GroupConfig, GroupName,
    LadderRule, MetricBinding, Mode, Platform, ProgramSet, ReplicaBounds, ScaleDownRule, StabilizationWindow,
    Statistic, TriggerConfig, TypeBounds,
};
