//! Moments until which something shall hold.

use jiff::{SignedDuration, Timestamp};

use crate::problem::Problem;

/// How far ahead a moment may be. What shall hold longer belongs into the configuration; what is further away is most
/// often a slip of the pen.
pub(crate) const FURTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Refuses what is over already, or too far away. `name` is the member of the body.
pub(crate) fn check(now: Timestamp, name: &str, moment: Timestamp) -> Result<(), Problem> {
    if moment <= now {
        return Err(Problem::invalid(name, format!("{name} must be in the future, not {moment}")));
    }
    let last = now.checked_add(FURTHEST).unwrap_or(Timestamp::MAX);
    if moment > last {
        let last = last.strftime("%Y-%m-%dT%H:%M:%SZ");
        let detail = format!("{name} must be within 366 days, so until {last}, not {moment}");
        return Err(Problem::invalid(name, detail));
    }
    Ok(())
}
