"""Differences between the emulator's answers and moto's that AWS's documentation decides.

A pattern matches `operation.path: ours | theirs`, where square brackets stand for any item of a list. Beside it stands what
the documentation says, or why neither is wrong.
"""

MISSING = (
    "Auto Scaling API Reference, Common Errors: a group, instance, policy or action that does not exist is a ValidationError; "
    "moto answers as if there were one, or fails with status 500"
)
CALLER = (
    "EC2 API Reference, LaunchTemplate, createdBy: the principal that created the launch template; STS API Reference, "
    "GetCallerIdentity: details about the IAM identity whose credentials call. Neither server asks whose the test's are"
)
LIVES = "this emulator's instances, activities and warm pools live; moto has none of them"


def optional(shape, member):
    """A member that is left out or sent empty, as its shape allows."""
    return f"{shape}, {member}: Required: No, so that an empty one and none tell the same"


def left_out(where, shape, *members):
    """Members that the shape allows to be left out, and that the emulator has nothing to say of."""
    return [(f"{where}.{member}: absent | *", f"{shape}, {member}: Required: No; nothing here has it") for member in members]


GROUPS = [
    *((f"{operation}: error ValidationError | {theirs}", MISSING) for operation, theirs in (
        ("*", "error 500"),
        ("*_polic*", "an answer"),
        ("*_lifecycle_hook*", "an answer"),
        ("*_scheduled_*action*", "an answer"),
        ("describe_scaling_activities", "an answer"),
        ("delete_launch_configuration", "an answer"),
        ("delete_warm_pool", "an answer"),
        ("detach_load_balancer*", "*"),
        ("exit_standby", "an answer"),
        ("set_instance_health", "error InvalidInstanceID.NotFound"),
    )),
    (
        "attach_instances: error ValidationError | *",
        "AttachInstances: the instance must run and be in no group, and the capacity, which grows with it, must not leave the "
        "group's maximum",
    ),
    (
        "detach_instances: error ValidationError | an answer",
        "DetachInstances, ShouldDecrementDesiredCapacity: the desired capacity, which shrinks with it, stays in the group's bounds; "
        "moto's does not",
    ),
    (
        "enter_standby: error ValidationError | an answer",
        "EnterStandby, ShouldDecrementDesiredCapacity: the desired capacity stays in the group's bounds; moto's does not",
    ),
    (
        "terminate_instance_in_auto_scaling_group: error ValidationError | an answer",
        "TerminateInstanceInAutoScalingGroup, ShouldDecrementDesiredCapacity: the desired capacity stays in the group's bounds; "
        "moto's does not",
    ),
    (
        "create_auto_scaling_group: error ValidationError | error InvalidLaunchTemplate*",
        "Auto Scaling User Guide, Troubleshoot: launch templates: the service answers ValidationError 'You must use a valid "
        "fully-formed launch template', with EC2's own reason in the message",
    ),
    (
        "create_auto_scaling_group: error AlreadyExists | *",
        "CreateAutoScalingGroup, Errors: AlreadyExists, you already have an Auto Scaling group with this name; where something "
        "else is wrong too, either may come first",
    ),
    (
        "create_launch_configuration: error AlreadyExists | an answer",
        "CreateLaunchConfiguration, Errors: AlreadyExists, you already have a launch configuration with this name",
    ),
    (
        "set_desired_capacity: error ValidationError | an answer",
        "SetDesiredCapacity, DesiredCapacity: between the group's minimum and maximum; moto takes any",
    ),
    (
        "update_auto_scaling_group: error ValidationError | an answer",
        "UpdateAutoScalingGroup, MaxSize and MinSize: the maximum is not less than the minimum; moto takes any",
    ),
    (
        "*_scheduled_action.FailedScheduledActions[[]].ErrorMessage: *",
        "Auto Scaling API Reference, FailedScheduledUpdateGroupActionRequest, ErrorMessage: for people, and not described",
    ),
    (
        "describe_auto_scaling_groups.*.HealthCheckGracePeriod: 0 | 300",
        "CreateAutoScalingGroup, HealthCheckGracePeriod: default 0 seconds (300 is the console's)",
    ),
    ("*.VPCZoneIdentifier:  | absent", optional("Auto Scaling API Reference, AutoScalingGroup", "VPCZoneIdentifier")),
    (
        "describe_auto_scaling_groups.*.TrafficSources: * | absent",
        "Auto Scaling API Reference, AutoScalingGroup, TrafficSources: what the group is attached to, target groups and Classic "
        "Load Balancers among it",
    ),
    (
        "describe_auto_scaling_groups.*.AvailabilityZoneIds: * | absent",
        "Auto Scaling API Reference, AutoScalingGroup, AvailabilityZoneIds: where the group can launch",
    ),
    (
        "describe_auto_scaling_*.AvailabilityZoneId: * | absent",
        "Auto Scaling API Reference, Instance and AutoScalingInstanceDetails, AvailabilityZoneId: where the instance is",
    ),
    ("describe_auto_scaling_groups.*.WarmPoolSize: * | absent", "AutoScalingGroup, WarmPoolSize: " + LIVES),
    (
        "describe_auto_scaling_instances.*.HealthStatus: HEALTHY | Healthy",
        "Auto Scaling API Reference, AutoScalingInstanceDetails, HealthStatus: HEALTHY or UNHEALTHY",
    ),
    ("describe_scaling_activities.Activities: * | [[][]]", "DescribeScalingActivities: " + LIVES),
    ("describe_warm_pool.Instances: * | [[][]]", "DescribeWarmPool: " + LIVES),
    ("put_warm_pool: error ValidationError | an answer", "WarmPoolConfiguration, Status PendingDelete: marked for deletion, until its last instance has ended; moto drops it at once"),
    *((f"*Activit*.{member}: * | *", f"Auto Scaling API Reference, Activity, {member}: {why}") for member, why in (
        ("AutoScalingGroupARN", "the group's"),
        ("Cause", "for people; written as the user guide's examples are"),
        ("Description", "for people; written as the user guide's examples are"),
        ("Details", "zone and subnet, as the user guide's examples have them"),
        ("EndTime", "absent while it goes on"),
    )),
    ("describe_load_balancer*.State: InService | Added", "LoadBalancerState, State: InService once an instance is in service"),
    (
        "describe_scheduled_actions.*.ScheduledActionARN: arn:* | absent",
        "Auto Scaling API Reference, ScheduledUpdateGroupAction, ScheduledActionARN",
    ),
    *((f"describe_scheduled_actions.*.{member}: * | *", "Auto Scaling API Reference, ScheduledUpdateGroupAction, StartTime and "
       "Time: when the action starts, of a recurring one its next run; moto tells what was given")
      for member in ("StartTime", "Time")),
    *((f"describe_lifecycle_hooks.*.{member}: * | *", f"Auto Scaling API Reference, LifecycleHook, {member}: {why}") for member, why in (
        ("GlobalTimeout", "100 times the time-out, at most 172800 seconds; moto has a constant"),
        ("HeartbeatTimeout", "as it was given; an update that does not name it leaves it as it is"),
        ("DefaultResult", "as it was given; an update that does not name it leaves it as it is"),
        ("NotificationMetadata", "as it was given"),
        ("NotificationTargetARN", "none unless given; moto has a constant"),
        ("RoleARN", "none unless given; moto has a constant"),
    )),
]

