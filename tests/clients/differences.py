"""Differences between the emulator's answers and moto's that AWS's documentation decides.

A pattern matches `operation.path: ours | theirs`, where square brackets stand for any item of a list. Beside it stands what
the documentation says, or why neither is wrong.
"""

MISSING_GROUP = (
    "Auto Scaling API Reference, Common Errors: a group that does not exist is a ValidationError; moto answers as if there "
    "were one, or fails with status 500"
)
CALLER = (
    "EC2 API Reference, LaunchTemplate, createdBy: the principal that created the launch template; STS API Reference, "
    "GetCallerIdentity: details about the IAM identity whose credentials call. Neither server asks whose the test's are"
)


def optional(shape, member):
    """A member that is left out or sent empty, as its shape allows."""
    return f"{shape}, {member}: Required: No, so that an empty one and none tell the same"



ACCEPTED = [
    ("create_or_update_tags: error ValidationError | error 500", MISSING_GROUP),
    ("delete_tags: error ValidationError | error 500", MISSING_GROUP),
    ("resume_processes: error ValidationError | error 500", MISSING_GROUP),
    ("suspend_processes: error ValidationError | error 500", MISSING_GROUP),
    ("set_desired_capacity: error ValidationError | error 500", MISSING_GROUP),
    ("*_policy: error ValidationError | an answer", MISSING_GROUP),
    ("describe_policies: error ValidationError | an answer", MISSING_GROUP),
    ("*_lifecycle_hook*: error ValidationError | an answer", MISSING_GROUP),
    ("put_scheduled_update_group_action: error ValidationError | an answer", MISSING_GROUP),
    ("describe_scheduled_actions: error ValidationError | an answer", MISSING_GROUP),
    (
        "create_auto_scaling_group: error ValidationError | error InvalidLaunchTemplate*",
        "Auto Scaling User Guide, Troubleshoot: launch templates: the service answers ValidationError 'You must use a valid "
        "fully-formed launch template', with EC2's own reason in the message",
    ),
    (
        "create_auto_scaling_group: error AlreadyExists | an answer",
        "CreateAutoScalingGroup, Errors: AlreadyExists, you already have an Auto Scaling group with this name",
    ),
    (
        "create_auto_scaling_group: error AlreadyExists | error InvalidLaunchTemplate*",
        "CreateAutoScalingGroup, Errors: AlreadyExists as above; where the template is wrong too, either may come first, and "
        "for that the service has no InvalidLaunchTemplate codes but ValidationError",
    ),
    (
        "set_desired_capacity: error ValidationError | an answer",
        "SetDesiredCapacity, DesiredCapacity: between the group's minimum and maximum; moto takes any",
    ),
    (
        "modify_launch_template: error InvalidLaunchTemplateName.NotFoundException | error MissingParameter",
        "EC2 API Reference, Error codes: InvalidLaunchTemplateName.NotFoundException is for a name that does not exist",
    ),
    ("*.CreatedBy: arn:aws:iam::123456789012:user/emulator | arn:aws:iam::123456789012:root", CALLER),
    ("get_caller_identity.*: * | *", CALLER),
    ("*.Tags: absent | [[][]]", optional("EC2 API Reference, LaunchTemplate", "tagSet")),
    ("*.Metrics: absent | [[][]]", optional("CloudWatch API Reference, MetricAlarm", "Metrics")),
    ("*.VPCZoneIdentifier:  | absent", optional("Auto Scaling API Reference, AutoScalingGroup", "VPCZoneIdentifier")),
    ("*.StateReasonData: absent | {}", "PutMetricAlarm tells no reason data: StateReasonData comes with the first evaluation"),
    (
        "describe_alarms.*.StateTransitionedTimestamp: <time> | absent",
        "MetricAlarm, StateTransitionedTimestamp: the time at which the state last changed",
    ),
    (
        "describe_alarms.*.StateValue: INSUFFICIENT_DATA | OK",
        "CloudWatch User Guide, Using Amazon CloudWatch alarms: an alarm that has just started is in INSUFFICIENT_DATA",
    ),
    (
        "describe_auto_scaling_groups.*.AvailabilityZone: us-east-1? | us-east-1?",
        "Auto Scaling User Guide, Availability Zone distribution: launches and terminations keep the zones balanced",
    ),
    (
        "put_scaling_policy.PolicyARN: arn:aws:autoscaling:* | absent",
        "PutScalingPolicy, Response Elements: PolicyARN",
    ),
    ("put_scaling_policy.Alarms: [[][]] | absent", optional("Auto Scaling API Reference, PolicyARNType", "Alarms")),
    ("describe_policies.*.Alarms: [[][]] | absent", optional("Auto Scaling API Reference, ScalingPolicy", "Alarms")),
    (
        "describe_policies.*.PredictiveScalingConfiguration: absent | {}",
        optional("Auto Scaling API Reference, ScalingPolicy", "PredictiveScalingConfiguration"),
    ),
    ("describe_policies.*.Enabled: True | absent", "ScalingPolicy, Enabled: a policy is enabled unless it says otherwise"),
    (
        "describe_policies.*.Cooldown: absent | 300",
        "PutScalingPolicy, Cooldown: one that is not given is the group's, and no member of the policy",
    ),
    (
        "describe_auto_scaling_groups.*.DefaultCooldown: * | 300",
        "UpdateAutoScalingGroup, DefaultCooldown: it can be changed; moto keeps the first",
    ),
    (
        "describe_auto_scaling_groups.*.HealthCheckGracePeriod: 0 | 300",
        "CreateAutoScalingGroup, HealthCheckGracePeriod: default 0 seconds (300 is the console's)",
    ),
]
