//! EC2 beside what the groups need: members that are kept, filters, reservations, calls that are made twice.

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use serde_json::json;

use crate::call::{ec2, tried_ec2};
use crate::client::{emulator, ids};

fn found(emulator: &Emulator, filter: &str, value: &str) -> usize {
    let members = format!("Filter.1.Name={filter}&Filter.1.Value.1={value}");
    let shown = ec2(emulator, "DescribeInstances", &members);
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
    ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=full&{}", data.join("&")));
    ec2(
        &emulator,
        "CreateLaunchTemplateVersion",
        "LaunchTemplateName=full&SourceVersion=1&LaunchTemplateData.InstanceType=c7i.large",
    );
    let read = |emulator: &Emulator, members: &str| {
        ec2(emulator, "DescribeLaunchTemplateVersions", &format!("LaunchTemplateName=full&{members}"))
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
    ec2(
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
        ec2(&emulator, "DescribeInstanceStatus", &members)["instanceStatusSet"].as_array().unwrap().len()
    };
    assert_eq!((status("instance-status.status", "ok"), status("availability-zone", "us-east-1a")), (5, 1));
}

#[tokio::test]
async fn what_is_run_together_is_one_reservation_and_the_same_call_again_runs_nothing() {
    let emulator = emulator(1).await;
    let run = "MinCount=2&MaxCount=2&ImageId=ami-9&InstanceType=m7i.large&ClientToken=once";
    let first = ec2(&emulator, "RunInstances", run);
    let again = ec2(&emulator, "RunInstances", run);
    assert_eq!(first["reservationId"], again["reservationId"]);
    let id = first["reservationId"].as_str().unwrap();
    assert_eq!(found(&emulator, "reservation-id", id), 2);
    let all = ec2(&emulator, "DescribeInstances", "");
    assert_eq!(all["reservationSet"].as_array().unwrap().len(), 2, "this one, and the group's instance");
    let other = tried_ec2(&emulator, "RunInstances", &run.replace("m7i.large", "c7i.large")).unwrap_err();
    assert_eq!(other.code, "IdempotentParameterMismatch");
    let nowhere = tried_ec2(
        &emulator,
        "RunInstances",
        "MinCount=1&MaxCount=1&ImageId=ami-9&InstanceType=m7i.large&SubnetId=subnet-1",
    );
    assert_eq!(nowhere.unwrap_err().code, "InvalidSubnetID.NotFound");
}

#[tokio::test]
async fn an_instance_shows_what_its_template_gives_it() {
    let emulator = emulator(1).await;
    let group = ec2(&emulator, "CreateSecurityGroup", "GroupName=front&GroupDescription=d");
    let group = group["groupId"].as_str().unwrap().to_owned();
    let data = format!(
        "LaunchTemplateName=web&LaunchTemplateData.InstanceType=m7i.large&LaunchTemplateData.SecurityGroupId.1={group}\
         &LaunchTemplateData.IamInstanceProfile.Name=service&LaunchTemplateData.TagSpecification.1.ResourceType=instance\
         &LaunchTemplateData.TagSpecification.1.Tag.1.Key=team&LaunchTemplateData.TagSpecification.1.Tag.1.Value=shop"
    );
    ec2(&emulator, "CreateLaunchTemplateVersion", &data);
    let run =
        "MinCount=1&MaxCount=1&ImageId=ami-9&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2";
    ec2(&emulator, "RunInstances", run);
    for (filter, value, expected) in [
        ("instance.group-name", "front", 1),
        ("instance.group-name", "default", 1),
        ("iam-instance-profile.arn", "*instance-profile/service", 1),
        ("tag:team", "shop", 1),
    ] {
        assert_eq!(found(&emulator, filter, value), expected, "{filter} {value}");
    }
    let spot = format!("{run}&InstanceMarketOptions.MarketType=spot");
    let spot = ec2(&emulator, "RunInstances", &spot);
    assert_eq!(spot["instancesSet"][0]["instanceLifecycle"], "spot");
    assert!(spot["instancesSet"][0]["spotInstanceRequestId"].as_str().unwrap().starts_with("sir-"));
}

#[tokio::test]
async fn rules_of_security_groups_are_added_shown_and_taken_away() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=front&GroupDescription=d");
    let id = made["groupId"].as_str().unwrap().to_owned();
    let rule = |members: &str| format!("GroupId={id}&{members}");
    let web = rule(
        "IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=81\
         &IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8&IpPermissions.1.IpRanges.2.CidrIp=0.0.0.0/0",
    );
    let told = ec2(&emulator, "AuthorizeSecurityGroupIngress", &web);
    assert_eq!(told["securityGroupRuleSet"][1]["cidrIpv4"], "0.0.0.0/0");
    let shown = |emulator: &Emulator| {
        ec2(emulator, "DescribeSecurityGroups", &format!("GroupId.1={id}"))["securityGroupInfo"][0].clone()
    };
    let permissions = shown(&emulator)["ipPermissions"].clone();
    assert_eq!(permissions.as_array().unwrap().len(), 1, "one protocol with its ports");
    assert_eq!(permissions[0]["ipRanges"].as_array().unwrap().len(), 2);
    assert_eq!(shown(&emulator)["ipPermissionsEgress"][0]["ipProtocol"], "-1");
    let one = rule("IpProtocol=tcp&FromPort=80&ToPort=81&CidrIp=10.0.0.0/8");
    for (operation, members, code) in [
        ("AuthorizeSecurityGroupIngress", web.clone(), "InvalidPermission.Duplicate"),
        ("RevokeSecurityGroupEgress", web.clone(), "InvalidPermission.NotFound"),
        ("AuthorizeSecurityGroupIngress", one.replace("/8", "/64"), "InvalidParameterValue"),
        ("AuthorizeSecurityGroupIngress", one.replace("=81", "=70000"), "InvalidParameterValue"),
        ("AuthorizeSecurityGroupIngress", rule("IpProtocol=tcp&FromPort=1&ToPort=2"), "MissingParameter"),
        ("AuthorizeSecurityGroupIngress", one.replace(&id, "sg-00000000"), "InvalidGroup.NotFound"),
    ] {
        assert_eq!(
            tried_ec2(&emulator, operation, &members).unwrap_err().code,
            code,
            "{operation} {members}"
        );
    }
    ec2(&emulator, "RevokeSecurityGroupIngress", &one);
    let permissions = shown(&emulator)["ipPermissions"].clone();
    assert_eq!(permissions[0]["ipRanges"].as_array().unwrap().len(), 1);
    let second = ec2(&emulator, "CreateSecurityGroup", "GroupName=back&GroupDescription=d");
    let second = second["groupId"].as_str().unwrap();
    let from_front =
        format!("GroupId={second}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={id}");
    ec2(&emulator, "AuthorizeSecurityGroupIngress", &from_front);
    let used = tried_ec2(&emulator, "DeleteSecurityGroup", &format!("GroupId={id}"));
    assert_eq!(used.unwrap_err().code, "DependencyViolation");
}

