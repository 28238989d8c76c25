//! Several groups, each a [`FakePlatform`] of its own, behind one platform.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView};

use super::FakePlatform;
use crate::error::PortError;
use crate::ports::{
    Accepted, Clock, Described, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader,
    MetricSeries, describable,
};

/// The platform; clones share the groups.
#[derive(Clone)]
pub struct Several(BTreeMap<GroupName, FakePlatform>);

impl Several {
    /// Groups of four m7i.xlarge each.
    pub fn of(names: &[&str], clock: &Arc<dyn Clock>) -> Self {
        let group = |name: &&str| FakePlatform::new(name, "m7i.xlarge", 4, Arc::clone(clock));
        names.iter().map(group).collect()
    }

    /// The groups, in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = &FakePlatform> {
        self.0.values()
    }

    /// Puts the same load on every group.
    pub fn busy_vcpu(&self, busy: f64) {
        for group in self.0.values() {
            group.group().busy_vcpu = Some(busy);
        }
    }

    fn group(&self, config: &GroupConfig) -> &FakePlatform {
        &self.0[&config.name]
    }
}

impl FromIterator<FakePlatform> for Several {
    fn from_iter<I: IntoIterator<Item = FakePlatform>>(groups: I) -> Self {
        let named = |platform: FakePlatform| {
            let name = platform.group().name.clone();
            (name, platform)
        };
        Self(groups.into_iter().map(named).collect())
    }
}

#[async_trait]
impl GroupReader for Several {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        describable(self.describe_each(groups).await?)
    }
    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let mut each = Vec::new();
        for config in groups {
            each.extend(self.group(config).describe_each(std::slice::from_ref(config)).await?);
        }
        Ok(each)
    }
    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        self.group(group).replacement(group).await
    }
    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        self.group(group).launch_failures(group, since).await
    }
    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        let mut found = BTreeMap::new();
        for config in groups {
            found.extend(self.group(config).foreign_controllers(std::slice::from_ref(config)).await?);
        }
        Ok(found)
    }
}

#[async_trait]
impl GroupWriter for Several {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        self.group(group).apply(group, step).await
    }
}

#[async_trait]
impl MetricReader for Several {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        let mut series = Vec::new();
        for query in queries {
            series.extend(self.group(&query.group).read(std::slice::from_ref(query)).await?);
        }
        Ok(series)
    }
}
