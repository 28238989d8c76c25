//! Writing events: a state store that notes what is written through it. The loop knows nothing of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{Clock, Expected, NewRecord, Record, StateStore};
use scaling_control::record::{OPERATIONS_PREFIX, OperationRecord, from_json, to_json};
use scaling_policy::decision::Decision;
use scaling_policy::operation::Phase;

use super::{Event, KEPT_FOR, Kind, PREFIX};
use crate::audit;

/// A state store that appends an event to each history record, in the same call.
pub struct EventLog {
    store: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    written: AtomicU32,
}

impl EventLog {
    /// Over a store.
    pub fn new(store: Arc<dyn StateStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, written: AtomicU32::new(0) }
    }

    fn with_events(&self, records: Vec<NewRecord>) -> Vec<NewRecord> {
        let now = self.clock.now();
        let events: Vec<NewRecord> = records.iter().filter_map(|record| self.event(record, now)).collect();
        records.into_iter().chain(events).collect()
    }

    /// What a record tells; a record that cannot be read tells nothing, and is stored all the same.
    fn event(&self, record: &NewRecord, now: Timestamp) -> Option<NewRecord> {
        let event = told(record, now)?;
        let number = self.written.fetch_add(1, Ordering::Relaxed) % 1_000_000;
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let key = format!("{PREFIX}{at}-{number:06}-{}", unique.get(..8)?);
        Some(NewRecord { key, body: to_json("note an event", &event).ok()?, expires: Some(now + KEPT_FOR) })
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").finish_non_exhaustive()
    }
}

fn told(record: &NewRecord, at: Timestamp) -> Option<Event> {
    let (key, body) = (record.key.as_str(), record.body.as_str());
    if key.starts_with(OPERATIONS_PREFIX) {
        let OperationRecord { group, operation } = from_json(key, body).ok()?;
        // What was only planned has not happened yet; what the platform says to it follows.
        if operation.phase == Phase::Planned && operation.failure.is_none() {
            return None;
        }
        let (what, action) = (operation.phase.label().replace('_', " "), operation.kind.label());
        let failure = operation.failure.map(|failure| format!(": {failure}")).unwrap_or_default();
        return Some(Event {
            at,
            kind: Kind::Operation,
            group: Some(group.to_string()),
            what: operation.phase.label().to_owned(),
            summary: format!("{action} is {what} ({}){failure}", operation.reason),
            href: format!("/operations/{}", operation.id.0),
        });
    }
    if key.starts_with("decision/") {
        let decision: Decision = from_json(key, body).ok()?;
        return Some(Event {
            at,
            kind: Kind::Decision,
            what: decision.action.label().to_owned(),
            summary: format!("{}: {}", decision.action.label(), decision.reason),
            href: format!("/groups/{}/decisions", escaped(decision.group.as_str())),
            group: Some(decision.group.to_string()),
        });
    }
    if key.starts_with(audit::PREFIX) {
        let entry: audit::Entry = from_json(key, body).ok()?;
        return Some(Event {
            at,
            kind: Kind::Write,
            summary: format!("{} by {}", entry.what, entry.by),
            group: entry.group,
            what: entry.what,
            href: "/audit".to_owned(),
        });
    }
    None
}

/// A name as one segment of a path.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(one).collect()
}

#[async_trait]
impl StateStore for EventLog {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        self.store.get(key).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        self.store.get_many(keys).await
    }

    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        self.store.put_with(record, expected, self.with_events(along)).await
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        self.store.append(self.with_events(records)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        self.store.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.store.delete(key).await
    }
}
