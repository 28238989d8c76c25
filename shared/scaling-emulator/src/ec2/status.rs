//! Status checks of instances, and the region.

use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{Size, page};
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
    let owned = region.groups().flat_map(|group| &group.members);
    let all: Vec<&Member> = loose.chain(owned).collect();
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
    let shown = all.into_iter().filter(wanted).map(status).collect();
    let (page, next_token) = page::<Value>(shown, input.next_token.as_deref(), size)?;
    Ok(json!({ "instanceStatusSet": page, "nextToken": next_token }))
}

fn status(member: &Member) -> Value {
    let state = state(member);
    let check = match (state.name, member.is_sound()) {
        ("running", true) => ("ok", "passed"),
        ("running", false) => ("impaired", "failed"),
        _ => ("not-applicable", "not-applicable"),
    };
    let told = json!({ "status": check.0, "details": [{ "name": "reachability", "status": check.1 }] });
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
