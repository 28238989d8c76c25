"""Sequences over groups: what they launch from, their instances, policies, hooks, and what is attached to them."""

from sequences_found import machine, member, security_group, subnet, target_group, template
from sequences_machines import run_machines

NAMES = ["web", "api"]
TYPES = ["m5.large", "c5.xlarge"]
# One, because moto spreads instances over several by chance.
ZONES = ["us-east-1a"]
IMAGE = "ami-12c6146b"


def spec(draw, name=None):
    """A reference to a launch template."""
    return {
        "LaunchTemplateName": name or draw.choice(NAMES),
        "Version": draw.choice(["1", "1", "2", "$Latest", "$Default"]),
    }


def make_template(draw, name):
    data = {"ImageId": IMAGE, "InstanceType": draw.choice(TYPES)}
    return "ec2", "create_launch_template", {"LaunchTemplateName": name, "LaunchTemplateData": data}


def make_group(name, sizes=(1, 5, 2)):
    least, most, desired = sizes
    return "autoscaling", "create_auto_scaling_group", {
        "AutoScalingGroupName": name,
        "LaunchTemplate": {"LaunchTemplateName": name, "Version": "1"},
        "MinSize": least,
        "MaxSize": most,
        "DesiredCapacity": desired,
        "AvailabilityZones": ZONES,
    }


def two_groups(draw):
    for name in NAMES:
        yield make_template(draw, name)
        yield make_group(name)


def groups_and_machines(draw):
    yield from two_groups(draw)
    yield run_machines(draw, 2)
    for name in NAMES:
        group = {"AutoScalingGroupName": name, "InstanceIds": [member(name, 0)]}
        yield "autoscaling", "enter_standby", {**group, "ShouldDecrementDesiredCapacity": True}


def a_template_and_a_configuration(draw):
    yield make_template(draw, "web")
    yield "autoscaling", "create_launch_configuration", {"LaunchConfigurationName": "spare", "ImageId": IMAGE, "InstanceType": TYPES[0]}


