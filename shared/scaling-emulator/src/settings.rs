//! How an emulator is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::signature::Credentials;

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockMode {
    /// As on the wall, from [`Settings::start`].
    Real,
    /// So many times as fast as on the wall.
    Accelerated(f64),
    /// Only when it is advanced.
    Stepped,
}

/// A function invoked every so often of the emulator's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Name or ARN of the function.
    pub function: String,
    /// Time between two invocations, longer than 0; the first is one such time after the start.
    pub every: Duration,
    /// The event; null stands for the one that EventBridge Scheduler sends when it is given none.
    pub payload: Value,
}

/// How an emulator is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Region name.
    pub region: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// How time passes.
    pub clock: ClockMode,
    /// The time at the start.
    pub start: Timestamp,
    /// Where functions are invoked, such as `http://127.0.0.1:9000`.
    pub lambda_endpoint: Option<String>,
    /// Functions invoked every so often.
    pub schedules: Vec<Schedule>,
    /// Everything random is drawn from it.
    pub seed: u64,
    /// How long after its end a minute of the fleet is published as metrics.
    pub metric_delay: Duration,
    /// Who may call: signatures are checked where there is any, and every one is accepted otherwise.
    pub credentials: Vec<Credentials>,
    /// Most groups that callers may make.
    pub group_limit: usize,
    /// How long an instance refresh goes on without any launch succeeding before it fails.
    pub refresh_patience: Duration,
}

impl Default for Settings {
    /// A stepped emulator on a free loopback port.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            clock: ClockMode::Stepped,
            start: Timestamp::from_second(1_767_571_200).unwrap_or(Timestamp::UNIX_EPOCH),
            lambda_endpoint: None,
            schedules: Vec::new(),
            seed: 1,
            metric_delay: Duration::ZERO,
            credentials: Vec::new(),
            group_limit: 500,
            refresh_patience: Duration::from_secs(3600),
        }
    }
}
