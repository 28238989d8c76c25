//! What Auto Scaling and EC2 refuse because it is out of its range or of no known form.

use scaling_emulator::wire::form::Form;

use crate::call::{call, is_refused, refused, tried, tried_ec2};
use crate::client::{advance, emulator, web};

#[tokio::test]
async fn settings_of_a_group_out_of_their_range_are_refused() {
    let emulator = emulator(1).await;
    let policy = "InstanceMaintenancePolicy";
    for (members, part) in [
        ("MaxInstanceLifetime=31536001".to_owned(), "365 days"),
        ("HealthCheckType=EC2,Magic".to_owned(), "Invalid HealthCheckType: Magic"),
        ("VPCZoneIdentifier=subnet-nowhere".to_owned(), "subnet ID 'subnet-nowhere' does not exist"),
        (format!("{policy}.MinHealthyPercentage=-5&{policy}.MaxHealthyPercentage=120"), "from 0 to 100"),
        (format!("{policy}.MinHealthyPercentage=90&{policy}.MaxHealthyPercentage=99"), "from 100 to 200"),
        (format!("{policy}.MinHealthyPercentage=50&{policy}.MaxHealthyPercentage=160"), "difference"),
        (
            "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
             &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.large\
             &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=101"
                .to_owned(),
            "less than or equal to 100",
        ),
    ] {
        is_refused(&emulator, "UpdateAutoScalingGroup", &members, part);
    }
    let set = format!("{policy}.MinHealthyPercentage=90&{policy}.MaxHealthyPercentage=120");
    call(&emulator, "UpdateAutoScalingGroup", &set);
    assert!(web(&emulator, |group| group.settings.maintenance.is_some()));
    let cleared = format!("{policy}.MinHealthyPercentage=-1&{policy}.MaxHealthyPercentage=-1");
    call(&emulator, "UpdateAutoScalingGroup", &cleared);
    assert!(web(&emulator, |group| group.settings.maintenance.is_none()));
    call(&emulator, "UpdateAutoScalingGroup", "HealthCheckType=EC2,ELB&MaxInstanceLifetime=31536000");
    let colon = "AutoScalingGroupName=a:b&MinSize=0&MaxSize=0&LaunchTemplate.LaunchTemplateName=web";
    let form = Form::parse(colon.as_bytes());
    let error = emulator
        .with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)
        })
        .unwrap_err();
    assert!(error.message.contains("no colon"), "{error}");
}

#[tokio::test]
async fn policies_schedules_and_hooks_that_cannot_be_are_refused() {
    let emulator = emulator(1).await;
    let hook = "LifecycleHookName=h&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING";
    let queue = "NotificationTargetARN=arn:aws:sqs:us-east-1:123456789012:q";
    for (operation, members, part) in [
        (
            "PutScalingPolicy",
            "PolicyName=p&PolicyType=PredictiveScaling".to_owned(),
            "PredictiveScalingConfiguration",
        ),
        (
            "PutScalingPolicy",
            "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1&MetricAggregationType=Odd"
                .to_owned(),
            "Invalid MetricAggregationType: Odd",
        ),
        (
            "PutScalingPolicy",
            "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1&EstimatedInstanceWarmup=-5"
                .to_owned(),
            "EstimatedInstanceWarmup",
        ),
        ("PutLifecycleHook", format!("{hook}&NotificationTargetARN=arn:aws:s3:::b"), "no Amazon SNS topic"),
        ("PutLifecycleHook", format!("{hook}&{queue}"), "RoleARN is required"),
    ] {
        is_refused(&emulator, operation, &members, part);
    }
    call(&emulator, "PutLifecycleHook", &format!("{hook}&{queue}&RoleARN=arn:aws:iam::123456789012:role/r"));
    let at = |name: &str, time: &str| format!("ScheduledActionName={name}&StartTime={time}&MinSize=1");
    call(&emulator, "PutScheduledUpdateGroupAction", &at("a", "2026-02-01T00:00:00Z"));
    call(&emulator, "PutScheduledUpdateGroupAction", &at("a", "2026-02-01T00:00:00Z"));
    let (code, _) = refused(&emulator, "PutScheduledUpdateGroupAction", &at("b", "2026-02-01T00:00:00Z"));
    assert_eq!(code, "AlreadyExists");
    call(&emulator, "PutScheduledUpdateGroupAction", &at("b", "2026-02-01T00:01:00Z"));
}

#[tokio::test]
async fn what_is_no_instance_id_is_malformed() {
    let emulator = emulator(1).await;
    for operation in ["DescribeInstances", "DescribeInstanceStatus", "TerminateInstances", "StopInstances"] {
        let error = tried_ec2(&emulator, operation, "InstanceId.1=foo").unwrap_err();
        assert_eq!(error.code, "InvalidInstanceID.Malformed", "{operation}");
    }
}

#[tokio::test]
async fn a_parameter_of_another_kind_is_named_with_its_value() {
    let emulator = emulator(1).await;
    for (operation, members, told) in [
        (
            "DescribeInstances",
            "MaxResults=abc",
            "( abc ) for parameter maxResults is invalid. Expecting an integer.",
        ),
        (
            "DescribeInstances",
            "MaxResults=1.5",
            "( 1.5 ) for parameter maxResults is invalid. Expecting an integer.",
        ),
        ("DescribeInstanceStatus", "IncludeAllInstances=maybe", "parameter includeAllInstances is invalid"),
        ("RunInstances", "MinCount=-1&MaxCount=1", "( -1 ) for parameter minCount is invalid."),
    ] {
        let error = tried_ec2(&emulator, operation, members).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue", "{members}");
        assert!(error.message.contains(told), "{members}: {error}");
    }
}

#[tokio::test]
async fn a_launch_configuration_is_shown_as_it_was_made() {
    let emulator = emulator(1).await;
    let members = "LaunchConfigurationName=lc&ImageId=ami-1&InstanceType=m7i.large&KeyName=k&UserData=eA%3D%3D\
        &SecurityGroups.member.1=sg-1&SecurityGroups.member.2=sg-2&SpotPrice=0.05&EbsOptimized=true\
        &InstanceMonitoring.Enabled=false&IamInstanceProfile=role&BlockDeviceMappings.member.1.DeviceName=/dev/sda1\
        &BlockDeviceMappings.member.1.Ebs.VolumeSize=20";
    call(&emulator, "CreateLaunchConfiguration", members);
    let shown = tried(&emulator, "DescribeLaunchConfigurations", "").unwrap();
    let shown = &shown["LaunchConfigurations"][0];
    for (member, expected) in [
        ("KeyName", serde_json::json!("k")),
        ("UserData", serde_json::json!("eA==")),
        ("SecurityGroups", serde_json::json!(["sg-1", "sg-2"])),
        ("SpotPrice", serde_json::json!("0.05")),
        ("EbsOptimized", serde_json::json!("true")),
        ("InstanceMonitoring", serde_json::json!({ "Enabled": "false" })),
        ("IamInstanceProfile", serde_json::json!("role")),
    ] {
        assert_eq!(shown[member], expected, "{member}");
    }
    assert_eq!(shown["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"], "20");
    assert!(shown.get("Version").is_none());
    advance(&emulator, 15).await;
}
