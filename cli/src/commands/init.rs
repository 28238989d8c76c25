//! `scaling init`: a first configuration for groups that exist.

use std::fs;
use std::io::{Write, stdout};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use scaling_aws::{AwsClients, AwsPlatform};
use scaling_control::ports::{GroupDescription, GroupReader};
use scaling_policy::config::{Config, GroupConfig, Layers};
use serde_json::{Value, json};

use crate::arguments::InitArguments;

/// Writes the configuration and says what to do next.
pub(crate) async fn init(arguments: &InitArguments) -> Result<()> {
    let output = &arguments.output;
    ensure!(
        arguments.force || !output.exists(),
        "{} exists; name another file with --output, or replace it with --force",
        output.display()
    );
    let platform = AwsPlatform::new(Arc::new(AwsClients::from_environment()));
    let names = names(arguments, &platform).await?;
    let configs: Vec<Arc<GroupConfig>> =
        names.iter().map(|name| Arc::new(GroupConfig::with_defaults(name))).collect();
    let found = platform.describe(&configs).await?;
    for name in &names {
        ensure!(
            found.iter().any(|group| group.name.as_str() == name),
            "there is no Auto Scaling group {name}"
        );
    }
    let text = serde_json::to_string_pretty(&source(&found))?;
    // What is written has passed the same checks as what is read.
    Config::parse(text.as_bytes(), &Layers::none())?;
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(output, text + "\n").with_context(|| format!("cannot write {}", output.display()))?;
    let mut out = stdout().lock();
    writeln!(
        out,
        "{} holds {} groups, all in `observe`: nothing is changed yet.",
        output.display(),
        found.len()
    )?;
    writeln!(
        out,
        "Next: `scaling validate`, then `scaling plan`; set `control` to `act` when you trust it."
    )?;
    Ok(())
}

async fn names(arguments: &InitArguments, platform: &AwsPlatform) -> Result<Vec<String>> {
    let mut names = arguments.group.clone();
    if let Some(tag) = &arguments.tag {
        let (key, value) =
            tag.split_once('=').context("--tag takes KEY=VALUE, such as scaling:managed=true")?;
        let tagged = platform.tagged_groups(key, value).await?;
        if tagged.is_empty() && names.is_empty() {
            bail!("no Auto Scaling group carries the tag {tag}; name one with --group");
        }
        names.extend(tagged);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn source(groups: &[GroupDescription]) -> Value {
    let group = |group: &GroupDescription| {
        json!({
            "name": group.name,
            "control": "observe",
            "replicas": {
                "min_replicas": group.min.max(1),
                "max_replicas": group.max.max(1),
                "target_replicas": group.desired.clamp(group.min.max(1), group.max.max(1)),
            },
        })
    };
    json!({
        "mode": "hybrid",
        "policy": {"triggers": ["cpu_usage"], "priority_triggers": ["cpu_usage"]},
        "groups": groups.iter().map(group).collect::<Vec<_>>(),
    })
}
