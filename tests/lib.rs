//! End-to-end tests with real clients on real sockets.
//!
//! # Layout
//! - [`environment`]: the environment of a client that is to reach an emulator and nothing else
//! - [`project`]: where things are in the checkout, and the programs that `make setup` installs
//! - `clients/`: boto3, the aws CLI and the SDK for Rust against the emulator
//! - `contracts/`: what has to be true of the project as a whole: layers, configurations, template, papers
//! - `dynamodb/`: the third-party server that the store's contract tests start

pub mod environment;
pub mod project;