#[tokio::test]
async fn tags_of_every_kind_of_resource_are_kept_and_listed() {
    let emulator = emulator(1).await;
    let made = ec2(
        &emulator,
        "CreateLaunchTemplate",
        "LaunchTemplateName=tagged&LaunchTemplateData.KeyName=k&TagSpecification.1.ResourceType=launch-template&TagSpecification.1.Tag.1.Key=a\
         &TagSpecification.1.Tag.1.Value=x",
    );
    assert_eq!(made["launchTemplate"]["tagSet"], json!([{ "key": "a", "value": "x" }]));
    ec2(&emulator, "CreateTags", "ResourceId.1=vpc-0d3fa017000000001&ResourceId.2=vol-12345678&Tag.1.Key=a");
    for (filter, value, expected) in [
        ("key", "a", 3),
        ("resource-type", "launch-template", 1),
        ("resource-id", "vol-12345678", 1),
        ("tag:a", "x", 1),
    ] {
        let members = format!("Filter.1.Name={filter}&Filter.1.Value.1={value}");
        let listed = ec2(&emulator, "DescribeTags", &members);
        assert_eq!(listed["tagSet"].as_array().unwrap().len(), expected, "{filter} {value}");
    }
    let by_tag = "Filter.1.Name=tag:a&Filter.1.Value.1=x";
    assert_eq!(
        ec2(&emulator, "DescribeLaunchTemplates", by_tag)["launchTemplates"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ec2(&emulator, "DescribeVpcs", by_tag)["vpcSet"], json!([]));
    let subnets =
        ec2(&emulator, "DescribeSubnets", "Filter.1.Name=availability-zone-id&Filter.1.Value.1=use1-az2");
    assert_eq!(subnets["subnetSet"][0]["availabilityZone"], "us-east-1b");
    ec2(&emulator, "DeleteTags", "ResourceId.1=vol-12345678&Tag.1.Key=a&Tag.1.Value=other");
    ec2(&emulator, "DeleteTags", "ResourceId.1=vpc-0d3fa017000000001");
    let left = ec2(&emulator, "DescribeTags", "Filter.1.Name=key&Filter.1.Value.1=a");
    assert_eq!(left["tagSet"].as_array().unwrap().len(), 2, "only a tag with the value that is named goes");
    let unknown = tried_ec2(&emulator, "CreateTags", "ResourceId.1=i-0123456789abcdef0&Tag.1.Key=a");
    assert_eq!(unknown.unwrap_err().code, "InvalidInstanceID.NotFound");
}

#[tokio::test]
async fn tags_that_a_caller_gives_to_an_instance_of_a_group_stay() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=job&Tag.1.Value=batch"));
    assert_eq!(found(&emulator, "tag:job", "batch"), 1);
    ec2(&emulator, "DeleteTags", &format!("ResourceId.1={id}&Tag.1.Key=job"));
    assert_eq!(found(&emulator, "tag:job", "batch"), 0);
    let reserved = tried_ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=aws:x"));
    assert_eq!(reserved.unwrap_err().code, "InvalidParameterValue");
}
