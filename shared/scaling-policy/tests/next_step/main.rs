//! What follows for an open operation, case by case, and the limits over all groups.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

mod admission;
mod properties;
mod retype;
mod scale;
mod support;
