//! `scaling status`: a running controller's groups at a glance, or one of them in full.

use std::collections::HashMap;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::explain::Told;
use super::group_page::{self, usd};
use super::rest::{self, Controller, NotTicking};
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
    let controller = Controller::new(&arguments.api)?;
    if let Some(group) = &arguments.group {
        let told = Told::read(&controller, group, None).await?;
        return if arguments.json {
            output::json(&told.json())
        } else {
            output::line(told.text()?.trim_end())
        };
    }
    let mut answer = groups(&controller).await?;
    if let Some(seen) = controller.find("/console/data/status").await? {
        put_together(&mut answer, &seen);
    }
    if arguments.json {
        return output::json(&answer);
    }
    let mut table =
        output::table(["Group", "Control", "Runs", "Load", "Cost", "Saved", "Next change", "Last decision"]);
    let switch = answer["kill_switch"].clone();
    if let Value::Array(groups) = &mut answer["groups"] {
        for group in groups {
            group["kill_switch"] = switch.clone();
        }
    }
    let groups = rest::array(&answer, "groups")?;
    for group in groups {
        table.add_row(row(group));
    }
    output::line(sums(groups))?;
    // Figures stay as they were last seen; that nobody has seen any since is told by the process itself.
    if let Err(error) = controller.get("/health").await {
        output::line(unevaluated(&error))?;
    }
    if !switch.is_null() {
        let said = |member: &str| switch[member].as_str().unwrap_or("-");
        output::line(format_args!("The kill switch is on: {} ({})", said("reason"), said("by")))?;
    }
    output::line(table)
}

/// What it means that the controller's health could not be had: a gateway that refuses, or a share that is used up, says nothing
/// of the loop.
fn unevaluated(error: &anyhow::Error) -> String {
    if error.is::<NotTicking>() {
        return format!("The groups are not evaluated: {error}");
    }
    format!("Whether the groups are evaluated could not be asked: {error}")
}

