//! `scaling explain`: one group and its decision, readable alone: what the console's page of it shows.

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use scaling_policy::Decision;
use scaling_policy::operation::Operation;
use scaling_telemetry::explain;
use serde::Deserialize;
use serde_json::{Value, json};

use super::group_page::{self, LISTED};
use super::rest::{self, Controller};
use super::status::groups;
use crate::arguments::ExplainArguments;
use crate::output;

/// An operation is planned in the evaluation that decided it.
const PLANNED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Prints the decision that was in force, what came of it, and the group around it.
pub(crate) async fn explain(arguments: &ExplainArguments) -> Result<()> {
    let told = Told::read(&Controller::new(&arguments.api)?, &arguments.group, arguments.at).await?;
    if arguments.json { output::json(&told.json()) } else { output::line(told.text()?.trim_end()) }
}

/// Everything that is told of a group.
pub(super) struct Told {
    /// The moment that was asked for; `None` is now.
    moment: Option<Timestamp>,
    /// The decision that held.
    decision: Value,
    /// Stored decisions, the newest first; empty for a moment in the past.
    decisions: Vec<Value>,
    /// Operations, the newest first.
    operations: Vec<Value>,
    /// What people have set that holds now, as the interface has it.
    standing: Value,
    /// What the console has; `None` of a controller without one, and before the first tick.
    page: Option<Value>,
}

impl Told {
    /// Asks a controller.
    pub(super) async fn read(controller: &Controller, name: &str, moment: Option<Timestamp>) -> Result<Self> {
        let group = rest::segment(name);
        let limit = if moment.is_some() { 1 } else { LISTED };
        let before = moment.map(before).unwrap_or_default();
        let answer = controller.get(&format!("/groups/{group}/decisions?limit={limit}{before}")).await?;
        let decisions = rest::array(&answer, "decisions")?.to_vec();
        let mut page = controller.find(&format!("/console/data/groups/{group}")).await?;
        let standing = if moment.is_none() { standing(controller, name).await? } else { Value::Null };
        if let Some(page) = &mut page {
            for member in STANDING {
                page[member] = standing[member].clone();
            }
        }
        // The console has the newest one, also where it does not differ from the one before and was not stored.
        let newest = page.as_ref().filter(|_| moment.is_none()).map(|page| &page["decision"]);
        let Some(decision) = newest.filter(|newest| newest.is_object()).or(decisions.first()).cloned() else {
            let when = moment.map_or_else(|| "yet".to_owned(), |at| format!("up to {at}"));
            bail!("{name} has no decision {when}; they are kept for 90 days");
        };
        let operations = controller.get(&format!("/operations?group={group}&limit=500")).await?;
        let operations = rest::array(&operations, "operations")?.to_vec();
        Ok(Self { moment, decision, decisions, operations, standing, page })
    }

    /// As JSON: the decision, the operation that carried it out, and what the console has of the group.
    pub(super) fn json(&self) -> Value {
        json!({"decision": self.decision, "operation": self.operation(), "group": self.page})
    }

    /// In lines.
    pub(super) fn text(&self) -> Result<String> {
        let decision = Decision::deserialize(&self.decision)?;
        let operation = self.operation().map(Operation::deserialize).transpose()?;
        let explained = explain::explain(&decision, operation.as_ref());
        let page = self.page.as_ref().filter(|page| page["decision"].is_object());
        let parts = match (page, self.moment) {
            (None, _) => vec![explained, group_page::in_lines(&self.standing)],
            (Some(page), Some(moment)) => {
                let none = || "No look of the half hour before that time has been kept.\n".to_owned();
                vec![explained, group_page::at(page, moment).unwrap_or_else(none)]
            }
            (Some(page), None) => vec![
                group_page::now(page),
                group_page::loads(page),
                format!("The latest decision\n{explained}"),
                group_page::outlook(page),
                group_page::over_time(page),
                group_page::operations(&self.operations),
                group_page::decisions(&self.decisions),
            ],
        };
        Ok(parts.join("\n"))
    }

    fn operation(&self) -> Option<&Value> {
        self.operations.iter().find(|one| is_of(one, &self.decision))
    }
}

/// Members that tell what people have set.
const STANDING: [&str; 3] = ["kill_switch", "in_force", "pause"];

/// The group as the interface lists it, with the kill switch: both are known at once, and not only after the next look.
async fn standing(controller: &Controller, name: &str) -> Result<Value> {
    let answer = groups(controller).await?;
    let found = rest::array(&answer, "groups")?.iter().find(|group| group["name"] == name);
    let mut group = found.cloned().unwrap_or_default();
    group["kill_switch"] = answer["kill_switch"].clone();
    Ok(group)
}

/// The page that begins with the newest decision up to `at`, which is part of it.
fn before(at: Timestamp) -> String {
    let next = at + SignedDuration::from_millis(1);
    format!("&before={}", next.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

/// Whether an operation carries a decision out, both as the interface writes them.
fn is_of(operation: &Value, decision: &Value) -> bool {
    let moment = |value: &Value| value.as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let planned = moment(&operation["planned_at"]).zip(moment(&decision["at"]));
    let is_near = planned.is_some_and(|(planned, at)| planned.duration_since(at).abs() <= PLANNED_WITHIN);
    let action = &decision["action"];
    let label = match action["kind"].as_str() {
        Some("scale") if action["to"].as_u64() > action["from"].as_u64() => "up",
        Some("scale") => "down",
        Some(other) => other,
        None => return false,
    };
    is_near && operation["action"] == label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_includes_the_decision_that_was_made_in_it() {
        let at = "2026-03-02T08:15:00.123Z".parse().unwrap();
        assert_eq!(before(at), "&before=2026-03-02T08:15:00.124Z");
    }

    #[test]
    fn an_operation_is_of_the_decision_that_was_made_with_its_plan() {
        let decision = json!({"at": "2026-03-02T08:15:00Z", "action": {"kind": "scale", "from": 4, "to": 6}});
        for (planned, action, expected) in [
            ("2026-03-02T08:15:01Z", "up", true),
            ("2026-03-02T08:15:01Z", "down", false),
            ("2026-03-02T08:18:00Z", "up", false),
        ] {
            let operation = json!({"planned_at": planned, "action": action});
            assert_eq!(is_of(&operation, &decision), expected, "{planned} {action}");
        }
        assert!(!is_of(&json!({"planned_at": "2026-03-02T08:15:00Z", "action": "up"}), &json!({})));
    }
}
