"""Groups: made from a launch template, listed by page, kept within their bounds."""

from emulator import advance, autoscaling, group, make_group, make_template, refused, serving

template = make_template()
make_group()
made = group()
assert (made["MinSize"], made["MaxSize"], made["DesiredCapacity"]) == (1, 4, 2), made
assert made["LaunchTemplate"]["LaunchTemplateId"] == template, made
assert made["AutoScalingGroupARN"].startswith("arn:aws:autoscaling:us-east-1:"), made

# Instances boot before they serve.
assert serving() == []
advance(300)
assert [member["InstanceType"] for member in serving()] == ["m7i.large"] * 2, group()

# Desired capacity, inside and outside the bounds.
autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
advance(300)
assert len(serving()) == 4, group()
message = refused("ValidationError", autoscaling.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=5)
assert "New SetDesiredCapacity value 5 is above max value 4" in message, message
message = refused("ValidationError", autoscaling.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=0)
assert "below min value 1" in message, message
refused("ValidationError", autoscaling.set_desired_capacity, AutoScalingGroupName="none", DesiredCapacity=1)
assert len(serving()) == 4, group()

# Bounds move the capacity with them.
autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=3)
assert group()["DesiredCapacity"] == 3, group()

# One instance ends, its place with it.
victim = serving()[0]["InstanceId"]
autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=True)
advance(300)
assert group()["DesiredCapacity"] == 2 and victim not in [member["InstanceId"] for member in serving()], group()

# A name is taken once; what does not exist has no description.
refused("AlreadyExists", make_group)
assert autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["none"])["AutoScalingGroups"] == []

# Pages.
for number in range(24):
    make_group(f"group-{number:02}", size=(0, 1, 0))
pages = list(autoscaling.get_paginator("describe_auto_scaling_groups").paginate(PaginationConfig={"PageSize": 10}))
sizes = [len(page["AutoScalingGroups"]) for page in pages]
names = {found["AutoScalingGroupName"] for page in pages for found in page["AutoScalingGroups"]}
assert sizes == [10, 10, 5] and len(names) == 25, sizes

# Instances over all groups.
instances = autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
assert {member["AutoScalingGroupName"] for member in instances} == {"web"} and len(instances) == 2, instances

# A group with instances goes only by force.
refused("ResourceInUse", autoscaling.delete_auto_scaling_group, AutoScalingGroupName="web")
autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
advance(300)
assert autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"] == []
