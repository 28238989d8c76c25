//! The REST interface over the real loop with its ports in memory: every endpoint's success and every problem.

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod chapter;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod events;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod health;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod validation;
