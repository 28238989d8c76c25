//! What the loop needs of the world, by role. Reading and writing are separate traits, so that a dry run has
//! the real readers and a recording writer, and a function that is given a reader cannot change anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::config::{GroupConfig, GroupName, MetricBinding};
use scaling_policy::operation::{LaunchFailure, LaunchTemplate, Step};
use scaling_policy::snapshot::{ForeignController, ReplacementView, RetypeSupport, SuspendedProcesses};
use scaling_policy::trigger::{Trigger, is_plausible};
use serde::{Deserialize, Serialize};

use crate::error::PortError;

/// Names that the loop asks for in one [`GroupReader::describe`]: what DescribeAutoScalingGroups answers in one page.
pub const DESCRIBED_AT_ONCE: usize = 100;

/// How long one [`GroupReader::foreign_controllers`] may take.
pub const LOOK_TIME: Duration = Duration::from_secs(10);

/// Records that go along with a conditional write at most: DynamoDB's 100 actions a transaction, less that write.
pub const MOST_ALONG: usize = 99;

/// A group that is there: how it is, or why that cannot be told.
pub type Described = (GroupName, Result<GroupDescription, PortError>);

/// The groups that could be described, for [`GroupReader::describe`] of a platform that tells of each.
///
/// # Errors
/// There are groups, and none of them could be.
pub fn describable(each: Vec<Described>) -> Result<Vec<GroupDescription>, PortError> {
    let mut found = Vec::with_capacity(each.len());
    let mut failure = None;
    for (group, described) in each {
        match described {
            Ok(description) => found.push(description),
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %group, %error, "not described");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// Reads groups from the platform.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait GroupReader: Send + Sync {
    /// Describes the groups by name, in as few calls as the platform allows. The loop asks for
    /// [`DESCRIBED_AT_ONCE`] names at most, several times at once.
    /// A group that does not exist is absent from the answer; that is not an error.
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError>;

    /// [`GroupReader::describe`], and for each group that is there and cannot be described, why: a fault of one group
    /// takes no other with it. What the loop calls. By default the groups of one call share its fate.
    ///
    /// # Errors
    /// What concerns every group of the call.
    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let found = self.describe(groups).await?;
        Ok(found.into_iter().map(|found| (found.name.clone(), Ok(found))).collect())
    }

    /// The newest rolling replacement of the group, running or ended; `None` if it never had one.
    async fn replacement(&self, group: &GroupConfig) -> Result<Option<ReplacementView>, PortError>;

    /// Launches that failed after `since`, oldest first. Reads no further back than that.
    async fn launch_failures(
        &self,
        group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError>;

    /// Scaling policies, scheduled actions and tags of other autoscalers: an entry for each group that could be looked
    /// at, empty where nobody else acts on it. A group without an entry counts as not looked at, and is not changed
    /// until it has one. Answers within [`LOOK_TIME`] with what is known by then; the groups that matter most come first.
    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError>;

    /// The account's quotas that these types fall under, by type, where the platform tells them. Asked for by whoever
    /// looks for faults, not by the loop.
    async fn quotas(&self, types: &[TypeName]) -> Result<BTreeMap<TypeName, Quota>, PortError> {
        let _ = types;
        Ok(BTreeMap::new())
    }

    /// Those of the groups whose programs this process does not run, whatever a configuration says of them. By default
    /// none: most platforms have no programs.
    fn programs_not_run(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        let _ = groups;
        Vec::new()
    }
}

/// Changes groups. Every step states wanted values, so that a repeated call changes nothing.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait GroupWriter: Send + Sync {
    /// Asks the platform for one step. `Accepted` means that it has taken the request, not that it is done.
    ///
    /// `PortError::Conflict` is returned when another change is running (ScalingActivityInProgress,
    /// InstanceRefreshInProgress, ResourceContention): the caller holds and looks again.
    async fn apply(&self, group: &GroupConfig, step: &Step) -> Result<Accepted, PortError>;
}

