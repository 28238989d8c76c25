//! Failed launches, read from the scaling activities, and why they failed.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{Activity, ScalingActivityStatusCode};
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_fleet::TypeName;
use scaling_policy::config::GroupName;
use scaling_policy::operation::{LaunchFailure, LaunchFailureKind};

use super::Pages;
use crate::error::Call;
use crate::moment::timestamp;

const DESCRIBE: Call = Call::autoscaling("DescribeScalingActivities");

/// Launches that failed among the activities started at or after `since`, oldest first.
///
/// Activities come newest first; the page with the first older one is the last that is read.
pub(crate) async fn since(
    client: &Client,
    group: &GroupName,
    since: Timestamp,
) -> Result<Vec<LaunchFailure>, PortError> {
    let mut pages = Pages::of(DESCRIBE);
    let (mut failures, mut overcome) = (Vec::new(), false);
    let mut token: Option<String> = None;
    loop {
        let answer = client
            .describe_scaling_activities()
            .auto_scaling_group_name(group.as_str())
            .max_records(100)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| DESCRIBE.error(&format!("group {group}"), error))?;
        let mut reached = false;
        for activity in answer.activities() {
            let Some(at) = activity.start_time().and_then(timestamp) else { continue };
            reached |= at < since;
            if at >= since {
                failures.extend(failure(activity, at).map(|failure| LaunchFailure { overcome, ..failure }));
                overcome |= went_through(activity);
            }
        }
        token = pages.next(token.as_deref(), answer.next_token)?;
        if reached || token.is_none() {
            failures.sort_by_key(|failure| failure.at);
            return Ok(failures);
        }
    }
}

fn launches(activity: &Activity) -> bool {
    activity.description().is_some_and(|text| text.starts_with("Launching"))
}

fn went_through(activity: &Activity) -> bool {
    launches(activity) && activity.status_code() == Some(&ScalingActivityStatusCode::Successful)
}

fn failure(activity: &Activity, at: Timestamp) -> Option<LaunchFailure> {
    let message = activity.status_message().unwrap_or_default();
    let kind = classify(message);
    let failed = match activity.status_code() {
        Some(ScalingActivityStatusCode::Failed) => true,
        // A launch that was called off is no failure; one that was given up for a known cause is.
        Some(ScalingActivityStatusCode::Cancelled) => kind != LaunchFailureKind::Other,
        _ => false,
    };
    if !launches(activity) || !failed {
        return None;
    }
    let texts = [Some(message), activity.description(), activity.cause(), activity.details()];
    Some(LaunchFailure {
        at,
        kind,
        instance_type: texts.into_iter().flatten().find_map(named_type),
        message: message.to_owned(),
        overcome: false,
    })
}

/// What the words of a status message say about the cause, the first match deciding. In lower case.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html>
const SIGNS: [(&str, LaunchFailureKind); 40] = [
    ("insufficientinstancecapacity", LaunchFailureKind::Capacity),
    ("insufficient capacity", LaunchFailureKind::Capacity),
    ("sufficient capacity", LaunchFailureKind::Capacity),
    ("insufficienthostcapacity", LaunchFailureKind::Capacity),
    ("insufficientreservedinstance", LaunchFailureKind::Capacity),
    ("reservationcapacityexceeded", LaunchFailureKind::Capacity),
    ("no spot capacity", LaunchFailureKind::Capacity),
    ("unfulfillablecapacity", LaunchFailureKind::Capacity),
    ("spotmaxpricetoolow", LaunchFailureKind::Capacity),
    ("is not supported in your requested availability zone", LaunchFailureKind::Capacity),
    ("is no longer supported", LaunchFailureKind::Capacity),
    ("is not supported in the availability zone", LaunchFailureKind::Capacity),
    ("vcpulimitexceeded", LaunchFailureKind::Quota),
    ("current vcpu limit", LaunchFailureKind::Quota),
    ("instancelimitexceeded", LaunchFailureKind::Quota),
    ("instances than your current instance limit", LaunchFailureKind::Quota),
    ("instance(s) are already running", LaunchFailureKind::Quota),
    ("maxspotinstancecountexceeded", LaunchFailureKind::Quota),
    ("max spot instance count", LaunchFailureKind::Quota),
    ("volumelimitexceeded", LaunchFailureKind::Quota),
    ("networkinterfacelimitexceeded", LaunchFailureKind::Quota),
    ("addresslimitexceeded", LaunchFailureKind::Quota),
    ("insufficientfreeaddresses", LaunchFailureKind::Quota),
    ("requestlimitexceeded", LaunchFailureKind::Other),
    ("invalidami", LaunchFailureKind::Template),
    ("the ami ", LaunchFailureKind::Template),
    ("ami id", LaunchFailureKind::Template),
    ("architecture", LaunchFailureKind::Template),
    ("key pair", LaunchFailureKind::Template),
    ("invalidkeypair", LaunchFailureKind::Template),
    ("security group", LaunchFailureKind::Template),
    ("invalidgroup", LaunchFailureKind::Template),
    ("securitygroup", LaunchFailureKind::Template),
    ("subnet", LaunchFailureKind::Template),
    ("instance profile", LaunchFailureKind::Template),
    ("instanceprofile", LaunchFailureKind::Template),
    ("launch template", LaunchFailureKind::Template),
    ("block device mapping", LaunchFailureKind::Template),
    ("unauthorizedoperation", LaunchFailureKind::Template),
    ("not authorized to perform", LaunchFailureKind::Template),
];

