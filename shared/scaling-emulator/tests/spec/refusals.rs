//! What the services refuse, in the words that they are known to use.

use crate::call::{call, ec2, is_refused, refused, tried, tried_ec2};
use crate::client::{advance, emulator, web};

const CONFIGURATION: &str = "TargetTrackingConfiguration";
const ATTACHED: &str = "targetgroup/web/0123456789abcdef";

/// A policy that tracks requests, with this resource label.
fn requests(label: &str) -> String {
    format!(
        "PolicyName=requests&PolicyType=TargetTrackingScaling&{CONFIGURATION}.TargetValue=100\
         &{CONFIGURATION}.PredefinedMetricSpecification.PredefinedMetricType=ALBRequestCountPerTarget\
         &{CONFIGURATION}.PredefinedMetricSpecification.ResourceLabel={label}"
    )
}

#[tokio::test]
async fn requests_are_tracked_only_of_a_target_group_that_the_group_has() {
    let emulator = emulator(1).await;
    let foreign = requests("app/web/0123456789abcdef/targetgroup/other/0123456789abcdef");
    let (code, message) = refused(&emulator, "PutScalingPolicy", &foreign);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationError", "Target group not attached to the Auto Scaling group")
    );
    call(&emulator, "PutScalingPolicy", &requests(&format!("app/any/fedcba9876543210/{ATTACHED}")));
    for label in [
        "foo".to_owned(),
        ATTACHED.to_owned(),
        format!("/{ATTACHED}"),
        format!("web/{ATTACHED}"),
        format!("net/web/1/{ATTACHED}"),
        format!("app/web/{ATTACHED}"),
        format!("app/web/0123456789abcdef/{ATTACHED}/more"),
        "app/web/0123456789abcdef/targetgroup/web".to_owned(),
    ] {
        is_refused(&emulator, "PutScalingPolicy", &requests(&label), "esource label");
    }
}

#[tokio::test]
async fn a_forecast_of_requests_needs_the_target_group_too() {
    let emulator = emulator(1).await;
    let pair = "PredictiveScalingConfiguration.MetricSpecifications.member.1";
    let policy = |label: &str| {
        format!(
            "PolicyName=ahead&PolicyType=PredictiveScaling&{pair}.TargetValue=100\
             &{pair}.PredefinedMetricPairSpecification.PredefinedMetricType=ALBRequestCount\
             &{pair}.PredefinedMetricPairSpecification.ResourceLabel={label}"
        )
    };
    let foreign = "app/web/0123456789abcdef/targetgroup/other/0123456789abcdef";
    is_refused(&emulator, "PutScalingPolicy", &policy(foreign), "Target group not attached");
    call(&emulator, "PutScalingPolicy", &policy(&format!("app/web/0123456789abcdef/{ATTACHED}")));
}

#[tokio::test]
async fn target_groups_are_given_by_their_arns() {
    let emulator = emulator(1).await;
    let arn = |rest: &str| format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{rest}");
    let told = "Provided Target Groups may not be valid. Please ensure they exist and try again.";
    for wrong in
        ["foo".to_owned(), arn("loadbalancer/app/web/1"), arn("targetgroup/web"), arn("targetgroup//1")]
    {
        let group =
            "MinSize=0&MaxSize=1&AvailabilityZones.member.1=us-east-1a&LaunchTemplate.LaunchTemplateName=web";
        let made = format!("{group}&TargetGroupARNs.member.1={wrong}");
        let form = format!("AutoScalingGroupName=other&{made}");
        let form = scaling_emulator::wire::form::Form::parse(form.as_bytes());
        let create = emulator.with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)
        });
        assert_eq!(create.unwrap_err().message, told, "{wrong}");
        let attach = format!("TargetGroupARNs.member.1={wrong}");
        let (code, message) = refused(&emulator, "AttachLoadBalancerTargetGroups", &attach);
        assert_eq!((code.as_str(), message.as_str()), ("ValidationError", told), "{wrong}");
    }
    let right = format!("TargetGroupARNs.member.1={}", arn("targetgroup/more/1"));
    call(&emulator, "AttachLoadBalancerTargetGroups", &right);
}

