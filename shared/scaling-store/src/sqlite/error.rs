//! SQLite's errors in the port's words: which file, what is wrong with it, and what to do.

use std::sync::Arc;

use rusqlite::{Error, ErrorCode};
use scaling_control::PortError;

/// What a caller can do about an error.
enum Verdict {
    /// Ask again later.
    Later,
    /// Grant something.
    Grant,
    /// Asking again will not help.
    Never,
}

/// Translates an error of the database at `place`.
pub(super) fn port_error(operation: &'static str, place: &str, error: Arc<Error>) -> PortError {
    let (verdict, advice) = advise(&error);
    let message = match advice {
        Some(advice) => format!("{place} {advice} ({error})"),
        None => format!("{place}: {error}"),
    };
    match verdict {
        Verdict::Later => PortError::Unavailable { operation, message, source: Some(Box::new(error)) },
        Verdict::Grant => PortError::Denied { operation, message },
        Verdict::Never => PortError::Invalid { operation, message },
    }
}

/// The error of a store whose writing thread or readers are gone.
pub(super) fn stopped(operation: &'static str, place: &str) -> PortError {
    let message = format!("the store of {place} has stopped; open it again");
    PortError::Unavailable { operation, message, source: None }
}

/// Whether the change itself caused the error, so that others may go through without it.
pub(super) fn is_of_one_change(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::TooBig))
}

fn advise(error: &Error) -> (Verdict, Option<&'static str>) {
    let Some(code) = error.sqlite_error_code() else { return (Verdict::Later, None) };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            Verdict::Later,
            Some("is locked by another process; end that one (`lsof` tells which) or name another file"),
        ),
        ErrorCode::DiskFull => {
            (Verdict::Later, Some("cannot grow: its disk is full; free space there or move the file"))
        }
        ErrorCode::SystemIoFailure => {
            (Verdict::Later, Some("met an input/output error; look at the disk and the system's log"))
        }
        ErrorCode::DatabaseCorrupt => (
            Verdict::Never,
            Some(
                "is damaged; restore it from a copy, or move it away to start from what the groups have now",
            ),
        ),
        ErrorCode::NotADatabase => {
            (Verdict::Never, Some("is not an SQLite database; name another file or move this one away"))
        }
        ErrorCode::TooBig => (Verdict::Never, Some("does not take a record of this size")),
        ErrorCode::CannotOpen => (
            Verdict::Grant,
            Some("cannot be opened; it must be a file, and it and its folder writable for this user"),
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            (Verdict::Grant, Some("is read-only; make it and its folder writable for this user"))
        }
        _ => (Verdict::Later, None),
    }
}
