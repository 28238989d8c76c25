"""Differences between the emulator's answers and moto's that AWS's documentation decides.

A pattern matches `operation.path: ours | theirs`, where square brackets stand for any item of a list. Beside it stands what
the documentation says, or why neither is wrong.
"""

MISSING_GROUP = (
    "Auto Scaling API Reference, Common Errors: a group that does not exist is a ValidationError; moto answers as if there "
    "were one, or fails with status 500"
)
CALLER = "each names a caller of its own; GetCallerIdentity leaves that open"
ABSENT = "EC2 and Auto Scaling leave an empty member out or send it empty; clients see no difference in what it means"

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
        "create_auto_scaling_group: error AlreadyExists | *",
        "CreateAutoScalingGroup, Errors: AlreadyExists, you already have an Auto Scaling group with this name",
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
    ("*.Tags: absent | [[][]]", ABSENT),
    ("*.Metrics: absent | [[][]]", ABSENT),
    ("*.VPCZoneIdentifier:  | absent", ABSENT),
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
    ("put_scaling_policy.Alarms: [[][]] | absent", ABSENT),
    ("describe_policies.*.Alarms: [[][]] | absent", ABSENT),
    ("describe_policies.*.PredictiveScalingConfiguration: absent | {}", ABSENT),
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
