//! One line for each decision, which explains itself; and one for whatever kept a group from being decided on.

use scaling_control::{GroupOutcome, Outcome, TickReport};

pub use scaling_telemetry::sentence::{action, loads, sentence};

/// Logs every outcome of a tick: decisions under the target `scaling::monitor`.
pub fn narrate(report: &TickReport) {
    for outcome in &report.outcomes {
        narrate_one(outcome);
    }
    if !report.left_over.is_empty() {
        let groups = report.left_over.len();
        tracing::warn!(target: "scaling::monitor", groups, "left for the next tick: the time was used up");
    }
}

fn narrate_one(outcome: &GroupOutcome) {
    let group = &outcome.config.name;
    for operation in &outcome.ended {
        let (kind, phase) = (operation.kind.label(), operation.phase.label());
        tracing::info!(
            target: "scaling::monitor", %group, operation = operation.id.0.as_str(), kind, phase, "operation ended"
        );
    }
    match &outcome.result {
        Outcome::Decided(evaluation) => {
            let decision = &evaluation.decision;
            tracing::info!(
                target: "scaling::monitor",
                %group,
                action = decision.action.label(),
                reason = decision.reason.label(),
                acted = outcome.acted.is_some(),
                operation = outcome.acted.as_ref().map(|operation| operation.id.0.as_str()),
                loads = loads(decision),
                serving = evaluation.snapshot.group.serving(),
                cost_before = decision.cost_before.0,
                cost_after = decision.cost_after.0,
                config_version = decision.config_version.0,
                "{}",
                sentence(decision)
            );
            if let Some(error) = &evaluation.step_error {
                tracing::warn!(target: "scaling::monitor", %group, %error, "the step was not taken");
            }
        }
        Outcome::Busy => {
            tracing::info!(target: "scaling::monitor", %group, "another evaluation has the group");
        }
        Outcome::NotFound => {
            tracing::warn!(target: "scaling::validator", %group, "the platform knows no group of this name");
        }
        Outcome::Failed(error) => {
            tracing::error!(target: "scaling::monitor", %group, kind = error.kind(), %error, "not evaluated");
        }
    }
}
