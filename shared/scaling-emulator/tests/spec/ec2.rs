//! EC2's instances that belong to no group, its default network, and security groups.

use scaling_emulator::region::LifecycleState::{InService, Terminating};
use scaling_emulator::wire::form::Form;
use scaling_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use crate::call::{ec2, tried_ec2};
use crate::client::{advance, emulator, ids};

fn code(emulator: &Emulator, operation: &str, members: &str) -> String {
    tried_ec2(emulator, operation, members).unwrap_err().code.into_owned()
}

fn described(emulator: &Emulator, id: &str) -> Value {
    let found = ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
    found["reservationSet"][0]["instancesSet"][0].clone()
}

#[tokio::test]
async fn a_spot_instance_of_a_one_time_request_is_not_stopped_and_an_image_has_an_id() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let run = "MinCount=1&MaxCount=1&InstanceType=m7i.large&InstanceMarketOptions.MarketType=spot&ImageId=";
    assert_eq!(code(&emulator, "RunInstances", &format!("{run}foo")), "InvalidAMIID.Malformed");
    let made = ec2(&emulator, "RunInstances", &format!("{run}ami-1"));
    let id = made["instancesSet"][0]["instanceId"].as_str().unwrap();
    assert_eq!(code(&emulator, "StopInstances", &format!("InstanceId.1={id}")), "UnsupportedOperation");
    assert_eq!(described(&emulator, id)["instanceState"]["name"], "running");
}

#[tokio::test]
async fn a_spot_instance_of_a_persistent_request_is_stopped_and_started() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let market = |of: &str, kind: &str| {
        let market = format!("{of}InstanceMarketOptions");
        let ends = if kind == "persistent" { "stop" } else { "terminate" };
        format!(
            "{market}.MarketType=spot&{market}.SpotOptions.SpotInstanceType={kind}\
             &{market}.SpotOptions.InstanceInterruptionBehavior={ends}"
        )
    };
    let run = "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large";
    let template = market("LaunchTemplateData.", "persistent");
    ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=kit&{template}"));
    let of_template = format!("{run}&LaunchTemplate.LaunchTemplateName=kit");
    for (run, stops) in [
        (format!("{run}&{}", market("", "persistent")), true),
        (of_template.clone(), true),
        (format!("{run}&{}", market("", "one-time")), false),
        (format!("{of_template}&{}", market("", "one-time")), false),
    ] {
        let made = ec2(&emulator, "RunInstances", &run);
        let id = made["instancesSet"][0]["instanceId"].as_str().unwrap();
        let member = format!("InstanceId.1={id}");
        if stops {
            ec2(&emulator, "StopInstances", &member);
            assert_eq!(described(&emulator, id)["instanceState"]["name"], "stopped", "{run}");
            ec2(&emulator, "StartInstances", &member);
            let now = described(&emulator, id);
            assert_eq!(
                (&now["instanceState"]["name"], &now["instanceLifecycle"]),
                (&json!("running"), &json!("spot"))
            );
        } else {
            assert_eq!(code(&emulator, "StopInstances", &member), "UnsupportedOperation", "{run}");
        }
    }
}

#[tokio::test]
async fn an_instance_is_run_tagged_stopped_given_another_type_started_and_ended() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let run = "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&TagSpecification.1.ResourceType=instance\
        &TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=shop";
    let made = ec2(&emulator, "RunInstances", run);
    let id = made["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned();
    assert_eq!(made["instancesSet"][0]["instanceState"]["name"], "pending");
    assert_eq!(described(&emulator, &id)["instanceState"]["name"], "running");
    let filtered = ec2(&emulator, "DescribeInstances", "Filter.1.Name=tag:team&Filter.1.Value.1=shop");
    assert_eq!(filtered["reservationSet"].as_array().unwrap().len(), 1);
    let other = format!("InstanceId={id}&InstanceType.Value=m7i.xlarge");
    assert_eq!(code(&emulator, "ModifyInstanceAttribute", &other), "IncorrectInstanceState");
    let stopped = ec2(&emulator, "StopInstances", &format!("InstanceId.1={id}"));
    assert_eq!(stopped["instancesSet"][0]["currentState"], json!({ "code": 64, "name": "stopping" }));
    ec2(&emulator, "ModifyInstanceAttribute", &other);
    ec2(&emulator, "StartInstances", &format!("InstanceId.1={id}"));
    let now = described(&emulator, &id);
    assert_eq!(
        (&now["instanceType"], &now["instanceState"]["name"]),
        (&json!("m7i.xlarge"), &json!("running"))
    );
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
    assert_eq!(described(&emulator, &id)["instanceState"]["name"], "terminated");
    advance(&emulator, 2 * 3600).await;
    assert_eq!(
        code(&emulator, "DescribeInstances", &format!("InstanceId.1={id}")),
        "InvalidInstanceID.NotFound"
    );
}