POLICIES = [
    ("put_scaling_policy.PolicyARN: arn:aws:autoscaling:* | absent", "PutScalingPolicy, Response Elements: PolicyARN"),
    ("put_scaling_policy.Alarms: [[][]] | absent", optional("Auto Scaling API Reference, PolicyARNType", "Alarms")),
    ("put_scaling_policy.Alarms: *TargetTracking-* | absent", "PutScalingPolicy, Alarms: those of a target tracking policy"),
    ("describe_policies.*.Alarms: [[][]] | absent", optional("Auto Scaling API Reference, ScalingPolicy", "Alarms")),
    ("describe_policies.*.Alarms: *TargetTracking-* | absent", "ScalingPolicy, Alarms: those of a target tracking policy"),
    (
        "describe_policies.*.PredictiveScalingConfiguration: absent | {}",
        optional("Auto Scaling API Reference, ScalingPolicy", "PredictiveScalingConfiguration"),
    ),
    (
        "describe_policies.*.MetricAggregationType: Average | absent",
        "PutScalingPolicy, MetricAggregationType: Average unless it is given, of a step scaling policy",
    ),
    ("describe_policies.*.Enabled: True | absent", "ScalingPolicy, Enabled: a policy is enabled unless it says otherwise"),
    (
        "describe_policies.*.Cooldown: absent | 300",
        "PutScalingPolicy, Cooldown: one that is not given is the group's, and no member of the policy",
    ),
]

