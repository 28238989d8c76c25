//! How well the target can be held: data, triggers, swings, and others at the same group.

use jiff::Timestamp;
use scaling_control::{Evaluation, LOOK_EVERY};
use scaling_policy::config::{ControlLevel, Platform, defaults};
use scaling_policy::decision::Reason;
use scaling_policy::operation::OperationKind;
use scaling_policy::snapshot::ForeignController;
use scaling_policy::trigger::{Reading, Trigger};

use super::{Facts, Findings, unread};

/// A bound metric without data since then is wrong rather than late, in seconds.
const NO_DATA_SECONDS: f64 = 86_400.0;

/// A group that was just taken over gets this long to show its first data, in seconds.
const FIRST_DATA_SECONDS: f64 = 900.0;

/// Turns between up and down within a day that are too many.
const THRASH_TURNS: usize = 6;

/// A trigger that in so many seconds
const NEVER_SECONDS: f64 = 14.0 * 86_400.0;

/// and so many stored decisions was never what set the capacity is useless or wrong.
const NEVER_DECISIONS: usize = 20;

pub(super) fn look(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    unread::look(evaluation, findings);
    of_data(evaluation, findings);
    of_latency(findings);
    of_triggers(evaluation, facts, findings);
    of_target(evaluation, facts, findings);
    of_others(evaluation, findings);
    let is_on_aws = findings.config.platform == Platform::Aws;
    if is_on_aws && evaluation.warm_up_seconds == 0 {
        let detail = "new replicas count as serving at once, so that their first minute pulls the averages";
        findings.warn("warm_up_unset", detail, "set DefaultInstanceWarmup of the group to its boot time");
    }
}

/// Seconds since the group was taken over.
fn tracked(evaluation: &Evaluation) -> f64 {
    let since = |at: Timestamp| evaluation.snapshot.taken_at.duration_since(at).as_secs_f64();
    evaluation.state.taken_over.map_or(0.0, since)
}

fn of_data(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    let snapshot = &evaluation.snapshot;
    let since = |at: Timestamp| snapshot.taken_at.duration_since(at).as_secs_f64();
    let fix = "correct the metric's name and dimensions under `metrics`, or see why nothing publishes it (agent, service)";
    for trigger in Trigger::ALL {
        match snapshot.readings[trigger] {
            Reading::Unbound if findings.config.triggers[trigger].asks => {
                let detail = format!("{trigger} is listed and bound to no metric");
                findings.warn(
                    "unbound",
                    detail,
                    "bind it under `metrics`, or take it out of `policy.triggers`",
                );
            }
            // Whether there are any is not known then.
            _ if unread::hides(evaluation, trigger) => {}
            Reading::Missing if tracked(evaluation) >= FIRST_DATA_SECONDS => {
                findings.error(
                    "no_data",
                    format!(
                        "{trigger} has no data: its metric's name is wrong, or nothing publishes it any more"
                    ),
                    fix,
                );
            }
            // A wrong name shows itself before anything is changed, and a right one may need its first minutes.
            Reading::Missing if findings.config.triggers[trigger].asks => {
                findings.warn("no_reading", format!("{trigger} has no reading yet"), fix);
            }
            Reading::Stale { ended } if since(ended) >= NO_DATA_SECONDS => {
                findings.error("no_data", format!("{trigger} has had no data since {ended}"), fix);
            }
            _ => {}
        }
    }
}

/// A limit on response times that nothing holds: it is read, or was set, and may not ask for capacity.
fn of_latency(findings: &mut Findings<'_>) {
    let rule = &findings.config.triggers.request_latency;
    let is_set = (rule.threshold - defaults::LATENCY_THRESHOLD).abs() > f64::EPSILON;
    if rule.asks || (rule.binding.is_none() && !is_set) {
        return;
    }
    let limit = rule.threshold * 1000.0;
    let detail =
        format!("the limit of {limit:.0} ms on response times asks for no capacity: it is only reported");
    let fix = "add `request_latency` to `policy.triggers`, or watch response times by other means";
    findings.warn("latency_not_held", detail, fix);
}

fn of_triggers(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    if tracked(evaluation) < NEVER_SECONDS || facts.decisions.len() < NEVER_DECISIONS {
        return;
    }
    for trigger in Trigger::ALL.into_iter().filter(|trigger| findings.config.triggers[*trigger].asks) {
        if !facts.decisions.iter().any(|decision| decision.driver == Some(trigger)) {
            let (decisions, threshold) = (facts.decisions.len(), findings.config.triggers[trigger].threshold);
            let detail =
                format!("{trigger} (threshold {threshold}) set none of the last {decisions} decisions");
            findings.warn("never_fires", detail, "lower its threshold, or take it out of `policy.triggers`");
        }
    }
}