#[tokio::test]
async fn an_instance_of_a_group_that_is_ended_here_is_replaced() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating), [id]);
    advance(&emulator, 180).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
}

#[tokio::test]
async fn the_default_network_has_a_subnet_in_every_zone_that_a_group_may_name() {
    let emulator = emulator(1).await;
    let subnets =
        ec2(&emulator, "DescribeSubnets", "Filter.1.Name=availability-zone&Filter.1.Value.1=us-east-1c");
    let subnet = subnets["subnetSet"][0]["subnetId"].as_str().unwrap().to_owned();
    let vpcs = ec2(&emulator, "DescribeVpcs", "Filter.1.Name=is-default&Filter.1.Value.1=true");
    assert_eq!(vpcs["vpcSet"][0]["vpcId"], subnets["subnetSet"][0]["vpcId"]);
    let members = format!(
        "AutoScalingGroupName=c&MinSize=1&MaxSize=1&LaunchTemplate.LaunchTemplateName=web&VPCZoneIdentifier={subnet}"
    );
    let form = Form::parse(members.as_bytes());
    emulator
        .with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)
        })
        .unwrap();
    assert_eq!(
        emulator.with_region(|region| region.group("c").unwrap().settings.zones.clone()),
        ["us-east-1c"]
    );
}

#[tokio::test]
async fn security_groups_are_made_found_and_deleted() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=web&GroupDescription=d");
    let id = made["groupId"].as_str().unwrap().to_owned();
    for members in [format!("GroupId.1={id}"), "Filter.1.Name=group-name&Filter.1.Value.1=web".to_owned()] {
        let found = ec2(&emulator, "DescribeSecurityGroups", &members);
        assert_eq!(found["securityGroupInfo"][0]["groupId"], json!(id), "{members}");
    }
    assert_eq!(
        code(&emulator, "CreateSecurityGroup", "GroupName=web&GroupDescription=d"),
        "InvalidGroup.Duplicate"
    );
    ec2(&emulator, "DeleteSecurityGroup", &format!("GroupId={id}"));
    assert_eq!(
        code(&emulator, "DescribeSecurityGroups", &format!("GroupId.1={id}")),
        "InvalidGroup.NotFound"
    );
}

#[tokio::test]
async fn versions_of_a_template_are_deleted_but_not_the_default_one() {
    let emulator = emulator(1).await;
    for kind in ["c7i.large", "r7i.large"] {
        let members = format!("LaunchTemplateName=web&LaunchTemplateData.InstanceType={kind}");
        ec2(&emulator, "CreateLaunchTemplateVersion", &members);
    }
    let members = "LaunchTemplateName=web&LaunchTemplateVersion.1=1&LaunchTemplateVersion.2=3&LaunchTemplateVersion.3=9";
    let told = ec2(&emulator, "DeleteLaunchTemplateVersions", members);
    let gone = &told["successfullyDeletedLaunchTemplateVersionSet"];
    let kept = &told["unsuccessfullyDeletedLaunchTemplateVersionSet"];
    assert_eq!((gone[0]["versionNumber"].as_u64(), gone.as_array().unwrap().len()), (Some(3), 1));
    assert_eq!(kept[1]["responseError"]["code"], "launchTemplateVersionDoesNotExist");
    let latest = "LaunchTemplateName=web&LaunchTemplateVersion.1=$Latest";
    let shown = ec2(&emulator, "DescribeLaunchTemplateVersions", latest);
    assert_eq!(shown["launchTemplateVersionSet"][0]["versionNumber"], 2);
}