LAUNCHES = [
    (
        "*_launch_template: error InvalidLaunchTemplateId.NotFound | error InvalidLaunchTemplateName.NotFoundException",
        "EC2 API Reference, Error codes: InvalidLaunchTemplateId.NotFound is for an id that does not exist",
    ),
    (
        "describe_launch_templates: error InvalidLaunchTemplateId.NotFound | an answer",
        "EC2 API Reference, Error codes: InvalidLaunchTemplateId.NotFound is for an id that does not exist",
    ),
    (
        "modify_launch_template: error InvalidLaunchTemplateName.NotFoundException | error MissingParameter",
        "EC2 API Reference, Error codes: InvalidLaunchTemplateName.NotFoundException is for a name that does not exist",
    ),
    ("*.CreatedBy: arn:aws:iam::123456789012:user/emulator | arn:aws:iam::123456789012:root", CALLER),
    ("get_caller_identity.*: * | *", CALLER),
    ("*_launch_template*.Tags: absent | [[][]]", optional("EC2 API Reference, LaunchTemplate", "tagSet")),
    ("delete_launch_template.*: * | absent", "DeleteLaunchTemplate, launchTemplate: all members of the template"),
    (
        "describe_launch_template_versions.*.TagSpecifications: absent | *launch-template*",
        "CreateLaunchTemplate, TagSpecification: the template's own tags; what is launched gets those of LaunchTemplateData",
    ),
    (
        "describe_launch_configurations.*.InstanceMonitoring.Enabled: True | False",
        "CreateLaunchConfiguration, InstanceMonitoring: detailed monitoring, which is enabled unless said otherwise",
    ),
    *((f"describe_launch_configurations.*.{member}: * | *", optional("Auto Scaling API Reference, LaunchConfiguration", member))
      for member in ("AssociatePublicIpAddress", "KeyName", "NoDevice", "UserData")),
]