fn classify(message: &str) -> LaunchFailureKind {
    let message = message.to_ascii_lowercase();
    let sign = SIGNS.iter().find(|(sign, _)| message.contains(sign));
    match sign {
        Some((_, kind)) => *kind,
        // Said of a type in a zone; with other subjects it is said of the template's settings.
        None if message.starts_with("unsupported")
            || message.contains("sufficient") && message.contains("capacity") =>
        {
            LaunchFailureKind::Capacity
        }
        None => LaunchFailureKind::Other,
    }
}

/// The first instance type that a text names.
fn named_type(text: &str) -> Option<TypeName> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
        .map(|word| word.trim_matches(['.', '-']))
        .find(|word| is_type(word))
        .map(TypeName::new)
}

fn is_type(word: &str) -> bool {
    let Some((family, size)) = word.split_once('.') else { return false };
    let family_like = family.starts_with(|c: char| c.is_ascii_lowercase())
        && family.contains(|c: char| c.is_ascii_digit())
        && family.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let plain = size.trim_start_matches(|c: char| c.is_ascii_digit());
    let size_like = match plain {
        "nano" | "micro" | "small" | "medium" | "large" => plain.len() == size.len(),
        "xlarge" => true,
        _ => size == "metal" || size.starts_with("metal-"),
    };
    family_like && size_like
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(message: &str, kind: LaunchFailureKind) {
        assert_eq!(classify(message), kind, "{message}");
    }

    #[test]
    fn a_lack_of_capacity_is_told_from_a_quota_and_a_fault_of_the_template() {
        says(
            "We currently do not have sufficient m7i.large capacity in the Availability Zone you requested \
             (us-east-1a). Our system will be working on provisioning additional capacity.",
            LaunchFailureKind::Capacity,
        );
        says(
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - none left",
            LaunchFailureKind::Capacity,
        );
        says(
            "Your requested instance type (m7i.large) is not supported in your requested Availability Zone \
             (us-east-1e). Please retry your request by not specifying an Availability Zone.",
            LaunchFailureKind::Capacity,
        );
        says(
            "Unsupported - The requested configuration is currently not supported.",
            LaunchFailureKind::Capacity,
        );
        says(
            "Could not launch Spot Instances. UnfulfillableCapacity - There is no Spot capacity available that \
             matches your request. Launching EC2 instance failed.",
            LaunchFailureKind::Capacity,
        );
        says(
            "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than \
             your current vCPU limit of 32 allows for the instance bucket that the specified instance type belongs \
             to.",
            LaunchFailureKind::Quota,
        );
        says("MaxSpotInstanceCountExceeded - Max spot instance count exceeded.", LaunchFailureKind::Quota);
        says("InstanceLimitExceeded - 20 instance(s) are already running.", LaunchFailureKind::Quota);
        says("The AMI ID ami-0 does not exist. Launching EC2 instance failed.", LaunchFailureKind::Template);
        says(
            "The key pair 'deploy' does not exist. Launching EC2 instance failed.",
            LaunchFailureKind::Template,
        );
        says("The security group 'sg-0' does not exist.", LaunchFailureKind::Template);
        says("Invalid IAM Instance Profile name", LaunchFailureKind::Template);
        says("Not authorized for images: ami-0. UnauthorizedOperation", LaunchFailureKind::Template);
        says("You must use a valid fully-formed launch template.", LaunchFailureKind::Template);
        says("Client.InternalError: Client error on launch.", LaunchFailureKind::Other);
        says("", LaunchFailureKind::Other);
    }

    #[test]
    fn the_type_is_found_in_prose_and_nothing_else_is_taken_for_one() {
        let named = |text| named_type(text).map(|name| name.as_str().to_owned());
        assert_eq!(named("sufficient m7i.large capacity").as_deref(), Some("m7i.large"));
        assert_eq!(named("type (c7gn.16xlarge) is").as_deref(), Some("c7gn.16xlarge"));
        assert_eq!(named("no u-6tb1.112xlarge.").as_deref(), Some("u-6tb1.112xlarge"));
        assert_eq!(named("use m7i.metal-24xl instead").as_deref(), Some("m7i.metal-24xl"));
        assert_eq!(named("At 2026-01-01T00:00:00Z a user. Client.InternalError ec2.amazonaws.com"), None);
        assert_eq!(named("version 1.5.large is m7i.2large"), None);
    }
}
