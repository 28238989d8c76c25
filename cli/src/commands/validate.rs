//! `scaling validate`: every fault of a configuration at once, or what it comes to.

use std::io::{Write, stdout};

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use crate::arguments::ConfigArguments;

/// Checks the configuration and prints the groups it resolves to, with the warnings.
pub(crate) fn validate(arguments: &ConfigArguments) -> Result<()> {
    let loaded = scaling::configuration::load(&arguments.config, arguments.environment.as_deref())?;
    let mut out = stdout().lock();
    let mut table = Table::new();
    table
        .load_preset(UTF8_BORDERS_ONLY)
        .set_header(["group", "platform", "control", "mode", "replicas", "triggers"]);
    for group in &loaded.config.groups {
        let triggers = group.triggers.iter().filter(|(_, trigger)| trigger.asks).map(|(name, _)| name.name());
        table.add_row([
            group.name.to_string(),
            format!("{:?}", group.platform).to_lowercase(),
            format!("{:?}", group.control).to_lowercase(),
            format!("{:?}", group.mode).to_lowercase(),
            format!("{} to {}", group.replicas.min, group.replicas.max),
            triggers.collect::<Vec<_>>().join(", "),
        ]);
    }
    writeln!(out, "{table}")?;
    for warning in &loaded.warnings {
        writeln!(out, "{warning}")?;
    }
    let count = loaded.warnings.len();
    let found = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
    writeln!(out, "{} is valid, with {found}", arguments.config.display())?;
    Ok(())
}
