//! Load balancers of a group: attached, detached, shown. Everything attached counts as in service.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::page::{Sizes, listed};
use super::{at_most, check_stays, fits, group, group_mut};
use crate::region::Region;
use crate::wire::AwsError;

/// Most load balancers, or target groups, of a group.
const MOST: usize = 50;

/// Most of one call.
pub(super) const MOST_AT_ONCE: usize = 10;

/// Longest name of any of them.
const LONGEST: usize = 511;

/// Input of the operations on target groups.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetGroupsInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The target groups.
    #[serde(default, rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
}

/// Input of the operations on classic load balancers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BalancersInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The load balancers.
    #[serde(default)]
    pub load_balancer_names: Vec<String>,
}

/// Output without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Nothing {}

/// Attaches target groups.
pub fn attach_targets(region: &mut Region, input: &TargetGroupsInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    check_targets(&input.target_group_arns)?;
    add(&mut group.settings.target_group_arns, &input.target_group_arns, "targetGroupARNs")?;
    Ok(Nothing {})
}

/// Refuses what is no ARN of a target group. Any that is one stands for a target group that exists: there is no load
/// balancing of its own here.
pub(super) fn check_targets(arns: &[String]) -> Result<(), AwsError> {
    if arns.iter().all(|arn| is_target_group(arn)) {
        return Ok(());
    }
    Err(AwsError::validation(
        "Provided Target Groups may not be valid. Please ensure they exist and try again.",
    ))
}

/// Whether this is the ARN of a target group, `arn:...:targetgroup/NAME/ID`.
pub(super) fn is_target_group(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "elasticloadbalancing", _, _, resource] = parts.as_slice() else { return false };
    let named = resource.strip_prefix("targetgroup/").unwrap_or_default();
    named.contains('/') && named.split('/').all(|part| !part.is_empty())
}

/// Detaches target groups.
pub fn detach_targets(region: &mut Region, input: &TargetGroupsInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    at_most(&input.target_group_arns, MOST_AT_ONCE, "targetGroupARNs")?;
    remove(&mut group.settings.target_group_arns, &input.target_group_arns, "target group")?;
    Ok(Nothing {})
}

/// Input of the operations that describe.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// 100 by default and at most.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Describes the target groups of a group.
pub fn describe_targets(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let settings = &group(region, &input.auto_scaling_group_name)?.settings;
    let (arns, next_token) = paged(&settings.target_group_arns, input)?;
    let shown = |arn: &String| json!({ "LoadBalancerTargetGroupARN": arn, "State": "InService" });
    let shown: Value = arns.into_iter().map(shown).collect();
    Ok(json!({ "LoadBalancerTargetGroups": shown, "NextToken": next_token }))
}

fn paged<'a>(
    all: &'a [String],
    input: &DescribeInput,
) -> Result<(Vec<&'a String>, Option<String>), AwsError> {
    let size = Sizes(100, 100).choose(input.max_records)?;
    let page = listed(all.iter().collect(), |one| (*one).clone(), input.next_token.as_deref(), size)?;
    Ok((page.items, page.next_token))
}

/// Attaches classic load balancers.
pub fn attach_balancers(region: &mut Region, input: &BalancersInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    add(&mut group.settings.load_balancer_names, &input.load_balancer_names, "loadBalancerNames")?;
    Ok(Nothing {})
}

/// Detaches classic load balancers.
pub fn detach_balancers(region: &mut Region, input: &BalancersInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    at_most(&input.load_balancer_names, MOST_AT_ONCE, "loadBalancerNames")?;
    remove(&mut group.settings.load_balancer_names, &input.load_balancer_names, "load balancer")?;
    Ok(Nothing {})
}

/// Describes the classic load balancers of a group.
pub fn describe_balancers(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let settings = &group(region, &input.auto_scaling_group_name)?.settings;
    let (names, next_token) = paged(&settings.load_balancer_names, input)?;
    let shown = |name: &String| json!({ "LoadBalancerName": name, "State": "InService" });
    let shown: Value = names.into_iter().map(shown).collect();
    Ok(json!({ "LoadBalancers": shown, "NextToken": next_token }))
}

pub(super) fn add(list: &mut Vec<String>, given: &[String], member: &str) -> Result<(), AwsError> {
    at_most(given, MOST_AT_ONCE, member)?;
    given.iter().try_for_each(|one| fits(one, LONGEST, member))?;
    let new: Vec<&String> = given.iter().filter(|one| !list.contains(one)).collect();
    check_total(list.len() + new.len(), member)?;
    list.extend(new.into_iter().cloned());
    Ok(())
}

/// Refuses more load balancers, or target groups, than a group may have.
pub(super) fn check_total(total: usize, member: &str) -> Result<(), AwsError> {
    if total > MOST {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A group must not have more than {MOST} of its {member}."),
        ));
    }
    Ok(())
}

pub(super) fn remove(list: &mut Vec<String>, given: &[String], what: &str) -> Result<(), AwsError> {
    if let Some(unknown) = given.iter().find(|one| !list.contains(one)) {
        return Err(AwsError::validation(format!(
            "Trying to remove a {what} that is not part of the group: {unknown}"
        )));
    }
    list.retain(|one| !given.contains(one));
    Ok(())
}
