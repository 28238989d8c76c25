"""Operations and services that the emulator does not know: an error as AWS has it, never an empty success."""

import boto3
from emulator import autoscaling, cloudwatch, ec2, refused, sts

refused("InvalidAction", autoscaling.launch_instances, AutoScalingGroupName="web", RequestedCapacity=1, ClientToken="a")
refused("InvalidAction", ec2.describe_volumes)
refused("InvalidAction", sts.get_session_token)
refused("UnknownOperationException", cloudwatch.list_metric_streams)

# Services of other protocols: JSON, query, and REST with JSON.
key = {"TableName": "t", "Key": {"id": {"S": "1"}}}
message = refused("UnknownOperationException", boto3.client("dynamodb").get_item, **key)
assert "DynamoDB_20120810.GetItem means none of the services" in message, message
refused("UnknownOperationException", boto3.client("service-quotas").list_services)
refused("InvalidAction", boto3.client("sns").list_topics)
refused("UnknownOperationException", boto3.client("lambda").list_functions)
refused("NotImplemented", boto3.client("s3").list_buckets)
