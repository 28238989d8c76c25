//! Ports in memory, for tests here and above: they keep state, record calls, and fail when told to.
//!
//! Behind the feature `fakes`, so that nothing of it reaches a production binary.

mod around;
mod clock;
mod dying;
mod platform;
mod several;
mod store;
pub mod store_contract;

pub use around::{Around, Call, around};
pub use clock::SteppedClock;
pub use dying::{Moment, dying};
pub use platform::{FakeGroup, FakePlatform, Steps};
pub use several::Several;
pub use store::MemoryStore;
