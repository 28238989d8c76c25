//! A region with everything that one can hold: each kind of source, policy, alarm, metric and fault, and things in the midst
//! of happening.

use scaling_emulator::region::trouble::ANY;
use scaling_emulator::{Emulator, Scenario, cloudwatch};
use serde_json::{Value, json};

use crate::call::call;
use crate::client::{advance, emulator, form, set, web};

const FORMS: [&str; 6] = [
    "Action=CreateLaunchTemplate&Version=2016-11-15&LaunchTemplateName=full&LaunchTemplateData.ImageId=ami-12345678\
         &LaunchTemplateData.InstanceType=m7i.large&LaunchTemplateData.KeyName=k&LaunchTemplateData.UserData=e30%3D\
         &LaunchTemplateData.EbsOptimized=true&LaunchTemplateData.SecurityGroupId.1=sg-1&LaunchTemplateData.Monitoring.Enabled=true\
         &LaunchTemplateData.IamInstanceProfile.Name=role&LaunchTemplateData.TagSpecification.1.ResourceType=instance\
         &LaunchTemplateData.TagSpecification.1.Tag.1.Key=a&LaunchTemplateData.TagSpecification.1.Tag.1.Value=b",
    "Action=CreateSecurityGroup&Version=2016-11-15&GroupName=mine&GroupDescription=d",
    "Action=RunInstances&Version=2016-11-15&ImageId=ami-12345678&InstanceType=t3.micro&MinCount=1&MaxCount=1",
    "Action=CreateLaunchConfiguration&Version=2011-01-01&LaunchConfigurationName=old&ImageId=ami-12345678\
         &InstanceType=m5.large",
    "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=old&LaunchConfigurationName=old&MinSize=1\
         &MaxSize=2&AvailabilityZones.member.1=us-east-1a",
    "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=mixed&MinSize=1&MaxSize=6\
         &DesiredCapacity=4&AvailabilityZones.member.1=us-east-1a\
         &MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=full\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.large\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.WeightedCapacity=2\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.InstanceRequirements.VCpuCount.Min=4\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.InstanceRequirements.MemoryMiB.Min=8192\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.WeightedCapacity=2",
];

const CALLS: &[(&str, &str)] = &[
    ("PutWarmPool", "MinSize=1&MaxGroupPreparedCapacity=5"),
    (
        "PutNotificationConfiguration",
        "TopicARN=arn:aws:sns:us-east-1:123456789012:t&NotificationTypes.member.1=autoscaling:EC2_INSTANCE_LAUNCH",
    ),
    ("PutLifecycleHook", "LifecycleHookName=hold&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING"),
    (
        "PutScheduledUpdateGroupAction",
        "ScheduledActionName=noon&Recurrence=0 12 * * *&TimeZone=Europe/Berlin&MinSize=2",
    ),
    (
        "PutScalingPolicy",
        "PolicyName=step&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity&StepAdjustments.member.1.ScalingAdjustment=1\
             &StepAdjustments.member.1.MetricIntervalLowerBound=0",
    ),
    (
        "PutScalingPolicy",
        "PolicyName=ahead&PolicyType=PredictiveScaling&PredictiveScalingConfiguration.MetricSpecifications.member.1.TargetValue=50\
             &PredictiveScalingConfiguration.MetricSpecifications.member.1.PredefinedMetricPairSpecification.PredefinedMetricType=ASGCPUUtilization",
    ),
    (
        "PutScalingPolicy",
        "PolicyName=own&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=10\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.1.Id=a\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.1.ReturnData=false\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.1.MetricStat.Stat=Sum\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.1.MetricStat.Metric.Namespace=Shop\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.1.MetricStat.Metric.MetricName=Orders\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.2.Id=b\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Metrics.member.2.Expression=a/3",
    ),
    ("SuspendProcesses", "ScalingProcesses.member.1=AZRebalance"),
];

const REFRESH: &str = "Preferences.MinHealthyPercentage=90&Preferences.AutoRollback=true\
        &DesiredConfiguration.LaunchTemplate.LaunchTemplateName=web&DesiredConfiguration.LaunchTemplate.Version=1\
        &Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=100";

