//! Reading CloudWatch metrics in as few calls as possible.
//!
//! - [`plan`]: which queries are one and the same, and which go into one call
//! - [`read`]: the calls, their pages, and what stays partial

mod plan;
mod read;

pub(crate) use plan::Plan;
pub(crate) use read::read;
