//! Attributes of instances and rules of security groups, shown one by one; an instance that calls may not end.

use scaling_emulator::Emulator;
use serde_json::{Value, json};

use crate::call::{call, ec2, tried_ec2};
use crate::client::{advance, emulator, ids, set};

fn attribute(emulator: &Emulator, id: &str, name: &str) -> Value {
    let members = format!("InstanceId={id}&Attribute={name}");
    ec2(emulator, "DescribeInstanceAttribute", &members)[name]["value"].clone()
}

fn run(emulator: &Emulator, rest: &str) -> String {
    let run = format!("MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large{rest}");
    ec2(emulator, "RunInstances", &run)["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_protected_is_not_ended_by_a_call_until_it_is_no_longer() {
    let emulator = emulator(1).await;
    let template = "LaunchTemplateName=safe&LaunchTemplateData.DisableApiTermination=true";
    ec2(&emulator, "CreateLaunchTemplate", template);
    for said in ["&DisableApiTermination=true", "&LaunchTemplate.LaunchTemplateName=safe"] {
        let id = run(&emulator, said);
        let (end, modify) = (format!("InstanceId.1={id}"), format!("InstanceId={id}"));
        assert_eq!(attribute(&emulator, &id, "disableApiTermination"), true);
        let error = tried_ec2(&emulator, "TerminateInstances", &end).unwrap_err();
        assert_eq!(error.code, "OperationNotPermitted");
        ec2(&emulator, "StopInstances", &end);
        ec2(&emulator, "ModifyInstanceAttribute", &format!("{modify}&DisableApiTermination.Value=false"));
        assert_eq!(attribute(&emulator, &id, "disableApiTermination"), false);
        ec2(&emulator, "TerminateInstances", &end);
    }
    let id = run(&emulator, "");
    let modify = format!("InstanceId={id}&Attribute=disableApiTermination&Value=true");
    ec2(&emulator, "ModifyInstanceAttribute", &modify);
    assert!(tried_ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}")).is_err());
}

#[tokio::test]
async fn a_group_ends_its_instances_all_the_same() {
    let emulator = emulator(2).await;
    for id in ids(&emulator, scaling_emulator::region::LifecycleState::InService) {
        let modify = format!("InstanceId={id}&DisableApiTermination.Value=true");
        ec2(&emulator, "ModifyInstanceAttribute", &modify);
        assert!(tried_ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}")).is_err());
    }
    set(&emulator, 1).unwrap();
    advance(&emulator, 120).await;
    let shown = call(&emulator, "DescribeAutoScalingGroups", "");
    assert_eq!(shown["AutoScalingGroups"][0]["Instances"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn attributes_are_those_of_the_call_or_of_the_template() {
    let emulator = emulator(1).await;
    let template = "LaunchTemplateName=kit&LaunchTemplateData.UserData=dGVtcGxhdGU%3D\
        &LaunchTemplateData.InstanceInitiatedShutdownBehavior=terminate";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let of_template = run(&emulator, "&LaunchTemplate.LaunchTemplateName=kit");
    let of_call = run(&emulator, "&LaunchTemplate.LaunchTemplateName=kit&UserData=Y2FsbA%3D%3D");
    let plain = run(&emulator, "");
    for (id, data, shutdown) in [
        (&of_template, json!("dGVtcGxhdGU="), "terminate"),
        (&of_call, json!("Y2FsbA=="), "terminate"),
        (&plain, Value::Null, "stop"),
    ] {
        assert_eq!(attribute(&emulator, id, "userData"), data);
        assert_eq!(attribute(&emulator, id, "instanceInitiatedShutdownBehavior"), shutdown);
        assert_eq!(attribute(&emulator, id, "instanceType"), "m7i.large");
    }
    let unknown = format!("InstanceId={plain}&Attribute=kernel");
    let error = tried_ec2(&emulator, "DescribeInstanceAttribute", &unknown).unwrap_err();
    assert_eq!(error.code, "InvalidParameterValue");
}

#[tokio::test]
async fn rules_are_shown_one_by_one() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=shop&GroupDescription=d");
    let group = made["groupId"].as_str().unwrap();
    let rule = format!("GroupId={group}&IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=10.0.0.0/8");
    let let_in = ec2(&emulator, "AuthorizeSecurityGroupIngress", &rule);
    let id = let_in["securityGroupRuleSet"][0]["securityGroupRuleId"].as_str().unwrap();
    let rules = |members: &str| {
        let shown = ec2(&emulator, "DescribeSecurityGroupRules", members);
        shown["securityGroupRuleSet"].as_array().unwrap().clone()
    };
    assert_eq!(rules("").len(), 4);
    let of_group = rules(&format!("Filter.1.Name=group-id&Filter.1.Value.1={group}"));
    assert_eq!(of_group.iter().map(|one| one["isEgress"].clone()).collect::<Vec<_>>(), [false, true]);
    let one = rules(&format!("SecurityGroupRuleId.1={id}"));
    assert_eq!([&one[0]["cidrIpv4"], &one[0]["groupId"]], ["10.0.0.0/8", group]);
    let unknown = "SecurityGroupRuleId.1=sgr-0123456789abcdef0";
    let error = tried_ec2(&emulator, "DescribeSecurityGroupRules", unknown).unwrap_err();
    assert_eq!(error.code, "InvalidSecurityGroupRuleId.NotFound");
}
