//! Ports in memory, for tests here and above: they keep state, record calls, and fail when told to.
//!
//! Behind the feature `fakes`, so that nothing of it reaches a production binary.

mod clock;
mod store;
pub mod store_contract;

pub use clock::SteppedClock;
pub use store::MemoryStore;
