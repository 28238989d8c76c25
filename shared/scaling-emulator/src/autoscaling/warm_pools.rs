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
    check_launches(region, &named.name, &named.settings.source, input.pool_state)?;
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

/// Refuses a pool of what cannot wait in one, by the User Guide's "Limitations" of warm pools: Spot Instances, instances with
/// weights, and hibernated ones of a mixed instances policy whose template does not configure HibernationOptions.
fn check_launches(
    region: &Region,
    name: &str,
    source: &LaunchSource,
    state: Option<PoolState>,
) -> Result<(), AwsError> {
    let options = source.options(&region.blueprints, region.machines).unwrap_or_default();
    let mixes_spot = source.on_demand(MANY).is_some_and(|on_demand| on_demand < MANY);
    if mixes_spot || options.iter().any(|option| option.spot) {
        return Err(AwsError::validation(
            "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy or a launch template or \
             launch configuration that requests Spot Instances.",
        ));
    }
    let LaunchSource::Mixed(policy) = source else { return Ok(()) };
    let overrides = policy.launch_template.iter().flat_map(|template| &template.overrides);
    if overrides.into_iter().any(|choice| choice.weighted_capacity.is_some()) {
        return Err(AwsError::validation(
            "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy with instance weights.",
        ));
    }
    let found = source.template().and_then(|spec| region.blueprints.resolve(spec).ok());
    let hibernates = found.is_some_and(|(_, version)| version.data.hibernates());
    if state == Some(PoolState::Hibernated) && !hibernates {
        return Err(AwsError::validation(format!(
            "The pool state Hibernated needs instances that can hibernate: the launch template of Auto Scaling group {name} \
             does not configure HibernationOptions."
        )));
    }
    Ok(())
}

/// Refuses a source that could not have the group's pool. One that is being deleted launches nothing any more.
pub(super) fn check_source(region: &Region, group: &Group, source: &LaunchSource) -> Result<(), AwsError> {
    let pool = group.warm_pool.filter(|pool| !pool.deleting);
    pool.map_or(Ok(()), |pool| check_launches(region, &group.name, source, Some(pool.state)))
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
