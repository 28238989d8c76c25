//! The console: one page in the browser that shows what the controller sees and does, live. Page, scripts and the
//! library for charts are in the program; nothing is fetched from elsewhere and nothing is built.
//!
//! It takes what every tick has seen and decided ([`Console::record`]), keeps the last days of it in memory, and serves
//! it under `/console/data/`. What it changes it changes through the REST interface, as anybody else does.
//!
//! # Layout
//! - [`series`]: the figures of one group over time, the newest fine and the older coarse
//! - `track`: what is kept of one group
//! - `past`: the same in the state store, for the time after a restart
//! - [`outlook`]: when the group can be changed next, and what it waits for
//! - [`view`]: what the page reads
//! - `assets`, `routes`: the page, and how it is served

pub mod assets;
pub mod outlook;
mod past;
mod routes;
pub mod series;
mod track;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::Timestamp;
use scaling_control::ports::StateStore;
use scaling_control::{PortError, TickReport};
use scaling_policy::config::GroupName;
use scaling_telemetry::metrics::Recorded;
use serde_json::Value;
use tokio::sync::watch;

use track::Track;

pub use routes::is_page;

/// What the page shows. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Console {
    tracks: Arc<Mutex<BTreeMap<GroupName, Track>>>,
    /// When the newest tick ended. A group that was not due in it was looked at before.
    ended: Arc<Mutex<Option<Timestamp>>>,
    /// Counts the records; whoever listens looks again.
    news: Arc<watch::Sender<u64>>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Console {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self { tracks: Arc::default(), ended: Arc::default(), news: Arc::new(watch::Sender::new(0)) }
    }

    /// Takes in a tick over all groups that ended at `now`, and the figures that the metrics made of it. Groups that are in
    /// neither are forgotten: the configuration does not name them any more.
    pub fn record(&self, report: &TickReport, recorded: &[Recorded], now: Timestamp) {
        let mut tracks = self.lock();
        let named: BTreeSet<&GroupName> = report
            .outcomes
            .iter()
            .map(|outcome| &outcome.config.name)
            .chain(&report.left_over)
            .chain(&report.not_due)
            .collect();
        tracks.retain(|name, _| named.contains(name));
        for (outcome, recorded) in report.outcomes.iter().zip(recorded) {
            let name = outcome.config.name.clone();
            tracks.entry(name).or_default().take(outcome, recorded.figures.as_ref());
        }
        drop(tracks);
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.news.send_modify(|count| *count += 1);
    }

    /// Writes what is new into the store, in one call. To be called every quarter of an hour, and at the end. Groups whose
    /// past is not here yet are recalled before, as what is written takes its place.
    ///
    /// # Errors
    /// Those of the store; what was not written is written with the next call.
    pub async fn keep(&self, store: &dyn StateStore, now: Timestamp) -> Result<(), PortError> {
        let new: Vec<GroupName> = {
            let tracks = self.lock();
            let new = tracks.iter().filter(|(_, track)| !track.recalled);
            new.map(|(name, _)| name.clone()).collect()
        };
        if !new.is_empty() {
            self.recall(store, &new, now).await?;
        }
        let mut before = BTreeMap::new();
        let records: Vec<_> = {
            let mut tracks = self.lock();
            let each = tracks.iter_mut().flat_map(|(name, track)| {
                before.insert(name.clone(), track.kept.clone());
                past::unkept(name, track)
            });
            each.collect()
        };
        if records.is_empty() {
            return Ok(());
        }
        let written = store.append(records).await;
        if written.is_err() {
            let mut tracks = self.lock();
            for (name, kept) in before {
                if let Some(track) = tracks.get_mut(&name) {
                    track.kept = kept;
                }
            }
        }
        written
    }

    /// Takes in what earlier processes have written of these groups. It may come after the first ticks.
    ///
    /// # Errors
    /// Those of the store; the groups before are taken in.
    pub async fn recall(
        &self,
        store: &dyn StateStore,
        groups: &[GroupName],
        now: Timestamp,
    ) -> Result<(), PortError> {
        for name in groups {
            let chunks = past::read(store, name, now).await?;
            let mut tracks = self.lock();
            if let Some(track) = tracks.get_mut(name) {
                track.recall(&chunks);
            } else if !chunks.is_empty() {
                tracks.entry(name.clone()).or_default().recall(&chunks);
            }
        }
        self.news.send_modify(|count| *count += 1);
        Ok(())
    }

    /// The routes: the page at `/`, what it is made of and what it reads under `/console/`. They set their own headers;
    /// whoever serves them sees to it that only those reach the data who may.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// All groups in few words, for the overview.
    pub(crate) fn fleet(&self) -> Value {
        // Before the look: what comes in between is then news.
        let count = *self.news.borrow();
        let mut fleet = view::fleet(self.lock().iter());
        fleet["news"] = count.into();
        fleet
    }

    /// One group in full; `None` where there is none of that name.
    pub(crate) fn group(&self, name: &str) -> Option<Value> {
        let count = *self.news.borrow();
        let now = self.now();
        let mut group = self.lock().get(&GroupName::new(name)).map(|track| view::group(name, track, now))?;
        group["news"] = count.into();
        Some(group)
    }

    /// What stands in no other answer of the interface, of all groups.
    pub(crate) fn status(&self) -> Value {
        let now = self.now();
        view::status(self.lock().iter(), now)
    }

    fn now(&self) -> Option<Timestamp> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes with every record.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<GroupName, Track>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
