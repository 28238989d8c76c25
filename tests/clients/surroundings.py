"""What stands around a group: activities, tags, policies, scheduled actions, suspended processes."""

from emulator import advance, autoscaling, control, group, make_group, make_template, refused

make_template()
make_group(size=(1, 6, 2), Tags=[{"Key": "scaling:managed", "Value": "true", "PropagateAtLaunch": False}])
advance(300)

# Activities, newest first, by page.
autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
advance(300)
activities = autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
assert [activity["StatusCode"] for activity in activities] == ["Successful"] * 3, activities
assert "capacity" in activities[0]["Cause"] and activities[0]["EndTime"] > activities[0]["StartTime"], activities[0]
assert activities[0]["StartTime"] > activities[1]["StartTime"], activities
paginator = autoscaling.get_paginator("describe_scaling_activities")
pages = paginator.paginate(AutoScalingGroupName="web", PaginationConfig={"PageSize": 2})
assert [len(page["Activities"]) for page in pages] == [2, 1]


# Tags.
tag = {"ResourceId": "web", "ResourceType": "auto-scaling-group"}
more = {**tag, "Key": "team", "Value": "charts", "PropagateAtLaunch": True}
autoscaling.create_or_update_tags(Tags=[more])
tags = autoscaling.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": ["web"]}])["Tags"]
assert {(entry["Key"], entry["Value"]) for entry in tags} == {("scaling:managed", "true"), ("team", "charts")}, tags
found = autoscaling.describe_auto_scaling_groups(Filters=[{"Name": "tag:team", "Values": ["charts"]}])
assert [entry["AutoScalingGroupName"] for entry in found["AutoScalingGroups"]] == ["web"], found
autoscaling.delete_tags(Tags=[{**tag, "Key": "team"}])
assert [entry["Key"] for entry in group()["Tags"]] == ["scaling:managed"], group()["Tags"]

# Policies.
made = autoscaling.put_scaling_policy(
    AutoScalingGroupName="web",
    PolicyName="half",
    PolicyType="TargetTrackingScaling",
    TargetTrackingConfiguration={
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    },
)
[policy] = autoscaling.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
assert (policy["PolicyName"], policy["PolicyARN"]) == ("half", made["PolicyARN"]), policy
assert policy["TargetTrackingConfiguration"]["TargetValue"] == 50.0, policy
autoscaling.delete_policy(AutoScalingGroupName="web", PolicyName="half")
assert autoscaling.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"] == []

# Scheduled actions.
autoscaling.put_scheduled_update_group_action(
    AutoScalingGroupName="web", ScheduledActionName="evening", Recurrence="0 18 * * *", MinSize=2
)
answer = autoscaling.describe_scheduled_actions(AutoScalingGroupName="web")
[action] = answer["ScheduledUpdateGroupActions"]
assert (action["ScheduledActionName"], action["Recurrence"], action["MinSize"]) == ("evening", "0 18 * * *", 2), action
autoscaling.delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="evening")
refused("ValidationError", autoscaling.describe_scheduled_actions, AutoScalingGroupName="none")

# Traffic sources.
sources = [{"Identifier": "classic", "Type": "elb"}, {"Identifier": "arn:aws:vpc-lattice:us-east-1:1:targetgroup/tg-1"}]
autoscaling.attach_traffic_sources(AutoScalingGroupName="web", TrafficSources=sources)
found = autoscaling.describe_traffic_sources(AutoScalingGroupName="web")["TrafficSources"]
assert [(one["Type"], one["State"]) for one in found] == [("elb", "InService"), ("vpc-lattice", "InService")], found
assert [one["Identifier"] for one in group()["TrafficSources"]] == [one["Identifier"] for one in sources], group()
autoscaling.detach_traffic_sources(AutoScalingGroupName="web", TrafficSources=sources)
assert autoscaling.describe_traffic_sources(AutoScalingGroupName="web")["TrafficSources"] == []

# Suspended processes.
autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
assert [entry["ProcessName"] for entry in group()["SuspendedProcesses"]] == ["Launch"], group()
autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
assert group()["SuspendedProcesses"] == [], group()

# A launch that fails says why.
control("faults", {"kind": "capacity_shortage", "instance_type": "m7i.large"})
autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
advance(120)
newest = autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"][0]
assert newest["StatusCode"] == "Failed" and "m7i.large" in newest["StatusMessage"], newest
