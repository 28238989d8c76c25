//! Spot requests: those of the instances that run or ran. A request is made with its instance, and ends with it.
//!
//! Sources: *Amazon EC2 User Guide*, "Get the status of a Spot Instance request" and "State changes for a Spot request".

use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use super::instances::{InstanceDescription, chosen, members, request, state};
use super::tags;
use super::template_data::{Ec2Tag, TagSpecification};
use crate::region::{Condition, Member, Region};
use crate::wire::AwsError;

/// Input of DescribeSpotInstanceRequests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// All when empty.
    #[serde(rename = "SpotInstanceRequestId")]
    pub ids: Vec<String>,
    /// Filters: what `values` knows.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Describes requests. An unknown id is an error; those of ended instances are known for as long as these are.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let size = Size(input.max_results, 5, 1_000);
    let mut found = requests(region);
    if let Some(unknown) = input.ids.iter().find(|id| !found.iter().any(|one| one[ID] == ***id)) {
        return Err(not_found(unknown));
    }
    if !input.ids.is_empty() {
        found.retain(|one| input.ids.iter().any(|id| one[ID] == **id));
    }
    keep(&mut found, &input.filters, values)?;
    let (page, next_token) = page::<Value>(found, input.next_token.as_deref(), size)?;
    Ok(json!({ "spotInstanceRequestSet": page, "nextToken": next_token }))
}

/// Member with a request's id.
const ID: &str = "spotInstanceRequestId";

/// What tags and their descriptions call a request.
pub(super) const KIND: &str = "spot-instances-request";

/// Gives the request of a new instance the tags that are meant for it.
pub(super) fn give_tags(region: &mut Region, instance: &str, specifications: &[TagSpecification]) {
    tags::give(region, &request(instance), KIND, specifications);
}

/// Whether there is a request with this id.
pub(super) fn is_known(region: &Region, id: &str) -> bool {
    members(region).any(|member| member.spot && request(&member.id) == id)
}

pub(super) fn not_found(id: &str) -> AwsError {
    AwsError::new(
        "InvalidSpotInstanceRequestID.NotFound",
        format!("The spot instance request ID '{id}' does not exist"),
    )
}

fn requests(region: &Region) -> Vec<Value> {
    let spot = chosen(region, |member| member.spot);
    spot.map(|(instance, member)| shown(region, &instance, member)).collect()
}

fn shown(region: &Region, instance: &InstanceDescription, member: &Member) -> Value {
    let status = Status::of(member);
    // Older states know of no other change than the end.
    let updated = member.request_changed.or(member.gone_at).unwrap_or(member.launched);
    json!({
        "createTime": member.launched,
        ID: instance.spot_instance_request_id,
        "instanceId": member.id,
        "instanceInterruptionBehavior": member.interruption.name(),
        "launchSpecification": {
            "imageId": instance.image_id,
            "instanceType": instance.instance_type,
            "keyName": instance.key_name,
            "groupSet": instance.group_set,
            "placement": { "availabilityZone": member.zone },
            "subnetId": instance.subnet_id,
            "monitoring": { "enabled": true },
        },
        "launchedAvailabilityZone": member.zone,
        "productDescription": "Linux/UNIX",
        "state": status.state,
        "status": {
            "code": status.code,
            "message": status.message,
            "updateTime": updated,
        },
        "tagSet": tags::of(region, &request(&member.id)),
        "type": if member.persistent { "persistent" } else { "one-time" },
    })
}

/// How a request stands.
struct Status {
    state: &'static str,
    code: &'static str,
    message: &'static str,
}

impl Status {
    fn of(member: &Member) -> Self {
        let (state, code, message) = match state(member).name {
            "terminated" | "shutting-down" if member.interrupted => (
                "closed",
                "instance-terminated-no-capacity",
                "Your instance was terminated because there is no longer enough Spot capacity available.",
            ),
            "terminated" | "shutting-down" => {
                ("closed", "instance-terminated-by-user", "Your instance was terminated by you.")
            }
            "stopped" if member.interrupted => (
                "open",
                "instance-stopped-no-capacity",
                "Your instance was stopped because there is no longer enough Spot capacity available.",
            ),
            "stopped" => ("disabled", "instance-stopped-by-user", "Your instance was stopped by you."),
            _ if member.request_cancelled => (
                "cancelled",
                "request-canceled-and-instance-running",
                "Your Spot request was canceled, and your instance still runs.",
            ),
            _ if member.at_risk && member.interruption.is_usual() => {
                ("active", "marked-for-termination", "Your instance is marked for termination.")
            }
            _ if member.at_risk => ("active", "marked-for-stop", "Your instance is marked for stop."),
            _ => ("active", "fulfilled", "Your Spot request is fulfilled."),
        };
        Self { state: if member.request_cancelled { "cancelled" } else { state }, code, message }
    }
}

fn values(request: &Value, filter: &str) -> Option<Vec<String>> {
    let tagged: Vec<Ec2Tag> = serde_json::from_value(request["tagSet"].clone()).unwrap_or_default();
    if let Some(values) = tags::values(&tagged, filter) {
        return Some(values);
    }
    let pointer = match filter {
        "instance-id" => "/instanceId",
        "launch.image-id" => "/launchSpecification/imageId",
        "launch.instance-type" => "/launchSpecification/instanceType",
        "launch.key-name" => "/launchSpecification/keyName",
        "launched-availability-zone" => "/launchedAvailabilityZone",
        "product-description" => "/productDescription",
        "spot-instance-request-id" => "/spotInstanceRequestId",
        "state" => "/state",
        "status-code" => "/status/code",
        "status-message" => "/status/message",
        "type" => "/type",
        _ => return None,
    };
    Some(request.pointer(pointer).and_then(Value::as_str).map(str::to_owned).into_iter().collect())
}

/// Input of CancelSpotInstanceRequests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CancelInput {
    /// The requests.
    #[serde(rename = "SpotInstanceRequestId")]
    pub ids: Vec<String>,
}

/// Cancels requests: what runs goes on running, and what is stopped ends, since nobody would start it again. A request that
/// is closed stays so: only open, active and disabled ones can be cancelled.
pub fn cancel(region: &mut Region, input: &CancelInput) -> Result<Value, AwsError> {
    if input.ids.is_empty() {
        return Err(AwsError::new(
            "MissingParameter",
            "The request must contain the parameter SpotInstanceRequestId",
        ));
    }
    let mut meant = Vec::new();
    for id in &input.ids {
        let known = members(region).find(|member| member.spot && request(&member.id) == *id);
        meant.push(known.ok_or_else(|| not_found(id))?.id.clone());
    }
    let mut told = Vec::new();
    for (id, instance) in input.ids.iter().zip(meant) {
        told.push(json!({ ID: id, "state": cancelled(region, &instance) }));
    }
    Ok(json!({ "spotInstanceRequestSet": told }))
}

/// Cancels the request of an instance where it has not ended, and says how it stands then.
fn cancelled(region: &mut Region, instance: &str) -> &'static str {
    let now = region.now;
    let Some(member) = region.present_mut(instance) else { return "closed" };
    let before = Status::of(member).state;
    if !matches!(before, "open" | "active" | "disabled") {
        return before;
    }
    let stopped = state(member).name == "stopped";
    member.request_cancelled = true;
    member.interrupted &= !stopped;
    member.change_request(now);
    if stopped {
        region.lose(instance, Condition::Terminated);
    }
    "cancelled"
}
