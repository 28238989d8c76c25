"""What acts by itself: policies with their alarms, scheduled actions, lifecycle hooks, standby, warm pools."""

from emulator import advance, autoscaling, cloudwatch, control, group, make_group, make_template, refused, serving

make_template()
make_group(size=(1, 8, 2), HealthCheckGracePeriod=0, DefaultInstanceWarmup=60)
control("workload", {"group": "web", "load": {"constant": 55.0}})
advance(300)

# Target tracking: two alarms, and an instance more after three minutes over the target.
made = autoscaling.put_scaling_policy(
    AutoScalingGroupName="web",
    PolicyName="half",
    PolicyType="TargetTrackingScaling",
    TargetTrackingConfiguration={
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    },
)
alarms = [alarm["AlarmName"] for alarm in made["Alarms"]]
assert [name.rsplit("-", 6)[1] for name in alarms] == ["AlarmHigh", "AlarmLow"], alarms
advance(600)
assert (group()["DesiredCapacity"], len(serving())) == (3, 3), group()
history = cloudwatch.describe_alarm_history(AlarmName=alarms[0], HistoryItemType="StateUpdate")
assert history["AlarmHistoryItems"], history
autoscaling.delete_policy(AutoScalingGroupName="web", PolicyName="half")
assert cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"] == []

# A step policy behind an alarm of one's own.
arn = autoscaling.put_scaling_policy(
    AutoScalingGroupName="web",
    PolicyName="more",
    PolicyType="StepScaling",
    AdjustmentType="ChangeInCapacity",
    StepAdjustments=[{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
)["PolicyARN"]
cloudwatch.put_metric_alarm(
    AlarmName="busy",
    Namespace="AWS/EC2",
    MetricName="CPUUtilization",
    Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}],
    Statistic="Average",
    Period=60,
    EvaluationPeriods=1,
    Threshold=20.0,
    ComparisonOperator="GreaterThanThreshold",
    AlarmActions=[arn],
)
advance(120)
assert group()["DesiredCapacity"] == 5, group()
cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["busy"])
cloudwatch.delete_alarms(AlarmNames=["busy"])
advance(300)

# A hook holds what ends until it is completed.
autoscaling.put_lifecycle_hook(
    AutoScalingGroupName="web",
    LifecycleHookName="drain",
    LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    HeartbeatTimeout=900,
)
autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
advance(120)
[held] = [one for one in group()["Instances"] if one["LifecycleState"] == "Terminating:Wait"]
autoscaling.complete_lifecycle_action(
    AutoScalingGroupName="web",
    LifecycleHookName="drain",
    InstanceId=held["InstanceId"],
    LifecycleActionResult="CONTINUE",
)
advance(60)
assert len(group()["Instances"]) == 4, group()
autoscaling.delete_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="drain")

# Standby and back.
one = serving()[0]["InstanceId"]
autoscaling.enter_standby(AutoScalingGroupName="web", InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
advance(30)
found = autoscaling.describe_auto_scaling_instances(InstanceIds=[one])["AutoScalingInstances"]
assert (found[0]["LifecycleState"], group()["DesiredCapacity"]) == ("Standby", 3), found
autoscaling.exit_standby(AutoScalingGroupName="web", InstanceIds=[one])
advance(30)
assert len(serving()) == 4

# A warm pool serves in half a minute.
autoscaling.put_warm_pool(AutoScalingGroupName="web", MaxGroupPreparedCapacity=6, PoolState="Stopped")
advance(200)
pages = autoscaling.get_paginator("describe_warm_pool").paginate(AutoScalingGroupName="web")
pooled = [one["LifecycleState"] for page in pages for one in page["Instances"]]
assert pooled == ["Warmed:Stopped"] * 2, pooled
autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=6)
advance(60)
assert len(serving()) == 6, group()
refused("ResourceInUse", autoscaling.delete_auto_scaling_group, AutoScalingGroupName="web")

# What there is of each kind, and the limits.
assert "OldestInstance" in autoscaling.describe_termination_policy_types()["TerminationPolicyTypes"]
assert autoscaling.describe_account_limits()["NumberOfAutoScalingGroups"] == 1
