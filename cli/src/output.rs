//! Standard output. A reader that has gone away (`scaling plan | head -1`) is no failure.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

use anyhow::Result;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

/// Writes one piece of text and a line end.
pub(crate) fn line(text: impl Display) -> Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes what somebody should know beside the output, which may be piped on.
pub(crate) fn warn(text: impl Display) {
    // A reader that has gone away changes nothing.
    let _ = writeln!(std::io::stderr(), "scaling: {text}");
}

/// Writes a value as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// An empty table in the one style of this program.
pub(crate) fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}
