//! The ports over a group's programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{
    Accepted, GroupDescription, GroupReader, GroupWriter, InstanceDescription, MetricQuery, MetricReader,
    MetricSeries, Purchase,
};
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName, ProgramSet};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView, RetypeSupport, SuspendedProcesses};
use serde::{Deserialize, Serialize};

use super::program::run;

/// Groups driven by programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandalonePlatform;

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
        let mut descriptions = Vec::with_capacity(groups.len());
        for group in groups {
            // One group whose program fails must not hide the others: it is absent, and reported as such.
            match describe_one(group).await {
                Ok(description) => descriptions.push(description),
                Err(error) => {
                    tracing::warn!(target: "scaling::integration", group = %group.name, %error, "describe failed");
                }
            }
        }
        Ok(descriptions)
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
}

#[async_trait]
impl GroupWriter for StandalonePlatform {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let Step::SetDesired { .. } = step else {
            let message = "groups of the platform standalone are scaled in count only".to_owned();
            return Err(PortError::Invalid { operation: "apply", message });
        };
        let programs = programs(group, "apply")?;
        let input = Request { group: &group.name, step: Some(step) };
        let started: Option<Started> = run("apply", &programs.apply, &input, programs.timeout).await?;
        Ok(Accepted { platform_id: started.and_then(|started| started.id) })
    }
}

#[async_trait]
impl MetricReader for StandalonePlatform {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        let mut answers: BTreeMap<&GroupName, Points> = BTreeMap::new();
        let mut series = Vec::with_capacity(queries.len());
        for query in queries {
            let name = &query.group.name;
            if !answers.contains_key(name) {
                // One failing program costs its own group the data, which never scales it down.
                let points = metrics_of(query).await.unwrap_or_else(|error| {
                    tracing::warn!(target: "scaling::integration", group = %name, %error, "metrics failed");
                    Points::new()
                });
                answers.insert(name, points);
            }
            let points = answers.get(name).and_then(|points| points.get(query.trigger.name())).cloned();
            series.push(MetricSeries { points: points.unwrap_or_default(), partial: false });
        }
        Ok(series)
    }
}

async fn describe_one(group: &GroupConfig) -> Result<GroupDescription, PortError> {
    let programs = programs(group, "describe")?;
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
        purchase: Purchase::default(),
    })
}

async fn metrics_of(query: &MetricQuery) -> Result<Points, PortError> {
    let programs = programs(&query.group, "metrics")?;
    let input = MetricRequest {
        group: &query.group.name,
        from: query.from,
        to: query.to,
        period: query.period_seconds,
    };
    let points: Option<Points> = run("metrics", &programs.metrics, &input, programs.timeout).await?;
    Ok(points.unwrap_or_default())
}

fn programs<'a>(group: &'a GroupConfig, operation: &'static str) -> Result<&'a ProgramSet, PortError> {
    group.programs.as_ref().ok_or_else(|| PortError::Invalid {
        operation,
        message: format!("group {} names no programs; add `programs` to it in the configuration", group.name),
    })
}
