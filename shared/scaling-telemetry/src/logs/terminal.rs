//! How the fields of spans are written on the terminal.

use std::fmt;

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

/// The fields as everywhere, under a type of their own: layers that write the same type share what they have written of a
/// span, and each would append a field that is recorded later.
#[derive(Debug, Default)]
pub(super) struct Fields(DefaultFields);

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}