METRICS = [
    ("*.Metrics: absent | [[][]]", optional("CloudWatch API Reference, MetricAlarm", "Metrics")),
    ("*.StateReasonData: absent | {}", "PutMetricAlarm tells no reason data: StateReasonData comes with the first evaluation"),
    (
        "describe_alarms*.StateTransitionedTimestamp: <time> | absent",
        "MetricAlarm, StateTransitionedTimestamp: the time at which the state last changed",
    ),
    (
        "describe_alarms*.StateValue: INSUFFICIENT_DATA | OK",
        "CloudWatch User Guide, Using Amazon CloudWatch alarms: an alarm that has just started is in INSUFFICIENT_DATA",
    ),
    *((f"describe_alarms.*.{member}: {ours} | {theirs}", "PutMetricAlarm: the state of an alarm that exists stays when it is put again")
      for member, ours, theirs in (
        ("StateReason", "test", "Unchecked: Initial alarm creation"),
        ("StateValue", "*", "OK"),
    )),
    (
        "describe_alarms.MetricAlarms: * | *",
        "DescribeAlarms, StateValue: the alarms in that state, which differ where an alarm was put or put again, as above",
    ),
    (
        "describe_alarms_for_metric.MetricAlarms: * | *",
        "DescribeAlarmsForMetric, Statistic and Dimensions: alarms of the metric with exactly these; moto asks for neither",
    ),
    (
        "put_metric_alarm: error ValidationError | an answer",
        "PutMetricAlarm, Metrics: with it, Namespace, MetricName, Dimensions, Period, Unit and statistics cannot be included",
    ),
    ("get_metric_data.Messages: [[][]] | absent", optional("GetMetricData, Response Elements", "Messages")),
    (
        "get_metric_data.*.Label: * | *",
        "CloudWatch API Reference, MetricDataQuery, Label: a default is generated where none is given, and not described",
    ),
    (
        "put_metric_data: error InvalidParameterCombination | error InvalidParameterValue",
        "PutMetricData, Errors: InvalidParameterCombination, parameters were used together that cannot be used together",
    ),
    (
        "list_tags_for_resource: error ResourceNotFoundException | an answer",
        "ListTagsForResource, Errors: ResourceNotFoundException, the named resource does not exist",
    ),
    (
        "list_tags_for_resource.Tags*: * | *",
        "PutMetricAlarm, Tags: ignored where the alarm exists",
    ),
    (
        "untag_resource: an answer | error ResourceNotFoundException",
        "UntagResource, Errors: ResourceNotFoundException is for a resource that does not exist; the alarm does, without tags",
    ),
]

INSTANCE = "EC2 API Reference, Instance"
MACHINES = [
    *left_out("*_instances.*", INSTANCE, "PublicIpAddress", "SriovNetSupport", "Platform"),
    *((f"*_instances.*.{member}: [[][]] | *", f"{INSTANCE}, {member}: Required: No; nothing here has it, and clients find an empty list")
      for member in ("BlockDeviceMappings", "NetworkInterfaces")),
    ("*_instances.*.PublicDnsName:  | *", f"{INSTANCE}, dnsName: empty where an instance has no public name, as none has here"),
    ("describe_instances.*.StateTransitionReason: User initiated* | User initiated*", f"{INSTANCE}, reason: the reason for the most recent transition; might be an empty string"),
    *((f"*_instances.*.{member}: * | absent", f"{INSTANCE}, {member[:1].lower()}{member[1:]}")
      for member in ("CapacityReservationSpecification", "CpuOptions", "CurrentInstanceBootMode", "EnaSupport", "EnclaveOptions",
                     "HibernationOptions.Configured", "MaintenanceOptions", "UsageOperation")),
    ("*_instances.*.Placement.AvailabilityZoneId: * | absent", "EC2 API Reference, Placement, availabilityZoneId"),
    ("*_instances.*.StateReason: absent | *", f"{INSTANCE}, stateReason: of the most recent stop or end, and empty before"),
    ("*_instances.*.Placement.GroupName: absent | ", optional("EC2 API Reference, Placement", "groupName")),
    ("*_instances.*.Monitoring.State: enabled | disabled", "EC2 User Guide, Detailed monitoring: data by the minute, which all here have"),
    ("*_instances.*.PlatformDetails: Linux/UNIX | absent", f"{INSTANCE}, platformDetails"),
    ("*_instances.*.RootDeviceName: /dev/xvda | /dev/sda1", f"{INSTANCE}, rootDeviceName: the image's, and moto's image is another"),
    ("*_instances.*.SecurityGroups: * | [[][]]", "EC2 User Guide, Default security groups: what names no group is in the VPC's default one"),
    ("describe_instance_attribute.Groups: * | [[][]]", "EC2 User Guide, Default security groups: what names no group is in the VPC's default one"),
    ("describe_instances.Reservations: * | *", "EC2 API Reference, Reservation: one a launch; a group's instances are launched one by one, moto's together"),
    ("describe_images.*", "EC2 API Reference, Image: what an image is, is its owner's: moto's is a public one, this one a stand-in for any"),
    *((f"{verb}_instances.*.CurrentState.*: {ours} | {theirs}", f"{verb.title()}Instances: an instance that is in this state already stays in it")
      for verb, ours, theirs in (("start", "16", "0"), ("start", "running", "pending"), ("stop", "80", "64"), ("stop", "stopped", "stopping"))),
    ("*_tags: error InvalidInstanceID.NotFound | an answer", "EC2 API Reference, Error codes: InvalidInstanceID.NotFound is for an instance that does not exist"),
]

