//! All platforms behind one set of ports: each group is asked of, and changed by, the one it is on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_aws::AwsPlatform;
use scaling_control::PortError;
use scaling_control::ports::{
    Accepted, Described, GroupDescription, GroupReader, GroupWriter, MetricQuery, MetricReader, MetricSeries,
    Quota, describable,
};
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName, Platform};
use scaling_policy::operation::{LaunchFailure, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView, RetypeSupport};

#[cfg(not(feature = "programs"))]
use crate::no_programs::NoPrograms as StandalonePlatform;
#[cfg(feature = "programs")]
use crate::standalone::{AllowedPrograms, StandalonePlatform};

/// The platforms of this process.
#[derive(Debug, Clone)]
pub struct Platforms {
    aws: AwsPlatform,
    standalone: StandalonePlatform,
    types_stay: bool,
}

/// The environment variable by which a deployment says that instance types are not to be changed (`off`): it may lack the
/// permissions that an instance refresh needs, and each try would fail.
const TYPE_CHANGES: &str = "SCALING_TYPE_CHANGES";

impl Platforms {
    /// AWS through these clients, and the programs that may be run.
    #[cfg(feature = "programs")]
    pub fn new(aws: AwsPlatform, allowed: AllowedPrograms) -> Self {
        Self { aws, standalone: StandalonePlatform::new(allowed), types_stay: types_stay() }
    }

    /// AWS through these clients; groups of programs are refused.
    #[cfg(not(feature = "programs"))]
    pub fn new(aws: AwsPlatform) -> Self {
        Self { aws, standalone: StandalonePlatform, types_stay: types_stay() }
    }
}

fn types_stay() -> bool {
    std::env::var(TYPE_CHANGES).is_ok_and(|value| value.eq_ignore_ascii_case("off"))
}

impl Platforms {
    /// Groups on AWS, scaled in count only where the deployment says so.
    async fn describe_on_aws(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let mut each = self.aws.describe_each(groups).await?;
        let described = each.iter_mut().filter_map(|(_, told)| told.as_mut().ok());
        for group in described.filter(|group| self.types_stay && group.retype == RetypeSupport::Supported) {
            let why = format!("type changes are switched off in this deployment ({TYPE_CHANGES})");
            group.retype = RetypeSupport::CountOnly { why };
        }
        Ok(each)
    }
}

fn is_standalone(group: &GroupConfig) -> bool {
    group.platform == Platform::Standalone
}

fn split(groups: &[Arc<GroupConfig>]) -> (Vec<Arc<GroupConfig>>, Vec<Arc<GroupConfig>>) {
    groups.iter().cloned().partition(|group| is_standalone(group))
}

#[async_trait]
impl GroupReader for Platforms {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        describable(self.describe_each(groups).await?)
    }

    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let (standalone, aws) = split(groups);
        if standalone.is_empty() {
            return self.describe_on_aws(&aws).await;
        }
        let (on_standalone, on_aws) =
            tokio::join!(self.standalone.describe_each(&standalone), self.describe_on_aws(&aws));
        let mut each = on_standalone?;
        // AWS that does not answer takes the groups of programs not with it.
        let on_aws = on_aws.unwrap_or_else(|error| {
            aws.iter().map(|group| (group.name.clone(), Err(error.for_another()))).collect()
        });
        each.extend(on_aws);
        Ok(each)
    }

    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        if is_standalone(group) {
            self.standalone.replacement(group).await
        } else {
            self.aws.replacement(group).await
        }
    }

    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        if is_standalone(group) {
            self.standalone.launch_failures(group, since).await
        } else {
            self.aws.launch_failures(group, since).await
        }
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        let (standalone, aws) = split(groups);
        let mut found = self.standalone.foreign_controllers(&standalone).await?;
        match self.aws.foreign_controllers(&aws).await {
            Ok(on_aws) => found.extend(on_aws),
            Err(error) if found.is_empty() => return Err(error),
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, groups = aws.len(), "not looked at");
            }
        }
        Ok(found)
    }

    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        self.aws.quotas(types).await
    }

    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        self.standalone.programs_not_run(groups)
    }
}

#[async_trait]
impl GroupWriter for Platforms {
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        if is_standalone(group) {
            self.standalone.apply(group, step).await
        } else {
            self.aws.apply(group, step).await
        }
    }
}

#[async_trait]
impl MetricReader for Platforms {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        self.series(queries, None).await
    }

    async fn read_within(
        &self,
        queries: &[MetricQuery],
        longest: Duration,
    ) -> Result<Vec<MetricSeries>, PortError> {
        self.series(queries, Some(longest)).await
    }
}

impl Platforms {
    async fn series(
        &self,
        queries: &[MetricQuery],
        longest: Option<Duration>,
    ) -> Result<Vec<MetricSeries>, PortError> {
        let on_standalone: Vec<bool> = queries.iter().map(|query| is_standalone(&query.group)).collect();
        let pick = |wanted: bool| -> Vec<MetricQuery> {
            let chosen = queries.iter().zip(&on_standalone).filter(|(_, is)| **is == wanted);
            chosen.map(|(query, _)| query.clone()).collect()
        };
        let (standalone, aws) = (pick(true), pick(false));
        if standalone.is_empty() {
            return read_of(&self.aws, &aws, longest).await;
        }
        let (standalone, on_aws) =
            tokio::join!(read_of(&self.standalone, &standalone, longest), read_of(&self.aws, &aws, longest));
        // AWS that does not answer takes the readings of programs not with it.
        let on_aws = on_aws.unwrap_or_else(|error| {
            tracing::warn!(target: "scaling::integration", %error, metrics = aws.len(), "not read");
            vec![MetricSeries::unread(error.into()); aws.len()]
        });
        let (mut standalone, mut aws) = (standalone?.into_iter(), on_aws.into_iter());
        // The answer is in the order of the queries.
        let next = |is_standalone: &bool| if *is_standalone { standalone.next() } else { aws.next() };
        Ok(on_standalone.iter().map(next).map(Option::unwrap_or_default).collect())
    }
}

async fn read_of(
    platform: &impl MetricReader,
    queries: &[MetricQuery],
    longest: Option<Duration>,
) -> Result<Vec<MetricSeries>, PortError> {
    match longest {
        _ if queries.is_empty() => Ok(Vec::new()),
        Some(longest) => platform.read_within(queries, longest).await,
        None => platform.read(queries).await,
    }
}

#[cfg(all(test, feature = "programs"))]
mod tests;
