//! What people and machines see of the controller from outside: logs and metrics. Both are renderings of what an
//! evaluation has read and decided; nothing here reads a group or decides anything.
//!
//! # Layout
//! - [`targets`]: the three tracing targets by which log lines are sorted
//! - [`logs`]: subscribers for a Lambda function and for a process of its own
//! - [`metrics`]: the figures of every group, as Prometheus text, OpenMetrics text and JSON
//! - [`emf`]: the figures of one evaluation as CloudWatch embedded metric format
//! - [`savings`]: what a fixed fleet would cost; [`own_cost`]: what the controller costs
//! - [`sentence`], [`explain`]: a decision in one sentence, and in all its parts
//! - [`counted`]: the ports, with every call counted, timed and logged

pub mod counted;
pub mod emf;
pub mod explain;
pub mod logs;
pub mod metrics;
pub mod own_cost;
pub mod savings;
pub mod sentence;
pub mod targets;

pub use metrics::{Format, Metrics, quality};