/// All groups, however many pages they are.
pub(super) async fn groups(controller: &Controller) -> Result<Value> {
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

/// What the console has of each group beside what the interface says: totals, demand, and the next possible change.
fn put_together(answer: &mut Value, seen: &Value) {
    let Value::Array(groups) = &mut answer["groups"] else { return };
    let seen_groups = seen["groups"].as_array().into_iter().flatten();
    let seen_groups: HashMap<&str, &Value> =
        seen_groups.filter_map(|group| Some((group["name"].as_str()?, group))).collect();
    for group in groups {
        let Some(more) = group["name"].as_str().and_then(|name| seen_groups.get(name)) else { continue };
        for member in ["trouble", "totals", "outlook", "wanted", "capacity"] {
            group[member] = more[member].clone();
        }
        group["now"] = seen["now"].clone();
    }
}

/// The fleet in one line, as the console's overview has it.
fn sums(groups: &[Value]) -> String {
    let sum = |pointer: &str| {
        groups.iter().filter_map(|group| group.pointer(pointer)?.as_f64()).fold(0.0, |sum, each| sum + each)
    };
    let over = groups.iter().filter(|group| highest(group).is_some_and(|(_, load)| load >= 1.0)).count();
    let hourly = format!(
        "{} group{}, {over} over a limit; {} an hour, {} an hour saved",
        groups.len(),
        if groups.len() == 1 { "" } else { "s" },
        usd(sum("/figures/cost_usd_per_hour")),
        usd(sum("/figures/savings_usd_per_hour")),
    );
    // A function keeps no totals: a sum of nothing would pass for one.
    if groups.iter().all(|group| group.pointer("/totals/cost").is_none()) {
        return hourly;
    }
    format!("{hourly}; {} spent and {} saved to date", usd(sum("/totals/cost")), usd(sum("/totals/saved")))
}

fn row(group: &Value) -> [String; 8] {
    let text = |pointer: &str| match group.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let money = |hourly: &str, total: &str| {
        let usd = |pointer: &str| group.pointer(pointer).and_then(Value::as_f64).map(usd);
        let hourly = usd(hourly).map_or_else(|| "-".to_owned(), |amount| amount + "/h");
        usd(total).map_or(hourly.clone(), |total| format!("{hourly}\n{total}\nto date"))
    };
    let desired = match text("/figures/replicas/desired") {
        none if none == "-" => text("/desired"),
        seen => seen,
    };
    [
        text("/name"),
        control(group),
        format!(
            "{} / {desired}{}\n{}",
            text("/figures/replicas/serving"),
            bounds(group),
            text("/instance_type")
        ),
        load(group),
        money("/figures/cost_usd_per_hour", "/totals/cost"),
        money("/figures/savings_usd_per_hour", "/totals/saved"),
        next_change(group),
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
    words.extend(group["trouble"].as_str().map(str::to_owned));
    words.join("\n")
}

/// The highest load, which is the one that counts, with its trigger.
fn highest(group: &Value) -> Option<(&str, f64)> {
    let loads = group["figures"]["loads"].as_object()?.iter();
    let known = loads.filter_map(|(trigger, load)| Some((trigger.as_str(), load.as_f64()?)));
    known.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// The highest load; and demand beside capacity, where the controller tells them.
fn load(group: &Value) -> String {
    let load = highest(group)
        .map_or_else(|| "-".to_owned(), |(trigger, load)| format!("{:.0} % {trigger}", load * 100.0));
    let demand = group["wanted"].as_f64().zip(group["capacity"].as_f64());
    demand.map_or(load.clone(), |(wanted, capacity)| format!("{load}\n{wanted:.1} of {capacity:.1} vCPU"))
}

/// From when on each kind of change is possible.
fn next_change(group: &Value) -> String {
    let told = group_page::outlook_in_short(group);
    if told.is_empty() { "-".to_owned() } else { told }
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
        assert_eq!((row[2].as_str(), row[3].as_str()), ("3 / 4\nof 2 to 9\nm7i.large", "61 % memory_usage"));
        assert_eq!((row[4].as_str(), row[5].as_str(), row[6].as_str()), ("0.40 USD/h", "-", "-"));
        assert_eq!(row[7], "hold: within target\nrunning: op-1");
    }

    #[test]
    fn what_the_console_has_is_shown_beside_what_the_interface_says() {
        let mut answer = json!({"groups": [
            {"name": "web", "figures": {"loads": {"cpu_usage": 1.1}, "cost_usd_per_hour": 0.5,
                "savings_usd_per_hour": 0.25}},
            {"name": "new", "figures": null},
        ]});
        let seen = json!({"now": "2026-03-02T08:00:00Z", "groups": [{
            "name": "web", "trouble": null, "wanted": 3.0, "capacity": 8.0,
            "totals": {"cost": 12.0, "saved": 4.5, "since": "2026-03-01T08:00:00Z"},
            "outlook": [{"change": "down", "from": "2026-03-02T08:01:00Z", "waits_for": "cooldown"}],
        }]});
        put_together(&mut answer, &seen);
        let groups = answer["groups"].as_array().unwrap();
        assert_eq!(
            sums(&groups[1..]),
            "1 group, 0 over a limit; 0.00 USD an hour, 0.00 USD an hour saved",
            "without totals none are summed up"
        );
        let row = row(&groups[0]);
        assert_eq!(row[3], "110 % cpu_usage\n3.0 of 8.0 vCPU");
        assert_eq!(
            (row[4].as_str(), row[5].as_str()),
            ("0.50 USD/h\n12.00 USD\nto date", "0.25 USD/h\n4.50 USD\nto date")
        );
        assert_eq!(row[6], "▼ in 60 s (08:01:00): cooldown");
        assert_eq!(
            sums(groups),
            "2 groups, 1 over a limit; 0.50 USD an hour, 0.25 USD an hour saved; 12.00 USD spent and 4.50 USD saved to date"
        );
    }

    #[test]
    fn a_group_that_was_never_seen_has_no_figures() {
        let row = row(&json!({"name": "web", "control": "observe", "figures": null}));
        assert_eq!((row[2].as_str(), row[3].as_str(), row[7].as_str()), ("- / -\n-", "-", "-"));
    }
}
