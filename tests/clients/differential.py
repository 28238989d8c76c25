"""The same calls to moto's server and to the emulator, answer against answer, field by field.

Sequences of calls are drawn from a seed, over every operation that both servers have. Identifiers, times and ARNs are made
alike before answers are compared. What differs must stand in `ACCEPTED` with the documentation that decides it: where
AWS's documentation and moto differ, the emulator follows the documentation.
"""

import datetime
import fnmatch
import logging
import re
import sys
import urllib.parse
import urllib.request
import warnings

import boto3
import botocore
import botocore.exceptions
import botocore.parsers
from moto.autoscaling.responses import AutoScalingResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.ec2.responses import EC2Response
from moto.server import ThreadedMotoServer
from moto.sts.responses import TokenResponse

from differences import ACCEPTED, UNCOMPARED
from emulator import ENDPOINT, advance, control
from sequences import drawn, operations, seeds
from sequences_found import resolved

# The services, with what answers for each of them in moto.
SERVICES = {"autoscaling": AutoScalingResponse, "cloudwatch": CloudWatchResponse, "ec2": EC2Response, "sts": TokenResponse}
READING = ("describe", "get", "list")


def alike(value):
    """An answer without what may differ between two runs of AWS itself."""
    if isinstance(value, dict):
        # In one order, because lists are sorted by how their items are written.
        names = sorted(value.keys() - {"ResponseMetadata", "NextToken"})
        return {name: alike(value[name]) for name in names}
    if isinstance(value, list):
        items = [alike(item) for item in value]
        return sorted(items, key=repr)
    if isinstance(value, datetime.datetime):
        return "<time>"
    if isinstance(value, str):
        value = re.sub(r"\b(i|r|lt|ami|sg|sgr|subnet|vpc)-[0-9a-f]{8,17}\b", r"<\1>", value)
        value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", value)
        value = re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.]+(Z|\+00:00)?", "<time>", value)
        value = re.sub(r"\b(ip-)?\d{1,3}([.-])\d{1,3}\2\d{1,3}\2\d{1,3}\b", "<address>", value)
    return value


def answer(clients, service, operation, arguments):
    try:
        return "answer", alike(getattr(clients[service], operation)(**resolved(arguments, clients)))
    except botocore.exceptions.ClientError as error:
        return "error", error.response["Error"]["Code"]
    except botocore.parsers.ResponseParserError:
        # moto's server answers some faults with a page and status 500.
        return "error", "500"


