//! AWS behind the ports.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{
    Accepted, Described, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader, MetricSeries,
    Quota, describable,
};
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};

use crate::clients::AwsClients;
use crate::groups::{change, describe, failures, foreign, refresh};
use crate::{metrics, quotas};

/// EC2 Auto Scaling and CloudWatch as the platform of the loop. Cloning shares the clients.
///
/// Nothing is kept between two calls: each reading and each change sees the group as it is then. A step that
/// starts a replacement describes the group itself first, so that the launch template it hands back is the one
/// of that moment; every other step is one call.
#[derive(Debug, Clone)]
pub struct AwsPlatform {
    clients: Arc<AwsClients>,
}

impl AwsPlatform {
    /// The platform that these clients reach.
    pub fn new(clients: Arc<AwsClients>) -> Self {
        Self { clients }
    }

    /// The clients, with the counter of what they sent.
    pub fn clients(&self) -> &Arc<AwsClients> {
        &self.clients
    }
}

fn names(groups: &[Arc<GroupConfig>]) -> Vec<String> {
    groups.iter().map(|group| group.name.to_string()).collect()
}

#[async_trait]
impl GroupReader for AwsPlatform {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        describable(self.describe_each(groups).await?)
    }

    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        if groups.is_empty() {
            // Without names the service would list every group of the account.
            return Ok(Vec::new());
        }
        let found = describe::by_name(self.clients.autoscaling().await, &names(groups)).await?;
        let each = found.iter().map(|group| {
            let name = GroupName::new(group.auto_scaling_group_name().unwrap_or_default());
            (name, describe::description(group))
        });
        Ok(each.collect())
    }

    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        refresh::newest(self.clients.autoscaling().await, &group.name).await
    }

    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        failures::since(self.clients.autoscaling().await, &group.name, since).await
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        if groups.is_empty() {
            return Ok(BTreeMap::new());
        }
        foreign::controllers(self.clients.autoscaling().await, &names(groups)).await
    }

    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        quotas::of_types(self.clients.cloudwatch().await, types, Timestamp::now()).await
    }
}

#[async_trait]
impl GroupWriter for AwsPlatform {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let accepted = change::apply(self.clients.autoscaling().await, &group.name, step).await?;
        tracing::info!(group = %group.name, ?step, platform_id = ?accepted.platform_id, "accepted");
        Ok(accepted)
    }
}

#[async_trait]
impl MetricReader for AwsPlatform {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        let plan = metrics::Plan::of(queries)?;
        if plan.is_empty() {
            return Ok(vec![MetricSeries::default(); queries.len()]);
        }
        metrics::read(self.clients.cloudwatch().await, plan).await
    }
}
