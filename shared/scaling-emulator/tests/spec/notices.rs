//! What a group tells others: events, and notifications to its topics.

use scaling_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::call::{call, refused};
use crate::client::{advance, control, emulator, set};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:scaling";

async fn told(emulator: &Emulator, source: &str) -> Vec<Value> {
    let (_, answer) = control(emulator, "GET", "/_emulator/events", Value::Null).await;
    let events = answer["events"].as_array().unwrap().iter();
    events.filter(|event| event["source"] == source).cloned().collect()
}

#[tokio::test]
async fn a_topic_is_told_what_it_asked_for_and_nothing_else() {
    let emulator = emulator(1).await;
    let kinds = "NotificationTypes.member.1=autoscaling:EC2_INSTANCE_LAUNCH\
        &NotificationTypes.member.2=autoscaling:EC2_INSTANCE_LAUNCH_ERROR";
    call(&emulator, "PutNotificationConfiguration", &format!("TopicARN={TOPIC}&{kinds}"));
    set(&emulator, 2).unwrap();
    advance(&emulator, 300).await;
    emulator.inject(Fault::CapacityShortage { instance_type: "*".to_owned() }).unwrap();
    set(&emulator, 3).unwrap();
    advance(&emulator, 30).await;
    set(&emulator, 1).unwrap();
    advance(&emulator, 300).await;
    let notices = told(&emulator, "aws.sns").await;
    let kinds: Vec<&Value> = notices.iter().map(|one| &one["detail"]["Message"]["Event"]).collect();
    let expected = ["TEST_NOTIFICATION", "EC2_INSTANCE_LAUNCH", "EC2_INSTANCE_LAUNCH_ERROR"];
    assert_eq!(
        kinds,
        expected.map(|kind| format!("autoscaling:{kind}")).map(Value::from).iter().collect::<Vec<_>>()
    );
    let launch = &notices[1]["detail"];
    assert_eq!(launch["TopicArn"], TOPIC);
    assert_eq!(launch["Subject"], "Auto Scaling: launch for group \"web\"");
    let message = &launch["Message"];
    assert_eq!((&message["StatusCode"], &message["Progress"]), (&json!("Successful"), &json!(100)));
    assert!(message["EC2InstanceId"].as_str().unwrap().starts_with("i-"), "{message}");
    assert!(message["Details"]["Availability Zone"].as_str().unwrap().starts_with("us-east-1"), "{message}");
    assert!(notices[2]["detail"]["Message"]["StatusMessage"].as_str().unwrap().contains("sufficient"));
    call(&emulator, "DeleteNotificationConfiguration", &format!("TopicARN={TOPIC}"));
    emulator.clear_faults();
    set(&emulator, 2).unwrap();
    advance(&emulator, 300).await;
    assert_eq!(told(&emulator, "aws.sns").await.len(), 3);
}

#[tokio::test]
async fn events_say_what_became_of_each_instance() {
    let emulator = emulator(1).await;
    set(&emulator, 2).unwrap();
    advance(&emulator, 300).await;
    emulator.inject(Fault::CapacityShortage { instance_type: "*".to_owned() }).unwrap();
    set(&emulator, 3).unwrap();
    advance(&emulator, 30).await;
    set(&emulator, 1).unwrap();
    advance(&emulator, 300).await;
    let events = told(&emulator, "aws.autoscaling").await;
    let kinds: Vec<&str> = events.iter().map(|event| event["detail-type"].as_str().unwrap()).collect();
    let successes = [
        "EC2 Instance Launch Successful",
        "EC2 Instance Launch Unsuccessful",
        "EC2 Instance Terminate Successful",
    ];
    assert_eq!(kinds, successes);
    let ended = &events[2]["detail"];
    assert_eq!(ended["EC2InstanceId"].as_str().unwrap().len(), 19);
    assert!(ended["Cause"].as_str().unwrap().contains("shrinking the capacity"), "{ended}");
}

#[tokio::test]
async fn what_is_no_topic_is_refused() {
    let emulator = emulator(1).await;
    let members = "TopicARN=scaling&NotificationTypes.member.1=autoscaling:EC2_INSTANCE_LAUNCH";
    let (code, message) = refused(&emulator, "PutNotificationConfiguration", members);
    assert!(code == "ValidationError" && message.contains("Invalid SNS Topic ARN"), "{message}");
}

const REFRESH: &str = "EC2 Auto Scaling Instance Refresh ";

/// What was told of refreshes, without the words that all have in common.
async fn of_refreshes(emulator: &Emulator) -> Vec<(String, Value)> {
    let events = told(emulator, "aws.autoscaling").await.into_iter();
    let short = |event: Value| {
        let kind = event["detail-type"].as_str()?.strip_prefix(REFRESH)?.to_owned();
        Some((kind, event["detail"].clone()))
    };
    events.filter_map(short).collect()
}

#[tokio::test]
async fn events_say_how_a_refresh_goes() {
    let emulator = emulator(4).await;
    let members = "Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=100\
        &Preferences.CheckpointDelay=60&Preferences.InstanceWarmup=0&Preferences.BakeTime=60";
    call(&emulator, "StartInstanceRefresh", members);
    advance(&emulator, 3600).await;
    let events = of_refreshes(&emulator).await;
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["Started", "Checkpoint Reached", "Started Baking", "Succeeded"]);
    let (_, detail) = &events[1];
    assert_eq!(detail["AutoScalingGroupName"], "web");
    assert_eq!((&detail["CheckpointPercentage"], &detail["CheckpointDelay"]), (&json!("50"), &json!("60")));
    assert_eq!(detail["InstanceRefreshId"], events[0].1["InstanceRefreshId"]);
    call(&emulator, "StartInstanceRefresh", "");
    advance(&emulator, 30).await;
    call(&emulator, "CancelInstanceRefresh", "");
    advance(&emulator, 30).await;
    let kinds: Vec<String> =
        of_refreshes(&emulator).await.into_iter().skip(4).map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["Started", "Cancelled"]);
}
