"""EC2 and STS: instances of a group, instance types, launch templates, the caller."""

from emulator import advance, ec2, group, make_group, make_template, refused, sts

caller = sts.get_caller_identity()
assert caller["Account"] == "123456789012" and caller["Arn"].startswith("arn:aws:"), caller

template = make_template()
make_group()
advance(300)

# Instances, by the group that they belong to, and by id.
of_group = [{"Name": "tag:aws:autoscaling:groupName", "Values": ["web"]}]
reservations = ec2.describe_instances(Filters=of_group)["Reservations"]
instances = [instance for reservation in reservations for instance in reservation["Instances"]]
members = {member["InstanceId"] for member in group()["Instances"]}
assert {instance["InstanceId"] for instance in instances} == members and len(members) == 2, instances
assert {(instance["State"]["Name"], instance["InstanceType"]) for instance in instances} == {("running", "m7i.large")}
refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-00000000000000000"])

# Types: what they offer, by name and by page.
[large] = ec2.describe_instance_types(InstanceTypes=["m7i.large"])["InstanceTypes"]
assert (large["VCpuInfo"]["DefaultVCpus"], large["MemoryInfo"]["SizeInMiB"]) == (2, 8192), large
assert large["ProcessorInfo"]["SupportedArchitectures"] == ["x86_64"], large
pages = ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 100})
names = [entry["InstanceType"] for page in pages for entry in page["InstanceTypes"]]
assert len(names) == len(set(names)) >= 150, len(names)
refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["m7i.enormous"])
offered = ec2.describe_instance_type_offerings(
    LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["m7i.large"]}]
)["InstanceTypeOfferings"]
zones = {zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]}
assert {offer["Location"] for offer in offered} == zones, offered

# Images and Spot prices.
[image] = ec2.describe_images(
    Owners=["amazon"], Filters=[{"Name": "architecture", "Values": ["arm64"]}, {"Name": "name", "Values": ["al2023-*"]}]
)["Images"]
assert (image["State"], image["Public"], image["ImageOwnerAlias"]) == ("available", True, "amazon"), image
ec2.get_waiter("image_available").wait(ImageIds=["ami-0123456789abcdef0"])
refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=["ami-00000000000000000"])
pages = ec2.get_paginator("describe_spot_price_history").paginate(
    InstanceTypes=["m7i.large"], ProductDescriptions=["Linux/UNIX"], PaginationConfig={"PageSize": 2}
)
prices = [price for page in pages for price in page["SpotPriceHistory"]]
assert {price["AvailabilityZone"] for price in prices} == zones, prices
assert {price["SpotPrice"] for price in prices} == {"0.040320"}, prices

# Templates and their versions.
ec2.create_launch_template_version(
    LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "c7i.large"}
)
versions = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
found = {version["VersionNumber"]: version["LaunchTemplateData"] for version in versions}
assert {number: data["InstanceType"] for number, data in found.items()} == {1: "m7i.large", 2: "c7i.large"}, versions
assert found[2]["ImageId"] == "ami-0123456789abcdef0", found
refused("InvalidLaunchTemplateName.AlreadyExistsException", make_template)
