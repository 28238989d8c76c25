//! Events of the fleet, as EventBridge would carry them: lifecycle actions, launches and terminations, interruptions.
//! They are kept for whoever asks at `/_emulator/events`.

use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most events kept.
const KEPT: usize = 10_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// Its number, from 1.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// Whose: `aws.autoscaling`, `aws.ec2`.
    pub source: Cow<'static, str>,
    /// What, such as `EC2 Instance-launch Lifecycle Action`.
    pub detail_type: Cow<'static, str>,
    /// The rest.
    pub detail: Value,
}

/// The newest events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Events {
    log: VecDeque<Event>,
    count: u64,
}

impl Events {
    /// Adds the newest.
    pub fn push(&mut self, time: Timestamp, source: &'static str, detail_type: &'static str, detail: Value) {
        self.count += 1;
        if self.log.len() >= KEPT {
            self.log.pop_front();
        }
        let (source, detail_type) = (source.into(), detail_type.into());
        self.log.push_back(Event { number: self.count, time, source, detail_type, detail });
    }

    /// The events behind a number, oldest first; 0 gives all that are kept.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Event> {
        self.log.iter().filter(move |event| event.number > number)
    }
}
