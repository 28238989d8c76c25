//! Findings about the configuration in force and about the groups it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use scaling_control::ports::Quota;
use scaling_control::record::{
    OPERATIONS_PREFIX, OperationRecord, decisions_prefix, from_json, operation_key,
};
use scaling_control::{GroupOutcome, PortError, within};
use scaling_fleet::TypeName;
use scaling_policy::config::{Config, ConfigFault, GroupName, Platform, Severity};
use scaling_policy::operation::{LaunchFailure, Operation};
use serde::Serialize;
use tokio::time::Instant;

use crate::cursor::Day;
use crate::findings::{self, Facts, Finding};
use crate::history::History;
use crate::problem::Problem;
use crate::state::ApiState;

/// Longest time for all that is asked of the platform: the gateway gives an answer 29 s, and its own findings are in the
/// configuration's part of the answer all the same.
const LONGEST: Duration = Duration::from_secs(20);

/// Of which this much for the groups themselves, their metrics and who else acts on them; the rest is for what only explains.
const LONGEST_PLAN: Duration = Duration::from_secs(14);

/// Longest time for what only explains, of all groups together: without it the other findings still hold.
const LONGEST_ASIDE: Duration = Duration::from_secs(5);

/// Groups that are asked why launches failed, at once.
const AT_ONCE: usize = 8;

/// The newest operations and decisions are looked at, this many of all groups and of one.
const LOOKED_AT: usize = 1000;

/// Groups whose decisions are read: a query each is too much for a large fleet.
const FEW: usize = 50;

