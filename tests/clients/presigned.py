"""Addresses that are signed beforehand, as clients hand them on to others who have no credentials."""

import json
import urllib.error
import urllib.request

from emulator import cloudwatch, ec2, sts


def fetched(url):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


identity = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
status, text = fetched(identity)
assert status == 200 and "<Account>123456789012</Account>" in text, text

status, text = fetched(identity.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in text, text

status, text = fetched(identity.split("&X-Amz-Signature")[0])
assert status == 403 and "<Code>MissingAuthenticationToken</Code>" in text, text

odd = {"Filters": [{"Name": "tag:a b", "Values": ["c/d&e"]}]}
instances = ec2.generate_presigned_url("describe_instances", Params=odd, HttpMethod="GET")
status, text = fetched(instances)
assert status == 200 and "<DescribeInstancesResponse" in text, text

# Signatures in headers go on being checked beside them.
assert json.dumps(cloudwatch.list_metrics()["Metrics"]) == "[]"
