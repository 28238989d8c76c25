"""Instances that belong to no group, with waiters; the default network."""

from emulator import advance, autoscaling, ec2, group, make_group, make_template, refused

[vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])
subnets = [subnet for page in pages for subnet in page["Subnets"]]
assert [subnet["AvailabilityZone"] for subnet in subnets] == ["us-east-1a", "us-east-1b", "us-east-1c"], subnets
made = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc["VpcId"])
[found] = ec2.describe_security_groups(GroupIds=[made["GroupId"]])["SecurityGroups"]
assert found["GroupName"] == "web", found

tags = [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "shop"}]}]
run = ec2.run_instances(
    ImageId="ami-0123456789abcdef0",
    InstanceType="m7i.large",
    MinCount=2,
    MaxCount=2,
    # Where the group below has none, so that it need not balance its zones.
    Placement={"AvailabilityZone": "us-east-1b"},
    TagSpecifications=tags,
)
ids = [instance["InstanceId"] for instance in run["Instances"]]
ec2.get_waiter("instance_running").wait(InstanceIds=ids)
ec2.get_waiter("instance_status_ok").wait(InstanceIds=ids)
ec2.stop_instances(InstanceIds=ids[:1])
ec2.get_waiter("instance_stopped").wait(InstanceIds=ids[:1])
ec2.modify_instance_attribute(InstanceId=ids[0], InstanceType={"Value": "c7i.large"})
refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=ids[1], InstanceType={"Value": "c7i.large"})
ec2.start_instances(InstanceIds=ids[:1])
[[one]] = [r["Instances"] for r in ec2.describe_instances(InstanceIds=ids[:1])["Reservations"]]
assert (one["InstanceType"], one["State"]["Name"], one["Tags"]) == ("c7i.large", "running", tags[0]["Tags"]), one

# Into a group, out of it, and gone.
make_template()
make_group(size=(1, 4, 1))
advance(200)
autoscaling.attach_instances(AutoScalingGroupName="web", InstanceIds=ids[:1])
advance(30)
assert ids[0] in {member["InstanceId"] for member in group()["Instances"]}, group()
autoscaling.detach_instances(AutoScalingGroupName="web", InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=True)
ec2.terminate_instances(InstanceIds=ids)
ec2.get_waiter("instance_terminated").wait(InstanceIds=ids)
