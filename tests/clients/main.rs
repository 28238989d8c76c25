//! Real clients against the emulator on real sockets: boto3 and the aws CLI as `make setup` installs them, and the SDK
//! for Rust behind the project's own adapter.
//!
//! A scenario of boto3 is a script beside this file; [`boto3`] runs each as one test.

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod boto3;
#[cfg(test)]
mod chapter;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod tick;
#[cfg(test)]
mod zones;
