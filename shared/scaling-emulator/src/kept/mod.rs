//! The whole state as a document: written by one emulator, read by another. Everything that happens after a state is read is
//! what would have happened in the emulator that wrote it.
//!
//! The document is JSON: `format`, `version`, `now`, and `state`, which is for emulators and nobody else.

pub(crate) mod forms;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Due;
use crate::emulator::State;
use crate::settings::Schedule;

/// What marks a document.
const FORMAT: &str = "scaling-emulator-state";

/// Version of the form; to be raised with every change that older documents do not survive.
const VERSION: u64 = 1;

/// Why a state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is something else.
    #[error("this is not a state that an emulator has saved")]
    Foreign,
    /// It has another version.
    #[error(
        "the state has version {found}, and this emulator reads version {VERSION}: save it anew with this one"
    )]
    Version {
        /// Which.
        found: u64,
    },
    /// It is damaged.
    #[error("the state cannot be read")]
    Damaged(#[source] serde_json::Error),
    /// It is ahead of a clock that cannot be set.
    #[error("the state is of {of}, and the clock, which is the wall's, only says {now}")]
    Ahead {
        /// The state's time.
        of: Timestamp,
        /// The emulator's time.
        now: Timestamp,
    },
    /// It cannot be written.
    #[error("the state cannot be written")]
    Write(#[source] serde_json::Error),
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u64,
    now: Timestamp,
    state: &'a State,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Deserialize)]
struct Body {
    state: State,
}

/// A state as a document.
///
/// # Errors
/// [`StateError::Write`].
pub(crate) fn write(state: &State) -> Result<Vec<u8>, StateError> {
    let written = Written { format: FORMAT, version: VERSION, now: state.region.now, state };
    serde_json::to_vec(&written).map_err(StateError::Write)
}

/// The state of a document, for an emulator with these schedules.
///
/// # Errors
/// [`StateError::Foreign`], [`StateError::Version`] or [`StateError::Damaged`].
pub(crate) fn read(document: &[u8], schedules: &[Schedule]) -> Result<State, StateError> {
    let head: Head = serde_json::from_slice(document).map_err(|_| StateError::Foreign)?;
    if head.format != FORMAT {
        return Err(StateError::Foreign);
    }
    if head.version != VERSION {
        return Err(StateError::Version { found: head.version });
    }
    let Body { mut state } = serde_json::from_slice(document).map_err(StateError::Damaged)?;
    state.region.stamp_old();
    let now = state.region.now;
    // Which functions are invoked is the reader's business; when they are due next may be the state's.
    let kept = std::mem::take(&mut state.schedules);
    let due = |schedule: &Schedule| {
        let kept = kept.iter().find(|due| due.is_of(schedule)).cloned();
        kept.or_else(|| Due::from(schedule, now))
    };
    state.schedules = schedules.iter().filter_map(due).collect();
    Ok(state)
}
