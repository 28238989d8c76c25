//! Metrics that could not be read, which is no lack of data: by whose fault, and what to do about it.

use scaling_control::ports::Unread;
use scaling_control::{Evaluation, PortError};
use scaling_policy::config::Platform;
use scaling_policy::trigger::{Reading, Trigger};

use super::Findings;

/// Whether nothing is known of a trigger because its metric could not be read.
pub(super) fn hides(evaluation: &Evaluation, trigger: Trigger) -> bool {
    let is_unknown =
        matches!(evaluation.snapshot.readings[trigger], Reading::Missing | Reading::Stale { .. });
    is_unknown && evaluation.unread.iter().any(|(unread, _)| *unread == trigger)
}

/// One finding for each reason.
pub(super) fn look(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    for (why, triggers) in by_reason(evaluation) {
        let bound =
            Trigger::ALL.into_iter().filter(|trigger| findings.config.triggers[*trigger].binding.is_some());
        let what = if triggers.len() == bound.count() {
            "its metrics".to_owned()
        } else {
            triggers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match why {
            Unread::Late(longest) => {
                let seconds = longest.as_secs();
                let detail = format!(
                    "{what} take longer to read than the {seconds} s that this answer waits: nothing is said of their data"
                );
                let fix = "nothing where the loop reads them, which waits longer (45 s; for a program, its `timeout`): \
                           `GET /groups` shows its readings";
                findings.warn("metrics_late", detail, fix);
            }
            Unread::Failed(error) => {
                let fix = fix(findings.config.platform, error);
                findings.error("metrics_unreadable", format!("{what} could not be read: {error}"), fix);
            }
        }
    }
}

/// The triggers of which nothing is known, by why.
fn by_reason(evaluation: &Evaluation) -> Vec<(&Unread, Vec<Trigger>)> {
    let mut reasons: Vec<(&Unread, Vec<Trigger>)> = Vec::new();
    for (trigger, why) in evaluation.unread.iter().filter(|(trigger, _)| hides(evaluation, *trigger)) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, triggers)) => triggers.push(*trigger),
            None => reasons.push((why, vec![*trigger])),
        }
    }
    reasons
}

/// What to do about it, by who can.
fn fix(platform: Platform, error: &PortError) -> &'static str {
    match (platform, error) {
        (Platform::Standalone, PortError::Invalid { .. }) => {
            "put the `metrics` program into the file that `scaling run` was started with, and start it again"
        }
        (Platform::Standalone, _) => {
            "run the `metrics` program by hand as the controller does, and put right what it says; one that needs longer \
             has `programs.timeout`"
        }
        (_, PortError::Denied { .. }) => "give the controller's role the permission cloudwatch:GetMetricData",
        (_, PortError::Throttled { .. }) => {
            "the account's request rate is used up: lengthen `evaluation_period`, or have the quota of GetMetricData raised"
        }
        (_, PortError::Invalid { .. } | PortError::NotFound { .. }) => {
            "correct what the message names under `metrics`"
        }
        (_, PortError::Conflict { .. } | PortError::Unavailable { .. }) => {
            "see whether the controller reaches CloudWatch: credentials, region, network"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_told_by_platform_and_kind_of_error() {
        let (operation, message) = ("read", String::new);
        let denied = PortError::Denied { operation, message: message() };
        let invalid = PortError::Invalid { operation, message: message() };
        let silent = PortError::Unavailable { operation, message: message(), source: None };
        let throttled = PortError::Throttled { operation };
        for (platform, error, word) in [
            (Platform::Aws, &denied, "cloudwatch:GetMetricData"),
            (Platform::Aws, &throttled, "request rate"),
            (Platform::Aws, &invalid, "under `metrics`"),
            (Platform::Aws, &silent, "network"),
            (Platform::Standalone, &invalid, "the file that `scaling run`"),
            (Platform::Standalone, &silent, "`programs.timeout`"),
        ] {
            let told = fix(platform, error);
            assert!(told.contains(word), "{platform:?} {error}: {told}");
            assert_eq!(platform == Platform::Aws, !told.contains("program"), "{told}");
        }
    }
}
