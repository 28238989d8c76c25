//! `scaling status`: a running controller's groups at a glance.

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::rest::{self, Controller};
use crate::arguments::StatusArguments;
use crate::interrupt::Interrupt;
use crate::output;

/// Shows the groups: once, or until it is told to stop.
pub(crate) async fn status(arguments: &StatusArguments) -> Result<()> {
    let Some(seconds) = arguments.watch else { return show(arguments).await };
    let watching = async {
        loop {
            if stdout().is_terminal() && !arguments.json {
                // Clears what the last look has left, from the top left corner on.
                output::line("\x1b[H\x1b[J")?;
            }
            show(arguments).await?;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
    };
    let interrupt = Interrupt::listen()?;
    tokio::select! {
        ended = watching => ended,
        // Ctrl-C is how a watch is meant to end.
        _ = interrupt.wait() => Ok(()),
    }
}

async fn show(arguments: &StatusArguments) -> Result<()> {
    let answer = groups(&Controller::new(&arguments.api)?).await?;
    if arguments.json {
        return output::json(&answer);
    }
    let mut table = output::table([
        "Group",
        "Control",
        "Serving / desired",
        "Type",
        "Load",
        "USD/h",
        "Saved/h",
        "Last decision",
    ]);
    for group in rest::array(&answer, "groups")? {
        table.add_row(row(group));
    }
    let switch = &answer["kill_switch"];
    if !switch.is_null() {
        let said = |member: &str| switch[member].as_str().unwrap_or("-");
        output::line(format_args!("The kill switch is on: {} ({})", said("reason"), said("by")))?;
    }
    output::line(table)
}

/// All groups, however many pages they are.
async fn groups(controller: &Controller) -> Result<Value> {
    let mut answer = controller.get("/groups").await?;
    while let Some(next) = answer["next"].as_str() {
        let mut page = controller.get(&format!("/groups?after={}", rest::escaped(next))).await?;
        answer["next"] = page["next"].take();
        let more = page["groups"].take();
        if let (Value::Array(all), Value::Array(more)) = (&mut answer["groups"], more) {
            all.extend(more);
        }
    }
    Ok(answer)
}

fn row(group: &Value) -> [String; 8] {
    let text = |pointer: &str| match group.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let money = |pointer: &str| {
        let amount = group.pointer(pointer).and_then(Value::as_f64);
        amount.map_or_else(|| "-".to_owned(), |amount| format!("{amount:.2}"))
    };
    let desired = match text("/figures/replicas/desired") {
        none if none == "-" => text("/desired"),
        seen => seen,
    };
    [
        text("/name"),
        control(group),
        format!("{} / {desired}{}", text("/figures/replicas/serving"), bounds(group)),
        text("/instance_type"),
        load(&group["figures"]["loads"]),
        money("/figures/cost_usd_per_hour"),
        money("/figures/savings_usd_per_hour"),
        last_decision(group),
    ]
}

/// The bounds that hold now.
fn bounds(group: &Value) -> String {
    match (group["bounds"]["min"].as_u64(), group["bounds"]["max"].as_u64()) {
        (Some(min), Some(max)) => format!("\nof {min} to {max}"),
        _ => String::new(),
    }
}

/// The control level, and whatever overrules it.
fn control(group: &Value) -> String {
    let level = group["control"].as_str().unwrap_or("-");
    let mut words = vec![level.to_owned()];
    words.extend(
        group["in_force"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
    );
    if group["breaker_open"] == true {
        words.push("stopped after three failures".to_owned());
    }
    words.join("\n")
}

/// The highest load, which is the one that counts.
fn load(loads: &Value) -> String {
    let loads = loads.as_object().into_iter().flatten();
    let known = loads.filter_map(|(trigger, load)| Some((trigger, load.as_f64()?)));
    let highest = known.max_by(|(_, one), (_, other)| one.total_cmp(other));
    highest.map_or_else(|| "-".to_owned(), |(trigger, load)| format!("{:.0} % {trigger}", load * 100.0))
}

fn last_decision(group: &Value) -> String {
    let figures = &group["figures"];
    let said = match (figures["action"].as_str(), figures["reason"].as_str()) {
        (Some(action), Some(reason)) => format!("{action}: {}", reason.replace('_', " ")),
        _ => "-".to_owned(),
    };
    let running = group["running"].as_array().into_iter().flatten();
    let ids = running.filter_map(|operation| operation["id"].as_str()).map(|id| format!("\nrunning: {id}"));
    said + &ids.collect::<String>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_shows_what_overrules_the_control_level_and_what_runs() {
        let group = json!({
            "name": "web", "control": "act", "desired": 4, "instance_type": "m7i.large",
            "bounds": {"min": 2, "max": 9}, "in_force": ["paused by ada: maintenance"], "breaker_open": true, "running": [{"id": "op-1"}],
            "figures": {"replicas": {"serving": 3, "desired": 4}, "loads": {"cpu_usage": 0.4, "memory_usage": 0.61,
                "request_count": null}, "cost_usd_per_hour": 0.4032, "savings_usd_per_hour": null,
                "action": "hold", "reason": "within_target"}
        });
        let row = row(&group);
        assert_eq!(row[1], "act\npaused by ada: maintenance\nstopped after three failures");
        assert_eq!((row[2].as_str(), row[4].as_str()), ("3 / 4\nof 2 to 9", "61 % memory_usage"));
        assert_eq!((row[5].as_str(), row[6].as_str()), ("0.40", "-"));
        assert_eq!(row[7], "hold: within target\nrunning: op-1");
    }

    #[test]
    fn a_group_that_was_never_seen_has_no_figures() {
        let row = row(&json!({"name": "web", "control": "observe", "figures": null}));
        assert_eq!((row[2].as_str(), row[4].as_str(), row[7].as_str()), ("- / -", "-", "-"));
    }
}
