//! Keeping the CloudWatch alarms that wake the groups what the configuration says: with the first evaluation of a process,
//! after another configuration has come into force, and hourly.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use scaling_aws::alarms::{AlarmChange, SyncScope};
use scaling_aws::{AwsClients, AwsPlatform};
use scaling_control::PortError;
use scaling_policy::config::{Config, ConfigVersion};

/// The variable with the ARN of the function that the alarms invoke. Where it is not set, alarms are left alone.
pub const VARIABLE: &str = "SCALING_ALARM_FUNCTION";

/// Seconds after which alarms are looked at again.
const EVERY_SECONDS: f64 = 3600.0;

/// What alarms are kept with, and when that was last done.
pub struct AlarmKeeper {
    platform: AwsPlatform,
    action: String,
    last: Mutex<Option<(Timestamp, ConfigVersion)>>,
}

impl AlarmKeeper {
    /// Keeps alarms whose action is the function `action`, an ARN.
    pub fn new(clients: Arc<AwsClients>, action: String) -> Self {
        Self { platform: AwsPlatform::new(clients), action, last: Mutex::default() }
    }

    /// Makes the alarms what `config` says, where that is due, in at most `budget`, and removes those of this function
    /// that nothing wants any more. Trouble is logged and not returned: without an alarm a group is evaluated by the next
    /// schedule. What has failed is tried again with the next call.
    pub async fn keep(&self, config: &Config, now: Timestamp, budget: Duration) {
        if !is_due(*self.last.lock().unwrap_or_else(PoisonError::into_inner), config.version, now) {
            return;
        }
        let sync = self.platform.sync_alarms(&config.groups, &self.action, SyncScope::Prune);
        let answer = tokio::time::timeout(budget, sync).await.unwrap_or_else(|_| {
            let message = format!("not done within {} s", budget.as_secs());
            Err(PortError::Unavailable { operation: "keep the alarms", message, source: None })
        });
        match answer {
            Ok(changes) => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, config.version));
                let news = changes.iter().filter(|(_, change)| **change != AlarmChange::Keep);
                for (alarm, change) in news {
                    tracing::info!(target: "scaling::integration", alarm, ?change, "alarm brought up to date");
                }
            }
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "the alarms could not be kept");
            }
        }
    }
}

fn is_due(last: Option<(Timestamp, ConfigVersion)>, version: ConfigVersion, now: Timestamp) -> bool {
    last.is_none_or(|(at, known)| known != version || now.duration_since(at).as_secs_f64() >= EVERY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_looked_at_first_after_another_configuration_and_hourly() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let last = Some((at(0), ConfigVersion(3)));
        assert!(is_due(None, ConfigVersion(3), at(0)));
        assert!(!is_due(last, ConfigVersion(3), at(60)));
        assert!(!is_due(last, ConfigVersion(3), at(3599)));
        assert!(is_due(last, ConfigVersion(3), at(3600)));
        assert!(is_due(last, ConfigVersion(4), at(60)));
    }
}
