//! `scaling plan`: what would be done now and why, with the real readers and no writer.

use std::io::{Write, stdout};

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use scaling::{Assembly, StoreChoice};
use scaling_aws::AwsSettings;
use scaling_control::{GroupOutcome, Outcome};
use scaling_policy::Action;
use scaling_policy::config::Config;
use serde_json::{Value, json};

use crate::arguments::PlanArguments;

/// GetMetricData, USD per metric requested (0.01 per 1,000), and minutes in a month.
const USD_PER_METRIC: f64 = 0.00001;
const SECONDS_PER_MONTH: f64 = 730.0 * 3600.0;

/// Prints the plan.
pub(crate) async fn plan(arguments: &PlanArguments) -> Result<()> {
    let source = &arguments.source;
    let loaded = scaling::configuration::load(&source.config, source.environment.as_deref())?;
    let cost = own_cost(&loaded.config);
    // A state file that does not exist is not made: a plan leaves nothing behind.
    let store = if arguments.state.exists() {
        StoreChoice::File(arguments.state.clone())
    } else {
        StoreChoice::Memory
    };
    let assembly = Assembly::new(loaded.config, AwsSettings::default(), &store)?;
    let report = assembly.control.plan().await?;
    let mut out = stdout().lock();
    if arguments.json {
        let groups: Vec<Value> = report.outcomes.iter().map(as_json).collect();
        let plan = json!({"groups": groups, "controller_usd_per_month": cost});
        writeln!(out, "{plan}")?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(["group", "now", "would", "why", "USD/h"]);
    for outcome in &report.outcomes {
        table.add_row(row(outcome));
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "Nothing was changed. Reading these metrics costs the controller about {cost:.2} USD a month."
    )?;
    Ok(())
}

/// What reading the bound metrics every period costs in a month, in USD.
fn own_cost(config: &Config) -> f64 {
    let of_group = |group: &scaling_policy::config::GroupConfig| {
        let bound = group.triggers.iter().filter(|(_, trigger)| trigger.binding.is_some()).count();
        bound as f64 * SECONDS_PER_MONTH / group.evaluation_period.as_secs_f64() * USD_PER_METRIC
    };
    config.groups.iter().map(|group| of_group(group)).sum()
}

fn row(outcome: &GroupOutcome) -> [String; 5] {
    let name = outcome.config.name.to_string();
    let Some(evaluation) = outcome.evaluation() else {
        return [name, "-".to_owned(), "nothing".to_owned(), trouble(outcome), "-".to_owned()];
    };
    let (group, decision) = (&evaluation.snapshot.group, &evaluation.decision);
    let would = match &decision.action {
        Action::Hold => "hold".to_owned(),
        Action::Scale { from, to } => format!("{from} -> {to} replicas"),
        Action::Retype { to, to_replicas, .. } => format!("{to_replicas} x {to}"),
    };
    [
        name,
        format!("{} of {} x {}", group.serving(), group.desired, group.launch_type.name),
        would,
        decision.reason.to_string(),
        format!("{:.2} -> {:.2}", decision.cost_before.0, decision.cost_after.0),
    ]
}

fn trouble(outcome: &GroupOutcome) -> String {
    match &outcome.result {
        Outcome::NotFound => "the group was not found".to_owned(),
        Outcome::Busy => "another controller is changing it at this moment".to_owned(),
        Outcome::Failed(error) => error.to_string(),
        Outcome::Decided(_) => String::new(),
    }
}

fn as_json(outcome: &GroupOutcome) -> Value {
    match outcome.evaluation() {
        Some(evaluation) => {
            json!({"group": outcome.config.name, "decision": evaluation.decision,
                "explanation": evaluation.decision.reason.to_string()})
        }
        None => json!({"group": outcome.config.name, "error": trouble(outcome)}),
    }
}
