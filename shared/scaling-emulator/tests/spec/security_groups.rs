//! A security group that is in use is not deleted.

use scaling_emulator::Emulator;
use serde_json::json;

use crate::call::{call, ec2, tried_ec2};
use crate::client::{advance, emulator};

fn made(emulator: &Emulator, name: &str) -> String {
    let made = ec2(emulator, "CreateSecurityGroup", &format!("GroupName={name}&GroupDescription=d"));
    made["groupId"].as_str().unwrap().to_owned()
}

fn delete(emulator: &Emulator, said: &str) -> Result<serde_json::Value, String> {
    tried_ec2(emulator, "DeleteSecurityGroup", said).map_err(|error| error.code.into_owned())
}

#[tokio::test]
async fn a_group_goes_when_the_last_instance_in_it_has_ended() {
    let emulator = emulator(1).await;
    let id = made(&emulator, "shop");
    let run = "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large";
    let one = ec2(&emulator, "RunInstances", &format!("{run}&SecurityGroupId.1={id}"));
    let instance = one["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned();
    for said in [format!("GroupId={id}"), "GroupName=shop".to_owned()] {
        assert_eq!(delete(&emulator, &said), Err("DependencyViolation".to_owned()), "{said}");
    }
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={instance}"));
    assert_eq!(delete(&emulator, &format!("GroupId={id}")), Err("DependencyViolation".to_owned()));
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={instance}"));
    assert_eq!(delete(&emulator, &format!("GroupId={id}")), Ok(json!({ "return": true, "groupId": id })));
}

#[tokio::test]
async fn a_group_of_what_an_auto_scaling_group_launched_is_in_use() {
    let emulator = emulator(1).await;
    let id = made(&emulator, "shop");
    let data = "LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large\
        &LaunchTemplateData.SecurityGroup.1=shop";
    ec2(&emulator, "CreateLaunchTemplateVersion", data);
    // What only names it does not use it.
    let other = made(&emulator, "other");
    let named = format!(
        "LaunchTemplateName=named&LaunchTemplateData.SecurityGroupId.1={other}&LaunchTemplateData.ImageId=ami-1"
    );
    ec2(&emulator, "CreateLaunchTemplate", &named);
    assert!(delete(&emulator, &format!("GroupId={other}")).is_ok());
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        "LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2&DesiredCapacity=2",
    );
    advance(&emulator, 180).await;
    assert_eq!(delete(&emulator, &format!("GroupId={id}")), Err("DependencyViolation".to_owned()));
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    advance(&emulator, 120).await;
    assert!(delete(&emulator, &format!("GroupId={id}")).is_ok());
}
