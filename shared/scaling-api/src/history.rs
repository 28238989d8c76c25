//! Histories, newest first, over a store that lists in ascending order: the keys begin with a day, so that one day
//! after the other is read backwards until the page is full.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use scaling_control::ports::Record;
use scaling_control::record::HISTORY;

use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// Entries of a page where nothing is said.
pub(crate) const DEFAULT_LIMIT: usize = 50;

/// Most entries of a page.
pub(crate) const LARGEST_LIMIT: usize = 500;

/// Records that are asked of the store at once.
const BATCH: usize = 1000;

/// A history in the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History<'a> {
    /// What every key begins with; the time follows.
    pub(crate) prefix: &'a str,
    /// How the day is written in the keys, as strftime has it.
    pub(crate) day: &'static str,
}

/// Which part of a history.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Most entries.
    pub(crate) limit: usize,
    /// Only entries before this one (what follows the prefix in its key).
    pub(crate) before: Option<String>,
}

impl Page {
    /// Checks what the query says.
    pub(crate) fn new(limit: Option<usize>, before: Option<String>) -> Result<Self, Problem> {
        Ok(Self { limit: limit_of(limit)?, before })
    }
}

/// The most entries that a page shall have.
pub(crate) fn limit_of(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if (1..=LARGEST_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::new(Kind::BadParameter, format!("limit must be from 1 to {LARGEST_LIMIT}")))
}

impl History<'_> {
    /// One page of it, newest first, of the records for which `wanted` holds.
    pub(crate) async fn page(
        &self,
        state: &ApiState,
        page: &Page,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, Problem> {
        let today = date(state.now());
        let oldest = date(state.now() - HISTORY);
        let before = page.before.as_ref().map(|before| format!("{}{before}", self.prefix));
        let mut found = Vec::new();
        // A clock elsewhere may be ahead of this one by a little.
        let mut day = Some(today.tomorrow().unwrap_or(today));
        while let Some(date) = day.filter(|date| *date >= oldest && found.len() < page.limit) {
            let prefix = format!("{}{}", self.prefix, date.strftime(self.day));
            day = date.yesterday().ok();
            if before.as_ref().is_some_and(|before| prefix > *before) {
                continue;
            }
            let mut of_day = self.day(state, &prefix).await?;
            of_day
                .retain(|record| before.as_ref().is_none_or(|before| record.key < *before) && wanted(record));
            found.extend(of_day.into_iter().rev());
        }
        found.truncate(page.limit);
        Ok(found)
    }

    /// The `before` of the page after these records; `None` where they are the last.
    pub(crate) fn next(&self, page: &Page, records: &[Record]) -> Option<String> {
        let last = records.last().filter(|_| records.len() == page.limit)?;
        last.key.strip_prefix(self.prefix).map(str::to_owned)
    }

    async fn day(&self, state: &ApiState, prefix: &str) -> Result<Vec<Record>, Problem> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let after = records.last().map(|last| last.key.clone());
            let batch = state.store().list(prefix, after.as_deref(), BATCH).await?;
            let is_last = batch.len() < BATCH;
            records.extend(batch);
            if is_last {
                return Ok(records);
            }
        }
    }
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