fn inputs() -> Vec<(&'static str, Value)> {
    let metric = json!({ "Namespace": "Shop", "MetricName": "Orders" });
    vec![
        (
            "PutMetricData",
            json!({ "Namespace": "Shop", "MetricData": [
            { "MetricName": "Orders", "Value": 0.1, "Unit": "Count", "StorageResolution": 1 },
            { "MetricName": "Wait", "Values": [0.1, 0.7], "Counts": [3, 4], "Dimensions": [{ "Name": "d", "Value": "v" }] },
            { "MetricName": "Sizes", "StatisticValues": { "SampleCount": 3, "Sum": 10, "Minimum": 1, "Maximum": 7 } },
        ] }),
        ),
        (
            "PutMetricAlarm",
            json!({
                "AlarmName": "orders", "Namespace": "Shop", "MetricName": "Orders", "Unit": "Count", "Period": 60, "Threshold": 1.5,
                "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "ExtendedStatistic": "p99.9", "TreatMissingData": "notBreaching",
                "EvaluateLowSampleCountPercentile": "ignore", "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": ["arn:aws:lambda:us-east-1:123456789012:function:f"], "Tags": [{ "Key": "a", "Value": "b" }],
            }),
        ),
        (
            "PutMetricAlarm",
            json!({
                "AlarmName": "math", "Threshold": 1, "EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold",
                "Metrics": [
                    { "Id": "m", "ReturnData": false, "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Average", "Unit": "Count" } },
                    { "Id": "e", "Expression": "IF(m > 1 AND m < 7, FILL(m, 0) ^ 2, SUM([m, METRICS()]))", "Label": "l" },
                ],
            }),
        ),
        (
            "PutCompositeAlarm",
            json!({
                "AlarmName": "both", "AlarmRule": "ALARM(orders) AND NOT (OK(math) OR INSUFFICIENT_DATA(math) OR FALSE)",
                "ActionsSuppressor": "math", "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60,
            }),
        ),
        ("PutDashboard", json!({ "DashboardName": "d", "DashboardBody": "{\"widgets\":[]}" })),
    ]
}

fn faults(instance: &str) -> Vec<Value> {
    vec![
        json!({ "kind": "throttle", "operation": "EC2.*", "times": 3 }),
        json!({ "kind": "fail", "operation": "*", "code": "InternalFailure", "rate": 0.25 }),
        json!({ "kind": "rate_limit", "operation": "AutoScaling.*", "burst": 20, "per_second": 0.3 }),
        json!({ "kind": "capacity_shortage", "instance_type": "m5.large" }),
        json!({ "kind": "zone_shortage", "instance_type": ANY, "zone": "us-east-1b" }),
        json!({ "kind": "launch_failure", "instance_type": "c5.large", "message": "no" }),
        json!({ "kind": "lost_metrics", "group": "old" }),
        json!({ "kind": "late_metrics", "seconds": 90 }),
        json!({ "kind": "spot_interruption", "instance_id": instance }),
    ]
}

/// An emulator of everything.
pub(crate) async fn everything() -> Emulator {
    let emulator = emulator(3).await;
    let scenario = include_str!("../../examples/scenario.json");
    emulator.begin(Scenario::parse(scenario).unwrap()).unwrap();
    for body in FORMS {
        let (status, answer) = form(&emulator, body).await;
        assert_eq!(status, 200, "{body}\n{answer}");
    }
    for (operation, members) in CALLS {
        call(&emulator, operation, members);
    }
    for (operation, input) in inputs() {
        emulator.with_region(|region| cloudwatch::dispatch(region, operation, input).unwrap());
    }
    advance(&emulator, 1900).await;
    call(&emulator, "StartInstanceRefresh", REFRESH);
    set(&emulator, 5).unwrap();
    advance(&emulator, 130).await;
    let instance = web(&emulator, |group| group.members[0].id.clone());
    for fault in faults(&instance) {
        emulator.inject(serde_json::from_value(fault).unwrap()).unwrap();
    }
    advance(&emulator, 31).await;
    emulator
}
