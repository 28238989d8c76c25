//! `scaling init`: a first configuration for groups that exist.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use scaling_aws::discover::{Found, Which};
use scaling_aws::{AwsClients, AwsPlatform};
use scaling_policy::config::source::{Document, GroupSource, PolicySource, ReplicasSource, Settings};
use scaling_policy::config::values::ReplicaCount;
use scaling_policy::config::{Config, ControlLevel, Layers, Mode};
use scaling_policy::snapshot::RetypeSupport;
use scaling_policy::trigger::Trigger;

use crate::arguments::InitArguments;
use crate::output;

/// A group as it goes into the file, and what its owner should know.
struct Taken {
    source: GroupSource,
    notes: Vec<String>,
}

/// Writes the configuration and says what to do next.
pub(crate) async fn init(arguments: &InitArguments) -> Result<()> {
    let output = &arguments.output;
    let exists = || {
        format!("{} exists; name another file with --output, or replace it with --force", output.display())
    };
    ensure!(arguments.force || !output.exists(), exists());
    let clients = Arc::new(AwsClients::from_environment());
    let platform = AwsPlatform::new(Arc::clone(&clients));
    let mut taken = Vec::new();
    for found in find(arguments, &platform).await? {
        taken.push(take(found, &platform).await);
    }
    let region = clients.sdk_config().await.region().map(ToString::to_string);
    let document = Document {
        settings: Settings { control: Some(ControlLevel::Observe), ..Settings::default() },
        groups: Some(taken.iter().map(|taken| taken.source.clone()).collect()),
        region,
        ..Document::default()
    };
    let text = serde_json::to_string_pretty(&document)? + "\n";
    // What is written has passed the same checks as what is read.
    Config::parse(text.as_bytes(), &Layers::none())?;
    write(output, &text, arguments.force).with_context(|| format!("cannot write {}", output.display()))?;
    explain(output, &taken)
}

/// The groups by name and by tag, none twice, in the order of their names.
async fn find(arguments: &InitArguments, platform: &AwsPlatform) -> Result<Vec<Found>> {
    let mut found = platform.find(&Which::Named(arguments.group.clone())).await?;
    let is_known = |name: &&String| found.iter().any(|found| found.description.name.as_str() == **name);
    let missing: Vec<&str> =
        arguments.group.iter().filter(|name| !is_known(name)).map(String::as_str).collect();
    ensure!(
        missing.is_empty(),
        "there is no Auto Scaling group {} in this account and region",
        missing.join(", ")
    );
    if let Some((key, value)) = &arguments.tag {
        let tagged = platform.find(&Which::Tagged { key: key.clone(), value: value.clone() }).await?;
        if tagged.is_empty() && found.is_empty() {
            bail!("no Auto Scaling group carries the tag {key}={value} in this account and region");
        }
        found.extend(tagged);
    }
    found.sort_by(|one, other| one.description.name.cmp(&other.description.name));
    found.dedup_by(|one, other| one.description.name == other.description.name);
    Ok(found)
}

/// Takes a group over as it is, with the metrics that it has.
async fn take(found: Found, platform: &AwsPlatform) -> Taken {
    let Found { description: group, target_group } = found;
    let mut notes = Vec::new();
    let mut triggers = vec![Trigger::CpuUsage];
    match platform.publishes_memory(group.name.as_str()).await {
        Ok(true) => triggers.push(Trigger::MemoryUsage),
        Ok(false) => notes.push(
            "publishes no memory metric, so memory asks for nothing; let the CloudWatch agent aggregate \
             mem_used_percent by AutoScalingGroupName"
                .to_owned(),
        ),
        Err(error) => notes.push(format!("its memory metric could not be looked for: {error}")),
    }
    let balancer = balancer_of(target_group.as_deref(), platform, &mut notes).await;
    if balancer.is_some() {
        triggers.push(Trigger::RequestLatency);
        notes.push(
            "set triggers.latency_threshold to its target (0.5 s is assumed); its requests are read for the forecast \
             and ask for capacity once request_count is in policy.triggers with a request_threshold"
                .to_owned(),
        );
    }
    let mode = match &group.retype {
        RetypeSupport::Supported => Mode::Hybrid,
        RetypeSupport::CountOnly { why } => {
            notes.push(format!("is scaled in count only: {why}"));
            Mode::Horizontal
        }
    };
    let (min, max) = (group.min.max(1), group.max.max(1));
    if group.min == 0 {
        notes.push("has a minimum of 0; at least 1 replica is kept".to_owned());
    }
    let settings = Settings {
        mode: Some(mode),
        replicas: Some(ReplicasSource {
            min_replicas: Some(ReplicaCount(min)),
            max_replicas: Some(ReplicaCount(max)),
            target_replicas: Some(ReplicaCount(group.desired.clamp(min, max))),
            ..ReplicasSource::default()
        }),
        policy: Some(PolicySource { triggers: Some(triggers), ..PolicySource::default() }),
        target_group: balancer.is_some().then_some(target_group).flatten(),
        load_balancer: balancer,
        ..Settings::default()
    };
    Taken { source: GroupSource { settings, name: Some(group.name.to_string()) }, notes }
}

async fn balancer_of(
    target_group: Option<&str>,
    platform: &AwsPlatform,
    notes: &mut Vec<String>,
) -> Option<String> {
    let target_group = target_group?;
    match platform.load_balancer_of(target_group).await {
        Ok(Some(balancer)) => return Some(balancer),
        Ok(None) => notes.push(format!(
            "no load balancer has measured requests to its {target_group} yet; give `load_balancer` and \
             `target_group` to hold a latency target"
        )),
        Err(error) => notes.push(format!("its load balancer could not be looked for: {error}")),
    }
    None
}

/// Writes the file whole or not at all, and over another one only by force.
fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".scaling").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    readable(file.as_file())?;
    if force {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    Ok(())
}

/// A temporary file is its owner's alone; a configuration holds no secrets.
#[cfg(unix)]
fn readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}

fn explain(path: &Path, taken: &[Taken]) -> Result<()> {
    let names: Vec<&str> = taken.iter().filter_map(|taken| taken.source.name.as_deref()).collect();
    output::line(format_args!(
        "{} holds {}, in `observe`: nothing is changed.",
        path.display(),
        names.join(", ")
    ))?;
    for (taken, name) in taken.iter().zip(&names) {
        for note in &taken.notes {
            output::line(format_args!("\n{name}: {note}"))?;
        }
    }
    let config = path.display();
    output::line(format_args!(
        "\nNext:\n  scaling validate --config {config}\n  scaling plan --config {config}     what would be done now, and why\n  \
         scaling run --config {config}      decides every minute and records it\nand set `control` to `act` once you \
         agree with what it would do."
    ))
}