#[tokio::test]
async fn one_metric_is_tracked_by_one_policy() {
    let emulator = emulator(1).await;
    let policy = |name: &str, metric: &str, target: u32| {
        format!(
            "PolicyName={name}&PolicyType=TargetTrackingScaling&{CONFIGURATION}.TargetValue={target}\
             &{CONFIGURATION}.PredefinedMetricSpecification.PredefinedMetricType={metric}"
        )
    };
    call(&emulator, "PutScalingPolicy", &policy("cpu", "ASGAverageCPUUtilization", 50));
    call(&emulator, "PutScalingPolicy", &policy("cpu", "ASGAverageCPUUtilization", 60));
    call(&emulator, "PutScalingPolicy", &policy("in", "ASGAverageNetworkIn", 1000));
    let again = policy("again", "ASGAverageCPUUtilization", 70);
    let (code, message) = refused(&emulator, "PutScalingPolicy", &again);
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "ValidationError",
            "Only one TargetTrackingScaling policy for a given metric specification is allowed."
        )
    );
    let step = "PolicyName=step&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity\
        &StepAdjustments.member.1.MetricIntervalLowerBound=0&StepAdjustments.member.1.ScalingAdjustment=1";
    call(&emulator, "PutScalingPolicy", step);
    call(&emulator, "DeletePolicy", "PolicyName=cpu");
    call(&emulator, "PutScalingPolicy", &again);
}

#[tokio::test]
async fn an_image_is_given_by_its_id() {
    let emulator = emulator(1).await;
    let configuration =
        |image: &str| format!("LaunchConfigurationName={image}&ImageId={image}&InstanceType=m7i.large");
    let (code, message) = refused(&emulator, "CreateLaunchConfiguration", &configuration("foo"));
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationError", "AMI foo is invalid: Invalid id: \"foo\" (expecting \"ami-...\")")
    );
    call(&emulator, "CreateLaunchConfiguration", &configuration("ami-1"));
    let template =
        "LaunchTemplateName=odd&LaunchTemplateData.InstanceType=m7i.large&LaunchTemplateData.ImageId=foo";
    ec2(&emulator, "CreateLaunchTemplate", template);
    is_refused(
        &emulator,
        "UpdateAutoScalingGroup",
        "LaunchTemplate.LaunchTemplateName=odd",
        "You must use a valid fully-formed launch template. Invalid id: \"foo\" (expecting \"ami-...\")",
    );
}

#[tokio::test]
async fn a_stopped_instance_keeps_its_architecture() {
    let emulator = emulator(1).await;
    let run = "MinCount=1&MaxCount=1&ImageId=ami-0a1b2c3d4e5f60001&InstanceType=m7i.large";
    let made = ec2(&emulator, "RunInstances", run);
    let id = made["instancesSet"][0]["instanceId"].as_str().unwrap();
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={id}"));
    let modify = |kind: &str| {
        tried_ec2(&emulator, "ModifyInstanceAttribute", &format!("InstanceId={id}&InstanceType.Value={kind}"))
    };
    let error = modify("m7g.large").unwrap_err();
    assert_eq!(error.code, "InvalidParameterValue");
    assert!(
        error.message.starts_with(
            "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the \
             specified AMI."
        ),
        "{}",
        error.message
    );
    modify("m7i.xlarge").unwrap();
}

/// A mixed instances policy over the group's template.
fn mixed(more: &str) -> String {
    let policy = "MixedInstancesPolicy";
    format!(
        "{policy}.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web{}",
        more.replace("&.", &format!("&{policy}."))
    )
}

#[tokio::test]
async fn a_warm_pool_of_a_mixed_instances_policy_hibernates_only_what_is_launched_to_hibernate() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "PoolState=Hibernated&MinSize=1");
    advance(&emulator, 180).await;
    assert!(crate::call::states(&emulator).contains(&"Warmed:Hibernated".to_owned()));
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    advance(&emulator, 180).await;
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        &mixed("&.LaunchTemplate.LaunchTemplateSpecification.Version=$Latest"),
    );
    is_refused(&emulator, "PutWarmPool", "PoolState=Hibernated", "ibernat");
    let version =
        "LaunchTemplateName=web&SourceVersion=1&LaunchTemplateData.HibernationOptions.Configured=true";
    ec2(&emulator, "CreateLaunchTemplateVersion", version);
    call(&emulator, "PutWarmPool", "PoolState=Hibernated&MinSize=1");
}

