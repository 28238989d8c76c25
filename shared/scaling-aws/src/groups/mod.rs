//! Reading and changing Auto Scaling groups.
//!
//! - [`describe`]: groups by name, and what an answer says
//! - [`lifecycle`]: the life-cycle states, folded
//! - [`retype`]: whether a group's type can be changed
//! - [`refresh`]: instance refreshes: looking at them, and what a type change asks for
//! - [`failures`]: failed launches, from the scaling activities
//! - [`foreign`]: policies, schedules and tags of other controllers
//! - [`change`]: the steps

pub(crate) mod change;
pub(crate) mod describe;
pub(crate) mod failures;
pub(crate) mod foreign;
mod lifecycle;
pub(crate) mod refresh;
mod retype;

use crate::error::Call;

/// Pages of one listing; an answer that goes on longer than this does not end.
const MOST_PAGES: usize = 1000;

/// Follows the tokens of a listing: the next one, or `None` at the end.
///
/// # Errors
/// A token that comes twice in a row, or too many pages: the listing would never end.
struct Pages {
    call: Call,
    read: usize,
}

impl Pages {
    const fn of(call: Call) -> Self {
        Self { call, read: 0 }
    }

    fn next(
        &mut self,
        before: Option<&str>,
        token: Option<String>,
    ) -> Result<Option<String>, scaling_control::PortError> {
        self.read += 1;
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        if self.read >= MOST_PAGES || before == Some(token.as_str()) {
            return Err(self.call.malformed("the listing does not end"));
        }
        Ok(Some(token))
    }
}