/// Operations are looked at from this long ago on.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Failed launches are looked at from this long ago on.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Everything that was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Validation {
    /// Nothing but warnings was found.
    valid: bool,
    /// The configuration in force.
    config_version: u64,
    /// A newer version that is stored and that this program does not take: `configuration` says why, and the one in force goes
    /// on until another is pushed. Null where there is none.
    refused_version: Option<u64>,
    /// Findings about it.
    #[cfg_attr(test, schema(value_type = [crate::openapi::schemas::ConfigFault]))]
    configuration: Vec<ConfigFault>,
    /// Findings about its groups, in its order.
    groups: Vec<Finding>,
    /// Why the groups could not be looked at; null where they could.
    platform_error: Option<String>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/validation", tag = "configuration",
    responses((status = 200, description = "What was found", body = Validation)),
))]
/// Findings about the configuration and its groups
///
/// The configuration's own; then of each group against bounds, catalogue, quotas and actual use, and how well its
/// target can be held. Each has a severity and says what to do. Looks at the platform, and changes nothing. Whether a
/// trigger never fires is looked for among up to 50 groups, thrash among the newest 1000 operations of a day.
pub(super) async fn validation(State(state): State<ApiState>) -> Result<Json<Validation>, Problem> {
    let config = state.control().refresh().await?;
    let refused = state.control().refused_config();
    let (valid, configuration) = match (&refused, Config::from_source(config.source().clone())) {
        (Some(refused), _) => (false, refused.error.faults.clone()),
        (None, Ok(loaded)) => (true, loaded.warnings),
        (None, Err(error)) => (false, error.faults),
    };
    let refused_version = refused.map(|refused| refused.version.0);
    let (groups, platform_error) = match within(LONGEST, "the look at the groups", look(&state)).await {
        Ok(found) => (found, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let valid = valid
        && platform_error.is_none()
        && groups.iter().all(|finding| finding.severity == Severity::Warning);
    let config_version = config.version.0;
    Ok(Json(Validation { valid, config_version, refused_version, configuration, groups, platform_error }))
}

/// Reads what there is to know, and looks at it.
pub(crate) async fn look(state: &ApiState) -> Result<Vec<Finding>, PortError> {
    let report = state.control().plan_within(LONGEST_PLAN).await?;
    look_over(state, &report.outcomes.iter().collect::<Vec<_>>()).await
}

/// The same over evaluations that were made: what they have read is not read again. Groups come in the configuration's order,
/// whichever was evaluated first.
pub(crate) async fn look_over(
    state: &ApiState,
    outcomes: &[&GroupOutcome],
) -> Result<Vec<Finding>, PortError> {
    let prices = state.control().market().prices;
    let mut operations = operations(state).await?;
    let config = state.control().config();
    let place = |name: &GroupName| config.groups.iter().position(|group| group.name == *name);
    let mut outcomes = outcomes.to_vec();
    outcomes.sort_by_cached_key(|outcome| place(&outcome.config.name).unwrap_or(usize::MAX));
    let until = Instant::now() + LONGEST_ASIDE;
    let asked: Vec<_> = outcomes.iter().map(|outcome| failures(state, outcome, until)).collect();
    let failed = stream::iter(asked).buffered(AT_ONCE).collect::<Vec<_>>();
    let (quotas, failed) = tokio::join!(quotas(state, &outcomes), failed);
    let mut failed = failed.into_iter();
    let mut found = Vec::new();
    for outcome in &outcomes {
        let name = &outcome.config.name;
        let facts = Facts {
            quota: launch_type(outcome).and_then(|name| quotas.get(name).cloned()),
            spot_is_priced: launch_type(outcome).is_some_and(|name| prices.spot(name).is_some()),
            failures: failed.next().unwrap_or_default(),
            operations: operations.remove(name).unwrap_or_default(),
            decisions: if outcomes.len() <= FEW { decisions(state, name).await? } else { Vec::new() },
        };
        found.extend(findings::of_group(outcome, &facts));
    }
    Ok(found)
}

fn launch_type(outcome: &GroupOutcome) -> Option<&TypeName> {
    let on_aws = outcome.config.platform == Platform::Aws;
    outcome.evaluation().filter(|_| on_aws).map(|evaluation| &evaluation.snapshot.group.launch_type.name)
}

/// The account's quotas for the types that run. Where they are not told, nothing is held against them.
async fn quotas(state: &ApiState, outcomes: &[&GroupOutcome]) -> BTreeMap<TypeName, Quota> {
    let types = outcomes.iter().filter_map(|outcome| launch_type(outcome));
    let types: BTreeSet<TypeName> = types.cloned().collect();
    let types: Vec<TypeName> = types.into_iter().collect();
    let asked = state.control().ports().groups.quotas(&types);
    within(LONGEST_ASIDE, "read quotas", asked).await.unwrap_or_else(|error| {
        tracing::debug!(target: "scaling::integration", %error, "the account's quotas are not known");
        BTreeMap::new()
    })
}

/// Failed launches, asked for only where replicas are missing. Where they are not told, nothing is known of them.
async fn failures(state: &ApiState, outcome: &GroupOutcome, until: Instant) -> Vec<LaunchFailure> {
    if outcome.evaluation().is_none_or(|evaluation| evaluation.state.missing_since.is_none()) {
        return Vec::new();
    }
    let asked = state.control().ports().groups.launch_failures(&outcome.config, state.now() - HOUR);
    within(until.saturating_duration_since(Instant::now()), "read failed launches", asked)
        .await
        .unwrap_or_else(|error| {
            tracing::debug!(target: "scaling::integration", %error, "it is not known why launches failed");
            Vec::new()
        })
}

/// Operations of the last day by group, newest first.
async fn operations(state: &ApiState) -> Result<HashMap<GroupName, Vec<Operation>>, PortError> {
    let since: Timestamp = state.now() - DAY;
    let since = operation_key(&since.strftime("%Y%m%dT%H%M%S").to_string());
    let history = History { prefix: OPERATIONS_PREFIX, day: Day::Compact };
    let mut of_groups: HashMap<GroupName, Vec<Operation>> = HashMap::new();
    for record in history.latest(state, LOOKED_AT).await?.iter().filter(|record| record.key > since) {
        let OperationRecord { group, operation } = from_json(&record.key, &record.body)?;
        of_groups.entry(group).or_default().push(operation);
    }
    Ok(of_groups)
}

/// Stored decisions of the last fortnight, newest first.
async fn decisions(
    state: &ApiState,
    group: &GroupName,
) -> Result<Vec<scaling_policy::decision::Decision>, PortError> {
    let prefix = decisions_prefix(group);
    let since = format!("{prefix}{}", (state.now() - DAY * 14).strftime("%Y-%m-%d"));
    let history = History { prefix: &prefix, day: Day::Dashed };
    let records = history.latest(state, LOOKED_AT).await?;
    let records = records.iter().filter(|record| record.key > since);
    records.map(|record| from_json(&record.key, &record.body)).collect()
}
