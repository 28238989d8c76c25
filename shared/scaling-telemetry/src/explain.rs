//! One decision, readable alone: what was seen, what was wanted, where it was trimmed, what was done, what it costs.

use std::fmt::Write as _;

use scaling_policy::decision::{Action, Decision, Wanted};
use scaling_policy::operation::Operation;
use scaling_policy::trigger::Trigger;

use crate::sentence;

/// The decision in lines, with the operation that carried it out where there is one.
pub fn explain(decision: &Decision, operation: Option<&Operation>) -> String {
    let mut text = format!(
        "{} at {}, configuration {}\n",
        decision.group,
        decision.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        decision.config_version.0
    );
    let mut line = |name: &str, said: String| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {name:<9}{said}");
    };
    line("decided", sentence::sentence(decision));
    line("seen", seen(decision));
    line("wanted", wanted(decision));
    for note in &decision.guards {
        line("guard", format!("{} -> {} replicas: {}", note.from, note.to, note.reason));
    }
    for said in &decision.in_force {
        line("in force", said.clone());
    }
    for other in &decision.alternatives {
        let (replicas, name) = (other.replicas, &other.instance_type);
        line(
            "rejected",
            format!(
                "{replicas} x {name} for {:.2} USD/h, {:.2} more to change to",
                other.cost.0, other.change_cost.0
            ),
        );
    }
    line("costs", costs(decision));
    line("done", done(decision, operation));
    text
}

fn seen(decision: &Decision) -> String {
    let load = |trigger: Trigger| match decision.loads[trigger] {
        Some(load) => format!("{trigger} at {:.0} % of its limit", load * 100.0),
        None => format!("{trigger} without a reading"),
    };
    Trigger::ALL.map(load).join(", ")
}

fn wanted(decision: &Decision) -> String {
    let Wanted { vcpu, memory_base, memory_shared, forecast_vcpu, replicas } = decision.wanted;
    // Of the load nothing was read; requests count as zero while there are none.
    let is_unknown =
        vcpu.0 <= 0.0 && replicas == 0 && decision.loads.cpu_usage.is_none() && forecast_vcpu.is_none();
    if is_unknown {
        return "not known, for want of readings".to_owned();
    }
    let mut said = format!("{:.1} vCPU, {replicas} replicas of the type that ran", vcpu.0);
    if memory_base.0 > 0.0 || memory_shared.0 > 0.0 {
        let _ = write!(said, ", {:.0} MiB each and {:.0} MiB shared", memory_base.0, memory_shared.0);
    }
    if let Some(driver) = decision.driver {
        let _ = write!(said, "; asked for by {driver}");
    }
    if let Some(forecast) = forecast_vcpu {
        let _ = write!(said, "; the forecast asks for {:.1} vCPU", forecast.0);
    }
    said
}

fn costs(decision: &Decision) -> String {
    let (before, after) = (decision.cost_before.0, decision.cost_after.0);
    if (before - after).abs() < 0.005 {
        format!("{before:.2} USD/h, as before")
    } else {
        format!("{before:.2} -> {after:.2} USD/h")
    }
}

fn done(decision: &Decision, operation: Option<&Operation>) -> String {
    match operation {
        Some(operation) => {
            let mut said =
                format!("operation {}, {}", operation.id.0, operation.phase.label().replace('_', " "));
            if let Some(ended) = operation.ended_at {
                let _ = write!(said, " after {} s", ended.duration_since(operation.planned_at).as_secs());
            }
            if let Some(failure) = &operation.failure {
                let _ = write!(said, ": {failure}");
            }
            said
        }
        None if decision.action == Action::Hold => "nothing".to_owned(),
        None => "nothing is known to have followed: the group may be observed only".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decision(change: &Value) -> Decision {
        let mut value = json!({
            "group": "web", "at": "2026-03-02T08:00:00Z", "config_version": 7,
            "action": {"kind": "scale", "from": 4, "to": 6},
            "reason": {"code": "load_high", "trigger": "cpu_usage", "load": 1.12},
            "loads": {"cpu_usage": 1.12, "memory_usage": 0.61, "request_count": null, "request_latency": null},
            "driver": "cpu_usage",
            "wanted": {"vcpu": 13.4, "memory_base": 512.0, "memory_shared": 2048.0, "forecast_vcpu": 12.0, "replicas": 7},
            "guards": [{"from": 7, "to": 6, "reason": {"code": "clamped_by_config"}}],
            "in_force": ["override by ada until 2026-03-02T12:00:00Z: max 6 (launch day)"],
            "alternatives": [{"instance_type": "c7i.xlarge", "replicas": 4, "cost": 0.71, "change_cost": 0.05}],
            "cost_before": 0.4, "cost_after": 0.6
        });
        for (member, value_of) in change.as_object().unwrap() {
            value[member] = value_of.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_decision_says_what_was_seen_wanted_trimmed_rejected_and_done() {
        let operation: Operation = serde_json::from_value(json!({
            "id": "op-1", "kind": {"kind": "scale", "from": 4, "to": 6}, "phase": "verified",
            "reason": {"code": "within_target"}, "config_version": 7, "planned_at": "2026-03-02T08:00:01Z",
            "accepted_at": null, "ended_at": "2026-03-02T08:01:16Z", "platform_id": null, "attempts": 1,
            "not_before": null, "failure": null,
        }))
        .unwrap();
        let expected = "\
web at 2026-03-02 08:00:00 UTC, configuration 7
  decided  4 -> 6 replicas: cpu_usage is at 112 % of its limit
  seen     cpu_usage at 112 % of its limit, memory_usage at 61 % of its limit, request_count without a reading, request_latency without a reading
  wanted   13.4 vCPU, 7 replicas of the type that ran, 512 MiB each and 2048 MiB shared; asked for by cpu_usage; the forecast asks for 12.0 vCPU
  guard    7 -> 6 replicas: the configured minimum or maximum is the limit
  in force override by ada until 2026-03-02T12:00:00Z: max 6 (launch day)
  rejected 4 x c7i.xlarge for 0.71 USD/h, 0.05 more to change to
  costs    0.40 -> 0.60 USD/h
  done     operation op-1, verified after 75 s
";
        assert_eq!(explain(&decision(&json!({})), Some(&operation)), expected);
    }

    #[test]
    fn what_is_wanted_without_a_reading_is_not_zero_but_unknown() {
        let first = json!({
            "action": {"kind": "hold"}, "reason": {"code": "data_missing", "trigger": "cpu_usage"}, "driver": null,
            "loads": {"cpu_usage": null, "memory_usage": null, "request_count": 0.0, "request_latency": null},
            "wanted": {"vcpu": 0.0, "memory_base": 0.0, "memory_shared": 0.0, "forecast_vcpu": null, "replicas": 0},
        });
        assert!(explain(&decision(&first), None).contains("  wanted   not known"));
    }

    #[test]
    fn a_hold_is_nothing_done_and_an_act_without_operation_says_so() {
        let hold = decision(
            &json!({"action": {"kind": "hold"}, "guards": [], "alternatives": [], "cost_after": 0.4}),
        );
        let text = explain(&hold, None);
        assert!(text.contains("  done     nothing\n") && text.contains("0.40 USD/h, as before"), "{text}");
        assert!(explain(&decision(&json!({})), None).contains("observed only"));
    }
}
