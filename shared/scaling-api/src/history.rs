//! Histories, newest first, over a store that lists in ascending order: the keys begin with a day, so that days are read
//! backwards until the page is full.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use scaling_control::PortError;
use scaling_control::ports::Record;
use scaling_control::record::HISTORY;

use crate::cursor::Day;
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
    /// How the day is written in the keys.
    pub(crate) day: Day,
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

/// What a page holds.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The records, newest first.
    pub(crate) records: Vec<Record>,
    /// The `before` of the page after it; `None` where it is the last.
    pub(crate) next: Option<String>,
}

impl History<'_> {
    /// One page of it, newest first, of the records for which `wanted` holds.
    pub(crate) async fn page(
        &self,
        state: &ApiState,
        page: &Page,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Listed, Problem> {
        if let Some(before) = page.before.as_ref().filter(|before| self.day.of(before).is_none()) {
            let detail = format!("before must be the `next` of another page, not {before:?}");
            return Err(Problem::new(Kind::BadParameter, detail));
        }
        // One more tells whether there is one.
        let mut records = self.read(state, page.before.as_deref(), page.limit + 1, wanted).await?;
        let more = records.len() > page.limit;
        records.truncate(page.limit);
        let last = records.last().filter(|_| more);
        let next = last.and_then(|last| last.key.strip_prefix(self.prefix)).map(str::to_owned);
        Ok(Listed { records, next })
    }

    /// The newest records of it, newest first.
    pub(crate) async fn latest(&self, state: &ApiState, most: usize) -> Result<Vec<Record>, PortError> {
        self.read(state, None, most, |_| true).await
    }

    /// Records before this one, newest first, at most so many.
    async fn read(
        &self,
        state: &ApiState,
        before: Option<&str>,
        most: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, PortError> {
        let end = before.map(|before| format!("{}{before}", self.prefix));
        let fits = |record: &Record| end.as_ref().is_none_or(|end| record.key < *end) && wanted(record);
        // Most histories are short: then this is all of it.
        let mut found = state.store().list(self.prefix, None, most + 1).await?;
        if found.len() <= most {
            found.retain(fits);
        } else {
            let last = before.and_then(|before| self.day.of(before));
            found = self.newest(state, (last, end.as_deref()), most, fits).await?;
        }
        found.reverse();
        found.truncate(most);
        Ok(found)
    }

    /// The records before `end`, which lies on the day `last`, of as many days as it takes to find `most`, oldest first.
    /// The days are doubled until they are found: a busy history is read for one day, a quiet one in a few steps.
    async fn newest(
        &self,
        state: &ApiState,
        (last, end): (Option<Date>, Option<&str>),
        most: usize,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, PortError> {
        let now = date(state.now());
        let oldest = date(state.now() - HISTORY);
        // A clock elsewhere may be ahead of this one by a little.
        let last = last.unwrap_or_else(|| now.tomorrow().unwrap_or(now));
        let mut days = 1_i64;
        loop {
            let from = last.checked_sub(days.days()).unwrap_or(oldest).max(oldest.min(last));
            let mut found = self.between(state, from, end).await?;
            found.retain(&fits);
            if found.len() >= most || from <= oldest {
                return Ok(found);
            }
            days *= 2;
        }
    }

    /// Everything from the beginning of a day up to `end`.
    async fn between(
        &self,
        state: &ApiState,
        from: Date,
        end: Option<&str>,
    ) -> Result<Vec<Record>, PortError> {
        let mut records: Vec<Record> = Vec::new();
        let mut after = format!("{}{}", self.prefix, from.strftime(self.day.format()));
        loop {
            let batch = state.store().list(self.prefix, Some(&after), BATCH).await?;
            let is_full = batch.len() == BATCH;
            let before = batch.iter().take_while(|record| end.is_none_or(|end| record.key.as_str() < end));
            let before = before.count();
            let is_last = before < BATCH || !is_full;
            records.extend(batch.into_iter().take(before));
            match records.last() {
                Some(last) if !is_last => after.clone_from(&last.key),
                _ => return Ok(records),
            }
        }
    }
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