def groups_with_policies(draw):
    yield from two_groups(draw)
    for name in NAMES:
        simple = {"PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}
        yield "autoscaling", "put_scaling_policy", {"AutoScalingGroupName": name, "PolicyName": f"{name}-p", **simple}


def groups_with_hooks_and_pools(draw):
    yield from two_groups(draw)
    for name in NAMES:
        hook = {"LifecycleHookName": f"{name}-drain", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
        yield "autoscaling", "put_lifecycle_hook", {"AutoScalingGroupName": name, **hook}
        yield "autoscaling", "put_warm_pool", {"AutoScalingGroupName": name, "MinSize": 1}


def groups_behind_balancers(draw):
    yield from two_groups(draw)
    for name in NAMES:
        yield "autoscaling", "attach_load_balancer_target_groups", {"AutoScalingGroupName": name, "TargetGroupARNs": [target_group("front")]}
        yield "autoscaling", "attach_load_balancers", {"AutoScalingGroupName": name, "LoadBalancerNames": ["front"]}


def describe_groups(draw):
    name = draw.choice(NAMES)
    yield 4, "autoscaling", "describe_auto_scaling_groups", draw.choice([
        {"AutoScalingGroupNames": [name]},
        {"AutoScalingGroupNames": NAMES},
        {},
        {"Filters": [{"Name": "tag-key", "Values": ["a"]}]},
        {"Filters": [{"Name": "tag:a", "Values": ["x", "y"]}]},
    ])


def launches(draw, _now):
    """Launch templates, launch configurations, and groups that launch from them."""
    name = draw.choice(NAMES)
    group = {"AutoScalingGroupName": name, "MinSize": draw.randint(0, 2), "MaxSize": draw.randint(1, 4), "AvailabilityZones": ZONES}
    data = {"ImageId": IMAGE, "InstanceType": draw.choice(TYPES)}
    more = draw.choice([
        {},
        {"KeyName": "key"},
        {"UserData": "ZWNobyBoaQ=="},
        {"SecurityGroupIds": [security_group("default")]},
        {"Monitoring": {"Enabled": True}},
        {"IamInstanceProfile": {"Name": "service"}},
        {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "t", "Value": "v"}]}]},
        {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}]},
        {"MetadataOptions": {"HttpTokens": "required"}},
    ])
    by = draw.choice([{"LaunchTemplateName": name}, {"LaunchTemplateId": template(name)}])
    yield 3, "ec2", "create_launch_template", {
        "LaunchTemplateName": name,
        "VersionDescription": "first",
        "LaunchTemplateData": {**data, **more},
        **draw.choice([{}, {"TagSpecifications": [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "x"}]}]}]),
    }
    yield 4, "ec2", "create_launch_template_version", {**by, "LaunchTemplateData": {**data, **more}}
    yield 2, "ec2", "describe_launch_templates", draw.choice([
        {"LaunchTemplateNames": [name]},
        {"LaunchTemplateIds": [template(name)]},
        {"Filters": [{"Name": "launch-template-name", "Values": [name]}]},
        {"Filters": [{"Name": "tag:a", "Values": ["x"]}]},
        {"Filters": [{"Name": "tag-key", "Values": ["a"]}]},
        {},
    ])
    yield 4, "ec2", "describe_launch_template_versions", {
        **by,
        **draw.choice([{}, {"Versions": ["1"]}, {"Versions": ["$Latest", "$Default"]}, {"MinVersion": "2"}, {"MaxVersion": "1"}, {"Versions": ["7"]}]),
    }
    yield 3, "ec2", "modify_launch_template", {**by, "DefaultVersion": draw.choice("123")}
    yield 1, "ec2", "delete_launch_template", by
    yield 2, "autoscaling", "create_launch_configuration", {
        "LaunchConfigurationName": name,
        "ImageId": IMAGE,
        "InstanceType": draw.choice(TYPES),
        **draw.choice([
            {},
            {"KeyName": "key"},
            {"SecurityGroups": ["default"]},
            {"SpotPrice": "0.1"},
            {"EbsOptimized": True},
            {"AssociatePublicIpAddress": True},
            {"InstanceMonitoring": {"Enabled": True}},
            {"IamInstanceProfile": "service"},
            {"MetadataOptions": {"HttpTokens": "required"}},
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}]},
        ]),
    }
    yield 2, "autoscaling", "describe_launch_configurations", draw.choice([{}, {"LaunchConfigurationNames": [name]}])
    yield 1, "autoscaling", "delete_launch_configuration", {"LaunchConfigurationName": draw.choice(["spare", name])}
    yield 2, "autoscaling", "create_auto_scaling_group", {**group, "LaunchTemplate": spec(draw)}
    yield 1, "autoscaling", "create_auto_scaling_group", {**group, "LaunchConfigurationName": name}
    overrides = [{"InstanceType": kind} for kind in TYPES]
    yield 1, "autoscaling", "create_auto_scaling_group", {
        **group,
        "MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": spec(draw), "Overrides": overrides}},
    }
    yield from describe_groups(draw)
    yield 1, "autoscaling", "delete_auto_scaling_group", {"AutoScalingGroupName": name, "ForceDelete": True}


def groups(draw, _now):
    """Groups: made, changed, described, tagged, deleted."""
    name = draw.choice(NAMES)
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": draw.choice("ab"), "PropagateAtLaunch": draw.choice([True, False])}
    size = draw.randint(-1, 6)
    yield 2, "autoscaling", "create_auto_scaling_group", {
        "AutoScalingGroupName": name,
        "LaunchTemplate": spec(draw, name),
        "MinSize": draw.randint(0, 2),
        "MaxSize": draw.randint(1, 6),
        **draw.choice([{"AvailabilityZones": ZONES}, {"VPCZoneIdentifier": subnet("us-east-1a")}, {}]),
        **draw.choice([
            {},
            {"DesiredCapacity": draw.randint(0, 3)},
            {"HealthCheckType": "ELB", "HealthCheckGracePeriod": 120},
            {"DefaultCooldown": 60},
            {"TerminationPolicies": ["OldestInstance", "Default"]},
            {"NewInstancesProtectedFromScaleIn": True},
            {"CapacityRebalance": True},
            {"Tags": [{"Key": "a", "Value": "x", "PropagateAtLaunch": True}]},
        ]),
    }
    yield 3, "autoscaling", "update_auto_scaling_group", {
        "AutoScalingGroupName": name,
        **draw.choice([
            {"MinSize": draw.randint(0, 5)},
            {"MaxSize": draw.randint(0, 5)},
            {"DesiredCapacity": draw.randint(0, 5)},
            {"HealthCheckType": draw.choice(["EC2", "ELB"]), "HealthCheckGracePeriod": draw.choice([30, 60])},
            {"NewInstancesProtectedFromScaleIn": True},
        ]),
    }
    yield 3, "autoscaling", "set_desired_capacity", {"AutoScalingGroupName": name, "DesiredCapacity": size}
    yield from describe_groups(draw)
    yield 1, "autoscaling", "describe_scaling_activities", {"AutoScalingGroupName": name}
    yield 1, "autoscaling", "delete_auto_scaling_group", {"AutoScalingGroupName": name, "ForceDelete": True}
    yield 3, "autoscaling", "create_or_update_tags", {"Tags": [{**tag, "Value": draw.choice("xy")}]}
    yield 1, "autoscaling", "delete_tags", {"Tags": [tag]}
    yield 3, "autoscaling", "describe_tags", draw.choice([
        {},
        {"Filters": [{"Name": "auto-scaling-group", "Values": [name]}]},
        {"Filters": [{"Name": "key", "Values": ["a"]}]},
        {"Filters": [{"Name": "value", "Values": ["x"]}, {"Name": "auto-scaling-group", "Values": NAMES}]},
    ])
    some = draw.choice([[], ["AZRebalance"], ["HealthCheck", "ReplaceUnhealthy"]])
    yield 1, "autoscaling", "suspend_processes", {"AutoScalingGroupName": name, "ScalingProcesses": some}
    yield 1, "autoscaling", "resume_processes", {"AutoScalingGroupName": name, "ScalingProcesses": some}
    yield 1, "autoscaling", "enable_metrics_collection", {
        "AutoScalingGroupName": name,
        "Granularity": "1Minute",
        "Metrics": draw.choice([["GroupDesiredCapacity"], ["GroupMinSize", "GroupMaxSize"]]),
    }


