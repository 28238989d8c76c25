"""The same calls to moto's server and to the emulator, answer against answer, field by field.

Sequences of calls are drawn from a seed. Identifiers, times and ARNs are made alike before answers are compared. What
differs must stand in `ACCEPTED` with the documentation that decides it: where AWS's documentation and moto differ, the
emulator follows the documentation.
"""

import datetime
import fnmatch
import logging
import random
import re
import sys
import urllib.request
import warnings

import boto3
import botocore.exceptions
import botocore.parsers
from moto.server import ThreadedMotoServer

from differences import ACCEPTED
from emulator import ENDPOINT, advance

SEEDS, CALLS = range(1, 61), 60

NAMES = ["web", "api"]
TYPES = ["m5.large", "c5.xlarge"]
ZONES = ["us-east-1a", "us-east-1b"]


def calls(draw):
    """One call: the service, the operation as boto3 names it, and its arguments."""
    name, small = draw.choice(NAMES), lambda: draw.randint(-1, 6)
    template = {"LaunchTemplateName": draw.choice(NAMES), "Version": draw.choice(["1", "2", "$Latest", "$Default"])}
    dimension = {"Name": "Shop", "Value": name}
    metric = {"Namespace": "Shop", "MetricName": draw.choice(["Orders", "Errors"]), "Dimensions": [dimension]}
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": draw.choice("ab"), "PropagateAtLaunch": True}
    yield 3, "ec2", "create_launch_template", {
        "LaunchTemplateName": name,
        "LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": draw.choice(TYPES)},
    }
    yield 2, "ec2", "create_launch_template_version", {
        "LaunchTemplateName": name,
        "LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": draw.choice(TYPES)},
    }
    yield 1, "ec2", "describe_launch_templates", {"LaunchTemplateNames": [name]}
    yield 2, "ec2", "describe_launch_template_versions", {"LaunchTemplateName": name}
    yield 1, "ec2", "modify_launch_template", {"LaunchTemplateName": name, "DefaultVersion": draw.choice("12")}
    yield 3, "autoscaling", "create_auto_scaling_group", {
        "AutoScalingGroupName": name,
        "LaunchTemplate": template,
        "MinSize": draw.randint(0, 2),
        "MaxSize": draw.randint(1, 6),
        "AvailabilityZones": ZONES,
    }
    yield 2, "autoscaling", "update_auto_scaling_group", {
        "AutoScalingGroupName": name,
        draw.choice(["MinSize", "MaxSize", "DesiredCapacity", "DefaultCooldown"]): draw.randint(0, 5),
    }
    yield 3, "autoscaling", "set_desired_capacity", {"AutoScalingGroupName": name, "DesiredCapacity": small()}
    yield 4, "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [name]}
    yield 1, "autoscaling", "delete_auto_scaling_group", {"AutoScalingGroupName": name, "ForceDelete": True}
    yield 2, "autoscaling", "create_or_update_tags", {"Tags": [{**tag, "Value": draw.choice("xy")}]}
    yield 1, "autoscaling", "delete_tags", {"Tags": [tag]}
    yield 2, "autoscaling", "describe_tags", {"Filters": [{"Name": "auto-scaling-group", "Values": [name]}]}
    yield 2, "autoscaling", "put_scaling_policy", {
        "AutoScalingGroupName": name,
        "PolicyName": draw.choice("pq"),
        "PolicyType": "SimpleScaling",
        "AdjustmentType": "ChangeInCapacity",
        "ScalingAdjustment": draw.choice([-1, 1]),
    }
    yield 2, "autoscaling", "describe_policies", {"AutoScalingGroupName": name}
    yield 1, "autoscaling", "delete_policy", {"AutoScalingGroupName": name, "PolicyName": draw.choice("pq")}
    yield 1, "autoscaling", "put_scheduled_update_group_action", {
        "AutoScalingGroupName": name,
        "ScheduledActionName": "night",
        "Recurrence": "0 22 * * *",
        "MinSize": 1,
    }
    yield 1, "autoscaling", "describe_scheduled_actions", {"AutoScalingGroupName": name}
    yield 1, "autoscaling", "delete_scheduled_action", {"AutoScalingGroupName": name, "ScheduledActionName": "night"}
    yield 1, "autoscaling", "put_lifecycle_hook", {
        "AutoScalingGroupName": name,
        "LifecycleHookName": "drain",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }
    yield 1, "autoscaling", "describe_lifecycle_hooks", {"AutoScalingGroupName": name}
    yield 1, "autoscaling", "delete_lifecycle_hook", {"AutoScalingGroupName": name, "LifecycleHookName": "drain"}
    yield 1, "autoscaling", "suspend_processes", {"AutoScalingGroupName": name, "ScalingProcesses": ["AZRebalance"]}
    yield 1, "autoscaling", "resume_processes", {"AutoScalingGroupName": name, "ScalingProcesses": ["AZRebalance"]}
    yield 2, "cloudwatch", "put_metric_data", {
        "Namespace": "Shop",
        "MetricData": [{"MetricName": metric["MetricName"], "Dimensions": [dimension], "Value": float(small()), "Unit": "Count"}],
    }
    yield 1, "cloudwatch", "list_metrics", {"Namespace": "Shop", "MetricName": metric["MetricName"]}
    yield 2, "cloudwatch", "put_metric_alarm", {
        **metric,
        "AlarmName": name,
        "Statistic": draw.choice(["Sum", "Average"]),
        "Period": draw.choice([60, 300]),
        "EvaluationPeriods": draw.randint(1, 3),
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    yield 2, "cloudwatch", "describe_alarms", {"AlarmNames": [name]}
    yield 1, "cloudwatch", "set_alarm_state", {"AlarmName": name, "StateValue": draw.choice(["OK", "ALARM"]), "StateReason": "test"}
    yield 1, "cloudwatch", "delete_alarms", {"AlarmNames": [name]}
    yield 1, "cloudwatch", "put_dashboard", {"DashboardName": name, "DashboardBody": '{"widgets":[]}'}
    yield 1, "cloudwatch", "get_dashboard", {"DashboardName": name}
    yield 1, "sts", "get_caller_identity", {}


def drawn(seed):
    """Calls of one sequence. Every other one begins with two groups, so that what follows finds something."""
    draw = random.Random(seed)
    for name in NAMES if seed % 2 else ():
        data = {"ImageId": "ami-12c6146b", "InstanceType": draw.choice(TYPES)}
        yield "ec2", "create_launch_template", {"LaunchTemplateName": name, "LaunchTemplateData": data}
        yield "autoscaling", "create_auto_scaling_group", {
            "AutoScalingGroupName": name,
            "LaunchTemplate": {"LaunchTemplateName": name, "Version": "1"},
            "MinSize": 1,
            "MaxSize": 5,
            "AvailabilityZones": ZONES,
        }
    for _ in range(CALLS):
        offered = list(calls(draw))
        [(_, service, operation, arguments)] = draw.choices(offered, [weight for weight, *_ in offered])
        yield service, operation, arguments


def alike(value):
    """An answer without what may differ between two runs of AWS itself."""
    if isinstance(value, dict):
        return {name: alike(item) for name, item in value.items() if name not in ("ResponseMetadata", "NextToken")}
    if isinstance(value, list):
        items = [alike(item) for item in value]
        return sorted(items, key=repr)
    if isinstance(value, datetime.datetime):
        return "<time>"
    if isinstance(value, str):
        value = re.sub(r"\b(i|lt|ami|subnet|vpc)-[0-9a-f]{8,17}\b", r"<\1>", value)
        value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", value)
        value = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z?", "<time>", value)
    return value


def answer(client, operation, arguments):
    try:
        return "answer", alike(getattr(client, operation)(**arguments))
    except botocore.exceptions.ClientError as error:
        return "error", error.response["Error"]["Code"]
    except botocore.parsers.ResponseParserError:
        # moto's server answers some faults with a page and status 500.
        return "error", "500"


def differences(path, ours, theirs):
    """Where two answers differ: paths with both values; a list of another length is one difference."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences(f"{path}.{name}", ours.get(name, "absent"), theirs.get(name, "absent"))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs):
            yield from differences(f"{path}[]", one, other)
    elif ours != theirs:
        yield path, ours, theirs


def told(operation, ours, theirs):
    """The differences of two outcomes; an error is told by its code."""
    if ours[0] == theirs[0] == "answer":
        return differences(operation, ours[1], theirs[1])
    names = [" ".join(outcome) if outcome[0] == "error" else "an answer" for outcome in (ours, theirs)]
    return [(operation, *names)] if names[0] != names[1] else []


def accepted(path, ours, theirs):
    difference = f"{path}: {ours} | {theirs}"
    return [pattern for pattern, _ in ACCEPTED if fnmatch.fnmatchcase(difference, pattern)]


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # moto tells at length where it fails
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    endpoints = {"ours": ENDPOINT, "theirs": f"http://{host}:{port}"}
    clients = {
        (side, service): boto3.client(service, endpoint_url=endpoint, config=boto3.session.Config(retries={"max_attempts": 0}))
        for side, endpoint in endpoints.items()
        for service in ("autoscaling", "cloudwatch", "ec2", "sts")
    }
    compared, found, used = 0, {}, set()
    for seed in SEEDS:
        for endpoint in endpoints.values():
            reset(endpoint)
        for service, operation, arguments in drawn(seed):
            ours = answer(clients["ours", service], operation, arguments)
            theirs = answer(clients["theirs", service], operation, arguments)
            compared += 1
            if not operation.startswith(("describe", "get", "list")):
                # moto's instances serve and end at once.
                advance(180)
            for path, one, other in told(operation, ours, theirs):
                patterns = accepted(path, one, other)
                used.update(patterns)
                if not patterns:
                    found.setdefault((path, repr(one)[:90], repr(other)[:90]), (seed, arguments))
            if ours[0] != theirs[0] and not operation.startswith(("describe", "get", "list")):
                # One of them has made a change that the other has not: what follows says nothing more.
                break
    moto.stop()
    for (path, one, other), (seed, arguments) in sorted(found.items()):
        print(f"{path}\n  ours   {one}\n  theirs {other}\n  seed {seed}: {arguments}", file=sys.stderr)
    for pattern, _ in ACCEPTED:
        if pattern not in used:
            print(f"no longer a difference: {pattern}", file=sys.stderr)
            found[pattern, "", ""] = None
    print(f"{compared} calls compared")
    sys.exit(1 if found else 0)


def reset(endpoint):
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", b"", method="POST")).read()


main()
