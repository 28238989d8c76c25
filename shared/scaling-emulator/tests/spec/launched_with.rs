//! What an instance has from its launch stays with it, whatever becomes of its template, its group and its group's tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use serde_json::{Value, json};

use crate::call::{call, ec2, is_refused};
use crate::client::{advance, emulator, ids, web};

fn reservation(emulator: &Emulator, id: &str) -> Value {
    ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"))["reservationSet"][0].clone()
}

fn described(emulator: &Emulator, id: &str) -> Value {
    reservation(emulator, id)["instancesSet"][0].clone()
}

fn tags(emulator: &Emulator, id: &str) -> BTreeMap<String, String> {
    let shown = described(emulator, id)["tagSet"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    shown.as_array().unwrap().iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect()
}

/// Image, key, security groups and role of an instance.
fn kit(emulator: &Emulator, id: &str) -> Value {
    let one = described(emulator, id);
    json!([one["imageId"], one["keyName"], one["groupSet"][0]["groupId"], one["iamInstanceProfile"]["arn"]])
}

const KIT: &str = "LaunchTemplateName=kit&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large\
    &LaunchTemplateData.KeyName=key&LaunchTemplateData.SecurityGroupId.1=sg-0123456789abcdef0\
    &LaunchTemplateData.IamInstanceProfile.Name=role&LaunchTemplateData.TagSpecification.1.ResourceType=instance\
    &LaunchTemplateData.TagSpecification.1.Tag.1.Key=made&LaunchTemplateData.TagSpecification.1.Tag.1.Value=here\
    &LaunchTemplateData.TagSpecification.1.Tag.2.Key=both&LaunchTemplateData.TagSpecification.1.Tag.2.Value=template";

fn tag(key: &str, value: &str) -> String {
    format!(
        "Tags.member.1.ResourceId=web&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key={key}\
         &Tags.member.1.Value={value}&Tags.member.1.PropagateAtLaunch=true"
    )
}

/// The group `web` with one instance of the template `kit`, which it launched.
async fn with_kit() -> (Emulator, String) {
    let emulator = emulator(1).await;
    ec2(&emulator, "CreateLaunchTemplate", KIT);
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        "LaunchTemplate.LaunchTemplateName=kit&LaunchTemplate.Version=1",
    );
    call(&emulator, "CreateOrUpdateTags", &tag("both", "group"));
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=2");
    advance(&emulator, 180).await;
    let id = ids(&emulator, InService)[1].clone();
    (emulator, id)
}

#[tokio::test]
async fn a_template_that_is_deleted_takes_nothing_from_what_it_launched() {
    let (emulator, id) = with_kit().await;
    let kit_before = kit(&emulator, &id);
    assert_eq!(
        kit_before,
        json!(["ami-1", "key", "sg-0123456789abcdef0", "arn:aws:iam::123456789012:instance-profile/role"])
    );
    let before = tags(&emulator, &id);
    assert_eq!((before["made"].as_str(), before["both"].as_str()), ("here", "group"));
    ec2(&emulator, "DeleteLaunchTemplate", "LaunchTemplateName=kit");
    assert_eq!((kit(&emulator, &id), tags(&emulator, &id)), (kit_before, before));
}

#[tokio::test]
async fn tags_of_the_group_are_given_at_launch_and_never_later() {
    let (emulator, id) = with_kit().await;
    call(&emulator, "CreateOrUpdateTags", &tag("late", "1"));
    call(&emulator, "CreateOrUpdateTags", &tag("both", "changed"));
    let found = tags(&emulator, &id);
    assert_eq!((found.get("late"), found["both"].as_str()), (None, "group"));
    call(&emulator, "DeleteTags", &tag("both", "changed"));
    assert_eq!(tags(&emulator, &id)["both"], "group");
    ec2(&emulator, "DeleteTags", &format!("ResourceId.1={id}&Tag.1.Key=both"));
    assert_eq!(tags(&emulator, &id).get("both"), None, "and can be taken away from the instance alone");
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=3");
    advance(&emulator, 15).await;
    let newest = web(&emulator, |group| group.members.last().unwrap().id.clone());
    let found = tags(&emulator, &newest);
    assert_eq!((found["late"].as_str(), found["both"].as_str()), ("1", "template"));
}

#[tokio::test]
async fn what_a_launch_configuration_says_is_shown_of_its_instances() {
    let emulator = emulator(1).await;
    call(
        &emulator,
        "CreateLaunchConfiguration",
        "LaunchConfigurationName=lc&ImageId=ami-2&InstanceType=m7i.large&KeyName=key\
         &SecurityGroups.member.1=sg-0123456789abcdef0&IamInstanceProfile=role",
    );
    call(&emulator, "UpdateAutoScalingGroup", "LaunchConfigurationName=lc");
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=2");
    advance(&emulator, 15).await;
    let id = web(&emulator, |group| group.members[1].id.clone());
    assert_eq!(
        kit(&emulator, &id),
        json!(["ami-2", "key", "sg-0123456789abcdef0", "arn:aws:iam::123456789012:instance-profile/role"])
    );
}