def differences(path, ours, theirs):
    """Where two answers differ: paths with both values; a list of another length is one difference."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences(f"{path}.{name}", ours.get(name, "absent"), theirs.get(name, "absent"))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        # Their order says nothing: each is compared with the one that it is most like.
        left = list(theirs)
        for one in ours:
            other = min(left, key=lambda other: sum(1 for _ in differences(path, one, other)))
            left.remove(other)
            yield from differences(f"{path}[]", one, other)
    elif ours != theirs:
        yield path, ours, theirs


def told(operation, ours, theirs):
    """The differences of two outcomes; an error is told by its code."""
    if ours[0] == theirs[0] == "answer":
        return differences(operation, ours[1], theirs[1])
    names = [" ".join(outcome) if outcome[0] == "error" else "an answer" for outcome in (ours, theirs)]
    return [(operation, *names)] if names[0] != names[1] else []


def accepted(path, ours, theirs):
    difference = f"{path}: {ours} | {theirs}"
    return [pattern for pattern, _ in ACCEPTED if fnmatch.fnmatchcase(difference, pattern)]


def shared(service):
    """Operations of a service that both servers have, as boto3 names them."""
    client = boto3.client(service)
    version = client.meta.service_model.api_version
    for name in client.meta.service_model.operation_names:
        if not hasattr(SERVICES[service], botocore.xform_name(name)):
            continue
        form = urllib.parse.urlencode({"Action": name, "Version": version}).encode()
        try:
            urllib.request.urlopen(ENDPOINT, form).read()
        except urllib.error.HTTPError as error:
            if "<Code>InvalidAction</Code>" in error.read().decode():
                continue
        yield service, botocore.xform_name(name)


def reset(endpoint):
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", b"", method="POST")).read()


class Sides:
    """Both servers with their clients."""

    def __init__(self, theirs):
        self.endpoints = {"ours": ENDPOINT, "theirs": theirs}
        self.clients = {side: {service: self.client(side, service) for service in SERVICES} for side in self.endpoints}
        self.balancers = {service: self.client("theirs", service) for service in ("elb", "elbv2")}

    def client(self, side, service):
        return boto3.client(service, endpoint_url=self.endpoints[side], config=boto3.session.Config(retries={"max_attempts": 0}))

    def fresh(self):
        """Makes both forget everything. What groups are attached to must be there in moto's server."""
        for endpoint in self.endpoints.values():
            reset(endpoint)
        vpc = self.clients["theirs"]["ec2"].describe_vpcs()["Vpcs"][0]["VpcId"]
        targets = {}
        for name in ("front", "back"):
            made = self.balancers["elbv2"].create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
            targets[name] = made["TargetGroups"][0]["TargetGroupArn"]
            listener = {"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}
            self.balancers["elb"].create_load_balancer(LoadBalancerName=name, Listeners=[listener], AvailabilityZones=["us-east-1a"])
        for clients in self.clients.values():
            clients["targets"] = targets


def compared(sides, seed, found, used, answered):
    """Carries out one sequence; returns how many calls it had."""
    sides.fresh()
    time = datetime.datetime.fromisoformat(control("clock")["now"]).timestamp()
    calls = 0
    for service, operation, arguments in drawn(seed, lambda: int(time)):
        ours, theirs = (answer(sides.clients[side], service, operation, arguments) for side in ("ours", "theirs"))
        calls += 1
        reads = operation.startswith(READING)
        if not reads and service != "cloudwatch":
            # moto's instances serve and end at once; its alarms never look at their metrics.
            time = datetime.datetime.fromisoformat(advance(180)).timestamp()
        if ours[0] == theirs[0] == "answer":
            answered.add((service, operation))
        for path, one, other in told(operation, ours, theirs):
            patterns = accepted(path, one, other)
            used.update(patterns)
            if not patterns:
                found.setdefault((path, repr(one)[:120], repr(other)[:120]), f"seed {seed}: {arguments}")
        if ours[0] != theirs[0] and not reads:
            # One of them has made a change that the other has not: what follows says nothing more.
            break
    return calls


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # moto tells at length where it fails
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    sides = Sides(f"http://{host}:{port}")
    found, used, answered = {}, set(), set()
    calls = sum(compared(sides, seed, found, used, answered) for seed in seeds())
    both = {operation for service in SERVICES for operation in shared(service)}
    moto.stop()
    for service, operation in sorted(UNCOMPARED.keys() - both):
        found[f"{service}.{operation} is in both servers no longer", "", ""] = "it need not be left out"
    both -= UNCOMPARED.keys()
    for service, operation in sorted(both - operations()):
        found[f"{service}.{operation} is never drawn", "", ""] = "both servers have it"
    for service, operation in sorted(operations() - both):
        found[f"{service}.{operation} is drawn", "", ""] = "it is not in both servers"
    for service, operation in sorted(both & operations() - answered):
        found[f"{service}.{operation} was never answered by both", "", ""] = "its answers have not been compared"
    for pattern in sorted({pattern for pattern, _ in ACCEPTED} - used):
        found[f"no longer a difference: {pattern}", "", ""] = ""
    for (path, one, other), where in sorted(found.items()):
        print(f"{path}\n  ours   {one}\n  theirs {other}\n  {where}", file=sys.stderr)
    print(f"{calls} calls of {len(both)} operations compared")
    sys.exit(1 if found else 0)


main()
