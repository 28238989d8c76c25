//! AWS adapters: Auto Scaling groups and CloudWatch metrics behind the ports of `scaling-control`.
//!
//! Everything is built at first need. Creating [`AwsClients`] reads no environment, opens no file and loads no
//! certificate, so that a function that has nothing to do yet starts at once.
//!
//! # Layout
//! - [`clients`]: where the SDK's clients come from: the standard environment, or an explicit endpoint
//! - [`surroundings`]: what settings leave open: the standard environment, or a function's variables alone
//! - [`limits`]: time-outs and retries of one call, which end inside a group's lease
//! - [`http_client`]: the HTTP client that loads the trust store when the first `https` request is sent
//! - [`counter`]: counts calls and attempts by operation
//! - [`error`]: what an SDK error means to the caller of a port
//! - [`platform`]: [`AwsPlatform`], which implements the ports
//! - [`alarms`]: the CloudWatch alarms that wake a group
//! - [`diagnose`]: whether AWS answers, and what time it has
//! - `secrets` (feature): what lies in Secrets Manager, by reference
//! - [`discover`]: groups that exist, for whoever takes them over
//! - `groups`: reading and changing Auto Scaling groups
//! - `signing` (feature): requests to an interface behind API Gateway
//! - `spans`: a span for each call, for whoever exports them
//! - `metrics`: reading CloudWatch metrics

pub mod alarms;
mod bounded;
pub mod clients;
pub mod counter;
pub mod diagnose;
pub mod discover;
pub mod error;
mod groups;
pub mod http_client;
pub mod limits;
mod metrics;
mod moment;
pub mod platform;
mod quotas;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "signing")]
pub mod signing;
mod spans;
pub mod surroundings;

pub use aws_credential_types::Credentials;
pub use clients::{AwsClients, AwsSettings};
pub use counter::{CallCounter, Tally};
pub use groups::describe::MANAGED;
pub use limits::CallLimits;
pub use platform::AwsPlatform;
pub use surroundings::Surroundings;
