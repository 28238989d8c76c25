//! Rules of EC2's operations on instances and what they are launched from: where they run, what they are shown with, what is
//! refused, and what the same call again does.

use scaling_emulator::Emulator;
use serde_json::{Value, json};

use crate::call::{call, ec2, tried_ec2};
use crate::client::emulator;

fn run(emulator: &Emulator, members: &str) -> Value {
    let members = format!("MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&{members}");
    ec2(emulator, "RunInstances", &members)["instancesSet"][0].clone()
}

fn subnet(emulator: &Emulator, zone: &str) -> String {
    let members = format!("Filter.1.Name=availability-zone&Filter.1.Value.1={zone}");
    ec2(emulator, "DescribeSubnets", &members)["subnetSet"][0]["subnetId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_instance_runs_where_its_interface_or_its_template_says() {
    let emulator = emulator(1).await;
    let third = subnet(&emulator, "us-east-1c");
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=shop&GroupDescription=d");
    let group = made["groupId"].as_str().unwrap();
    let by_interface = run(
        &emulator,
        &format!(
            "NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId={third}&NetworkInterface.1.SecurityGroupId.1={group}"
        ),
    );
    assert_eq!(by_interface["subnetId"], third);
    assert_eq!(by_interface["placement"]["availabilityZone"], "us-east-1c");
    assert_eq!(by_interface["groupSet"], json!([{ "groupId": group, "groupName": "shop" }]));
    for (name, said) in [
        ("placed", "LaunchTemplateData.Placement.AvailabilityZone=us-east-1b".to_owned()),
        (
            "wired",
            format!("LaunchTemplateData.NetworkInterface.1.SubnetId={}", subnet(&emulator, "us-east-1b")),
        ),
    ] {
        ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName={name}&{said}"));
        let template = format!("LaunchTemplate.LaunchTemplateName={name}");
        assert_eq!(run(&emulator, &template)["placement"]["availabilityZone"], "us-east-1b", "{name}");
        let elsewhere = run(&emulator, &format!("{template}&Placement.AvailabilityZone=us-east-1c"));
        assert_eq!(elsewhere["placement"]["availabilityZone"], "us-east-1c", "{name}");
    }
    for beside in [format!("SubnetId={third}"), format!("SecurityGroupId.1={group}")] {
        let members = format!(
            "MinCount=1&MaxCount=1&ImageId=ami-1&NetworkInterface.1.DeviceIndex=0&InstanceType=m7i.large&{beside}"
        );
        assert_eq!(
            tried_ec2(&emulator, "RunInstances", &members).unwrap_err().code,
            "InvalidParameterCombination"
        );
    }
}

#[tokio::test]
async fn an_instance_is_shown_with_all_that_clients_expect() {
    let emulator = emulator(1).await;
    let told = ec2(&emulator, "DescribeInstances", "");
    assert_eq!(told["reservationSet"][0]["groupSet"], json!([]));
    let shown = &told["reservationSet"][0]["instancesSet"][0];
    for (member, expected) in [
        ("reason", json!("")),
        ("dnsName", json!("")),
        ("productCodes", json!([])),
        ("blockDeviceMapping", json!([])),
        ("networkInterfaceSet", json!([])),
        ("enaSupport", json!(true)),
        ("cpuOptions", json!({ "coreCount": 1, "threadsPerCore": 2 })),
    ] {
        assert_eq!(shown[member], expected, "{member}");
    }
    assert_eq!(shown["metadataOptions"]["httpTokens"], "optional");
    let said = "LaunchTemplateName=strict&LaunchTemplateData.MetadataOptions.HttpTokens=required";
    ec2(&emulator, "CreateLaunchTemplate", said);
    let strict = run(&emulator, "LaunchTemplate.LaunchTemplateName=strict");
    assert_eq!(strict["metadataOptions"]["httpTokens"], "required");
    let id = strict["instanceId"].as_str().unwrap();
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
    let ended = ec2(&emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
    let reason = &ended["reservationSet"][0]["instancesSet"][0]["reason"];
    assert_eq!(reason, "User initiated (2026-01-05 00:00:00 GMT)");
}

#[tokio::test]
async fn what_a_launch_cannot_name_is_refused() {
    let emulator = emulator(1).await;
    let data = "LaunchTemplateData.InstanceType=m7i.large";
    for (operation, members, expected) in [
        (
            "CreateLaunchTemplate",
            format!("LaunchTemplateName=a b!&{data}"),
            "InvalidLaunchTemplateName.MalformedException",
        ),
        (
            "CreateLaunchTemplate",
            format!("LaunchTemplateName=ab&{data}"),
            "InvalidLaunchTemplateName.MalformedException",
        ),
        ("CreateLaunchTemplate", "LaunchTemplateName=empty".to_owned(), "MissingParameter"),
        ("CreateLaunchTemplateVersion", "LaunchTemplateName=web".to_owned(), "MissingParameter"),
        (
            "CreateSecurityGroup",
            "GroupName=shop&GroupDescription=d&VpcId=vpc-nope".to_owned(),
            "InvalidVpcID.NotFound",
        ),
        (
            "RunInstances",
            "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&SecurityGroupId.1=sg-nope".to_owned(),
            "InvalidGroup.NotFound",
        ),
    ] {
        assert_eq!(
            tried_ec2(&emulator, operation, &members).unwrap_err().code,
            expected,
            "{operation} {members}"
        );
    }
    ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=A(1).b-/_&{data}"));
}

#[tokio::test]
async fn the_same_call_again_makes_no_other_template_and_no_other_version() {
    let emulator = emulator(1).await;
    let create = "LaunchTemplateName=shop&LaunchTemplateData.InstanceType=m7i.large&ClientToken=one";
    let first = ec2(&emulator, "CreateLaunchTemplate", create);
    assert_eq!(ec2(&emulator, "CreateLaunchTemplate", create), first);
    let other = create.replace("m7i", "c7i");
    let refused = tried_ec2(&emulator, "CreateLaunchTemplate", &other).unwrap_err();
    assert_eq!(refused.code, "IdempotentParameterMismatch");
    let anew = tried_ec2(&emulator, "CreateLaunchTemplate", &create.replace("one", "two")).unwrap_err();
    assert_eq!(anew.code, "InvalidLaunchTemplateName.AlreadyExistsException");
    let version = create.replace("one", "three");
    let second = ec2(&emulator, "CreateLaunchTemplateVersion", &version);
    assert_eq!(ec2(&emulator, "CreateLaunchTemplateVersion", &version), second);
    let third = ec2(&emulator, "CreateLaunchTemplateVersion", &version.replace("three", "four"));
    let number = |made: &Value| made["launchTemplateVersion"]["versionNumber"].as_u64();
    assert_eq!((number(&second), number(&third)), (Some(2), Some(3)));
}

#[tokio::test]
async fn a_token_of_a_call_with_other_counts_tags_or_members_is_refused() {
    let emulator = emulator(1).await;
    let call = |counts: &str, rest: &str| {
        let call = format!("ClientToken=t&ImageId=ami-1&InstanceType=m7i.large&{counts}{rest}");
        tried_ec2(&emulator, "RunInstances", &call)
    };
    let (two, tag) =
        ("MinCount=1&MaxCount=2", "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1");
    let tagged = format!("{tag}.Key=a&TagSpecification.1.Tag.1.Value=1");
    let first = call(two, &tagged).unwrap();
    assert_eq!(call(two, &tagged).unwrap()["reservationId"], first["reservationId"]);
    for (counts, rest) in [
        ("MinCount=1&MaxCount=3", tagged.as_str()),
        ("MinCount=2&MaxCount=2", &tagged),
        (two, ""),
        (two, &format!("{tag}.Key=a&TagSpecification.1.Tag.1.Value=2")),
        (two, &format!("{tagged}&KeyName=k")),
        // Members that nothing here follows from.
        (two, &format!("{tagged}&Monitoring.Enabled=true")),
        (two, &format!("{tagged}&EbsOptimized=true")),
        (two, &format!("{tagged}&IamInstanceProfile.Name=role")),
    ] {
        let error = call(counts, rest).unwrap_err();
        assert_eq!(error.code, "IdempotentParameterMismatch", "{counts}{rest}");
    }
    // How a call is sent is no part of what it says.
    for sent in ["&DryRun=false", "&X-Amz-Date=20260105T000000Z&X-Amz-Signature=0", "&Version=2016-11-15"] {
        let again = call(two, &format!("{tagged}{sent}")).unwrap();
        assert_eq!(again["reservationId"], first["reservationId"], "{sent}");
    }
}

#[tokio::test]
async fn a_token_in_an_older_state_is_taken_for_what_that_state_knows_of_its_call() {
    let emulator = emulator(1).await;
    let run = "ClientToken=t&ImageId=ami-1&InstanceType=m7i.large&MinCount=1&MaxCount=1";
    let first = ec2(&emulator, "RunInstances", run)["reservationId"].clone();
    let mut state: Value = serde_json::from_slice(&emulator.write_state().unwrap()).unwrap();
    let loose = state["state"]["region"]["loose"].as_object_mut().unwrap();
    for one in loose.values_mut().filter_map(Value::as_object_mut) {
        // Another build's way of telling calls apart.
        one.remove("parameters");
        one.insert("call".to_owned(), json!(7));
    }
    emulator.read_state(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(ec2(&emulator, "RunInstances", run)["reservationId"], first);
    let other = tried_ec2(&emulator, "RunInstances", &run.replace("m7i", "c7i")).unwrap_err();
    assert_eq!(other.code, "IdempotentParameterMismatch");
}

#[tokio::test]
async fn an_instance_has_an_address_of_its_subnet() {
    let emulator = emulator(10).await;
    run(&emulator, &format!("SubnetId={}", subnet(&emulator, "us-east-1c")));
    let vpc = &ec2(&emulator, "DescribeVpcs", "")["vpcSet"][0];
    assert_eq!(vpc["cidrBlock"], "172.31.0.0/16");
    let subnets = ec2(&emulator, "DescribeSubnets", "");
    let number = |address: &str| u32::from(address.parse::<std::net::Ipv4Addr>().unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for reservation in ec2(&emulator, "DescribeInstances", "")["reservationSet"].as_array().unwrap() {
        let one = &reservation["instancesSet"][0];
        let subnet =
            subnets["subnetSet"].as_array().unwrap().iter().find(|it| it["subnetId"] == one["subnetId"]);
        let block = subnet.unwrap()["cidrBlock"].as_str().unwrap();
        let (start, bits) = block.split_once('/').unwrap();
        assert_eq!(bits, "20");
        let address = one["privateIpAddress"].as_str().unwrap();
        assert_eq!(number(address) >> 12, number(start) >> 12, "{address} is not in {block}");
        assert!(seen.insert(address.to_owned()), "{address}");
    }
    assert_eq!(seen.len(), 11);
}

#[tokio::test]
async fn a_type_tells_its_cores_and_a_group_that_it_has_no_traffic_sources() {
    let emulator = emulator(1).await;
    for (kind, expected) in [("m7i.xlarge", [4, 2, 2]), ("m7a.xlarge", [4, 4, 1]), ("m7g.xlarge", [4, 4, 1])]
    {
        let shown = ec2(&emulator, "DescribeInstanceTypes", &format!("InstanceType.1={kind}"));
        let cpu = &shown["instanceTypeSet"][0]["vCpuInfo"];
        let cpu = ["defaultVCpus", "defaultCores", "defaultThreadsPerCore"].map(|member| cpu[member].clone());
        assert_eq!(cpu, expected, "{kind}");
    }
    let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef";
    call(&emulator, "DetachLoadBalancerTargetGroups", &format!("TargetGroupARNs.member.1={arn}"));
    let shown = call(&emulator, "DescribeAutoScalingGroups", "");
    assert_eq!(shown["AutoScalingGroups"][0]["TrafficSources"], json!([]));
}