def instances(draw, _now):
    """Instances of groups."""
    name = draw.choice(NAMES)
    # One that serves: moto counts what is in standby as capacity.
    ids = [member(name, draw.randint(0, 9), "InService")]
    decrement = {"ShouldDecrementDesiredCapacity": draw.choice([True, False])}
    group = {"AutoScalingGroupName": name, "InstanceIds": ids}
    yield 2, "autoscaling", "set_desired_capacity", {"AutoScalingGroupName": name, "DesiredCapacity": draw.randint(1, 5)}
    yield 3, "autoscaling", "describe_auto_scaling_instances", draw.choice([{"InstanceIds": ids, "MaxRecords": 50}, {"InstanceIds": ids}])
    yield 3, "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [name]}
    yield 2, "autoscaling", "enter_standby", {**group, **decrement}
    yield 3, "autoscaling", "exit_standby", {**group, "InstanceIds": [member(name, 0, "Standby")]}
    yield 2, "autoscaling", "detach_instances", {**group, **decrement}
    yield 2, "autoscaling", "attach_instances", {"AutoScalingGroupName": name, "InstanceIds": [machine(0)]}
    yield 2, "autoscaling", "set_instance_protection", {**group, "ProtectedFromScaleIn": draw.choice([True, False])}
    yield 2, "autoscaling", "set_instance_health", {"InstanceId": ids[0], "HealthStatus": "Healthy"}
    yield 2, "autoscaling", "terminate_instance_in_auto_scaling_group", {"InstanceId": ids[0], **decrement}
    yield 3, "ec2", "describe_instances", {
        "Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": [name]}, {"Name": "instance-state-name", "Values": ["running"]}],
    }
    yield 1, "ec2", "terminate_instances", {"InstanceIds": ids}