/// Reads metrics.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait MetricReader: Send + Sync {
    /// Reads each query's complete periods in `[from, to)`, in as few calls as possible (500 queries a call on
    /// CloudWatch). The answer has one series per query, in the order of the queries; a metric without points
    /// gives an empty series. One that cannot be read says why, and takes no other with it.
    ///
    /// # Errors
    /// What concerns every query.
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError>;

    /// [`MetricReader::read`] for somebody who waits for `longest`: what has not come by then is [`Unread::Late`]. By
    /// default all queries of a call share its fate.
    ///
    /// # Errors
    /// As [`MetricReader::read`].
    async fn read_within(
        &self,
        queries: &[MetricQuery],
        longest: Duration,
    ) -> Result<Vec<MetricSeries>, PortError> {
        let late = || Ok(vec![MetricSeries::unread(Unread::Late(longest)); queries.len()]);
        tokio::time::timeout(longest, self.read(queries)).await.unwrap_or_else(|_| late())
    }
}

/// Keeps records by key with a version each. [`crate::key`] tells which keys and prefixes it takes; others are
/// refused with `Invalid`.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// The record, unless it does not exist or has expired. Reads its own writes.
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError>;

    /// The records that exist, in any order, in as few calls as possible (100 keys a call on DynamoDB). A key
    /// that is asked for twice comes back once.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError>;

    /// Writes a record if it is as expected, and returns its new version.
    /// `PortError::Conflict` when it is not; nothing is written then.
    async fn put(&self, record: NewRecord, expected: Expected) -> Result<u64, PortError> {
        self.put_with(record, expected, Vec::new()).await
    }

    /// [`StateStore::put`], and in the same transaction records whose keys are new by construction (the audit of the
    /// change, its history): all are written or none. Of these at most [`MOST_ALONG`], each key once; more are refused
    /// with `Invalid`.
    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError>;

    /// Writes records whose keys are new by construction (history), in as few calls as possible. After an error
    /// some may be written; appending them again is harmless.
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError>;

    /// Records whose key starts with `prefix`, in key order, strictly after `after`, at most `limit`. The prefix
    /// reaches at least its second slash (`decision/web/`).
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError>;

    /// Removes a record; removing one that does not exist is no error.
    async fn delete(&self, key: &str) -> Result<(), PortError>;
}

/// Tells the time. The only source of it in the loop.
#[cfg_attr(test, mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A group as the platform describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupDescription {
    /// Its name.
    pub name: GroupName,
    /// Its own minimum.
    pub min: u32,
    /// Its own maximum.
    pub max: u32,
    /// Desired capacity.
    pub desired: u32,
    /// The type new instances get, where the platform names one (an override); otherwise the caller takes the
    /// type of the newest instances.
    pub launch_type: Option<TypeName>,
    /// Members, in every state.
    pub instances: Vec<InstanceDescription>,
    /// Availability zones.
    pub zones: Vec<String>,
    /// Suspended processes that matter here.
    pub suspended: SuspendedProcesses,
    /// Whether the type can be changed.
    pub retype: RetypeSupport,
    /// Whether the group's own maintenance policy limits a replacement: (min healthy %, max healthy %).
    pub maintenance: Option<(u8, u8)>,
    /// Seconds after entering service during which an instance is warming (DefaultInstanceWarmup).
    pub warm_up_seconds: u32,
    /// What new instances are launched from, with its version; `None` where the platform has no such thing, or has not said
    /// yet which version it is.
    #[serde(default)]
    pub template: Option<LaunchTemplate>,
    /// How its instances are bought.
    #[serde(default)]
    pub purchase: Purchase,
    /// A tag that it lacks, as `key=value`, and without which the permissions that the deployment gives do not reach it.
    #[serde(default)]
    pub missing_tag: Option<String>,
}

/// How the instances of a group are bought, as a mixed-instances policy says (InstancesDistribution).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// So many are on demand in any case (OnDemandBaseCapacity).
    pub on_demand_base: u32,
    /// Share of on-demand instances above the base, 0 to 100 % (OnDemandPercentageAboveBaseCapacity).
    pub on_demand_percent_above_base: u8,
}

impl Default for Purchase {
    /// Everything on demand.
    fn default() -> Self {
        Self { on_demand_base: 0, on_demand_percent_above_base: 100 }
    }
}

