"""What each server has its own identifier of."""

UNKNOWN = "i-0123456789abcdef0"


class Found:
    """An identifier that is looked up when the call is made; one that nothing has where the look-up finds none."""

    def __init__(self, name, look, unknown=UNKNOWN):
        self.name, self.look, self.unknown = name, look, unknown

    def __repr__(self):
        return f"<{self.name}>"


def resolved(value, clients):
    """Arguments for one server, whose clients these are."""
    if isinstance(value, Found):
        found = value.look(clients)
        return value.unknown if found is None else found
    if isinstance(value, dict):
        return {name: resolved(item, clients) for name, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, clients) for item in value]
    return value


def chosen(items, number):
    """One of the items, whose order is the same on both servers as far as it can be."""
    ordered = sorted(items, key=repr)
    return ordered[number % len(ordered)][-1] if ordered else None


def member(group, number, state=None):
    """An instance of a group; one in this state where there is one."""

    def look(clients):
        found = clients["autoscaling"].describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
        kinds = ("LifecycleState", "ProtectedFromScaleIn", "HealthStatus", "AvailabilityZone", "InstanceId")
        rows = [[one.get(kind) for kind in kinds] for group in found for one in group["Instances"]]
        return chosen([row for row in rows if row[0] == state] or rows, number)

    return Found(f"instance {number} of {group}", look)


def machine(number, state=None):
    """An instance that belongs to no group, in this state where one is named."""

    def look(clients):
        filters = [{"Name": "tag:kind", "Values": ["alone"]}]
        found = clients["ec2"].describe_instances(Filters=filters)["Reservations"]
        rows = [
            (one["State"]["Name"], [tag["Value"] for tag in one["Tags"] if tag["Key"] == "name"], one["InstanceId"])
            for reservation in found
            for one in reservation["Instances"]
            if one["State"]["Name"] == state or (state is None and one["State"]["Name"] != "terminated")
        ]
        return chosen(rows, number)

    return Found(f"instance {number}", look)


def subnet(zone):
    """The default subnet of a zone."""

    def look(clients):
        filters = [{"Name": "availability-zone", "Values": [zone]}]
        return clients["ec2"].describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"]

    return Found(f"subnet of {zone}", look)


def vpc():
    """The default VPC."""
    return Found("default VPC", lambda clients: clients["ec2"].describe_vpcs()["Vpcs"][0]["VpcId"])


def security_group(name):
    """A security group by its name."""

    def look(clients):
        filters = [{"Name": "group-name", "Values": [name]}]
        found = clients["ec2"].describe_security_groups(Filters=filters)["SecurityGroups"]
        return found[0]["GroupId"] if found else None

    return Found(f"security group {name}", look, "sg-0123456789abcdef0")


def template(name):
    """A launch template by its name."""

    def look(clients):
        filters = [{"Name": "launch-template-name", "Values": [name]}]
        found = clients["ec2"].describe_launch_templates(Filters=filters)["LaunchTemplates"]
        return found[0]["LaunchTemplateId"] if found else None

    return Found(f"launch template {name}", look, "lt-0123456789abcdef0")


def target_group(name):
    """A target group, which moto's server has to have made: the emulator takes any."""
    return Found(f"target group {name}", lambda clients: clients["targets"][name])
