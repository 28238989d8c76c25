//! The decision, as its specification: by stage, by guard, by mode, and in closed loop.

#![expect(clippy::unwrap_used, reason = "what the cases are built from is known to exist")]

mod demand;
mod follow;
mod guards;
mod horizontal;
mod hybrid;
mod properties;
mod settling;
mod support;
mod undo;
mod vertical;
mod week;
