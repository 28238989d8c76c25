//! `scaling validate`: reads a configuration as every other command does, and says what it found.

use anyhow::Result;
use comfy_table::Table;
use scaling::configuration::{self, ConfigurationError};
use scaling_policy::config::{Config, ConfigFault, GroupConfig, LadderRule, Loaded, Severity};
use scaling_policy::trigger::Trigger;
use serde_json::{Value, json};

use crate::arguments::ValidateArguments;
use crate::failure::{Told, paragraph};
use crate::output;

/// Validates.
pub(crate) fn validate(arguments: &ValidateArguments) -> Result<()> {
    let source = &arguments.source;
    let loaded = configuration::load(&source.config, source.environment.as_deref());
    if arguments.json {
        return answer(loaded);
    }
    let Loaded { config, warnings } = loaded?;
    output::line(format_args!("valid: {}", source.config.display()))?;
    output::line(groups(&config))?;
    for warning in &warnings {
        output::line(format_args!("\n{}", paragraph(warning)))?;
    }
    Ok(())
}

/// The same for programs.
fn answer(loaded: Result<Loaded, ConfigurationError>) -> Result<()> {
    match loaded {
        Ok(Loaded { config, warnings }) => {
            let groups: Vec<Value> = config.groups.iter().map(|group| json!(group)).collect();
            output::json(&json!({"valid": true, "faults": warnings, "groups": groups}))
        }
        Err(ConfigurationError::Faults { source, .. }) => {
            output::json(&json!({"valid": false, "faults": source.faults, "omitted": source.omitted}))?;
            Err(Told(3).into())
        }
        Err(error @ ConfigurationError::TooLarge { .. }) => {
            let fault = ConfigFault {
                pointer: String::new(),
                group: None,
                value: String::new(),
                rule: error.to_string(),
                fix: "split the groups over several controllers, or take out what repeats the defaults"
                    .to_owned(),
                severity: Severity::Error,
            };
            output::json(&json!({"valid": false, "faults": [fault], "omitted": 0}))?;
            Err(Told(3).into())
        }
        Err(other) => Err(other.into()),
    }
}

fn groups(config: &Config) -> Table {
    let mut table =
        output::table(["Group", "Platform", "Control", "Mode", "Replicas", "Asks for capacity", "Types"]);
    for group in &config.groups {
        table.add_row([
            group.name.to_string(),
            word(&json!(group.platform)),
            word(&json!(group.control)),
            word(&json!(group.mode)),
            format!("{} to {}", group.replicas.min, group.replicas.max),
            triggers(group),
            types(group),
        ]);
    }
    table
}

/// How the configuration spells a value.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn triggers(group: &GroupConfig) -> String {
    let asking = Trigger::ALL.into_iter().filter(|trigger| {
        let trigger = &group.triggers[*trigger];
        trigger.asks && trigger.binding.is_some()
    });
    asking
        .map(|trigger| format!("{trigger} {}", group.triggers[trigger].threshold))
        .collect::<Vec<_>>()
        .join("\n")
}

fn types(group: &GroupConfig) -> String {
    match &group.ladder {
        LadderRule::FamilyOfCurrent => "the running type's family".to_owned(),
        LadderRule::Types(types) => types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        LadderRule::Families(families) => format!("all of {}", families.join(" ")),
    }
}
