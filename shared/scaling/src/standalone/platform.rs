//! The ports over a group's programs.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{
    Accepted, Described, GroupDescription, GroupReader, GroupWriter, InstanceDescription, MetricQuery,
    MetricReader, MetricSeries, Purchase, Unread, describable,
};
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView, RetypeSupport, SuspendedProcesses};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::allowed::AllowedPrograms;
use super::program::run;

/// Programs that run at the same time, of one reading.
const AT_ONCE: usize = 16;

/// Longest time for one reading of all groups: shorter than the loop waits for it, so that groups whose programs hang
/// cost the others nothing but the wait.
const ALTOGETHER: Duration = Duration::from_secs(40);

/// Groups driven by programs.
#[derive(Debug, Clone)]
pub struct StandalonePlatform {
    allowed: AllowedPrograms,
}

impl StandalonePlatform {
    /// Groups whose programs are among these.
    pub fn new(allowed: AllowedPrograms) -> Self {
        Self { allowed }
    }
}

/// What a `describe` program prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Least replicas the pool allows.
    pub min: u32,
    /// Most replicas the pool allows.
    pub max: u32,
    /// Replicas asked for last.
    pub desired: u32,
    /// Type of new replicas: a name of the catalogue, which gives vCPU, memory and price.
    pub instance_type: TypeName,
    /// Replicas that exist.
    pub instances: Vec<InstanceDescription>,
}

#[derive(Serialize)]
struct Request<'a> {
    group: &'a GroupName,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a Step>,
}

#[derive(Serialize)]
struct MetricRequest<'a> {
    group: &'a GroupName,
    from: Timestamp,
    to: Timestamp,
    period: u32,
}

#[derive(Deserialize, Default)]
struct Started {
    id: Option<String>,
}

/// Points by trigger name.
type Points = BTreeMap<String, Vec<(Timestamp, f64)>>;

#[async_trait]
impl GroupReader for StandalonePlatform {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        describable(self.describe_each(groups).await?)
    }

    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let call = |group: &Arc<GroupConfig>| describe_one(self.allowed.clone(), Arc::clone(group));
        let calls = groups.iter().map(|group| (group.name.clone(), call(group)));
        let each = side_by_side("describe", ALTOGETHER, calls).await.into_iter();
        Ok(each.map(|(group, told)| (group, told.unwrap_or_else(|| Err(too_late("describe"))))).collect())
    }

    async fn replacement(&self, _group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        Ok(None)
    }

    async fn launch_failures(
        &self,
        _group: &GroupConfig,
        _since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        Ok(Vec::new())
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        // The programs are all that changes these groups.
        Ok(groups.iter().map(|group| (group.name.clone(), Vec::new())).collect())
    }

    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        self.allowed.refused_of(groups)
    }
}

#[async_trait]
impl GroupWriter for StandalonePlatform {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let Step::SetDesired { .. } = step else {
            let message = "groups of the platform standalone are scaled in count only".to_owned();
            return Err(PortError::Invalid { operation: "apply", message });
        };
        let programs = self.allowed.of_group(group, "apply")?;
        let input = Request { group: &group.name, step: Some(step) };
        let started: Option<Started> = run("apply", &programs.apply, &input, programs.timeout).await?;
        Ok(Accepted { platform_id: started.and_then(|started| started.id) })
    }
}

#[async_trait]
impl MetricReader for StandalonePlatform {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        Ok(self.series(queries, ALTOGETHER).await)
    }

    async fn read_within(
        &self,
        queries: &[MetricQuery],
        longest: Duration,
    ) -> Result<Vec<MetricSeries>, PortError> {
        Ok(self.series(queries, longest.min(ALTOGETHER)).await)
    }
}

