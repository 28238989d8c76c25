//! Operations and groups to ask about.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};
use scaling_policy::config::ConfigVersion;
use scaling_policy::decision::Reason;
use scaling_policy::operation::{
    LaunchFailure, LaunchFailureKind, Observed, Operation, OperationId, OperationKind, Phase, Progress,
    Zones, next_step,
};
use scaling_policy::snapshot::{
    GroupView, ReplacementStatus, ReplacementView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer,
};

pub(crate) const OLD: &str = "m7i.xlarge";
pub(crate) const NEW: &str = "r7i.xlarge";

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_571_200 + seconds).unwrap()
}

pub(crate) fn operation(kind: OperationKind, phase: Phase) -> Operation {
    Operation {
        id: OperationId("one".to_owned()),
        kind,
        phase,
        reason: Reason::WithinTarget,
        config_version: ConfigVersion(1),
        planned_at: at(0),
        valid_for: Duration::from_secs(60),
        accepted_at: (phase != Phase::Planned).then(|| at(0)),
        ended_at: None,
        platform_id: (phase != Phase::Planned).then(|| "refresh-1".to_owned()),
        attempts: 0,
        not_before: None,
        conflicting_since: None,
        unread_since: None,
        failure: None,
        before: None,
        zones: Zones::default(),
    }
}

pub(crate) fn scale(from: u32, to: u32, phase: Phase) -> Operation {
    operation(OperationKind::Scale { from, to }, phase)
}

pub(crate) fn retype(replicas: u32, phase: Phase) -> Operation {
    let kind = OperationKind::Retype {
        from: OLD.into(),
        to: NEW.into(),
        fallbacks: vec!["r7a.xlarge".into()],
        replicas,
    };
    operation(kind, phase)
}

/// A group of (type, serving, pending).
pub(crate) fn group(desired: u32, replicas: &[(&str, u32, u32)]) -> GroupView {
    let offer = |name: &str| TypeOffer {
        name: TypeName::new(name),
        vcpu: Vcpu(4.0),
        memory: Mebibytes(16_384.0),
        price: UsdPerHour(0.2),
    };
    let count = |&(name, serving, pending): &(&str, u32, u32)| ReplicaCount {
        offer: offer(name),
        serving,
        warming: 0,
        pending,
        protected: 0,
    };
    GroupView {
        min: 1,
        max: 20,
        desired,
        launch_type: offer(OLD),
        replicas: replicas.iter().map(count).collect(),
        retype: RetypeSupport::Supported,
        suspended: SuspendedProcesses::default(),
        replacement: None,
        foreign: Vec::new(),
    }
}

pub(crate) fn refresh(status: ReplacementStatus) -> ReplacementView {
    ReplacementView {
        id: "refresh-1".to_owned(),
        status,
        percent_complete: 50,
        reason: None,
        target_type: Some(NEW.into()),
        ended: None,
    }
}

pub(crate) fn failure(kind: LaunchFailureKind) -> LaunchFailure {
    LaunchFailure { at: at(1), kind, instance_type: None, message: "no launch".to_owned(), overcome: false }
}

/// What follows at `seconds` after the plan.
pub(crate) fn after(
    seconds: i64,
    operation: &Operation,
    group: &GroupView,
    replacement: Option<&ReplacementView>,
    failures: &[LaunchFailure],
) -> Progress {
    next_step(operation, &Observed { group, replacement, failures, unserved: &[], now: at(seconds) })
}

/// The same where nothing runs in these zones, and nothing failed to launch.
pub(crate) fn without_zones(
    unserved: &[&str],
    seconds: i64,
    operation: &Operation,
    group: &GroupView,
    replacement: &ReplacementView,
) -> Progress {
    let unserved: Vec<String> = unserved.iter().map(|zone| (*zone).to_owned()).collect();
    let (replacement, failures) = (Some(replacement), &[][..]);
    next_step(operation, &Observed { group, replacement, failures, unserved: &unserved, now: at(seconds) })
}

/// The phase in which it ended.
pub(crate) fn ended(progress: &Progress) -> Option<Phase> {
    match progress {
        Progress::End { phase, .. } => Some(*phase),
        _ => None,
    }
}
