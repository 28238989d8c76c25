//! Who has changed what: one record of each write that went through, with what was before and after. It is stored in the
//! transaction of the write itself, and logged as well.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::NewRecord;
use scaling_control::record::{HISTORY, to_json};
use scaling_policy::config::ConfigVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::request::{Caller, REQUEST_ID};
use crate::state::ApiState;

/// What every entry's key begins with; a time follows.
pub(crate) const PREFIX: &str = "audit/all/";

/// Writes that this process has taken.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = AuditEntry))]
pub(crate) struct Entry {
    /// When.
    pub(crate) at: Timestamp,
    /// Who: the principal or the token's name where a layer in front knows it, else what the request said.
    pub(crate) by: String,
    /// Whether `by` was checked by the layer in front.
    pub(crate) checked: bool,
    /// What was done, in a word.
    pub(crate) what: String,
    /// The group, where it concerns one.
    pub(crate) group: Option<String>,
    /// The id of the request.
    pub(crate) request: String,
    /// What was before.
    pub(crate) before: Value,
    /// What is since.
    pub(crate) after: Value,
}

/// A write, as its handler describes it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// In a word.
    pub(crate) what: &'static str,
    /// Who, as the handler knows.
    pub(crate) by: String,
    /// The group, where it concerns one.
    pub(crate) group: Option<String>,
    /// What was before.
    pub(crate) before: Value,
    /// What is since.
    pub(crate) after: Value,
}

/// What the request itself says about a write: when, by whom, under which id.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    at: Timestamp,
    checked: bool,
    request: String,
    /// Makes its key unique, and sorts those of one instant in the order in which this process has taken them.
    unique: String,
}

impl FromRequestParts<ApiState> for Audit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        let id = parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let checked = parts.extensions.get::<Caller>().is_some();
        Ok(Self { at: state.now(), checked, request: id.to_owned(), unique: unique() })
    }
}

/// The record of a configuration that was replaced by hand, beside the REST interface: what GET /audit then lists.
///
/// # Errors
/// `Invalid` for what JSON cannot express.
pub fn config_replaced(
    at: Timestamp,
    by: &str,
    (before, after): (ConfigVersion, ConfigVersion),
) -> Result<NewRecord, PortError> {
    // Nobody checks who runs a program; whoever may write the state may write this, too.
    let audit = Audit { at, checked: false, request: String::new(), unique: unique() };
    audit.record(Change {
        what: "configured",
        by: by.to_owned(),
        group: None,
        before: json!({"version": before}),
        after: json!({"version": after}),
    })
}

fn unique() -> String {
    let number = TAKEN.fetch_add(1, Ordering::Relaxed) % 1_000_000;
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("{number:06}-{}", unique.get(..8).unwrap_or_default())
}

impl Audit {
    fn entry(&self, change: Change) -> Entry {
        let Change { what, by, group, before, after } = change;
        let (checked, request) = (self.checked, self.request.clone());
        Entry { at: self.at, by, checked, what: what.to_owned(), group, request, before, after }
    }

    /// What goes along with a write in its transaction: the entry of what it changes; nothing where it changes nothing. Asked
    /// again for the same request, the entry has the same key.
    ///
    /// # Errors
    /// `Invalid` for what JSON cannot express.
    pub(crate) fn along(&self, change: Option<Change>) -> Result<Vec<NewRecord>, PortError> {
        change.map(|change| self.record(change)).into_iter().collect()
    }

    fn record(&self, change: Change) -> Result<NewRecord, PortError> {
        let body = to_json("note a write", &self.entry(change))?;
        let key = format!("{PREFIX}{}-{}", self.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"), self.unique);
        Ok(NewRecord { key, body, expires: Some(self.at + HISTORY) })
    }

    /// Tells in the log of a write that went through, where it has changed anything.
    pub(crate) fn told(&self, change: Option<Change>) {
        let Some(change) = change else { return };
        let entry = self.entry(change);
        match to_json("note a write", &entry) {
            Ok(audit) => tracing::info!(target: "scaling::monitor", audit, "{} by {}", entry.what, entry.by),
            Err(error) => tracing::error!(target: "scaling::monitor", %error, ?entry, "no audit line"),
        }
    }
}
