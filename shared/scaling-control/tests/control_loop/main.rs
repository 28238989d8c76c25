//! The loop over fakes, with a stepped clock: what the group ends up as, how often it was changed, what was called.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

mod bad_days;
mod calls;
mod counted;
mod deaths;
mod faults;
mod hanging;
mod limits;
mod money;
mod obstacles;
mod other_hands;
mod plans;
mod races;
mod recall;
mod requests;
mod take_over;
mod world;