#[tokio::test]
async fn an_instance_keeps_what_it_is_when_it_is_attached_and_detached() {
    let emulator = emulator(1).await;
    let group = ec2(&emulator, "CreateSecurityGroup", "GroupName=g&GroupDescription=d")["groupId"].clone();
    let run = format!(
        "MinCount=1&MaxCount=1&ImageId=ami-3&InstanceType=m7i.large&KeyName=key&SecurityGroupId.1={}&ClientToken=t\
         &TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=team\
         &TagSpecification.1.Tag.1.Value=shop",
        group.as_str().unwrap()
    );
    let run = ec2(&emulator, "RunInstances", &run);
    let id = run["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned();
    let (kit_before, reservation_before) =
        (kit(&emulator, &id), reservation(&emulator, &id)["reservationId"].clone());
    assert_eq!(kit_before, json!(["ami-3", "key", group, null]));
    call(&emulator, "CreateOrUpdateTags", &tag("of", "group"));
    call(&emulator, "AttachInstances", &format!("InstanceIds.member.1={id}"));
    advance(&emulator, 30).await;
    let expected = [("aws:autoscaling:groupName", "web"), ("of", "group"), ("team", "shop")];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!((kit(&emulator, &id), tags(&emulator, &id)), (kit_before.clone(), expected.clone()));
    assert_eq!(reservation(&emulator, &id)["reservationId"], reservation_before);
    ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=own&Tag.1.Value=1"));
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
    call(&emulator, "DetachInstances", &members);
    let mut left = expected;
    left.remove("aws:autoscaling:groupName");
    left.insert("own".to_owned(), "1".to_owned());
    assert_eq!((kit(&emulator, &id), tags(&emulator, &id)), (kit_before, left));
    assert_eq!(described(&emulator, &id)["clientToken"], "t");
}

#[tokio::test]
async fn a_detached_instance_keeps_what_its_template_said() {
    let (emulator, id) = with_kit().await;
    let (kit_before, mut expected) = (kit(&emulator, &id), tags(&emulator, &id));
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
    call(&emulator, "DetachInstances", &members);
    expected.remove("aws:autoscaling:groupName");
    assert_eq!((kit(&emulator, &id), tags(&emulator, &id)), (kit_before, expected));
}

#[tokio::test]
async fn instances_of_an_older_state_are_told_what_they_were_launched_with() {
    let (emulator, id) = with_kit().await;
    let (kit_before, tags_before) = (kit(&emulator, &id), tags(&emulator, &id));
    let mut state: Value = serde_json::from_slice(&emulator.write_state().unwrap()).unwrap();
    let members = state["state"]["region"]["groups"]["web"]["members"].as_array_mut().unwrap();
    for member in members {
        member.as_object_mut().unwrap().remove("stamp");
        member.as_object_mut().unwrap().remove("tags");
    }
    emulator.read_state(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!((kit(&emulator, &id), tags(&emulator, &id)), (kit_before, tags_before));
}

#[tokio::test]
async fn what_is_launched_alike_shares_what_it_was_launched_with_also_in_a_state_that_is_read() {
    let emulator = emulator(3).await;
    let shared = |emulator: &Emulator| {
        let stamps =
            web(emulator, |group| group.members.iter().map(|one| one.stamp.clone()).collect::<Vec<_>>());
        stamps.windows(2).all(|pair| Arc::ptr_eq(pair[0].as_ref().unwrap(), pair[1].as_ref().unwrap()))
    };
    assert!(shared(&emulator));
    emulator.read_state(&emulator.write_state().unwrap()).unwrap();
    assert!(shared(&emulator));
}

#[tokio::test]
async fn a_launch_configuration_is_made_like_an_instance_but_for_what_is_said_otherwise() {
    let emulator = emulator(1).await;
    let run = "MinCount=1&MaxCount=1&ImageId=ami-3&InstanceType=m7i.large&KeyName=key";
    let run = ec2(&emulator, "RunInstances", run);
    let id = run["instancesSet"][0]["instanceId"].as_str().unwrap();
    for (name, said, expected) in
        [("like", "", ["ami-3", "m7i.large"]), ("other", "&InstanceType=c7i.large", ["ami-3", "c7i.large"])]
    {
        let create = format!("LaunchConfigurationName={name}&InstanceId={id}{said}");
        call(&emulator, "CreateLaunchConfiguration", &create);
        let asked = format!("LaunchConfigurationNames.member.1={name}");
        let shown = call(&emulator, "DescribeLaunchConfigurations", &asked);
        let shown = &shown["LaunchConfigurations"][0];
        assert_eq!([&shown["ImageId"], &shown["InstanceType"]], expected, "{shown}");
        assert_eq!(shown["KeyName"], "key");
    }
    let unknown = "LaunchConfigurationName=none&InstanceId=i-0123456789abcdef0";
    is_refused(&emulator, "CreateLaunchConfiguration", unknown, "Invalid Instance ID");
}