#[tokio::test]
async fn status_checks_are_told_of_what_runs() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    emulator.with_region(|region| region.crash(&id));
    let told = ec2(&emulator, "DescribeInstanceStatus", &format!("InstanceId.1={id}"));
    assert_eq!(told["instanceStatusSet"][0]["instanceStatus"]["status"], "impaired");
    let all = ec2(&emulator, "DescribeInstanceStatus", "");
    assert_eq!(all["instanceStatusSet"].as_array().unwrap().len(), 2);
    assert_eq!(code(&emulator, "DescribeInstanceStatus", "InstanceId.1=i-0"), "InvalidInstanceID.NotFound");
    assert_eq!(ec2(&emulator, "DescribeRegions", "")["regionInfo"][0]["regionName"], "us-east-1");
}

#[tokio::test]
async fn a_dry_run_says_whether_a_call_would_succeed_and_changes_nothing() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    for (operation, members) in [
        ("RunInstances", "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large".to_owned()),
        ("TerminateInstances", format!("InstanceId.1={id}")),
        ("DescribeInstances", String::new()),
        ("DescribeRegions", String::new()),
    ] {
        let error = tried_ec2(&emulator, operation, &format!("{members}&DryRun=true")).unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("DryRunOperation", 412), "{operation}");
    }
    assert_eq!(
        code(&emulator, "StopInstances", "InstanceId.1=i-0&DryRun=true"),
        "InvalidInstanceID.NotFound"
    );
    let all = ec2(&emulator, "DescribeInstances", "DryRun=false");
    assert_eq!(all["reservationSet"].as_array().unwrap().len(), 1);
    advance(&emulator, 60).await;
    assert_eq!(ids(&emulator, InService), [id]);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_in_ec2s_words() {
    let emulator = emulator(1).await;
    for (operation, members, expected) in [
        ("RunInstances", "ImageId=ami-1", "MissingParameter"),
        ("RunInstances", "MinCount=2&MaxCount=1&ImageId=ami-1", "InvalidParameterValue"),
        ("RunInstances", "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=x.y", "InvalidParameterValue"),
        (
            "RunInstances",
            "MinCount=1&MaxCount=1&LaunchTemplate.LaunchTemplateName=no",
            "InvalidLaunchTemplateName.NotFoundException",
        ),
        ("StopInstances", "InstanceId.1=i-0", "InvalidInstanceID.NotFound"),
        ("StopInstances", "", "MissingParameter"),
        ("DescribeSubnets", "SubnetId.1=subnet-1", "InvalidSubnetID.NotFound"),
        ("DescribeVpcs", "Filter.1.Name=odd&Filter.1.Value.1=a", "InvalidParameterValue"),
        ("CreateTags", "ResourceId.1=i-0&Tag.1.Key=a", "InvalidID"),
        ("LaunchRockets", "", "InvalidAction"),
    ] {
        assert_eq!(code(&emulator, operation, members), expected, "{operation} {members}");
    }
}

#[tokio::test]
async fn answers_have_only_members_and_words_of_the_service_s_model() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=own&GroupDescription=d");
    assert_eq!(made.get("return"), None, "CreateSecurityGroup answers ids, ARN and tags");
    let run = ec2(&emulator, "RunInstances", "ImageId=ami-1&InstanceType=m7i.large&MinCount=1&MaxCount=1");
    let id = run["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned();
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={id}"));
    let status = |more: &str| {
        let members = format!("InstanceId.1={id}&IncludeAllInstances=true{more}");
        ec2(&emulator, "DescribeInstanceStatus", &members)["instanceStatusSet"].clone()
    };
    let stopped = json!({ "status": "not-applicable" });
    assert_eq!(
        status("")[0]["instanceStatus"],
        stopped,
        "a check is passed, failed, initializing or has no data"
    );
    assert_eq!(status("&Filter.1.Name=instance-status.reachability&Filter.1.Value.1=passed"), json!([]));
}
