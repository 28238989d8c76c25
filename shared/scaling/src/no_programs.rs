//! In the place of programs where none are run: a function has the rights of its role and no machine of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{
    Accepted, Described, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader, MetricSeries,
};
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};

/// Refuses every group of programs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoPrograms;

fn refused(operation: &'static str) -> PortError {
    let message =
        "groups of the platform standalone run under `scaling run`, and not in a function".to_owned();
    PortError::Invalid { operation, message }
}

#[async_trait]
impl GroupReader for NoPrograms {
    async fn describe(&self, _groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        Err(refused("describe"))
    }

    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        Ok(groups.iter().map(|group| (group.name.clone(), Err(refused("describe")))).collect())
    }

    async fn replacement(&self, _group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        Err(refused("describe"))
    }

    async fn launch_failures(
        &self,
        _group: &GroupConfig,
        _since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        Err(refused("describe"))
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        Ok(groups.iter().map(|group| (group.name.clone(), Vec::new())).collect())
    }

    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        groups.iter().filter(|group| group.programs.is_some()).map(|group| group.name.clone()).collect()
    }
}

#[async_trait]
impl GroupWriter for NoPrograms {
    async fn apply(&self, _group: &GroupConfig, _step: &Step) -> Result<Accepted, PortError> {
        Err(refused("apply"))
    }
}

#[async_trait]
impl MetricReader for NoPrograms {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        Ok(vec![MetricSeries::unread(refused("metrics").into()); queries.len()])
    }
}
