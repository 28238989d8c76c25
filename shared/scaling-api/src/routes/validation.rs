//! Findings about the configuration in force and about the groups it names.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use scaling_control::{Evaluation, GroupOutcome, Outcome};
use scaling_policy::config::{Config, Severity};
use scaling_policy::snapshot::{ForeignController, RetypeSupport};
use scaling_policy::trigger::{Reading, Trigger};
use serde::Serialize;
use serde_json::json;

use super::Answer;
use crate::problem::faults;
use crate::state::ApiState;

/// A bound metric without data since then is wrong rather than late, in seconds.
const NO_DATA_SECONDS: f64 = 86_400.0;

/// A group that was just taken over gets this long to show its first data, in seconds.
const FIRST_DATA_SECONDS: f64 = 900.0;

/// A finding about a group as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    group: String,
    severity: Severity,
    /// A stable word for the kind of finding.
    code: &'static str,
    /// A sentence.
    detail: String,
}

pub(super) async fn validation(State(state): State<ApiState>) -> Answer {
    let config = state.control().refresh().await?;
    let (valid, of_config) = match Config::from_source(config.source().clone()) {
        Ok(loaded) => (true, faults(&loaded.warnings)),
        Err(error) => (false, faults(&error.faults)),
    };
    let (of_groups, platform_error) = match state.control().plan().await {
        Ok(report) => (report.outcomes.iter().flat_map(findings).collect::<Vec<_>>(), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    for finding in &of_groups {
        tracing::info!(target: "scaling::validator", group = finding.group, code = finding.code, "{}", finding.detail);
    }
    let valid = valid && of_groups.iter().all(|finding| finding.severity == Severity::Warning);
    Ok(Json(json!({
        "valid": valid && platform_error.is_none(),
        "config_version": config.version,
        "configuration": of_config,
        "groups": of_groups,
        "platform_error": platform_error,
    })))
}

fn findings(outcome: &GroupOutcome) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |severity, code, detail: String| {
        found.push(Finding { group: outcome.config.name.to_string(), severity, code, detail });
    };
    match &outcome.result {
        Outcome::Busy => {}
        Outcome::NotFound => {
            add(Severity::Error, "not_found", "the platform does not know the group".to_owned());
        }
        Outcome::Failed(error) => add(Severity::Error, "unreadable", error.to_string()),
        Outcome::Decided(evaluation) => {
            of_data(outcome, evaluation, &mut add);
            of_platform(outcome, evaluation, &mut add);
        }
    }
    found
}

fn of_data(
    outcome: &GroupOutcome,
    evaluation: &Evaluation,
    add: &mut impl FnMut(Severity, &'static str, String),
) {
    let snapshot = &evaluation.snapshot;
    let since = |at: Timestamp| snapshot.taken_at.duration_since(at).as_secs_f64();
    let tracked = evaluation.state.taken_over.map_or(0.0, since);
    for trigger in Trigger::ALL {
        match snapshot.readings[trigger] {
            Reading::Unbound if outcome.config.triggers[trigger].asks => {
                add(Severity::Warning, "unbound", format!("{trigger} is listed and bound to no metric"));
            }
            Reading::Missing if tracked >= FIRST_DATA_SECONDS => {
                add(
                    Severity::Error,
                    "no_data",
                    format!("{trigger} has no data: is its metric's name right?"),
                );
            }
            Reading::Stale { ended } if since(ended) >= NO_DATA_SECONDS => {
                add(Severity::Error, "no_data", format!("{trigger} has had no data since {ended}"));
            }
            _ => {}
        }
    }
}

fn of_platform(
    outcome: &GroupOutcome,
    evaluation: &Evaluation,
    add: &mut impl FnMut(Severity, &'static str, String),
) {
    let (config, group) = (&outcome.config, &evaluation.snapshot.group);
    let offer = &group.launch_type;
    if !config.resources.allow(offer.vcpu, offer.memory) {
        let finding = format!("{} is outside the bounds, so only the count changes", offer.name);
        add(Severity::Warning, "type_outside_bounds", finding);
    }
    if config.replicas.max < group.min || config.replicas.min > group.max {
        let (own, ours) = (format!("{} to {}", group.min, group.max), config.replicas);
        let finding =
            format!("the group's own bounds ({own}) and ours ({} to {}) do not meet", ours.min, ours.max);
        add(Severity::Error, "bounds_apart", finding);
    }
    if let RetypeSupport::CountOnly { why } = &group.retype {
        add(Severity::Warning, "count_only", why.clone());
    }
    if group.suspended.any() {
        add(Severity::Warning, "suspended", "a scaling process of the group is suspended".to_owned());
    }
    for foreign in &group.foreign {
        let what = match foreign {
            ForeignController::ScalingPolicy { name } => format!("the scaling policy {name}"),
            ForeignController::ScheduledAction { name } => format!("the scheduled action {name}"),
            ForeignController::Tag { key } => format!("whoever set the tag {key}"),
        };
        let consequence =
            if config.coexist { "acts on the group, too" } else { "acts on the group, so we only observe" };
        add(Severity::Warning, "foreign_controller", format!("{what} {consequence}"));
    }
    if evaluation.state.breaker.is_open() {
        add(Severity::Error, "breaker_open", "three operations failed in a row; the group holds".to_owned());
    }
}
