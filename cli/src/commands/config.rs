//! `scaling config`: the versions of a deployed controller's configuration.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use scaling::configuration::{self, ConfigurationError};
use scaling::{Assembly, StoreChoice};
use scaling_aws::AwsSettings;
use scaling_control::ports::NewRecord;
use scaling_control::{ConfigRefusal, ControlLoop, PortError};
use scaling_policy::config::{Config, ConfigFault, ConfigVersion, Layers, Loaded, left_out, new_programs};
use serde_json::Value;
use similar::TextDiff;

use super::run::{existing_store, store};
use crate::arguments::{
    ConfigArguments, ConfigCommand, ConfigCommandArguments, DiffArguments, HistoryArguments, PullArguments,
    PushArguments, RollbackArguments,
};
use crate::failure::{Refused, Told, paragraph};
use crate::output;

/// Does what the subcommand says.
pub(crate) async fn config(arguments: &ConfigCommandArguments) -> Result<()> {
    match &arguments.command {
        ConfigCommand::Push(arguments) => push(arguments).await,
        ConfigCommand::Pull(arguments) => pull(arguments).await,
        ConfigCommand::Diff(arguments) => diff(arguments).await,
        ConfigCommand::History(arguments) => history(arguments).await,
        ConfigCommand::Rollback(arguments) => rollback(arguments).await,
    }
}

async fn push(arguments: &PushArguments) -> Result<()> {
    let Loaded { config, warnings } = files(&arguments.source)?;
    let place = if arguments.dry_run { existing_store(&arguments.state) } else { store(&arguments.state) };
    let control = control(&place)?;
    let Stored { version: active, source } = stored(&control).await?;
    if let Some(expected) = arguments.expected.filter(|expected| *expected != active.0) {
        let replaced =
            format!("version {} is active, not {expected}: look at it with `scaling config diff`", active.0);
        return Err(Refused(replaced).into());
    }
    let text = difference(source.as_ref(), config.source(), active.0);
    if text.is_empty() {
        return output::line(format_args!("Version {} is the same; nothing was pushed.", active.0));
    }
    warn_of(warnings, source.as_ref(), &config)?;
    output::line(text)?;
    if arguments.dry_run {
        return output::line("Nothing was pushed.");
    }
    let version = control
        .replace_config(
            config.source().clone(),
            active,
            &arguments.by,
            noted(&control, active, &arguments.by),
        )
        .await
        .map_err(refused)?;
    output::line(format_args!("Version {} is active.", version.0))
}

async fn pull(arguments: &PullArguments) -> Result<()> {
    let control = control(&existing_store(&arguments.state))?;
    let source = match arguments.version {
        Some(version) => control.stored_config(ConfigVersion(version)).await?,
        None => stored(&control).await?.source.context(
            "nothing has been pushed yet: the configuration that came with the deployment is active; \
             push one with `scaling config push`",
        )?,
    };
    let text = serde_json::to_string_pretty(&source)?;
    let Some(path) = &arguments.output else { return output::line(text) };
    let exists = || format!("{} exists; replace it with --force", path.display());
    ensure!(arguments.force || !path.exists(), exists());
    fs::write(path, text + "\n").with_context(|| format!("{} cannot be written", path.display()))?;
    output::line(format_args!("wrote {}", path.display()))
}

async fn diff(arguments: &DiffArguments) -> Result<()> {
    let Loaded { config, .. } = files(&arguments.source)?;
    let control = control(&existing_store(&arguments.state))?;
    let Stored { version: active, source } = stored(&control).await?;
    let text = difference(source.as_ref(), config.source(), active.0);
    if text.is_empty() {
        return output::line(format_args!("Version {} and the file are the same.", active.0));
    }
    output::line(text)?;
    Err(Told(1).into())
}

async fn history(arguments: &HistoryArguments) -> Result<()> {
    let changes = control(&existing_store(&arguments.state))?.config_changes().await?;
    if arguments.json {
        return output::json(&changes);
    }
    if changes.is_empty() {
        return output::line(
            "Nothing has been pushed: the configuration that came with the deployment is active.",
        );
    }
    let mut table = output::table(["Version", "Active since", "By", ""]);
    for (index, change) in changes.iter().enumerate() {
        let active = (index == 0).then(|| "active".to_owned());
        let restored = change.restored.map(|restored| format!("content of version {restored}"));
        let note = active.into_iter().chain(restored).collect::<Vec<_>>().join(", ");
        let at = change.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        table.add_row([change.version.to_string(), at, change.by.clone(), note]);
    }
    output::line(table)
}

