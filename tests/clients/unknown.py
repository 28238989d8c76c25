"""Operations that the emulator does not know: each service's own error, never an empty success."""

from emulator import autoscaling, cloudwatch, ec2, refused, sts

refused("InvalidAction", autoscaling.describe_warm_pool, AutoScalingGroupName="web")
refused("InvalidAction", ec2.describe_vpcs)
refused("InvalidAction", sts.get_session_token)
refused("InvalidAction", cloudwatch.list_dashboards)
