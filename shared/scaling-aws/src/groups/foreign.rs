//! Other controllers of a group: scaling policies, scheduled actions, and tags by which another autoscaler
//! claims it.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, PredictiveScalingMode, ScalingPolicy};
use scaling_control::PortError;
use scaling_policy::config::GroupName;
use scaling_policy::snapshot::ForeignController;

use super::{Pages, describe};
use crate::bounded::in_order;
use crate::error::Call;

const POLICIES: Call = Call::autoscaling("DescribePolicies");
const SCHEDULE: Call = Call::autoscaling("DescribeScheduledActions");

/// Beginnings of the tag keys by which other autoscalers claim a group, in lower case.
const CLAIMS: [&str; 8] = [
    "k8s.io/cluster-autoscaler/",
    "karpenter.sh/",
    "karpenter.k8s.aws/",
    "amazonecsmanaged",
    "eks:",
    "elasticbeanstalk:",
    "spotinst:",
    "spot-enabled",
];

/// The foreign controllers of the groups that have any. Groups that don't exist are absent.
///
/// Reads the groups' tags a hundred groups to a call, and policies and schedule by two calls for each group.
pub(crate) async fn controllers(
    client: &Client,
    names: &[String],
) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
    let groups = describe::by_name(client, names).await?;
    let calls = groups.into_iter().map(|group| of_group(client.clone(), group));
    let found = in_order(POLICIES.operation, calls).await?;
    Ok(found.into_iter().filter(|(_, controllers)| !controllers.is_empty()).collect())
}

async fn of_group(
    client: Client,
    group: AutoScalingGroup,
) -> Result<(GroupName, Vec<ForeignController>), PortError> {
    let name = GroupName::new(group.auto_scaling_group_name().unwrap_or_default());
    let attached = async {
        let mut found = policies(&client, &name).await?;
        found.extend(schedule(&client, &name).await?);
        Ok(found)
    };
    let mut found: Vec<_> = match attached.await {
        // Deleted since it was described: nobody controls it any more.
        Err(PortError::NotFound { .. }) => return Ok((name, Vec::new())),
        attached => attached?,
    };
    found.extend(claims(&group));
    Ok((name, found))
}

async fn policies(client: &Client, group: &GroupName) -> Result<Vec<ForeignController>, PortError> {
    let mut pages = Pages::of(POLICIES);
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let answer = client
            .describe_policies()
            .auto_scaling_group_name(group.as_str())
            .max_records(100)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| POLICIES.error(&format!("group {group}"), error))?;
        let acting = answer.scaling_policies().iter().filter(|policy| acts(policy));
        found.extend(acting.map(|policy| ForeignController::ScalingPolicy {
            name: policy.policy_name().unwrap_or_default().to_owned(),
        }));
        token = pages.next(token.as_deref(), answer.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// A policy that is switched off, or that only forecasts, changes nothing.
fn acts(policy: &ScalingPolicy) -> bool {
    let only_forecasts = policy.predictive_scaling_configuration().is_some_and(|predictive| {
        predictive.mode().is_none_or(|mode| *mode == PredictiveScalingMode::ForecastOnly)
    });
    policy.enabled().unwrap_or(true) && !only_forecasts
}

async fn schedule(client: &Client, group: &GroupName) -> Result<Vec<ForeignController>, PortError> {
    let mut pages = Pages::of(SCHEDULE);
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let answer = client
            .describe_scheduled_actions()
            .auto_scaling_group_name(group.as_str())
            .max_records(100)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| SCHEDULE.error(&format!("group {group}"), error))?;
        found.extend(answer.scheduled_update_group_actions().iter().map(|action| {
            ForeignController::ScheduledAction {
                name: action.scheduled_action_name().unwrap_or_default().to_owned(),
            }
        }));
        token = pages.next(token.as_deref(), answer.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn claims(group: &AutoScalingGroup) -> impl Iterator<Item = ForeignController> {
    group.tags().iter().filter_map(|tag| {
        let key = tag.key()?;
        let switched_off = tag.value().is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let claimed = is_claim(key) && !switched_off;
        claimed.then(|| ForeignController::Tag { key: key.to_owned() })
    })
}

fn is_claim(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    CLAIMS.iter().any(|claim| key.starts_with(claim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_other_autoscalers_are_claims_and_others_are_not() {
        for key in [
            "k8s.io/cluster-autoscaler/enabled",
            "k8s.io/cluster-autoscaler/prod",
            "karpenter.sh/nodepool",
            "AmazonECSManaged",
            "eks:nodegroup-name",
            "elasticbeanstalk:environment-id",
            "spotinst:aws:ec2:group:id",
            "spot-enabled",
        ] {
            assert!(is_claim(key), "{key}");
        }
        for key in
            ["Name", "team", "aws:cloudformation:stack-name", "scaling", "seeks:", "kubernetes.io/cluster/x"]
        {
            assert!(!is_claim(key), "{key}");
        }
    }
}
