"""Operations that the emulator does not know: each service's own error, never an empty success."""

from emulator import autoscaling, cloudwatch, ec2, refused, sts

refused("InvalidAction", autoscaling.describe_traffic_sources, AutoScalingGroupName="web")
refused("InvalidAction", ec2.describe_volumes)
refused("InvalidAction", sts.get_session_token)
refused("InvalidAction", cloudwatch.list_metric_streams)
