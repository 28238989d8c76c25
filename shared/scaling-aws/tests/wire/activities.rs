//! Failed launches from the scaling activities.

use jiff::Timestamp;
use scaling_control::ports::GroupReader;
use scaling_fleet::TypeName;
use scaling_policy::operation::LaunchFailureKind;

use crate::script::{Script, form, group};
use crate::xml;

fn activity(at: &str, status: &str, description: &str, message: &str) -> String {
    format!(
        "<ActivityId>a</ActivityId><AutoScalingGroupName>web</AutoScalingGroupName><StartTime>{at}</StartTime>\
         <Description>{description}</Description><StatusCode>{status}</StatusCode>\
         <StatusMessage>{message}</StatusMessage><Cause>At {at} a user request changed the desired capacity.</Cause>"
    )
}

const NO_ROOM: &str = "We currently do not have sufficient m7i.large capacity in the Availability Zone you \
                       requested (eu-central-1a). Launching EC2 instance failed.";
const LAUNCH: &str = "Launching a new EC2 instance.  Status Reason: see below";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn failed_launches_come_oldest_first_with_their_cause_and_type() {
    let script = Script::of([xml::answer(
        "DescribeScalingActivities",
        &xml::list(
            "Activities",
            [
                activity("2026-03-01T12:05:00Z", "InProgress", LAUNCH, ""),
                activity("2026-03-01T12:04:00Z", "Failed", LAUNCH, "The AMI ID ami-0 does not exist."),
                activity("2026-03-01T12:03:00Z", "Failed", "Terminating EC2 instance: i-1", "whatever"),
                activity("2026-03-01T12:02:00Z", "Cancelled", LAUNCH, "Desired capacity was changed."),
                activity("2026-03-01T12:01:00Z", "Failed", LAUNCH, NO_ROOM),
                activity("2026-03-01T12:00:30Z", "Successful", "Launching a new EC2 instance: i-2", ""),
                activity("2026-03-01T12:00:10Z", "Failed", LAUNCH, NO_ROOM),
                activity("2026-03-01T11:59:00Z", "Failed", LAUNCH, "VcpuLimitExceeded"),
            ],
        ),
    )]);
    let failures =
        script.platform().launch_failures(&group("web"), moment("2026-03-01T12:00:00Z")).await.unwrap();

    assert_eq!(
        script.only_form(),
        form(&[
            ("Action", "DescribeScalingActivities"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web"),
            ("MaxRecords", "100"),
        ])
    );
    let told = failures.iter().map(|failure| (failure.at.to_string(), failure.kind, failure.overcome));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            // A launch after it went through.
            ("2026-03-01T12:00:10Z".to_owned(), LaunchFailureKind::Capacity, true),
            ("2026-03-01T12:01:00Z".to_owned(), LaunchFailureKind::Capacity, false),
            ("2026-03-01T12:04:00Z".to_owned(), LaunchFailureKind::Template, false),
        ]
    );
    assert_eq!(failures[1].instance_type, Some(TypeName::from("m7i.large")));
    assert_eq!(failures[1].message, NO_ROOM);
    assert_eq!(failures[2].instance_type, None);
}

#[tokio::test(start_paused = true)]
async fn reading_stops_at_the_page_that_goes_further_back_than_asked() {
    let page = |at: &str| {
        let activities = xml::list("Activities", [activity(at, "Failed", LAUNCH, NO_ROOM)]);
        xml::answer("DescribeScalingActivities", &format!("{activities}<NextToken>after {at}</NextToken>"))
    };
    let script = Script::of([
        page("2026-03-01T12:02:00Z"),
        page("2026-03-01T12:01:00Z"),
        page("2026-03-01T11:00:00Z"),
    ]);
    let failures =
        script.platform().launch_failures(&group("web"), moment("2026-03-01T12:00:00Z")).await.unwrap();
    assert_eq!(failures.len(), 2);
    let tokens: Vec<_> = script.sent().iter().map(|sent| sent.field("NextToken")).collect();
    assert_eq!(
        tokens,
        [None, Some("after 2026-03-01T12:02:00Z".to_owned()), Some("after 2026-03-01T12:01:00Z".to_owned())]
    );
}