impl StandalonePlatform {
    /// One series for each query. One failing program costs its own group the data; that is not the same as no data.
    async fn series(&self, queries: &[MetricQuery], longest: Duration) -> Vec<MetricSeries> {
        let mut first: BTreeMap<GroupName, MetricQuery> = BTreeMap::new();
        for query in queries {
            first.entry(query.group.name.clone()).or_insert_with(|| query.clone());
        }
        let calls = first.into_iter().map(|(group, query)| (group, metrics_of(self.allowed.clone(), query)));
        let each = side_by_side("metrics", longest, calls).await.into_iter();
        let answers: BTreeMap<GroupName, Result<Points, Unread>> = each
            .map(|(group, answer)| {
                let answer = match answer {
                    Some(answer) => answer.map_err(Unread::from),
                    None if longest < ALTOGETHER => Err(Unread::Late(longest)),
                    None => Err(too_late("metrics").into()),
                };
                if let Err(Unread::Failed(error)) = &answer {
                    tracing::warn!(target: "scaling::integration", %group, %error, "metrics failed");
                }
                (group, answer)
            })
            .collect();
        let series = |query: &MetricQuery| match answers.get(&query.group.name) {
            Some(Ok(points)) => {
                let points = points.get(query.trigger.name()).cloned().unwrap_or_default();
                MetricSeries { points, ..MetricSeries::default() }
            }
            Some(Err(why)) => MetricSeries::unread(why.clone()),
            None => MetricSeries { partial: true, ..MetricSeries::default() },
        };
        queries.iter().map(series).collect()
    }
}

fn too_late(operation: &'static str) -> PortError {
    let message = format!("no answer within {} s", ALTOGETHER.as_secs());
    PortError::Unavailable { operation, message, source: None }
}

/// Runs the calls side by side, and tells what became of each: nothing of one that has not had its turn, or has not ended,
/// when the time for all is over.
async fn side_by_side<T, F>(
    operation: &'static str,
    longest: Duration,
    calls: impl IntoIterator<Item = (GroupName, F)>,
) -> Vec<(GroupName, Option<Result<T, PortError>>)>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PortError>> + Send + 'static,
{
    let until = Instant::now() + longest;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut groups = HashMap::new();
    for (group, call) in calls {
        let turns = Arc::clone(&turns);
        let in_turn = async move {
            let turn = turns.acquire().await;
            let ended = call.await;
            drop(turn);
            ended
        };
        let task = running.spawn(async move { tokio::time::timeout_at(until, in_turn).await.ok() });
        groups.insert(task.id(), group);
    }
    let mut each = Vec::with_capacity(groups.len());
    while let Some(ended) = running.join_next_with_id().await {
        let (task, answer) = match ended {
            Ok(ended) => ended,
            Err(aborted) => {
                let message = format!("aborted: {aborted}");
                (aborted.id(), Some(Err(PortError::Unavailable { operation, message, source: None })))
            }
        };
        each.extend(groups.remove(&task).map(|group| (group, answer)));
    }
    each
}

async fn describe_one(
    allowed: AllowedPrograms,
    group: Arc<GroupConfig>,
) -> Result<GroupDescription, PortError> {
    let programs = allowed.of_group(&group, "describe")?;
    let input = Request { group: &group.name, step: None };
    let answer: Description = run("describe", &programs.describe, &input, programs.timeout).await?;
    Ok(GroupDescription {
        name: group.name.clone(),
        min: answer.min,
        max: answer.max,
        desired: answer.desired,
        launch_type: Some(answer.instance_type),
        instances: answer.instances,
        zones: Vec::new(),
        suspended: SuspendedProcesses::default(),
        retype: RetypeSupport::CountOnly {
            why: "groups of the platform standalone are scaled in count only".to_owned(),
        },
        maintenance: None,
        warm_up_seconds: 0,
        template: None,
        purchase: Purchase::default(),
        missing_tag: None,
    })
}

async fn metrics_of(allowed: AllowedPrograms, query: MetricQuery) -> Result<Points, PortError> {
    let programs = allowed.of_group(&query.group, "metrics")?;
    let input = MetricRequest {
        group: &query.group.name,
        from: query.from,
        to: query.to,
        period: query.period_seconds,
    };
    let points: Option<Points> = run("metrics", &programs.metrics, &input, programs.timeout).await?;
    Ok(points.unwrap_or_default())
}

#[cfg(test)]
mod tests;