KIND = "EC2 API Reference, InstanceTypeInfo"
NETWORK = [
    *left_out("describe_instance_types.*", KIND, "AutoRecoverySupported", "DedicatedHostsSupported", "EbsInfo", "FreeTierEligible",
              "HibernationSupported", "InstanceStorageSupported", "NetworkInfo", "NitroEnclavesSupport", "NitroTpmInfo",
              "NitroTpmSupport", "PhcSupport", "PlacementGroupInfo", "RebootMigrationSupport", "SupportedBootModes",
              "SupportedRootDeviceTypes", "Manufacturer", "SustainedClockSpeedInGhz",
              "ValidCores", "ValidThreadsPerCore"),
    ("describe_instance_types.*.CurrentGeneration: True | False", "EC2, Previous generation instances: it changes as types age; what is simulated here is what can be launched"),
    ("describe_availability_zones.*.ZoneId: * | *", "EC2 User Guide, AZ IDs: zone names are mapped to ids for each account"),
    ("describe_availability_zones.*.NetworkBorderGroup: us-east-1 | absent", "EC2 API Reference, AvailabilityZone, networkBorderGroup"),
    ("describe_availability_zones.*.GroupName: us-east-1 | absent", "EC2 API Reference, AvailabilityZone, groupName"),
    ("describe_availability_zones.*.OptInStatus: * | absent", "EC2 API Reference, AvailabilityZone, optInStatus: always opt-in-not-required"),
    ("describe_subnets.*.AvailabilityZoneId: * | *", "EC2 User Guide, AZ IDs: zone names are mapped to ids for each account"),
    *left_out("describe_subnets.*", "EC2 API Reference, Subnet", "Ipv6CidrBlockAssociationSet", "PrivateDnsNameOptionsOnLaunch"),
    *left_out("describe_vpcs.*", "EC2 API Reference, Vpc", "Ipv6CidrBlockAssociationSet"),
    ("describe_vpcs.*.AssociationId: * | *", "EC2 API Reference, VpcCidrBlockAssociation, associationId: an identifier"),
    ("describe_spot_price_history.SpotPriceHistory: * | *", "EC2 API Reference, SpotPrice: prices are the market's; both servers make them up"),
    ("authorize_security_group_*.Tags: absent | [[][]]", optional("EC2 API Reference, SecurityGroupRule", "tagSet")),
    ("describe_security_group_rules.*.Tags: absent | [[][]]", optional("EC2 API Reference, SecurityGroupRule", "tagSet")),
    ("*_security_group_*.GroupOwnerId: 123456789012 | absent", "EC2 API Reference, SecurityGroupRule, groupOwnerId"),
    ("delete_security_group.Return: True | absent", "DeleteSecurityGroup, Response Elements: return"),
    ("delete_security_group.GroupId: * | absent", "DeleteSecurityGroup, Response Elements: groupId"),
]

ACCEPTED = [*GROUPS, *POLICIES, *LAUNCHES, *METRICS, *MACHINES, *NETWORK]

# Operations that both servers have and no sequence can have both answer, with the reason.
UNCOMPARED = {
    ("ec2", "cancel_spot_instance_requests"): "moto cancels only what RequestSpotInstances has asked for; the emulator's requests are those of RunInstances",
}
