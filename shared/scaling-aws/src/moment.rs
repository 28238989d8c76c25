//! The SDK's moments as ours.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// The moment, or `None` where it lies outside the range of a timestamp.
pub(crate) fn timestamp(moment: &DateTime) -> Option<Timestamp> {
    Timestamp::new(moment.secs(), i32::try_from(moment.subsec_nanos()).ok()?).ok()
}
