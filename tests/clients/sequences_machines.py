"""Sequences over EC2: instances that belong to no group, their types, and the network."""

from sequences_found import machine, security_group, subnet, vpc

TYPES = ["m5.large", "c5.xlarge"]
IMAGE = "ami-12c6146b"
ATTRIBUTES = [
    "disableApiStop",
    "disableApiTermination",
    "ebsOptimized",
    "groupSet",
    "instanceInitiatedShutdownBehavior",
    "instanceType",
    "sourceDestCheck",
    "userData",
]


def named(draw):
    """Tags by which a machine is found, and told from others."""
    tags = {"kind": "alone", "name": f"{draw.randrange(10 ** 6):06}"}
    return [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def run_machines(draw, count):
    return "ec2", "run_instances", {
        "ImageId": IMAGE,
        "InstanceType": draw.choice(TYPES),
        "MinCount": count,
        "MaxCount": count,
        "TagSpecifications": named(draw),
        "Placement": {"AvailabilityZone": "us-east-1a"},
    }


def two_machines(draw):
    yield run_machines(draw, 1)
    yield run_machines(draw, 1)
    yield "ec2", "stop_instances", {"InstanceIds": [machine(0)]}


def rules(name, port):
    """Members that name a rule of a security group."""
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    return {"GroupId": security_group(name), "IpPermissions": [rule]}


def a_group(_draw):
    yield "ec2", "create_security_group", {"GroupName": "web", "Description": "first"}
    for port in (80, 443):
        yield "ec2", "authorize_security_group_egress", rules("web", port)


def filters(name, *values):
    return {"Filters": [{"Name": name, "Values": list(values)}]}


def machines(draw, _now):
    """Instances: run, looked at, stopped, started, changed, tagged, ended."""
    ids = [machine(draw.randint(0, 9))]
    kind = draw.choice(TYPES)
    yield 2, "ec2", "run_instances", {
        "ImageId": IMAGE,
        "MinCount": 1,
        "MaxCount": 1,
        "TagSpecifications": named(draw),
        **draw.choice([
            {"InstanceType": kind, "Placement": {"AvailabilityZone": "us-east-1b"}},
            {"InstanceType": kind, "SubnetId": subnet("us-east-1b")},
            {"InstanceType": kind, "SubnetId": subnet("us-east-1b"), "KeyName": "key"},
        ]),
    }
    yield 4, "ec2", "describe_instances", draw.choice([
        {"InstanceIds": ids},
        filters("instance-state-name", "running"),
        filters("instance-type", kind),
        filters("availability-zone", "us-east-1a"),
        filters("tag:kind", "alone"),
        filters("tag-key", "color"),
        {"InstanceIds": ids, "MaxResults": 5},
    ])
    yield 2, "ec2", "describe_instance_status", draw.choice([{}, {"InstanceIds": ids}, {"IncludeAllInstances": True}])
    yield 2, "ec2", "stop_instances", {"InstanceIds": ids}
    yield 2, "ec2", "start_instances", {"InstanceIds": ids}
    yield 1, "ec2", "reboot_instances", {"InstanceIds": [machine(0, "running")]}
    yield 1, "ec2", "terminate_instances", {"InstanceIds": ids}
    yield 2, "ec2", "modify_instance_attribute", {"InstanceId": machine(0, "stopped"), "InstanceType": {"Value": kind}}
    yield 2, "ec2", "describe_instance_attribute", {
        "InstanceId": ids[0],
        "Attribute": draw.choice(ATTRIBUTES),
    }
    yield 1, "ec2", "describe_spot_instance_requests", draw.choice([{}, filters("state", "active")])
    tag = {"Key": "color", "Value": draw.choice(["red", "blue"])}
    yield 3, "ec2", "create_tags", {"Resources": ids, "Tags": [tag]}
    yield 1, "ec2", "delete_tags", {"Resources": ids, "Tags": [{"Key": "color"}]}
    yield 2, "ec2", "describe_tags", draw.choice([
        filters("key", "color"),
        filters("resource-type", "instance"),
        filters("resource-id", ids[0]),
        filters("value", "red"),
    ])
    yield 1, "ec2", "describe_images", {"ImageIds": [IMAGE]}
    yield 1, "sts", "get_caller_identity", {}


def network(draw, _now):
    """Security groups, and what there is from the beginning."""
    name = draw.choice(["web", "api"])
    kind = draw.choice([*TYPES, "m7i.large"])
    by = draw.choice([{"GroupName": name}, {"GroupId": security_group(name)}])
    rule = rules(name, draw.choice([80, 443]))
    yield 2, "ec2", "create_security_group", {"GroupName": name, "Description": "for the web", **draw.choice([{}, {"VpcId": vpc()}])}
    yield 1, "ec2", "delete_security_group", by
    yield 3, "ec2", "describe_security_groups", draw.choice([
        {"GroupIds": [security_group(name)]},
        {"GroupNames": [name]},
        filters("group-name", name),
        filters("description", "for the web"),
        filters("tag:color", "red"),
    ])
    yield 3, "ec2", "authorize_security_group_ingress", rule
    yield 2, "ec2", "revoke_security_group_ingress", rule
    yield 1, "ec2", "authorize_security_group_egress", rule
    yield 2, "ec2", "revoke_security_group_egress", rule
    yield 2, "ec2", "describe_security_group_rules", filters("group-id", security_group(name))
    yield 1, "ec2", "create_tags", {"Resources": [security_group(name)], "Tags": [{"Key": "color", "Value": "red"}]}
    yield 1, "ec2", "describe_vpcs", draw.choice([{}, {"VpcIds": [vpc()]}, filters("is-default", "true")])
    yield 1, "ec2", "describe_subnets", draw.choice([
        filters("availability-zone", "us-east-1a"),
        {"SubnetIds": [subnet("us-east-1b")]},
    ])
    yield 1, "ec2", "describe_availability_zones", draw.choice([{"ZoneNames": ["us-east-1a"]}, filters("zone-name", "us-east-1b")])
    yield 1, "ec2", "describe_regions", {"RegionNames": ["us-east-1"]}
    yield 1, "ec2", "describe_instance_types", draw.choice([{"InstanceTypes": [kind]}, {"InstanceTypes": ["m5.large", "none.large"]}])
    yield 1, "ec2", "describe_instance_type_offerings", {
        "LocationType": "availability-zone",
        "Filters": [{"Name": "instance-type", "Values": [kind]}, {"Name": "location", "Values": ["us-east-1a"]}],
    }
    yield 1, "ec2", "describe_spot_price_history", {"InstanceTypes": [kind], "ProductDescriptions": ["Linux/UNIX"], "AvailabilityZone": "us-east-1a"}


MACHINES, NETWORK = (two_machines, machines), (a_group, network)
