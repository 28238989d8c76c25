//! EC2 beside what the groups need: members that are kept, filters, reservations, calls that are made twice.

use scaling_emulator::ec2::dispatch;
use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{AwsError, Emulator};
use serde_json::{Value, json};

use crate::client::{emulator, ids};

fn tried(emulator: &Emulator, operation: &str, members: &str) -> Result<Value, AwsError> {
    emulator.with_region(|region| dispatch(region, operation, &Form::parse(members.as_bytes())))
}

fn call(emulator: &Emulator, operation: &str, members: &str) -> Value {
    tried(emulator, operation, members).unwrap()
}

fn found(emulator: &Emulator, filter: &str, value: &str) -> usize {
    let members = format!("Filter.1.Name={filter}&Filter.1.Value.1={value}");
    let shown = call(emulator, "DescribeInstances", &members);
    let reservations = shown["reservationSet"].as_array().unwrap();
    reservations.iter().map(|one| one["instancesSet"].as_array().unwrap().len()).sum()
}

#[tokio::test]
async fn a_launch_template_is_read_back_with_all_that_it_was_given() {
    let emulator = emulator(1).await;
    let data = [
        "InstanceType=m7i.large",
        "EbsOptimized=true",
        "Monitoring.Enabled=false",
        "SecurityGroupId.1=sg-1",
        "BlockDeviceMapping.1.DeviceName=/dev/xvda",
        "BlockDeviceMapping.1.Ebs.VolumeSize=20",
        "MetadataOptions.HttpTokens=required",
        "NetworkInterface.1.DeviceIndex=0",
        "InstanceMarketOptions.MarketType=spot",
        "TagSpecification.1.ResourceType=instance",
        "TagSpecification.1.Tag.1.Key=k",
        "TagSpecification.1.Tag.1.Value=v",
    ]
    .map(|member| format!("LaunchTemplateData.{member}"));
    call(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=full&{}", data.join("&")));
    call(
        &emulator,
        "CreateLaunchTemplateVersion",
        "LaunchTemplateName=full&SourceVersion=1&LaunchTemplateData.InstanceType=c7i.large",
    );
    let read = |emulator: &Emulator, members: &str| {
        call(emulator, "DescribeLaunchTemplateVersions", &format!("LaunchTemplateName=full&{members}"))
    };
    let shown = read(&emulator, "LaunchTemplateVersion.1=2");
    let shown = &shown["launchTemplateVersionSet"][0]["launchTemplateData"];
    for (member, expected) in [
        ("instanceType", json!("c7i.large")),
        ("ebsOptimized", json!(true)),
        ("monitoring", json!({ "enabled": false })),
        ("securityGroupIdSet", json!(["sg-1"])),
        ("blockDeviceMappingSet", json!([{ "deviceName": "/dev/xvda", "ebs": { "volumeSize": "20" } }])),
        ("metadataOptions", json!({ "httpTokens": "required" })),
        ("networkInterfaceSet", json!([{ "deviceIndex": "0" }])),
        ("instanceMarketOptions", json!({ "marketType": "spot" })),
        (
            "tagSpecificationSet",
            json!([{ "resourceType": "instance", "tagSet": [{ "key": "k", "value": "v" }] }]),
        ),
    ] {
        assert_eq!(shown[member], expected, "{member}");
    }
    let number = |members: &str| {
        let shown = read(&emulator, members);
        let all = shown["launchTemplateVersionSet"].as_array().unwrap().clone();
        all.iter().map(|one| one["versionNumber"].as_u64().unwrap()).collect::<Vec<u64>>()
    };
    assert_eq!((number("MinVersion=2"), number("MaxVersion=1"), number("")), (vec![2], vec![1], vec![2, 1]));
    let written = emulator.write_state().unwrap();
    emulator.read_state(&written).unwrap();
    assert_eq!(emulator.write_state().unwrap(), written, "a state keeps it too");
}

#[tokio::test]
async fn instances_are_found_by_where_and_of_what_they_are() {
    let emulator = emulator(3).await;
    call(
        &emulator,
        "RunInstances",
        "MinCount=2&MaxCount=2&ImageId=ami-9&InstanceType=c7g.large&KeyName=k\
         &SubnetId=subnet-0d3fa017000000002",
    );
    for (filter, value, expected) in [
        ("vpc-id", "vpc-*", 5),
        ("subnet-id", "subnet-0d3fa01700000000?", 5),
        ("subnet-id", "subnet-0d3fa017000000002", 3),
        ("availability-zone", "us-east-1b", 3),
        ("image-id", "ami-9", 2),
        ("architecture", "arm64", 2),
        ("instance-lifecycle", "spot", 0),
        ("key-name", "k", 2),
        ("launch-time", "2026-01-05T*", 5),
        ("reservation-id", "r-*", 5),
        ("instance-type", "m7i.?arge", 3),
    ] {
        assert_eq!(found(&emulator, filter, value), expected, "{filter} {value}");
    }
    let status = |filter: &str, value: &str| {
        let members = format!("Filter.1.Name={filter}&Filter.1.Value.1={value}");
        call(&emulator, "DescribeInstanceStatus", &members)["instanceStatusSet"].as_array().unwrap().len()
    };
    assert_eq!((status("instance-status.status", "ok"), status("availability-zone", "us-east-1a")), (5, 1));
}

#[tokio::test]
async fn what_is_run_together_is_one_reservation_and_the_same_call_again_runs_nothing() {
    let emulator = emulator(1).await;
    let run = "MinCount=2&MaxCount=2&ImageId=ami-9&InstanceType=m7i.large&ClientToken=once";
    let first = call(&emulator, "RunInstances", run);
    let again = call(&emulator, "RunInstances", run);
    assert_eq!(first["reservationId"], again["reservationId"]);
    let id = first["reservationId"].as_str().unwrap();
    assert_eq!(found(&emulator, "reservation-id", id), 2);
    let all = call(&emulator, "DescribeInstances", "");
    assert_eq!(all["reservationSet"].as_array().unwrap().len(), 2, "this one, and the group's instance");
    let other = tried(&emulator, "RunInstances", &run.replace("m7i.large", "c7i.large")).unwrap_err();
    assert_eq!(other.code, "IdempotentParameterMismatch");
    let nowhere = tried(
        &emulator,
        "RunInstances",
        "MinCount=1&MaxCount=1&ImageId=ami-9&InstanceType=m7i.large&SubnetId=subnet-1",
    );
    assert_eq!(nowhere.unwrap_err().code, "InvalidSubnetID.NotFound");
}

#[tokio::test]
async fn tags_that_a_caller_gives_to_an_instance_of_a_group_stay() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    call(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=job&Tag.1.Value=batch"));
    assert_eq!(found(&emulator, "tag:job", "batch"), 1);
    call(&emulator, "DeleteTags", &format!("ResourceId.1={id}&Tag.1.Key=job"));
    assert_eq!(found(&emulator, "tag:job", "batch"), 0);
    let reserved = tried(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=aws:x"));
    assert_eq!(reserved.unwrap_err().code, "InvalidParameterValue");
}
