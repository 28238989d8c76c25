//! The README's journey through the functions: `cargo lambda watch` runs them as they are deployed, an emulator's alarms
//! and schedule invoke them, and they change its groups over the AWS SDK.

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod functions;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod stage;
