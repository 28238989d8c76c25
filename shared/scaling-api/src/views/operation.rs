//! An operation.

use jiff::Timestamp;
use scaling_policy::decision::Reason;
use scaling_policy::operation::{Operation, OperationKind, Phase};
use serde::Serialize;

/// A decision that is being carried out, or was.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Operation))]
pub(crate) struct OperationView<'a> {
    /// Its identifier; sorts by time.
    pub(crate) id: &'a str,
    /// The group.
    pub(crate) group: &'a str,
    /// What it does, in a word.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::ChangeLabel))]
    pub(crate) action: &'static str,
    /// What it changes.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Change))]
    pub(crate) kind: &'a OperationKind,
    /// How far it is. The last four are its ends.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Phase))]
    pub(crate) phase: Phase,
    /// Why it was decided.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Reason))]
    pub(crate) reason: &'a Reason,
    /// The reason as a sentence.
    pub(crate) explanation: String,
    /// Configuration that it was planned under.
    pub(crate) config_version: u64,
    /// When it was planned.
    pub(crate) planned_at: Timestamp,
    /// Seconds for which the plan is good without having been accepted.
    pub(crate) valid_for_seconds: f64,
    /// When the platform accepted it.
    pub(crate) accepted_at: Option<Timestamp>,
    /// When it ended.
    pub(crate) ended_at: Option<Timestamp>,
    /// The platform's identifier for it.
    pub(crate) platform_id: Option<&'a str>,
    /// Tries that were refused so far.
    pub(crate) attempts: u8,
    /// It is not tried again before this.
    pub(crate) not_before: Option<Timestamp>,
    /// What went wrong, where something did.
    pub(crate) failure: Option<&'a str>,
}

impl<'a> OperationView<'a> {
    /// An operation of a group.
    pub(crate) fn new(group: &'a str, operation: &'a Operation) -> Self {
        Self {
            id: &operation.id.0,
            group,
            action: operation.kind.label(),
            kind: &operation.kind,
            phase: operation.phase,
            reason: &operation.reason,
            explanation: operation.reason.to_string(),
            config_version: operation.config_version.0,
            planned_at: operation.planned_at,
            valid_for_seconds: operation.valid_for.as_secs_f64(),
            accepted_at: operation.accepted_at,
            ended_at: operation.ended_at,
            platform_id: operation.platform_id.as_deref(),
            attempts: operation.attempts,
            not_before: operation.not_before,
            failure: operation.failure.as_deref(),
        }
    }
}