#[tokio::test]
async fn neither_spot_instances_nor_weights_wait_in_a_warm_pool() {
    for (more, word) in [
        ("&.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0", "requests Spot Instances"),
        (
            "&.LaunchTemplate.Overrides.member.1.InstanceType=m7i.xlarge\
             &.LaunchTemplate.Overrides.member.1.WeightedCapacity=2",
            "weights",
        ),
    ] {
        let emulator = emulator(1).await;
        call(&emulator, "UpdateAutoScalingGroup", &mixed(more));
        is_refused(&emulator, "PutWarmPool", "MinSize=1", word);
    }
    let emulator = emulator(1).await;
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        &mixed("&.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=100"),
    );
    call(&emulator, "PutWarmPool", "MinSize=1");
}

#[tokio::test]
async fn a_group_with_a_warm_pool_is_given_neither_spot_instances_nor_weights() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "MinSize=1");
    let spot = mixed("&.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0");
    let weights = mixed(
        "&.LaunchTemplate.Overrides.member.1.InstanceType=m7i.xlarge\
         &.LaunchTemplate.Overrides.member.1.WeightedCapacity=2",
    );
    let template = "LaunchTemplateData.InstanceMarketOptions.MarketType=spot";
    let version = format!("LaunchTemplateName=web&SourceVersion=1&{template}");
    ec2(&emulator, "CreateLaunchTemplateVersion", &version);
    let requests = "LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2";
    let before = web(&emulator, |group| group.settings.clone());
    for (source, word) in [
        (spot.as_str(), "requests Spot Instances"),
        (&weights, "weights"),
        (requests, "requests Spot Instances"),
    ] {
        is_refused(&emulator, "UpdateAutoScalingGroup", &format!("{source}&MaxSize=9"), word);
        is_refused(&emulator, "UpdateAutoScalingGroup", source, "web has a warm pool");
        assert_eq!(web(&emulator, |group| group.settings.clone()), before, "{source}");
        let wanted = format!("DesiredConfiguration.{}", source.replace('&', "&DesiredConfiguration."));
        is_refused(&emulator, "StartInstanceRefresh", &wanted, word);
    }
    // What does not say what is launched is as good as before, and so is what may wait in a pool.
    call(&emulator, "UpdateAutoScalingGroup", "MaxSize=9");
    call(&emulator, "UpdateAutoScalingGroup", &mixed(""));
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    call(&emulator, "UpdateAutoScalingGroup", &spot);
}

#[tokio::test]
async fn a_group_whose_warm_pool_hibernates_is_given_no_policy_whose_template_does_not() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "PoolState=Hibernated&MinSize=1");
    let latest = mixed("&.LaunchTemplate.LaunchTemplateSpecification.Version=$Latest");
    is_refused(&emulator, "UpdateAutoScalingGroup", &latest, "HibernationOptions");
}

