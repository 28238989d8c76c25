//! State stores: SQLite embedded, DynamoDB on AWS.
//!
//! Both keep the same columns (key, version, body, expires) and hold the same contract, which is written down
//! as tests in `scaling_control::fakes::store_contract`. Which keys they take is in [`scaling_control::key`].
//!
//! # Layout
//! - [`sqlite`] (feature `sqlite`): one file on the local disk
//! - [`dynamo`] (feature `dynamodb`): one table on AWS
//! - `expiry`: expiry in whole seconds, as both keep it

#[cfg(feature = "dynamodb")]
pub mod dynamo;
#[cfg(any(feature = "dynamodb", feature = "sqlite"))]
mod expiry;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(feature = "dynamodb")]
pub use dynamo::DynamoStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
