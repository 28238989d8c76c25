//! `scaling explain`: one decision, readable alone.

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use scaling_policy::Decision;
use scaling_policy::operation::Operation;
use scaling_telemetry::explain;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rest::{self, Controller};
use crate::arguments::ExplainArguments;
use crate::output;

/// An operation is planned in the evaluation that decided it.
const PLANNED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Prints the decision that was in force, and what came of it.
pub(crate) async fn explain(arguments: &ExplainArguments) -> Result<()> {
    let controller = Controller::new(&arguments.api)?;
    let group = rest::segment(&arguments.group);
    let path = format!("/groups/{group}/decisions?limit=1{}", arguments.at.map(before).unwrap_or_default());
    let answer = controller.get(&path).await?;
    let Some(found) = rest::array(&answer, "decisions")?.first() else {
        let when = arguments.at.map_or_else(|| "yet".to_owned(), |at| format!("up to {at}"));
        bail!("{} has no decision {when}; they are kept for 90 days", arguments.group);
    };
    let decision = Decision::deserialize(found)?;
    let operations = controller.get(&format!("/operations?group={group}&limit=500")).await?;
    let operation = rest::array(&operations, "operations")?.iter().find(|one| is_of(one, &decision));
    if arguments.json {
        return output::json(&json!({"decision": found, "operation": operation}));
    }
    let operation = operation.map(Operation::deserialize).transpose()?;
    output::line(explain::explain(&decision, operation.as_ref()).trim_end())
}

/// The page that begins with the newest decision up to `at`, which is part of it.
fn before(at: Timestamp) -> String {
    let next = at + SignedDuration::from_millis(1);
    format!("&before={}", next.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

/// Whether an operation, as the interface writes it, carries the decision out.
fn is_of(operation: &Value, decision: &Decision) -> bool {
    let planned = operation["planned_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let near = planned.is_some_and(|at| at.duration_since(decision.at).abs() <= PLANNED_WITHIN);
    near && operation["action"] == decision.action.label()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_includes_the_decision_that_was_made_in_it() {
        let at = "2026-03-02T08:15:00.123Z".parse().unwrap();
        assert_eq!(before(at), "&before=2026-03-02T08:15:00.124Z");
    }
}