#[tokio::test]
async fn a_warm_pool_goes_with_its_group() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "MinSize=2");
    advance(&emulator, 300).await;
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    advance(&emulator, 600).await;
    let named = "AutoScalingGroupNames.member.1=web";
    assert_eq!(
        call(&emulator, "DescribeAutoScalingGroups", named)["AutoScalingGroups"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn a_group_that_is_being_deleted_takes_no_writes() {
    let emulator = emulator(1).await;
    call(&emulator, "PutScalingPolicy", "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1");
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    let tag =
        "Tags.member.1.ResourceId=web&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=k";
    let topic = "TopicARN=arn:aws:sns:us-east-1:123456789012:t&NotificationTypes.member.1=autoscaling:TEST_NOTIFICATION";
    for (operation, members) in [
        ("CreateOrUpdateTags", tag),
        ("PutNotificationConfiguration", topic),
        ("SuspendProcesses", ""),
        ("ResumeProcesses", ""),
        ("EnableMetricsCollection", "Granularity=1Minute"),
        ("ExecutePolicy", "PolicyName=p"),
        ("AttachInstances", "InstanceIds.member.1=i-1"),
    ] {
        is_refused(&emulator, operation, members, "pending delete");
    }
    let (code, message) = refused(&emulator, "UpdateAutoScalingGroup", "MaxSize=2");
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationError", "The AutoScaling group may not be modified while it is pending delete")
    );
    let (_, message) = refused(&emulator, "SuspendProcesses", "");
    assert_eq!(message, "Processes may not be suspended while the AutoScaling group is pending delete");
    tried(&emulator, "DescribeScalingActivities", "").unwrap();
}

const ARM: &str = "ImageId=ami-0a1b2c3d4e5f60002&InstanceType=m7i.large";
const MISMATCH: &str = "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of \
    the specified AMI.";

#[tokio::test]
async fn an_image_runs_on_its_own_architecture_only() {
    let emulator = emulator(1).await;
    let error = tried_ec2(&emulator, "RunInstances", &format!("MinCount=1&MaxCount=1&{ARM}")).unwrap_err();
    assert_eq!(error.code, "InvalidParameterValue");
    assert!(error.message.starts_with(MISMATCH), "{}", error.message);
    let configuration = format!("LaunchConfigurationName=arm&{ARM}");
    is_refused(&emulator, "CreateLaunchConfiguration", &configuration, MISMATCH);
    let data = format!("LaunchTemplateData.{}", ARM.replace("&Inst", "&LaunchTemplateData.Inst"));
    ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=arm&{data}"));
    let told = format!("You must use a valid fully-formed launch template. {MISMATCH}");
    is_refused(&emulator, "UpdateAutoScalingGroup", "LaunchTemplate.LaunchTemplateName=arm", &told);
    let mixed = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=arm\
        &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=";
    is_refused(&emulator, "UpdateAutoScalingGroup", &format!("{mixed}c7i.large"), &told);
    call(&emulator, "UpdateAutoScalingGroup", &format!("{mixed}c7g.large"));
}

#[tokio::test]
async fn only_what_serves_or_stands_by_is_protected() {
    let emulator = emulator(2).await;
    let id = crate::client::web(&emulator, |group| group.members[0].id.clone());
    let end = format!("InstanceId={id}&ShouldDecrementDesiredCapacity=false");
    call(&emulator, "TerminateInstanceInAutoScalingGroup", &end);
    let protect = format!("InstanceIds.member.1={id}&ProtectedFromScaleIn=true");
    let (code, message) = refused(&emulator, "SetInstanceProtection", &protect);
    let told = format!("The instance {id} is not in InService or EnteringStandby or Standby.");
    assert_eq!((code.as_str(), message), ("ValidationError", told));
}

#[tokio::test]
async fn members_keep_to_their_bounds() {
    let emulator = emulator(1).await;
    let long = "a".repeat(256);
    let exact = "PolicyName=p&AdjustmentType=ExactCapacity";
    let step =
        "StepAdjustments.member.1.MetricIntervalLowerBound=0&StepAdjustments.member.1.ScalingAdjustment=-1";
    let configuration = "ImageId=ami-1&InstanceType=m7i.large";
    let action = "Recurrence=0+0+*+*+*&MinSize=1";
    let tag = "Tags.member.1.ResourceId=web&Tags.member.1.Key=k&Tags.member.1.ResourceType=instance";
    for (operation, members, part) in [
        ("PutScalingPolicy", format!("{exact}&ScalingAdjustment=-1"), "at least 0"),
        ("PutScalingPolicy", format!("{exact}&PolicyType=StepScaling&{step}"), "at least 0"),
        (
            "PutScalingPolicy",
            "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1&Cooldown=-1".to_owned(),
            "Cooldown",
        ),
        ("EnableMetricsCollection", String::new(), "Value null at 'granularity'"),
        ("CreateOrUpdateTags", tag.to_owned(), "resource type"),
        ("PutWarmPool", "MinSize=-1".to_owned(), "'minSize'"),
        (
            "CreateLaunchConfiguration",
            format!("LaunchConfigurationName={long}&{configuration}"),
            "at 'launchConfigurationName' failed to satisfy constraint: Member must have length less than or equal to 255",
        ),
        (
            "CreateLaunchConfiguration",
            format!("LaunchConfigurationName=&{configuration}"),
            "Value '' at 'launchConfigurationName' failed to satisfy constraint: Member must have length greater than or \
             equal to 1",
        ),
        (
            "PutScheduledUpdateGroupAction",
            format!("ScheduledActionName={long}&{action}"),
            "'scheduledActionName'",
        ),
        ("PutScheduledUpdateGroupAction", format!("ScheduledActionName=&{action}"), "'scheduledActionName'"),
        ("AttachLoadBalancers", "LoadBalancerNames.member.1=".to_owned(), "'loadBalancerNames'"),
    ] {
        is_refused(&emulator, operation, &members, part);
    }
}