fn of_target(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    // What is only reported has no target that anything would hold.
    let triggers = &findings.config.triggers;
    let asking = evaluation.decision.loads.iter().filter(|(trigger, _)| triggers[*trigger].asks);
    let over = asking.filter_map(|(trigger, load)| Some((trigger, (*load)?)));
    let highest = over.filter(|(_, load)| *load >= 1.0).max_by(|(_, one), (_, other)| one.total_cmp(other));
    if let Some((trigger, load)) = highest {
        let detail = format!("{trigger} is at {:.0} % of its limit", load * 100.0);
        if evaluation.decision.reason == Reason::SaturatedAtMax {
            let fix = "raise `max_replicas` or `resources.max_cpu`; everything that they allow is in use";
            findings.error("target_missed", detail + ", and no more may be added", fix);
        } else {
            let stopped = stopped(&evaluation.decision.reason, findings.config.control);
            let fix = stopped.unwrap_or("it should fall with the next steps; see the decisions");
            findings.warn("target_missed", detail, fix);
        }
    }
    let turns = turns(facts);
    if turns >= THRASH_TURNS {
        let detail = format!("the count changed its direction {turns} times within a day");
        let fix = "lengthen `stabilization_window` or `cooldown_period`, or lower `target_load`";
        findings.warn("thrash", detail, fix);
    }
    if evaluation.state.breaker.is_open() {
        let fix = "read the operations' failures, put their cause right, and resume the group";
        findings.error("breaker_open", "three operations failed in a row; the group holds", fix);
    } else if evaluation.state.breaker.holds_types() {
        let fix = "read the operations' failures, put their cause right, and resume the group";
        let detail = "three type changes failed in a row; the type stays, and only the count is changed";
        findings.error("breaker_open", detail, fix);
    }
}

/// What to do where no step will come by itself, for a group that holds for this reason: the reasons for which the loop begins
/// nothing, whatever is wanted, and the control level that leaves it at decisions. `None` where steps will come.
fn stopped(reason: &Reason, control: ControlLevel) -> Option<&'static str> {
    match reason {
        Reason::Paused => Some("no change is asked for while the group is paused: resume it"),
        Reason::KillSwitch => Some("no change is asked for while the kill switch is on: release it"),
        Reason::BreakerOpen => Some(
            "no change is asked for after three failures in a row: put their cause right, and resume the group",
        ),
        Reason::ProcessSuspended => {
            Some("no change is asked for while scaling processes of the group are suspended: resume them")
        }
        Reason::ForeignController => Some(
            "no change is asked for while another controller acts on the group: remove it, or set `coexist`",
        ),
        Reason::TakeOverUnchecked => Some(
            "no change is asked for before it is known whether another controller acts on the group: look at what \
             keeps that from being read, or set `coexist`",
        ),
        _ if control == ControlLevel::Observe => {
            Some("no change is asked for while the group is only observed: set `control` to `act`")
        }
        _ => None,
    }
}

/// How often up was followed by down, or down by up.
fn turns(facts: &Facts) -> usize {
    let ups: Vec<bool> = facts
        .operations
        .iter()
        .filter_map(|operation| match operation.kind {
            OperationKind::Scale { from, to } => Some(to > from),
            OperationKind::Retype { .. } => None,
        })
        .collect();
    ups.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

fn of_others(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    let group = &evaluation.snapshot.group;
    if group.suspended.any() {
        let detail = "a scaling process of the group is suspended, so nothing is changed";
        findings.warn("suspended", detail, "resume the group's processes");
    }
    // What the loop knows, and what a look just now has found: the two may differ until the loop looks itself.
    let known = &evaluation.state.foreign;
    for foreign in &group.foreign {
        let what = named(foreign);
        let detail = if findings.config.coexist {
            format!("{what} acts on the group, too")
        } else if known.is_empty() {
            format!(
                "{what} acts on the group; the loop looks for others {}, and only observes from then on",
                next_look(evaluation)
            )
        } else {
            format!("{what} acts on the group, so we only observe")
        };
        let fix = "remove it, or set `coexist` where both shall act";
        findings.warn("foreign_controller", detail, fix);
    }
    if group.foreign.is_empty() && !findings.config.coexist {
        for gone in known {
            let detail = format!(
                "{} no longer acts on the group; the loop only observes until it looks for others, {}",
                named(gone),
                next_look(evaluation)
            );
            findings.warn("foreign_controller", detail, "nothing: the loop goes on by itself then");
        }
    }
}

fn named(foreign: &ForeignController) -> String {
    match foreign {
        ForeignController::ScalingPolicy { name } => format!("the scaling policy {name}"),
        ForeignController::ScheduledAction { name } => format!("the scheduled action {name}"),
        ForeignController::Tag { key } => format!("whoever set the tag {key}"),
    }
}

/// When the loop looks for other controllers at the latest.
fn next_look(evaluation: &Evaluation) -> String {
    let due = evaluation.state.foreign_checked.and_then(|looked| looked.checked_add(LOOK_EVERY).ok());
    let to_come = due.filter(|due| *due > evaluation.snapshot.taken_at);
    to_come.map_or_else(
        || "with its next evaluation".to_owned(),
        |due| format!("by {} UTC", due.strftime("%H:%M")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_that_lets_nothing_begin_has_its_own_end() {
        let (act, observe) = (ControlLevel::Act, ControlLevel::Observe);
        for (reason, control, word) in [
            (Reason::Paused, act, Some("resume it")),
            (Reason::KillSwitch, act, Some("release it")),
            (Reason::BreakerOpen, act, Some("resume the group")),
            (Reason::ProcessSuspended, act, Some("resume them")),
            (Reason::ForeignController, act, Some("remove it")),
            (Reason::TakeOverUnchecked, act, Some("being read")),
            (Reason::Paused, observe, Some("resume it")),
            (Reason::Stabilizing, observe, Some("`control`")),
            (Reason::Stabilizing, act, None),
            (Reason::FleetLimit, ControlLevel::UpOnly, None),
        ] {
            let told = stopped(&reason, control);
            assert_eq!(told.is_some(), word.is_some(), "{reason}: {told:?}");
            let (told, word) = (told.unwrap_or_default(), word.unwrap_or_default());
            assert!(
                told.contains(word) && (word.is_empty() || told.starts_with("no change is asked for ")),
                "{told}"
            );
        }
    }
}
