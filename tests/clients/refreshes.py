"""Instance refreshes with a desired configuration: to the end, cancelled, rolled back."""

from emulator import advance, autoscaling, group, make_group, make_template, refused, serving

template = make_template()
make_group(size=(2, 8, 4))
advance(300)


def start(*types):
    """Starts replacing everything by these types; returns the refresh's id."""
    launch = {"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "1"}}
    launch["Overrides"] = [{"InstanceType": name} for name in types]
    started = autoscaling.start_instance_refresh(
        AutoScalingGroupName="web",
        Strategy="Rolling",
        DesiredConfiguration={"MixedInstancesPolicy": {"LaunchTemplate": launch}},
        Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "SkipMatching": True, "InstanceWarmup": 60},
    )
    return started["InstanceRefreshId"]


def status(identifier):
    """Status of the refresh."""
    answer = autoscaling.describe_instance_refreshes(AutoScalingGroupName="web", InstanceRefreshIds=[identifier])
    [found] = answer["InstanceRefreshes"]
    return found["Status"]


def follow(identifier, end):
    """Lets time pass until the refresh has ended; it must end so, and no serving instance be missed on the way."""
    for _ in range(240):
        if status(identifier) == end:
            return
        assert status(identifier) not in ("Successful", "Failed", "Cancelled", "RollbackFailed"), status(identifier)
        advance(15)
        assert len(serving()) >= 4, group()
    raise AssertionError(status(identifier))


def types():
    """Types in service."""
    return {member["InstanceType"] for member in serving()}


# To the end. The group takes the wanted type over.
assert types() == {"m7i.large"}
first = start("m7i.xlarge", "m7a.xlarge")
assert status(first) == "Pending"
refused("InstanceRefreshInProgress", autoscaling.start_instance_refresh, AutoScalingGroupName="web")
follow(first, "Successful")
assert types() == {"m7i.xlarge"}, group()
overrides = group()["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
assert [override["InstanceType"] for override in overrides] == ["m7i.xlarge", "m7a.xlarge"], overrides

# Rolled back: everything is as before.
second = start("r7i.xlarge")
advance(240)
autoscaling.rollback_instance_refresh(AutoScalingGroupName="web")
follow(second, "RollbackSuccessful")
assert types() == {"m7i.xlarge"}, group()
overrides = group()["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
assert [override["InstanceType"] for override in overrides] == ["m7i.xlarge", "m7a.xlarge"], overrides

# Cancelled: it stops where it is.
third = start("c7i.xlarge")
advance(60)
autoscaling.cancel_instance_refresh(AutoScalingGroupName="web")
follow(third, "Cancelled")

# Nothing runs any more; the history is newest first.
refused("ActiveInstanceRefreshNotFound", autoscaling.cancel_instance_refresh, AutoScalingGroupName="web")
refused("ActiveInstanceRefreshNotFound", autoscaling.rollback_instance_refresh, AutoScalingGroupName="web")
history = autoscaling.describe_instance_refreshes(AutoScalingGroupName="web")["InstanceRefreshes"]
assert [entry["InstanceRefreshId"] for entry in history] == [third, second, first], history
