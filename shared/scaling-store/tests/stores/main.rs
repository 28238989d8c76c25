//! The stores from outside: the contract over each, against a model, killed in the middle, and on the wire.
//!
//! The DynamoDB tests talk to dynalite, a server of a third party, which each test starts for itself; those of
//! transactions, which dynalite does not know, to moto's.
#![cfg(all(feature = "sqlite", feature = "dynamodb"))]

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod connections;
#[cfg(test)]
mod dynalite;
#[cfg(test)]
mod dynamodb;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod model;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod wire;
