//! What happens, in the order in which it is written: decisions, operations, writes of people.
//!
//! An event is a short record of its own beside what it tells of, so that all of them can be read in order and by page,
//! from any process. They are kept for [`KEPT_FOR`].

mod feed;
mod log;

use std::time::Duration;

use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::StateStore;
use scaling_control::record::from_json;
use serde::{Deserialize, Serialize};

pub(crate) use feed::Feed;
pub use log::EventLog;

/// How long events are kept.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// What every event's key begins with; its id follows.
const PREFIX: &str = "event/all/";

/// Events are read once they are this old. Two writers at the same moment may be done in another order than that of
/// their ids; a reader that has gone past an id never looks back.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = EventKind))]
pub enum Kind {
    /// Something else was decided than before.
    Decision,
    /// An operation was begun, or came further, or ended.
    Operation,
    /// Somebody changed something through this interface.
    Write,
}

impl Kind {
    /// The name in answers and of server-sent events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Operation => "operation",
            Self::Write => "write",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = EventBody))]
pub struct Event {
    /// When it was written down.
    pub at: Timestamp,
    /// What it is about.
    pub kind: Kind,
    /// The group, where it concerns one.
    pub group: Option<String>,
    /// What happened, in a word: `up`, `verified`, `paused`.
    pub what: String,
    /// A sentence.
    pub summary: String,
    /// Where to read more.
    pub href: String,
}

/// An event with its place in the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Event))]
pub(crate) struct Numbered {
    /// Its id; what follows in time follows in order.
    pub(crate) id: String,
    /// The event.
    #[serde(flatten)]
    pub(crate) event: Event,
}

/// Part of the log.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In order.
    pub(crate) events: Vec<Numbered>,
    /// Where to go on.
    pub(crate) last: Option<String>,
    /// Whether more follow at once.
    pub(crate) more: bool,
}

/// Events after an id, oldest first.
pub(crate) async fn after(
    store: &dyn StateStore,
    now: Timestamp,
    id: Option<&str>,
    limit: usize,
) -> Result<Batch, PortError> {
    let after = id.map(|id| format!("{PREFIX}{id}"));
    // One more tells whether there is one.
    let records = store.list(PREFIX, after.as_deref(), limit + 1).await?;
    let settled = now - SETTLED_AFTER;
    let mut batch = Batch { events: Vec::new(), last: id.map(str::to_owned), more: false };
    for record in records {
        let event: Event = from_json(&record.key, &record.body)?;
        if event.at > settled {
            break;
        }
        if batch.events.len() == limit {
            batch.more = true;
            break;
        }
        let id = record.key.trim_start_matches(PREFIX).to_owned();
        batch.last = Some(id.clone());
        batch.events.push(Numbered { id, event });
    }
    Ok(batch)
}
