"""The emulator as the scripts see it: clients, time, and the error that a call must end with."""

import json
import os
import urllib.request

import boto3
import botocore.exceptions

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]

autoscaling = boto3.client("autoscaling")
cloudwatch = boto3.client("cloudwatch")
ec2 = boto3.client("ec2")
sts = boto3.client("sts")


def control(path, body=None):
    """Asks one of the emulator's own paths; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_emulator/{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def advance(seconds):
    """Lets so much of the emulator's time pass."""
    return control("clock", {"advance": seconds})["now"]


def refused(code, call, **arguments):
    """Makes a call that must fail with this code; returns the message."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"the call did not fail with {code}")


def make_template(name="web", instance_type="m7i.large"):
    """Makes a launch template; returns its id."""
    data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": instance_type}
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return made["LaunchTemplate"]["LaunchTemplateId"]


def make_group(name="web", template="web", size=(1, 4, 2), **more):
    """Makes a group of (least, most, desired) instances."""
    least, most, desired = size
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": template, "Version": "1"},
        MinSize=least,
        MaxSize=most,
        DesiredCapacity=desired,
        AvailabilityZones=["us-east-1a", "us-east-1b"],
        **more,
    )


def group(name="web"):
    """The group as it is."""
    [found] = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return found


def serving(name="web"):
    """Its instances in service."""
    return [member for member in group(name)["Instances"] if member["LifecycleState"] == "InService"]
