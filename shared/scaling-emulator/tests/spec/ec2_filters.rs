//! Filters of EC2's describing operations, as the API reference lists them.

use scaling_emulator::Emulator;

use crate::call::{ec2, tried_ec2};
use crate::client::emulator;

/// How many items of `list` a filter lets through, beside other members.
fn let_through(
    emulator: &Emulator,
    operation: &str,
    beside: &str,
    filter: (&str, &str),
    list: &str,
) -> usize {
    let (name, value) = filter;
    let members = format!("{beside}&Filter.1.Name={name}&Filter.1.Value.1={value}");
    ec2(emulator, operation, &members)[list].as_array().unwrap().len()
}

/// Each filter, by name and value, lets as many items of `list` through as it says.
#[track_caller]
fn each_finds(
    emulator: &Emulator,
    operation: &str,
    beside: &str,
    list: &str,
    filters: &[(&str, &str, usize)],
) {
    for &(name, value, expected) in filters {
        let found = let_through(emulator, operation, beside, (name, value), list);
        assert_eq!(found, expected, "{name} {value}");
    }
}

#[tokio::test]
async fn zones_are_found_by_what_they_are() {
    let emulator = emulator(1).await;
    let filters = [
        ("opt-in-status", "opt-in-not-required", 3),
        ("opt-in-status", "opted-in", 0),
        ("zone-type", "availability-zone", 3),
        ("zone-type", "local-zone", 0),
        ("group-name", "us-east-1", 3),
        ("message", "*", 0),
        ("state", "available", 3),
        ("state", "impaired", 0),
        ("zone-name", "us-east-1a", 1),
        ("zone-id", "use1-az2", 1),
        ("region-name", "us-east-1", 3),
    ];
    each_finds(&emulator, "DescribeAvailabilityZones", "", "availabilityZoneInfo", &filters);
    let by_id = ec2(&emulator, "DescribeAvailabilityZones", "ZoneId.1=use1-az2");
    assert_eq!(by_id["availabilityZoneInfo"].as_array().unwrap().len(), 1);
    assert_eq!(by_id["availabilityZoneInfo"][0]["zoneName"], "us-east-1b");
    let refused = tried_ec2(&emulator, "DescribeAvailabilityZones", "ZoneId.1=use1-az9");
    assert_eq!(refused.unwrap_err().code, "InvalidParameterValue");
}

#[tokio::test]
async fn versions_of_a_template_are_found_by_what_they_say() {
    let emulator = emulator(1).await;
    let second = "LaunchTemplateName=web&LaunchTemplateData.InstanceType=c7i.large&LaunchTemplateData.ImageId=ami-2\
        &LaunchTemplateData.MetadataOptions.HttpTokens=required&LaunchTemplateData.EbsOptimized=true\
        &LaunchTemplateData.IamInstanceProfile.Arn=arn:r&LaunchTemplateData.NetworkInterface.1.NetworkCardIndex=1";
    ec2(&emulator, "CreateLaunchTemplateVersion", second);
    let filters = [
        ("instance-type", "c7i.*", 1),
        ("instance-type", "m7i.large", 1),
        ("instance-type", "t3.nano", 0),
        ("is-default-version", "true", 1),
        ("is-default-version", "false", 1),
        ("image-id", "ami-2", 1),
        ("http-tokens", "required", 1),
        ("http-endpoint", "enabled", 0),
        ("ebs-optimized", "true", 1),
        ("iam-instance-profile", "arn:r", 1),
        ("network-card-index", "1", 1),
        ("kernel-id", "*", 0),
    ];
    each_finds(
        &emulator,
        "DescribeLaunchTemplateVersions",
        "LaunchTemplateName=web",
        "launchTemplateVersionSet",
        &filters,
    );
    let odd = "LaunchTemplateName=web&Filter.1.Name=colour&Filter.1.Value.1=red";
    let refused = tried_ec2(&emulator, "DescribeLaunchTemplateVersions", odd);
    assert_eq!(refused.unwrap_err().code, "InvalidParameterValue");
}

#[tokio::test]
async fn instances_are_found_by_what_they_are_made_of() {
    let emulator = emulator(2).await;
    let filters = [
        ("root-device-type", "ebs", 2),
        ("root-device-type", "instance-store", 0),
        ("monitoring-state", "enabled", 2),
        ("network-interface.subnet-id", "subnet-*", 2),
        ("network-interface.group-name", "default", 2),
        ("network-interface.mac-address", "*", 0),
        ("hypervisor", "xen", 2),
        ("virtualization-type", "hvm", 2),
        ("platform-details", "Linux/UNIX", 2),
        ("ip-address", "*", 0),
        ("dns-name", "ec2*", 0),
        ("requester-id", "autoscaling.amazonaws.com", 2),
        ("state-reason-code", "*", 0),
        ("placement-group-name", "*", 0),
        ("metadata-options.http-tokens", "optional", 2),
        ("metadata-options.http-endpoint", "disabled", 0),
        ("metadata-options.http-put-response-hop-limit", "1", 2),
        ("ena-support", "true", 2),
        ("availability-zone-id", "use1-az*", 2),
        ("launch-index", "0", 2),
    ];
    each_finds(&emulator, "DescribeInstances", "", "reservationSet", &filters);
}

#[tokio::test]
async fn types_groups_and_networks_are_found_by_more_than_their_names() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=shop&GroupDescription=d");
    let id = made["groupId"].as_str().unwrap();
    let rule = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=443\
         &IpPermissions.1.IpRanges.1.CidrIp=10.1.0.0/16"
    );
    ec2(&emulator, "AuthorizeSecurityGroupIngress", &rule);
    for (operation, list, name, value, expected) in [
        ("DescribeInstanceTypes", "instanceTypeSet", "supported-usage-class", "capacity-block", 0),
        ("DescribeInstanceTypes", "instanceTypeSet", "bare-metal", "true", 0),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.cidr", "10.1.0.0/16", 1),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.from-port", "80", 1),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.to-port", "80", 0),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.protocol", "tcp", 1),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.group-id", "sg-*", 1),
        ("DescribeSecurityGroups", "securityGroupInfo", "ip-permission.ipv6-cidr", "*", 0),
        ("DescribeSecurityGroups", "securityGroupInfo", "egress.ip-permission.cidr", "0.0.0.0/0", 2),
        ("DescribeVpcs", "vpcSet", "cidr-block-association.cidr-block", "172.31.0.0/16", 1),
        ("DescribeVpcs", "vpcSet", "cidr-block-association.state", "associated", 1),
        ("DescribeVpcs", "vpcSet", "cidr-block-association.association-id", "vpc-cidr-assoc-*", 1),
        ("DescribeVpcs", "vpcSet", "ipv6-cidr-block-association.state", "*", 0),
        ("DescribeSubnets", "subnetSet", "ipv6-cidr-block-association.state", "*", 0),
    ] {
        assert_eq!(let_through(&emulator, operation, "", (name, value), list), expected, "{name} {value}");
    }
    let on_demand = ("supported-usage-class", "on-demand");
    assert_eq!(
        let_through(&emulator, "DescribeInstanceTypes", "MaxResults=5", on_demand, "instanceTypeSet"),
        5
    );
}