impl Purchase {
    /// Share, 0 to 1, of so many instances that are spot. Fractions of an instance are on demand, as EC2 Auto Scaling
    /// rounds them.
    pub fn spot_share(self, instances: u32) -> f64 {
        let above = u64::from(instances.saturating_sub(self.on_demand_base));
        let on_demand_above = (above * u64::from(self.on_demand_percent_above_base.min(100))).div_ceil(100);
        #[expect(clippy::cast_precision_loss, reason = "an instance count fits")]
        let spot = (above - on_demand_above) as f64;
        if instances == 0 { 0.0 } else { spot / f64::from(instances) }
    }
}

/// What an account may run at once of one kind of instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// The kind, in the platform's words.
    pub class: String,
    /// vCPU that may run.
    pub limit_vcpu: f64,
    /// vCPU that run, in the whole account and region.
    pub used_vcpu: f64,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceDescription {
    /// Instance id.
    pub id: String,
    /// Its type.
    pub instance_type: TypeName,
    /// Its state.
    pub lifecycle: Lifecycle,
    /// Healthy, as the group sees it.
    pub healthy: bool,
    /// Protected from scale-in.
    pub protected: bool,
    /// Its availability zone, where the platform has some.
    #[serde(default)]
    pub zone: Option<String>,
}

/// Life-cycle states, folded to what a decision distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Pending in any of its forms: ordered, not serving.
    Pending,
    /// In service.
    InService,
    /// Terminating, detaching: does not count any more.
    Ending,
    /// Standby and the like: exists, does not serve, is not counted in desired capacity.
    Standby,
}

/// The platform has taken a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Accepted {
    /// The platform's identifier for what it started (an instance refresh id).
    pub platform_id: Option<String>,
}

/// One metric to read.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricQuery {
    /// Group it belongs to.
    pub group: Arc<GroupConfig>,
    /// Which trigger it is for.
    pub trigger: Trigger,
    /// Which metric; scaling and absence are the caller's business, the series is raw.
    pub binding: MetricBinding,
    /// Period in seconds.
    pub period_seconds: u32,
    /// From this moment, aligned down to a period.
    pub from: Timestamp,
    /// Up to this moment.
    pub to: Timestamp,
}

/// Points of one query, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricSeries {
    /// (Start of the period, value).
    pub points: Vec<(Timestamp, f64)>,
    /// The reader could not get everything (PartialData that stayed partial): points may be missing.
    pub partial: bool,
    /// Why it could not be read. It is partial then.
    pub unread: Option<Unread>,
}

/// Why a series could not be read.
#[derive(Debug, Clone)]
pub enum Unread {
    /// It takes longer than whoever asked waits, this long. Whoever waits longer may well read it.
    Late(Duration),
    /// Its call, or its group's program, failed. All series of one call share the error.
    Failed(Arc<PortError>),
}

impl From<PortError> for Unread {
    fn from(error: PortError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// Two are the same that say the same.
impl PartialEq for Unread {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Late(one), Self::Late(other)) => one == other,
            (Self::Failed(one), Self::Failed(other)) => {
                one.kind() == other.kind() && one.to_string() == other.to_string()
            }
            _ => false,
        }
    }
}

impl MetricSeries {
    /// Nothing, for this reason.
    pub const fn unread(why: Unread) -> Self {
        Self { points: Vec::new(), partial: true, unread: Some(why) }
    }

    /// Without the points whose value, times `scale`, cannot be true. They count as missing, not as absent: where absence
    /// means zero, nonsense does not.
    #[must_use]
    pub fn without_absurd(mut self, scale: f64) -> Self {
        let all = self.points.len();
        self.points.retain(|(_, value)| is_plausible(value * scale));
        self.partial |= self.points.len() < all;
        self
    }
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Key.
    pub key: String,
    /// Version, growing by one with each write, starting at 1.
    pub version: u64,
    /// JSON text. DynamoDB takes 400 KB with the key, and refuses more with `Invalid`.
    pub body: String,
    /// Gone after this. Kept in whole seconds; a fraction is rounded up.
    pub expires: Option<Timestamp>,
}

/// A record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Key.
    pub key: String,
    /// JSON text. DynamoDB takes 400 KB with the key, and refuses more with `Invalid`.
    pub body: String,
    /// Gone after this. Kept in whole seconds; a fraction is rounded up.
    pub expires: Option<Timestamp>,
}

/// What must be true of a record for a write to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It does not exist (or has expired).
    Absent,
    /// It has this version.
    Version(u64),
}
