//! A decision in words.

use scaling_policy::decision::{Action, Decision};
use scaling_policy::trigger::Trigger;

/// What is done and why, in one sentence.
pub fn sentence(decision: &Decision) -> String {
    format!("{}: {}", action(&decision.action), decision.reason)
}

/// What is done.
pub fn action(action: &Action) -> String {
    match action {
        Action::Hold => "hold".to_owned(),
        Action::Scale { from, to } => format!("{from} -> {to} replicas"),
        Action::Retype { from, to, from_replicas, to_replicas, .. } => {
            format!("{from_replicas} x {from} -> {to_replicas} x {to}")
        }
    }
}

/// The loads that were read, such as `cpu_usage 0.93`.
pub fn loads(decision: &Decision) -> String {
    let known = Trigger::ALL.into_iter().filter_map(|trigger| Some((trigger, decision.loads[trigger]?)));
    known.map(|(trigger, load)| format!("{trigger} {load:.2}")).collect::<Vec<_>>().join(", ")
}
