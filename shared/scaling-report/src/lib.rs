//! What a group cost and how often it was over its limits, beside what it would have cost and missed had this controller
//! acted on it: the report for a group that is only observed. Pure: history in, text out.
//!
//! # Layout
//! - [`history`]: what metrics say of the past
//! - [`mod@replay`]: the policy over that history, on a group in virtual time
//! - [`comparison`]: both sides in figures, with fixed fleets beside them
//! - [`money`]: on demand, and with a discount
//! - [`trend`]: memory that rises by itself
//! - [`text`]: Markdown; [`page`]: one HTML file with plots

pub mod comparison;
pub mod history;
pub mod money;
pub mod page;
mod plot;
pub mod replay;
mod steering;
pub mod text;
pub mod trend;

pub use comparison::Comparison;
pub use history::{GroupLimits, History, Past};
pub use replay::{Replay, replay};
