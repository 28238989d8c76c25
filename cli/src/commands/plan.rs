//! `scaling plan`: what would be done now and why, with the real readers and without a writer.

use std::io::{IsTerminal, stderr};

use anyhow::Result;
use scaling::{Assembly, narrate};
use scaling_aws::AwsSettings;
use scaling_control::{Evaluation, GroupOutcome, Outcome, TickReport};
use scaling_policy::config::{Config, ControlLevel};
use scaling_policy::decision::Decision;
use scaling_telemetry::logs::{LogGuard, StandaloneLogs, directives_or, init_standalone};
use scaling_telemetry::own_cost;
use serde_json::{Value, json};

use crate::arguments::PlanArguments;
use crate::failure::Told;
use crate::{commands, output};

/// Prints the plan. A group that cannot be evaluated makes it end with 1, after the others have been shown.
pub(crate) async fn plan(arguments: &PlanArguments) -> Result<()> {
    let source = &arguments.source;
    let _logs = start_logs()?;
    let loaded = scaling::configuration::load(&source.config, source.environment.as_deref())?;
    let store = commands::run::existing_store(&arguments.state);
    let assembly = Assembly::new(loaded.config, AwsSettings::default(), &store)?;
    let report = assembly.control.plan().await?;
    // The state may name another configuration than the file.
    let config = assembly.control.config();
    if arguments.json {
        let groups: Vec<Value> = report.outcomes.iter().map(as_json).collect();
        output::json(&json!({"groups": groups, "controller_usd_per_month": own_cost(&config)}))?;
    } else {
        show(&report, &config)?;
    }
    let missing = report.outcomes.iter().any(|outcome| outcome.evaluation().is_none());
    if missing { Err(Told(1).into()) } else { Ok(()) }
}

/// What could not be read is told on standard error: a plan over half of the metrics looks like any other.
fn start_logs() -> Result<LogGuard> {
    Ok(init_standalone(&StandaloneLogs {
        directives: directives_or("warn", |name| std::env::var(name).ok()),
        folder: None,
        terminal: true,
        colour: stderr().is_terminal(),
        collector: None,
    })?)
}

fn show(report: &TickReport, config: &Config) -> Result<()> {
    let mut table = output::table(["Group", "Now", "Would do", "Why", "USD/h", "Instead"]);
    for outcome in &report.outcomes {
        table.add_row(row(outcome));
    }
    output::line(table)?;
    output::line(format_args!(
        "Nothing was changed. Reading these metrics (GetMetricData) costs the controller about {:.2} USD a month.",
        own_cost(config)
    ))
}

/// What reading the metrics of every evaluation costs in a month, in USD.
fn own_cost(config: &Config) -> f64 {
    config.groups.iter().map(|group| own_cost::of_group(group)).sum()
}

fn row(outcome: &GroupOutcome) -> [String; 6] {
    let name = outcome.config.name.to_string();
    let Some(Evaluation { snapshot, decision, .. }) = outcome.evaluation() else {
        let none = || "-".to_owned();
        return [name, none(), none(), trouble(outcome), none(), none()];
    };
    let group = &snapshot.group;
    [
        name,
        format!(
            "{} of {} x {}\n{}",
            group.serving(),
            group.desired,
            group.launch_type.name,
            narrate::loads(decision)
        ),
        would(outcome, decision),
        why(decision),
        format!("{:.2} -> {:.2}", decision.cost_before.0, decision.cost_after.0),
        alternatives(decision),
    ]
}

fn would(outcome: &GroupOutcome, decision: &Decision) -> String {
    let action = narrate::action(&decision.action);
    match outcome.config.control {
        ControlLevel::Observe if !decision.action.is_hold() => format!("{action}\n(not done: observe)"),
        ControlLevel::Observe => format!("{action}\n(observe)"),
        ControlLevel::UpOnly | ControlLevel::Act => action,
    }
}

/// The reason, and where the guards trimmed what was wanted at first.
fn why(decision: &Decision) -> String {
    let mut lines = vec![decision.reason.to_string()];
    let notes = decision.guards.iter().filter(|note| note.reason != decision.reason);
    lines.extend(notes.map(|note| format!("{} -> {}: {}", note.from, note.to, note.reason)));
    lines.join("\n")
}

fn alternatives(decision: &Decision) -> String {
    let lines = decision
        .alternatives
        .iter()
        .map(|other| format!("{} x {} {:.2}", other.replicas, other.instance_type, other.cost.0));
    lines.collect::<Vec<_>>().join("\n")
}

fn trouble(outcome: &GroupOutcome) -> String {
    match &outcome.result {
        Outcome::NotFound => "the platform knows no group of this name".to_owned(),
        Outcome::Busy => "another evaluation has the group at this moment; try again".to_owned(),
        Outcome::Failed(error) => error.to_string(),
        Outcome::Decided(_) => String::new(),
    }
}

fn as_json(outcome: &GroupOutcome) -> Value {
    let (group, control) = (&outcome.config.name, outcome.config.control);
    match outcome.evaluation() {
        Some(Evaluation { snapshot, decision, .. }) => json!({
            "group": group,
            "control": control,
            "now": {
                "instance_type": snapshot.group.launch_type.name,
                "desired": snapshot.group.desired,
                "serving": snapshot.group.serving(),
                "arriving": snapshot.group.arriving(),
            },
            "decision": decision,
            "explanation": narrate::sentence(decision),
        }),
        None => json!({"group": group, "control": control, "error": trouble(outcome)}),
    }
}
