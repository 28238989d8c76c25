//! `scaling alarms`: the CloudWatch alarms that wake the groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use scaling::Assembly;
use scaling_aws::alarms::{AlarmChange, SyncScope};
use scaling_aws::{AwsPlatform, AwsSettings};
use serde_json::json;

use crate::arguments::{AlarmsArguments, AlarmsCommand, SyncArguments};
use crate::commands::run::existing_store;
use crate::output;

/// Does what the subcommand says.
pub(crate) async fn alarms(arguments: &AlarmsArguments) -> Result<()> {
    let AlarmsCommand::Sync(arguments) = &arguments.command;
    sync(arguments).await
}

async fn sync(arguments: &SyncArguments) -> Result<()> {
    let source = &arguments.source;
    let config = scaling::configuration::load(&source.config, source.environment.as_deref())?.config;
    let assembly = Assembly::new(config, AwsSettings::default(), &existing_store(&arguments.state))?;
    // The active version, which may be another than the file's.
    let config = assembly.control.refresh().await?;
    let platform = AwsPlatform::new(Arc::clone(&assembly.clients));
    let scope = match (arguments.dry_run, arguments.prune) {
        (true, _) => SyncScope::DryRun,
        (false, true) => SyncScope::Prune,
        (false, false) => SyncScope::Groups,
    };
    let changes = platform.sync_alarms(&config.groups, &arguments.function, scope).await?;
    if arguments.json {
        let words: BTreeMap<&String, &str> =
            changes.iter().map(|(name, change)| (name, word(*change))).collect();
        return output::json(&json!({"dry_run": arguments.dry_run, "alarms": words}));
    }
    show(&changes, arguments.dry_run)
}

fn show(changes: &BTreeMap<String, AlarmChange>, dry_run: bool) -> Result<()> {
    if changes.is_empty() {
        return output::line(
            "No group has a trigger with a fixed limit; there is nothing to watch by alarms.",
        );
    }
    let mut table = output::table(["Alarm", ""]);
    for (name, change) in changes {
        table.add_row([name.as_str(), word(*change)]);
    }
    output::line(table)?;
    let count = changes.values().filter(|change| **change != AlarmChange::Keep).count();
    match (count, dry_run) {
        (0, _) => output::line("All alarms are as they should be."),
        (_, true) => output::line("Nothing was changed."),
        (_, false) => output::line(format_args!("{count} changed.")),
    }
}

const fn word(change: AlarmChange) -> &'static str {
    match change {
        AlarmChange::Create => "create",
        AlarmChange::Update => "update",
        AlarmChange::Keep => "as it should be",
        AlarmChange::Remove => "remove",
    }
}
