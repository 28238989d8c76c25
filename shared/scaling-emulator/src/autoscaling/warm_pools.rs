//! Warm pools: set, shown, deleted.

use serde::{Deserialize, Serialize};

use super::describe::{InstanceDescription, describe_member};
use super::page::{Sizes, sorted};
use super::{check_stays, group, group_input, group_mut};
use crate::region::launch::LaunchSource;
use crate::region::warm_pool::{PoolState, WarmPool};
use crate::region::{Group, Member, Region};
use crate::wire::AwsError;

/// Input of PutWarmPool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Capacity of group and pool together; -1 stands for the group's maximum.
    pub max_group_prepared_capacity: Option<i64>,
    /// Least instances of the pool.
    pub min_size: Option<i64>,
    /// What they do.
    pub pool_state: Option<PoolState>,
    /// What becomes of instances when the group shrinks.
    pub instance_reuse_policy: Option<ReusePolicy>,
}

/// What becomes of instances when the group shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReusePolicy {
    /// Whether they return to the pool.
    pub reuse_on_scale_in: Option<bool>,
}

/// Output without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Nothing {}

/// Sets a group's warm pool.
pub fn put(region: &mut Region, input: &PutInput) -> Result<Nothing, AwsError> {
    let named = group(region, &input.auto_scaling_group_name)?;
    check_stays(named)?;
    let source = &named.settings.source;
    if let Some(what) = cannot_wait(region, source) {
        let why = format!("You can't add a warm pool to an Auto Scaling group that has {what}.");
        return Err(AwsError::validation(why));
    }
    check_hibernation(region, &named.name, source, input.pool_state)?;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    if group.warm_pool.as_ref().is_some_and(|pool| pool.deleting) {
        return Err(AwsError::validation(format!(
            "The warm pool of Auto Scaling group {} is pending delete.",
            group.name
        )));
    }
    let size = |value: Option<i64>, member: &str| {
        match value {
        None | Some(-1) => Ok(None),
        Some(size) => u32::try_from(size).map(Some).map_err(|_| {
            AwsError::validation(format!(
                "1 validation error detected: Value '{size}' at '{member}' failed to satisfy constraint: Member must \
                 have value greater than or equal to 0"
            ))
        }),
    }
    };
    let min = group_input::size(input.min_size, "minSize")?;
    let max_prepared = size(input.max_group_prepared_capacity, "maxGroupPreparedCapacity")?;
    if max_prepared.is_some_and(|max| max < group.settings.min) {
        return Err(AwsError::validation(
            "MaxGroupPreparedCapacity must be at least the minimum size of the Auto Scaling group.",
        ));
    }
    group.warm_pool = Some(WarmPool {
        max_prepared,
        min: min.unwrap_or(0),
        state: input.pool_state.unwrap_or_default(),
        reuse: input.instance_reuse_policy.and_then(|policy| policy.reuse_on_scale_in).unwrap_or(false),
        deleting: false,
    });
    Ok(Nothing {})
}

/// More than the on-demand base of any group.
const MANY: u32 = 1_000_000;

/// What a source has that cannot wait in a warm pool, by the User Guide's "Limitations" of warm pools: Spot Instances, and
/// instances with weights.
fn cannot_wait(region: &Region, source: &LaunchSource) -> Option<&'static str> {
    let options = source.options(&region.blueprints, region.machines).unwrap_or_default();
    let mixes_spot = source.on_demand(MANY).is_some_and(|on_demand| on_demand < MANY);
    if mixes_spot || options.iter().any(|option| option.spot) {
        return Some(
            "a mixed instances policy or a launch template or launch configuration that requests Spot Instances",
        );
    }
    let LaunchSource::Mixed(policy) = source else { return None };
    let weighted = policy.overrides().iter().any(|choice| choice.weighted_capacity.is_some());
    weighted.then_some("a mixed instances policy with instance weights")
}

/// Refuses a pool of hibernated instances of a mixed instances policy whose template does not configure HibernationOptions:
/// another one of these limitations.
fn check_hibernation(
    region: &Region,
    name: &str,
    source: &LaunchSource,
    state: Option<PoolState>,
) -> Result<(), AwsError> {
    let found = source.template().and_then(|spec| region.blueprints.resolve(spec).ok());
    let hibernates = found.is_some_and(|(_, version)| version.data.hibernates());
    let is_mixed = matches!(source, LaunchSource::Mixed(_));
    if is_mixed && state == Some(PoolState::Hibernated) && !hibernates {
        return Err(AwsError::validation(format!(
            "The pool state Hibernated needs instances that can hibernate: the launch template of Auto Scaling group {name} \
             does not configure HibernationOptions."
        )));
    }
    Ok(())
}

/// Refuses a source that could not have the group's pool. One that is being deleted launches nothing any more.
pub(super) fn check_source(region: &Region, group: &Group, source: &LaunchSource) -> Result<(), AwsError> {
    let Some(pool) = group.warm_pool.filter(|pool| !pool.deleting) else { return Ok(()) };
    let name = &group.name;
    if let Some(what) = cannot_wait(region, source) {
        let why = format!("The Auto Scaling group {name} has a warm pool, so that it can't have {what}.");
        return Err(AwsError::validation(why));
    }
    check_hibernation(region, name, source, Some(pool.state))
}

/// Input of DeleteWarmPool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Whether its instances end with it.
    #[serde(default)]
    pub force_delete: bool,
}

/// Deletes a warm pool; with instances only when forced, and then as soon as they have ended.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    let holds = group.members.iter().any(|member| member.state.is_warm_pool());
    let Some(pool) = &mut group.warm_pool else {
        return Err(AwsError::validation(format!(
            "No warm pool found for Auto Scaling group {}",
            group.name
        )));
    };
    if holds && !input.force_delete {
        return Err(AwsError::new(
            "ResourceInUse",
            "You cannot delete a warm pool while there are instances in it without the force option.",
        ));
    }
    pool.deleting = true;
    if !holds {
        group.warm_pool = None;
    }
    Ok(Nothing {})
}

/// Input of DescribeWarmPool.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// 50 by default and at most.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeWarmPool.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// How it is set.
    pub warm_pool_configuration: Option<Description>,
    /// Its instances.
    pub instances: Vec<InstanceDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A warm pool as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Description {
    pub max_group_prepared_capacity: Option<u32>,
    pub min_size: u32,
    pub pool_state: PoolState,
    pub status: Option<&'static str>,
    pub instance_reuse_policy: Option<ReusePolicy>,
}

impl From<&WarmPool> for Description {
    fn from(pool: &WarmPool) -> Self {
        Self {
            max_group_prepared_capacity: pool.max_prepared,
            min_size: pool.min,
            pool_state: pool.state,
            status: pool.deleting.then_some("PendingDelete"),
            instance_reuse_policy: pool.reuse.then_some(ReusePolicy { reuse_on_scale_in: Some(true) }),
        }
    }
}

/// Describes a group's warm pool.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 50).choose(input.max_records)?;
    let group = group(region, &input.auto_scaling_group_name)?;
    let mut pooled: Vec<&Member> =
        group.members.iter().filter(|member| member.state.is_warm_pool()).collect();
    pooled.sort_by(|a, b| a.id.cmp(&b.id));
    let page = sorted(pooled, |member| member.id.clone(), input.next_token.as_deref(), size)?;
    Ok(DescribeOutput {
        warm_pool_configuration: group.warm_pool.as_ref().map(Description::from),
        instances: page.items.into_iter().map(|member| describe_member(group, member, false)).collect(),
        next_token: page.next_token,
    })
}