def policies(draw, now):
    """Scaling policies and scheduled actions."""
    # Of a name of its own in every group: moto keeps one of each name.
    name = draw.choice(NAMES)
    policy, action = f"{name}-{draw.choice('pq')}", f"{name}-{draw.choice(['night', 'day'])}"
    group = {"AutoScalingGroupName": name}
    step = {"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]}
    cpu = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
    own = {"CustomizedMetricSpecification": {"MetricName": "Depth", "Namespace": "Shop", "Statistic": "Average", "Dimensions": [{"Name": "Shop", "Value": name}]}}
    pair = {"PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"}, "TargetValue": 50.0}
    yield 5, "autoscaling", "put_scaling_policy", {
        **group,
        "PolicyName": policy,
        **draw.choice([
            {"PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": draw.choice([-1, 1])},
            {"PolicyType": "SimpleScaling", "AdjustmentType": "ExactCapacity", "ScalingAdjustment": 3, "Cooldown": 60},
            {"AdjustmentType": "PercentChangeInCapacity", "ScalingAdjustment": 50, "MinAdjustmentMagnitude": 1},
            {**step, "EstimatedInstanceWarmup": 60, "MetricAggregationType": "Average"},
            step,
            {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {**cpu, "TargetValue": 50.0, "DisableScaleIn": True}},
            {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {**own, "TargetValue": 9.0, "DisableScaleIn": True}},
            {"PolicyType": "PredictiveScaling", "PredictiveScalingConfiguration": {"MetricSpecifications": [pair]}},
        ]),
    }
    yield 4, "autoscaling", "describe_policies", draw.choice([group, {**group, "PolicyNames": [policy]}, {"PolicyTypes": ["StepScaling"]}, {}])
    yield 3, "autoscaling", "execute_policy", {**group, "PolicyName": policy, "HonorCooldown": False, "MetricValue": 1.0, "BreachThreshold": 0.5}
    yield 1, "autoscaling", "delete_policy", {**group, "PolicyName": policy}
    scheduled = {
        "ScheduledActionName": action,
        **draw.choice([
            {"Recurrence": "0 22 * * *", "MinSize": 1},
            {"Recurrence": "30 6 * * 1-5", "DesiredCapacity": 2, "TimeZone": "Europe/Berlin"},
            {"StartTime": now + 86_400 * 30, "MaxSize": 4},
            {"StartTime": now + 86_400 * 30, "EndTime": now + 86_400 * 60, "Recurrence": "0 0 1 * *", "MinSize": 2, "MaxSize": 4, "DesiredCapacity": 3},
        ]),
    }
    yield 3, "autoscaling", "put_scheduled_update_group_action", {**group, **scheduled}
    yield 2, "autoscaling", "batch_put_scheduled_update_group_action", {**group, "ScheduledUpdateGroupActions": [scheduled]}
    yield 3, "autoscaling", "describe_scheduled_actions", draw.choice([group, {**group, "ScheduledActionNames": [action]}, {}])
    yield 1, "autoscaling", "delete_scheduled_action", {**group, "ScheduledActionName": action}
    yield 1, "autoscaling", "batch_delete_scheduled_action", {**group, "ScheduledActionNames": [action]}
    yield 2, "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [name]}


def hooks(draw, _now):
    """Lifecycle hooks and warm pools."""
    name = draw.choice(NAMES)
    hook = f"{name}-{draw.choice(['boot', 'drain'])}"
    group = {"AutoScalingGroupName": name}
    transition = "autoscaling:EC2_INSTANCE_" + ("LAUNCHING" if hook.endswith("boot") else "TERMINATING")
    yield 3, "autoscaling", "put_lifecycle_hook", {
        **group,
        "LifecycleHookName": hook,
        "LifecycleTransition": transition,
        **draw.choice([{}, {"HeartbeatTimeout": 60}, {"DefaultResult": "CONTINUE"}, {"NotificationMetadata": "m"}]),
    }
    yield 5, "autoscaling", "describe_lifecycle_hooks", draw.choice([group, {**group, "LifecycleHookNames": [hook]}])
    yield 3, "autoscaling", "delete_lifecycle_hook", {**group, "LifecycleHookName": hook}
    yield 2, "autoscaling", "put_warm_pool", {
        **group,
        **draw.choice([
            {},
            {"MinSize": 1, "PoolState": "Stopped"},
            {"MaxGroupPreparedCapacity": 4, "PoolState": "Running"},
            {"InstanceReusePolicy": {"ReuseOnScaleIn": True}},
        ]),
    }
    yield 3, "autoscaling", "describe_warm_pool", group
    yield 1, "autoscaling", "delete_warm_pool", {**group, "ForceDelete": True}
    yield 2, "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [name]}


def attached(draw, _now):
    """What is attached to groups."""
    group = {"AutoScalingGroupName": draw.choice(NAMES)}
    targets = [target_group(draw.choice(["front", "back"]))]
    balancers = [draw.choice(["front", "back"])]
    yield 2, "autoscaling", "attach_load_balancer_target_groups", {**group, "TargetGroupARNs": targets}
    yield 2, "autoscaling", "detach_load_balancer_target_groups", {**group, "TargetGroupARNs": targets}
    yield 3, "autoscaling", "describe_load_balancer_target_groups", group
    yield 2, "autoscaling", "attach_load_balancers", {**group, "LoadBalancerNames": balancers}
    yield 2, "autoscaling", "detach_load_balancers", {**group, "LoadBalancerNames": balancers}
    yield 3, "autoscaling", "describe_load_balancers", group
    yield 2, "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [group["AutoScalingGroupName"]]}


LAUNCHES, GROUPS, INSTANCES = (a_template_and_a_configuration, launches), (two_groups, groups), (groups_and_machines, instances)
POLICIES, HOOKS, ATTACHED = (groups_with_policies, policies), (groups_with_hooks_and_pools, hooks), (groups_behind_balancers, attached)
