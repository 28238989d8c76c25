//! Instances whose group is deleted: EC2 knows them for as long as it knows all that have ended, so that whoever waits for
//! their end sees it.

use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::{Emulator, Settings};
use serde_json::Value;

use crate::call::{call, ec2, tried_ec2};
use crate::client::{advance, emulator, ids, set};

fn described(emulator: &Emulator, id: &str) -> Value {
    ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"))["reservationSet"][0].clone()
}

fn state(emulator: &Emulator, id: &str) -> String {
    let shown = described(emulator, id);
    shown["instancesSet"][0]["instanceState"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_group_ended_outlives_the_group_by_an_hour() {
    let emulator = emulator(2).await;
    let ended = ids(&emulator, InService);
    let before = described(&emulator, &ended[0]);
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    advance(&emulator, 300).await;
    assert_eq!(emulator.with_region(|region| region.groups().count()), 0);
    let known = |emulator: &Emulator| {
        let ended = ended.iter().map(|id| state(emulator, id));
        ended.collect::<Vec<_>>()
    };
    assert_eq!(known(&emulator), ["terminated"; 2]);
    let after = described(&emulator, &ended[0]);
    for member in ["reservationId", "requesterId", "ownerId"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    for member in ["tagSet", "imageId", "privateIpAddress", "launchTime"] {
        assert_eq!(after["instancesSet"][0][member], before["instancesSet"][0][member], "{member}");
    }
    let id = &ended[0];
    let by_state = "Filter.1.Name=instance-state-name&Filter.1.Value.1=terminated";
    assert_eq!(ec2(&emulator, "DescribeInstances", by_state)["reservationSet"].as_array().unwrap().len(), 2);
    let asked = format!("InstanceId.1={id}");
    assert_eq!(ec2(&emulator, "DescribeInstanceStatus", &asked)["instanceStatusSet"], serde_json::json!([]));
    let again = &ec2(&emulator, "TerminateInstances", &asked)["instancesSet"][0];
    assert_eq!([&again["previousState"]["name"], &again["currentState"]["name"]], ["terminated"; 2]);
    ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=late&Tag.1.Value=1"));
    // A kept state tells of them, too.
    let other = Emulator::start(Settings::default()).await.unwrap();
    other.read_state(&emulator.write_state().unwrap()).unwrap();
    assert_eq!(known(&other), ["terminated"; 2]);
    advance(&emulator, 3600).await;
    let error = tried_ec2(&emulator, "DescribeInstances", &asked).unwrap_err();
    assert_eq!(error.code, "InvalidInstanceID.NotFound");
    assert!(
        !String::from_utf8(emulator.write_state().unwrap()).unwrap().contains(&format!("\"id\":\"{id}\""))
    );
}

#[tokio::test]
async fn an_instance_that_ended_before_its_group_was_deleted_is_still_known() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    call(&emulator, "UpdateAutoScalingGroup", "MinSize=0");
    set(&emulator, 0).unwrap();
    advance(&emulator, 120).await;
    assert_eq!(state(&emulator, &id), "terminated");
    call(&emulator, "DeleteAutoScalingGroup", "");
    assert_eq!(state(&emulator, &id), "terminated");
    advance(&emulator, 60).await;
    assert_eq!(state(&emulator, &id), "terminated");
}

#[tokio::test]
async fn an_activity_tells_whether_its_group_is_still_there() {
    let emulator = emulator(1).await;
    let states = |said: &str| {
        let shown = call(&emulator, "DescribeScalingActivities", said);
        let mut states: Vec<String> = shown["Activities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["AutoScalingGroupState"].as_str().unwrap_or("none").to_owned())
            .collect();
        states.dedup();
        states
    };
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=2");
    advance(&emulator, 120).await;
    assert_eq!(states(""), ["InService"]);
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    advance(&emulator, 120).await;
    assert_eq!(states("IncludeDeletedGroups=true"), ["Deleted"]);
}
