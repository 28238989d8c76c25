//! Failures on demand.

/// A failure on demand.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {}
