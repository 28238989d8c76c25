//! The life-cycle states of EC2 Auto Scaling, folded to what a decision distinguishes.

use aws_sdk_autoscaling::types::LifecycleState;
use scaling_control::ports::Lifecycle;

/// What the state means for capacity.
///
/// Instances whose root volume is being replaced don't serve and come back: they count as ordered. Warmed
/// instances wait in the warm pool, outside desired capacity, like standby. A state that is not known here
/// counts as ordered, which holds a scale-down.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>
pub(super) fn fold(state: Option<&LifecycleState>) -> Lifecycle {
    use LifecycleState as S;
    let Some(state) = state else { return Lifecycle::Pending };
    match state {
        S::InService => Lifecycle::InService,
        S::Pending
        | S::PendingWait
        | S::PendingProceed
        | S::ReplacingRootVolume
        | S::ReplacingRootVolumeWait
        | S::ReplacingRootVolumeProceed
        | S::RootVolumeReplaced => Lifecycle::Pending,
        S::EnteringStandby
        | S::Standby
        | S::WarmedPending
        | S::WarmedPendingWait
        | S::WarmedPendingProceed
        | S::WarmedPendingRetained
        | S::WarmedRunning
        | S::WarmedStopped
        | S::WarmedHibernated => Lifecycle::Standby,
        S::Detached
        | S::Detaching
        | S::Quarantined
        | S::Terminated
        | S::Terminating
        | S::TerminatingWait
        | S::TerminatingProceed
        | S::TerminatingRetained
        | S::WarmedTerminated
        | S::WarmedTerminating
        | S::WarmedTerminatingWait
        | S::WarmedTerminatingProceed
        | S::WarmedTerminatingRetained => Lifecycle::Ending,
        other => {
            tracing::warn!(state = other.as_str(), "an unknown life-cycle state is taken as pending");
            Lifecycle::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_service_has_a_meaning() {
        let expected = [
            ("InService", Lifecycle::InService),
            ("Pending", Lifecycle::Pending),
            ("Pending:Wait", Lifecycle::Pending),
            ("Pending:Proceed", Lifecycle::Pending),
            ("ReplacingRootVolume", Lifecycle::Pending),
            ("ReplacingRootVolume:Wait", Lifecycle::Pending),
            ("ReplacingRootVolume:Proceed", Lifecycle::Pending),
            ("RootVolumeReplaced", Lifecycle::Pending),
            ("EnteringStandby", Lifecycle::Standby),
            ("Standby", Lifecycle::Standby),
            ("Warmed:Pending", Lifecycle::Standby),
            ("Warmed:Pending:Wait", Lifecycle::Standby),
            ("Warmed:Pending:Proceed", Lifecycle::Standby),
            ("Warmed:Pending:Retained", Lifecycle::Standby),
            ("Warmed:Running", Lifecycle::Standby),
            ("Warmed:Stopped", Lifecycle::Standby),
            ("Warmed:Hibernated", Lifecycle::Standby),
            ("Warmed:Terminating", Lifecycle::Ending),
            ("Warmed:Terminating:Wait", Lifecycle::Ending),
            ("Warmed:Terminating:Proceed", Lifecycle::Ending),
            ("Warmed:Terminating:Retained", Lifecycle::Ending),
            ("Warmed:Terminated", Lifecycle::Ending),
            ("Terminating", Lifecycle::Ending),
            ("Terminating:Wait", Lifecycle::Ending),
            ("Terminating:Proceed", Lifecycle::Ending),
            ("Terminating:Retained", Lifecycle::Ending),
            ("Terminated", Lifecycle::Ending),
            ("Detaching", Lifecycle::Ending),
            ("Detached", Lifecycle::Ending),
            ("Quarantined", Lifecycle::Ending),
        ];
        assert_eq!(expected.len(), LifecycleState::values().len());
        for (name, meaning) in expected {
            assert_eq!(fold(Some(&LifecycleState::from(name))), meaning, "{name}");
        }
    }

    #[test]
    fn an_unknown_or_absent_state_counts_as_ordered() {
        assert_eq!(fold(Some(&LifecycleState::from("Hovering"))), Lifecycle::Pending);
        assert_eq!(fold(None), Lifecycle::Pending);
    }
}