async fn rollback(arguments: &RollbackArguments) -> Result<()> {
    let control = control(&existing_store(&arguments.state))?;
    let Stored { version: active, source: before } = stored(&control).await?;
    let wanted = ConfigVersion(arguments.version);
    // What the functions carry is stored nowhere.
    ensure!(
        wanted.0 > 0,
        "version 0 is the configuration that the program was deployed with, which is not stored; \
         push that file: scaling config push --config FILE"
    );
    let source = control.stored_config(wanted).await?;
    let text = difference(before.as_ref(), &source, active.0);
    if text.is_empty() {
        return output::line(format_args!("Version {} has the same content; nothing was done.", active.0));
    }
    // One that this program refuses is told as such when it is rolled back to.
    if let Ok(Loaded { config, warnings }) = Config::from_source(source) {
        warn_of(warnings, before.as_ref(), &config)?;
    }
    output::line(text)?;
    if arguments.dry_run {
        return output::line("Nothing was done.");
    }
    let along = noted(&control, active, &arguments.by);
    let version = control.roll_back_config(wanted, &arguments.by, along).await.map_err(refused)?;
    output::line(format_args!("Version {} with the content of version {} is active.", version.0, wanted.0))
}

/// What somebody should look at before `after` takes the place of what is stored.
fn warn_of(mut warnings: Vec<ConfigFault>, before: Option<&Value>, after: &Config) -> Result<()> {
    let before =
        before.and_then(|source| Config::from_source(source.clone()).ok()).map(|before| before.config);
    warnings.extend(before.as_ref().and_then(|before| left_out(before, after)));
    warnings.extend(new_programs(before.as_ref(), after));
    warnings.iter().try_for_each(|warning| output::line(format_args!("{}\n", paragraph(warning))))
}

/// What the audit lists of a version that takes the place of `before`.
fn noted<'a>(
    control: &'a ControlLoop,
    before: ConfigVersion,
    by: &'a str,
) -> impl Fn(&ConfigVersion) -> Result<Vec<NewRecord>, PortError> + 'a {
    move |after| {
        let at = control.ports().clock.now();
        Ok(vec![scaling_api::audit::config_replaced(at, by, (before, *after))?])
    }
}

/// The file and its environment's file. Variables lie over them where the controller runs, not where one pushes.
fn files(source: &ConfigArguments) -> Result<Loaded> {
    Ok(configuration::load_files(&source.config, source.environment.as_deref())?)
}

/// A loop over nothing, to ask for the versions.
fn control(place: &StoreChoice) -> Result<Arc<ControlLoop>> {
    let nothing = Config::parse(b"{}", &Layers::none())
        .map_err(|source| ConfigurationError::Faults { path: "the defaults".into(), source })?;
    Ok(Assembly::new(nothing.config, AwsSettings::default(), place)?.control)
}

/// The version that the next one replaces.
struct Stored {
    version: ConfigVersion,
    /// Its content, where one was pushed.
    source: Option<Value>,
}

/// What is stored, also where this program does not take it: then it says so, and the version can be replaced all the same.
async fn stored(control: &ControlLoop) -> Result<Stored> {
    let active = control.refresh().await.context("the active version could not be read")?;
    let Some(refused) = control.refused_config() else {
        let source = (active.version.0 > 0).then(|| active.source().clone());
        return Ok(Stored { version: active.version, source });
    };
    let version = refused.version;
    output::warn(format_args!(
        "version {} is stored, and this program refuses it:\n{}",
        version.0, refused.error
    ));
    Ok(Stored { version, source: Some(control.stored_config(version).await?) })
}

/// What makes the one the other, line by line; empty where they are the same.
fn difference(from: Option<&Value>, to: &Value, version: u64) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    let from = from.map(pretty).unwrap_or_default();
    let to = pretty(to);
    if from == to {
        return String::new();
    }
    let diff = TextDiff::from_lines(&from, &to);
    diff.unified_diff()
        .header(&format!("active (version {version})"), "new")
        .to_string()
        .trim_end()
        .to_owned()
}

fn refused(refusal: ConfigRefusal) -> anyhow::Error {
    match refusal {
        ConfigRefusal::Faults(source) => {
            ConfigurationError::Faults { path: "the version".into(), source }.into()
        }
        ConfigRefusal::Replaced { .. } => Refused(refusal.to_string()).into(),
        ConfigRefusal::Port(error) => error.into(),
    }
}
