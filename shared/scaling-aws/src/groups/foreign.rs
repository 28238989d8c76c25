//! Other controllers of a group: scaling policies, scheduled actions, and tags by which another autoscaler
//! claims it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, PredictiveScalingMode, ScalingPolicy};
use scaling_control::PortError;
use scaling_control::ports::LOOK_TIME;
use scaling_policy::config::GroupName;
use scaling_policy::snapshot::ForeignController;
use tokio::time::Instant;

use super::{Pages, describe};
use crate::bounded::each;
use crate::error::Call;

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

/// Most pages of a listing of the whole account, a hundred entries each: more take longer than a tick has.
const MOST_PAGES: usize = 20;

/// Longest time for the listings of the whole account; what is left of the look is for asking group by group.
const LONGEST_LISTING: Duration = Duration::from_secs(5);

/// What is found, by group.
type Found = BTreeMap<GroupName, Vec<ForeignController>>;

/// The foreign controllers of each of the groups that exist, empty where there are none. A group that could not be
/// looked at, or not in time, is absent.
///
/// As few calls as possible, as the account's request rate is shared with everything else that scales. A page of
/// DescribePolicies or DescribeScheduledActions without a group holds a hundred entries of all groups, so several groups
/// are looked at by listing the account: for 490 groups with a policy each 5 calls and 1, where asking for each group is
/// 980. That is given up where it takes longer than a page for each group asked for, or than `MOST_PAGES`: few groups in
/// an account of many policies. The rest, and a single group, is asked for group by group, two calls each. The groups'
/// tags come with their descriptions, a hundred groups to a call.
///
/// # Errors
/// The groups could not be described, a listing is not allowed or throttled, or no group could be looked at.
pub(crate) async fn controllers(client: &Client, names: &[String]) -> Result<Found, PortError> {
    let until = Instant::now() + LOOK_TIME;
    let groups = describe::by_name(client, names).await?;
    let (policies, schedule) = tokio::try_join!(
        of_account(client, Listing::Policies, groups.len()),
        of_account(client, Listing::Schedule, groups.len())
    )?;
    let listed = [(Listing::Policies, policies), (Listing::Schedule, schedule)];
    let unlisted: Vec<Listing> =
        listed.iter().filter(|(_, found)| found.is_none()).map(|(listing, _)| *listing).collect();
    let mut found = Found::new();
    for (name, controller) in listed.into_iter().filter_map(|(_, found)| found).flatten() {
        found.entry(name).or_default().push(controller);
    }
    let asked = groups.iter().map(|group| {
        let name = GroupName::new(group.auto_scaling_group_name().unwrap_or_default());
        of_group(client.clone(), name, unlisted.clone(), until)
    });
    let asked = each(Listing::Policies.call().operation, asked.collect::<Vec<_>>()).await;
    let mut looked_at = Found::new();
    let mut failure = None;
    for (group, asked) in groups.iter().zip(asked) {
        let name = GroupName::new(group.auto_scaling_group_name().unwrap_or_default());
        match asked {
            Ok(attached) => {
                let listed = found.remove(&name).unwrap_or_default();
                let all = listed.into_iter().chain(attached).chain(claims(group)).collect();
                looked_at.insert(name, all);
            }
            Err(error) => {
                tracing::debug!(group = %name, %error, "not looked at");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if looked_at.is_empty() => Err(error),
        _ => Ok(looked_at),
    }
}

/// What is attached to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Policies,
    Schedule,
}

/// A page of a listing: what acts, with its group, and where the listing goes on.
struct Page {
    found: Vec<(GroupName, ForeignController)>,
    next: Option<String>,
}

impl Listing {
    const fn call(self) -> Call {
        match self {
            Self::Policies => Call::autoscaling("DescribePolicies"),
            Self::Schedule => Call::autoscaling("DescribeScheduledActions"),
        }
    }

    /// One page, of one group or of the whole account.
    async fn page(
        self,
        client: &Client,
        group: Option<&GroupName>,
        token: Option<String>,
    ) -> Result<Page, PortError> {
        let name = group.map(ToString::to_string);
        let subject = group.map_or_else(|| "the account".to_owned(), |group| format!("group {group}"));
        let of = |name: Option<&str>| GroupName::new(name.unwrap_or_default());
        match self {
            Self::Policies => {
                let request = client.describe_policies().set_auto_scaling_group_name(name);
                let answer = request.max_records(100).set_next_token(token).send().await;
                let answer = answer.map_err(|error| self.call().error(&subject, error))?;
                let acting = answer.scaling_policies().iter().filter(|policy| acts(policy));
                let found = acting.map(|policy| {
                    let name = policy.policy_name().unwrap_or_default().to_owned();
                    (of(policy.auto_scaling_group_name()), ForeignController::ScalingPolicy { name })
                });
                Ok(Page { found: found.collect(), next: answer.next_token })
            }
            Self::Schedule => {
                let request = client.describe_scheduled_actions().set_auto_scaling_group_name(name);
                let answer = request.max_records(100).set_next_token(token).send().await;
                let answer = answer.map_err(|error| self.call().error(&subject, error))?;
                let found = answer.scheduled_update_group_actions().iter().map(|action| {
                    let name = action.scheduled_action_name().unwrap_or_default().to_owned();
                    (of(action.auto_scaling_group_name()), ForeignController::ScheduledAction { name })
                });
                Ok(Page { found: found.collect(), next: answer.next_token })
            }
        }
    }

    /// Every page, or `None` where there are more than `most`.
    async fn pages(
        self,
        client: &Client,
        group: Option<&GroupName>,
        most: usize,
    ) -> Result<Option<Vec<(GroupName, ForeignController)>>, PortError> {
        let mut pages = Pages::of(self.call());
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..most {
            let page = self.page(client, group, token.clone()).await?;
            found.extend(page.found);
            token = pages.next(token.as_deref(), page.next)?;
            if token.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The listing of the whole account; `None` where the `groups` asked for had better be asked for one by one.
async fn of_account(
    client: &Client,
    listing: Listing,
    groups: usize,
) -> Result<Option<Vec<(GroupName, ForeignController)>>, PortError> {
    if groups < 2 {
        return Ok(None);
    }
    let pages = listing.pages(client, None, groups.min(MOST_PAGES));
    match tokio::time::timeout(LONGEST_LISTING, pages).await {
        Ok(Ok(found)) => Ok(found),
        // Whoever may not list, or has to wait, may not ask a hundred times either.
        Ok(Err(error @ (PortError::Denied { .. } | PortError::Throttled { .. }))) => Err(error),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the account could not be listed; groups are asked for one by one");
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

/// What the `listings` say of one group. Nothing is asked for after `until`.
async fn of_group(
    client: Client,
    group: GroupName,
    listings: Vec<Listing>,
    until: Instant,
) -> Result<Vec<ForeignController>, PortError> {
    let mut attached = Vec::new();
    for listing in listings {
        let late = || listing.call().malformed("no time was left for this group");
        if Instant::now() >= until {
            return Err(late());
        }
        let pages = listing.pages(&client, Some(&group), super::MOST_PAGES);
        match tokio::time::timeout_at(until, pages).await.map_err(|_| late())? {
            Ok(found) => {
                let found = found.ok_or_else(|| listing.call().malformed("the listing does not end"))?;
                attached.extend(found.into_iter().map(|(_, controller)| controller));
            }
            // Deleted since it was described: nobody controls it any more.
            Err(PortError::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(attached)
}

/// A policy that is switched off, or that only forecasts, changes nothing.
fn acts(policy: &ScalingPolicy) -> bool {
    let only_forecasts = policy.predictive_scaling_configuration().is_some_and(|predictive| {
        predictive.mode().is_none_or(|mode| *mode == PredictiveScalingMode::ForecastOnly)
    });
    policy.enabled().unwrap_or(true) && !only_forecasts
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
