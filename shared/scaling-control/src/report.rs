//! What an evaluation tells its caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::decision::Decision;
use scaling_policy::operation::Operation;
use scaling_policy::snapshot::ForeignController;
use scaling_policy::trigger::Trigger;
use scaling_policy::{Learned, OperationState, Snapshot};

use crate::error::PortError;
use crate::ports::Unread;

/// One tick, or one wake-up.
#[derive(Debug, Default)]
pub struct TickReport {
    /// One for each group that was looked at, in the order of evaluation.
    pub outcomes: Vec<GroupOutcome>,
    /// Groups that the deadline left over; they go first next time.
    pub left_over: Vec<GroupName>,
    /// Groups whose evaluation period has not passed yet.
    pub not_due: Vec<GroupName>,
}

impl TickReport {
    /// Outcomes that are errors.
    pub fn failed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| matches!(outcome.result, Outcome::Failed(_))).count()
    }

    /// Puts what a look just now has found of others into the place of what the records know. What was decided stays.
    pub fn know_others(&mut self, mut found: BTreeMap<GroupName, Vec<ForeignController>>) {
        for outcome in &mut self.outcomes {
            if let (Outcome::Decided(evaluation), Some(found)) =
                (&mut outcome.result, found.remove(&outcome.config.name))
            {
                evaluation.snapshot.group.foreign = found;
            }
        }
    }

    /// Groups that were changed.
    pub fn changed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.acted.is_some()).count()
    }
}

/// What became of one group.
#[derive(Debug)]
pub struct GroupOutcome {
    /// The group.
    pub config: Arc<GroupConfig>,
    /// How the evaluation went.
    pub result: Outcome,
    /// The operation that was carried one step further now.
    pub acted: Option<Operation>,
    /// Operations that ended now.
    pub ended: Vec<Operation>,
}

/// How the evaluation of one group went.
#[derive(Debug)]
pub enum Outcome {
    /// It was observed and decided on.
    Decided(Box<Evaluation>),
    /// Somebody else is evaluating it at this moment.
    Busy,
    /// The platform does not know it.
    NotFound,
    /// It could not be evaluated, or its step failed.
    Failed(PortError),
}

/// Everything about a decided group, for metrics, logs and the REST interface.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// What was seen.
    pub snapshot: Snapshot,
    /// What was decided.
    pub decision: Decision,
    /// Durable state after it.
    pub state: OperationState,
    /// What is known.
    pub learned: Learned,
    /// Seconds in service during which the platform counts a replica as new; 0 where the group sets none.
    pub warm_up_seconds: u32,
    /// Share of its replicas, 0 to 1, that are spot instances.
    pub spot_share: f64,
    /// A tag that the group lacks, as `key=value`, without which the deployment's permissions do not reach it.
    pub missing_tag: Option<String>,
    /// Which of its metrics could not be read, and why.
    pub unread: Vec<(Trigger, Unread)>,
    /// Why the step was not taken, where it failed.
    pub step_error: Option<Arc<PortError>>,
}

impl GroupOutcome {
    /// The evaluation, where there was one.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        match &self.result {
            Outcome::Decided(evaluation) => Some(evaluation),
            _ => None,
        }
    }
}
