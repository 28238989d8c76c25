//! What is wrong, or will be, with a group as it is: findings with a severity and what to do about each. Pure; who asks
//! reads the [`Facts`] first.

mod performance;
mod resource;
mod unread;
mod watch;

pub use watch::FindingsWatch;

use scaling_control::ports::Quota;
use scaling_control::{Evaluation, GroupOutcome, Outcome};
use scaling_policy::config::{GroupConfig, Severity};
use scaling_policy::decision::Decision;
use scaling_policy::operation::{LaunchFailure, Operation};
use serde::Serialize;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum Area {
    /// The group against bounds, catalogue, quotas and actual use.
    Resource,
    /// How well the target can be held: data, triggers, others at the same group.
    Performance,
}

/// A finding about a group as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Finding {
    /// The group.
    pub group: String,
    /// What it is about.
    pub area: Area,
    /// An error keeps the controller from its work; a warning should be looked at.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Severity))]
    pub severity: Severity,
    /// The kind of finding, in a word that stays.
    pub code: &'static str,
    /// A sentence.
    pub detail: String,
    /// What to do about it.
    pub fix: &'static str,
}

/// What is looked at beside the outcome of an evaluation that changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The account's quota that its type falls under, where it is told.
    pub(crate) quota: Option<Quota>,
    /// Whether it is known what a spot instance of its type costs.
    pub(crate) spot_is_priced: bool,
    /// Launches that failed lately, oldest first; read where replicas are missing.
    pub(crate) failures: Vec<LaunchFailure>,
    /// Operations of the last day, newest first.
    pub(crate) operations: Vec<Operation>,
    /// Stored decisions, newest first.
    pub(crate) decisions: Vec<Decision>,
}

/// Findings of one group, collected.
struct Findings<'a> {
    config: &'a GroupConfig,
    area: Area,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(&mut self, code: &'static str, detail: impl Into<String>, fix: &'static str) {
        self.add(Severity::Error, (code, fix), detail.into());
    }

    fn warn(&mut self, code: &'static str, detail: impl Into<String>, fix: &'static str) {
        self.add(Severity::Warning, (code, fix), detail.into());
    }

    fn add(&mut self, severity: Severity, (code, fix): (&'static str, &'static str), detail: String) {
        let (group, area) = (self.config.name.to_string(), self.area);
        self.found.push(Finding { group, area, severity, code, detail, fix });
    }
}

/// Everything that is found about a group.
pub(crate) fn of_group(outcome: &GroupOutcome, facts: &Facts) -> Vec<Finding> {
    let mut findings = Findings { config: &outcome.config, area: Area::Resource, found: Vec::new() };
    match &outcome.result {
        Outcome::Busy => {}
        Outcome::NotFound => findings.error(
            "not_found",
            "the platform does not know the group",
            "correct its name in the configuration, or create it; names are looked up in one account and region",
        ),
        Outcome::Failed(error) => findings.error(
            "unreadable",
            error.to_string(),
            "the message says what refused; on AWS mostly a missing permission or a wrong region",
        ),
        Outcome::Decided(evaluation) => {
            let evaluation: &Evaluation = evaluation;
            resource::look(evaluation, facts, &mut findings);
            findings.area = Area::Performance;
            performance::look(evaluation, facts, &mut findings);
        }
    }
    findings.found
}
