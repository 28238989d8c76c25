//! Status checks of instances, and the region.

use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use super::instances::{RUNNING, check_id, state};
use crate::region::{Member, Region};
use crate::wire::AwsError;

/// Input of DescribeInstanceStatus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatusInput {
    /// All when empty.
    #[serde(rename = "InstanceId")]
    pub ids: Vec<String>,
    /// Whether those that do not run are told too.
    pub include_all_instances: bool,
    /// Filters: what `values` knows.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// `DescribeInstanceStatus`: those that run, unless all are asked for.
pub fn describe(region: &mut Region, input: &StatusInput) -> Result<Value, AwsError> {
    let size = Size(input.max_results, 5, 1_000);
    size.not_with(&input.ids, "instancesSet")?;
    input.ids.iter().try_for_each(|id| check_id(id))?;
    let loose = region.loose.values().map(|loose| &loose.member);
    let owned = region.groups().flat_map(|group| group.members.iter().chain(&group.gone));
    let left = region.left_over().map(|(_, member)| member);
    let all: Vec<&Member> = loose.chain(owned).chain(left).collect();
    if let Some(unknown) = input.ids.iter().find(|id| !all.iter().any(|member| member.id == **id)) {
        return Err(AwsError::new(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{unknown}' does not exist"),
        ));
    }
    let wanted = |member: &&Member| {
        (input.ids.is_empty() || input.ids.contains(&member.id))
            && (input.include_all_instances || state(member) == RUNNING)
    };
    let mut shown: Vec<Value> = all.into_iter().filter(wanted).map(status).collect();
    keep(&mut shown, &input.filters, values)?;
    let (page, next_token) = page::<Value>(shown, input.next_token.as_deref(), size)?;
    Ok(json!({ "instanceStatusSet": page, "nextToken": next_token }))
}

fn values(shown: &Value, filter: &str) -> Option<Vec<String>> {
    let pointer = match filter {
        "availability-zone" => "/availabilityZone",
        "instance-state-name" => "/instanceState/name",
        "instance-state-code" => "/instanceState/code",
        "instance-status.status" => "/instanceStatus/status",
        "instance-status.reachability" => "/instanceStatus/details/0/status",
        "system-status.status" => "/systemStatus/status",
        "system-status.reachability" => "/systemStatus/details/0/status",
        _ => return None,
    };
    let value = shown.pointer(pointer).into_iter();
    Some(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect())
}

fn status(member: &Member) -> Value {
    let state = state(member);
    let checked = |status: &str, passed: &str| json!({ "status": status, "details": [{ "name": "reachability", "status": passed }] });
    let told = match (state.name, member.is_sound()) {
        ("running", true) => checked("ok", "passed"),
        ("running", false) => checked("impaired", "failed"),
        // What does not run is not checked, and so has no check to tell of.
        _ => json!({ "status": "not-applicable" }),
    };
    json!({
        "instanceId": member.id,
        "availabilityZone": member.zone,
        "instanceState": state,
        "instanceStatus": told,
        "systemStatus": told,
    })
}

/// `DescribeRegions`: this one.
pub fn regions(region: &Region) -> Value {
    json!({ "regionInfo": [{
        "regionName": region.name,
        "regionEndpoint": format!("ec2.{}.amazonaws.com", region.name),
        "optInStatus": "opt-in-not-required",
    }] })
}
