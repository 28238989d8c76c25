#!/usr/bin/env python3
"""Figures of the three functions as they are deployed: size, zipped size, and how long they take to start.

    scripts/function_figures.py FOLDER            sizes and times; the programs run on this machine
    scripts/function_figures.py --sizes FOLDER    sizes alone, for programs of any architecture

FOLDER is target/lambda (`cargo build --profile lambda -p schedule -p alarm -p api`) or .aws-sam/build (`sam build`).
Exits with 1 when a figure is over its limit.

Each program is started anew for each time, against stand-ins on loopback. Both times begin just before the process is
made; each is the median of 20:

- first poll: until the program asks the Lambda runtime interface for its first event
- first answer: until it has answered that event. `api` answers GET /health. `schedule` and `alarm` evaluate a group,
  which reads state and groups through the AWS SDK over TLS; the system's certificates are read for it, as on AWS.
"""

import argparse
import http.server
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

STARTS = 20
MOST_BYTES = 7_000_000
MOST_ZIPPED_BYTES = 3_000_000
MOST_MS_TO_POLL = 8.0
MOST_MS_TO_ANSWER = {"schedule": 35.0, "alarm": 35.0, "api": 20.0}

EVENTS = {
    "schedule": {"source": "aws.scheduler"},
    "alarm": {"source": "aws.cloudwatch", "alarmData": {"alarmName": "scaling/web/cpu_usage", "state": {"value": "ALARM"}}},
    "api": {
        "resource": "/health",
        "path": "/health",
        "httpMethod": "GET",
        "headers": {"Accept": "application/json"},
        "multiValueHeaders": {"Accept": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"httpMethod": "GET", "path": "/v1/health", "stage": "v1", "identity": {}},
        "body": None,
        "isBase64Encoded": False,
    },
}

NO_GROUPS = b"""<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
<DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>"""


class Answers(http.server.BaseHTTPRequestHandler):
    """One request after the other on a connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body: bytes, kind: str, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, *_arguments) -> None:
        pass


# A CBOR map with an empty list.
NO_METRICS = b"\xa1\x71MetricDataResults\x80"


class Cloud(Answers):
    """DynamoDB without items, Auto Scaling without groups and CloudWatch without metrics."""

    def do_POST(self) -> None:
        body, target = self.read(), self.headers.get("x-amz-target", "")
        self.server.calls += 1
        if target.endswith(".BatchGetItem"):
            self.answer(b'{"Responses":{},"UnprocessedKeys":{}}', "application/x-amz-json-1.0")
        elif target.startswith("DynamoDB_"):
            self.answer(b'{"Items":[],"Count":0}', "application/x-amz-json-1.0")
        elif b"Action=DescribeAutoScalingGroups" in body:
            self.answer(NO_GROUPS, "text/xml")
        elif self.path.endswith("/operation/GetMetricData"):
            self.answer(NO_METRICS, "application/cbor", {"smithy-protocol": "rpc-v2-cbor"})
        else:
            self.answer(f"nothing answers {target} {body[:60]!r}".encode(), "text/plain", status=500)


class Runtime(Answers):
    """The Lambda runtime interface: one event, then silence."""

    def do_GET(self) -> None:
        run = self.server
        if run.polled is not None:
            run.done.wait()
            return
        run.polled = time.perf_counter()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 50_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        }
        self.answer(run.event, "application/json", headers)

    def do_POST(self) -> None:
        body = self.read()
        run = self.server
        if not run.answered.is_set():
            run.answered_at, run.path, run.body = time.perf_counter(), self.path, body
            run.answered.set()
        self.answer(b"{}", "application/json", status=202)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler, context: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), handler)
        self.context = context
        self.calls = 0
        self.polled = None
        self.answered, self.done = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def finish_request(self, request, address) -> None:
        # In the connection's own thread, so that a slow greeting keeps nobody else waiting.
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, *_arguments) -> None:
        # A program that is ended in the middle of a request.
        pass

    @property
    def port(self) -> int:
        return self.server_address[1]


def certificates(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate, and a file that holds it beside all that the system trusts."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    openssl = ["openssl", "req", "-x509", *curve, "-nodes", "-days", "1", *subject, "-keyout", key, "-out", certificate]
    subprocess.run(openssl, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    system = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    trusted = folder / "trusted.pem"
    trusted.write_text(Path(system).read_text() + certificate.read_text())
    return context, trusted


def start(name: str, program: Path, cloud: Server, trusted: Path) -> tuple[float, float]:
    """Milliseconds to the first poll and to the first answer, of one start."""
    run = Server(Runtime)
    run.event = json.dumps(EVENTS[name]).encode()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{run.port}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": f"https://localhost:{cloud.port}",
        "SSL_CERT_FILE": str(trusted),
        "SCALING_TABLE": "scaling",
        "SCALING_GROUPS": "web",
    }
    calls = cloud.calls
    began = time.perf_counter()
    process = subprocess.Popen([program], env=environment, cwd="/", stdout=subprocess.DEVNULL)
    try:
        if not run.answered.wait(10):
            sys.exit(f"{program} does not answer its first event")
    finally:
        process.kill()
        process.wait()
        run.done.set()
        run.shutdown()
        run.server_close()
    if not run.path.endswith("/response"):
        sys.exit(f"{program} fails: {run.path} {run.body[:500]!r}")
    if name == "api":
        status = json.loads(run.body)["statusCode"]
        if status not in (200, 503):
            sys.exit(f"{program} answers {status}: {run.body[:500]!r}")
    elif cloud.calls == calls:
        sys.exit(f"{program} calls nobody: {run.body[:500]!r}")
    return (run.polled - began) * 1000, (run.answered_at - began) * 1000


def zipped(program: Path) -> int:
    """Bytes of the package that is uploaded: the program alone, named `bootstrap`."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(program, "bootstrap")
    return len(packed.getvalue())


def program(folder: Path, name: str) -> Path:
    """Where `cargo build`, `cargo lambda build` and `sam build` leave it."""
    places = [folder / name, folder / name / "bootstrap", folder / f"{name.capitalize()}Function" / "bootstrap"]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    sys.exit(f"{name} is not in {folder}: build it first")


def check_sizes(folder: Path) -> bool:
    within = True
    print(f"{'function':10} {'bytes':>10} {'zipped':>10}   at most {MOST_BYTES} and {MOST_ZIPPED_BYTES}")
    for name in EVENTS:
        found = program(folder, name)
        size, packed = found.stat().st_size, zipped(found)
        print(f"{name:10} {size:10} {packed:10}")
        within &= size < MOST_BYTES and packed < MOST_ZIPPED_BYTES
    return within


def check_times(folder: Path) -> bool:
    within = True
    heads = ["first poll", "slowest", "first answer", "slowest", "at most"]
    print(f"\n{'ms':10} " + " ".join(f"{head:>14}" for head in heads))
    with tempfile.TemporaryDirectory() as made:
        context, trusted = certificates(Path(made))
        cloud = Server(Cloud, context)
        for name in EVENTS:
            found = program(folder, name).resolve()
            polls, answers = zip(*(start(name, found, cloud, trusted) for _ in range(STARTS)))
            poll, answer, most = statistics.median(polls), statistics.median(answers), MOST_MS_TO_ANSWER[name]
            figures = [poll, max(polls), answer, max(answers)]
            limits = f"{MOST_MS_TO_POLL:g}, {most:g}"
            print(f"{name:10} " + " ".join(f"{figure:14.2f}" for figure in figures) + f" {limits:>14}")
            within &= poll < MOST_MS_TO_POLL and answer < most
    return within


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", action="store_true", help="sizes alone")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    within = check_sizes(arguments.folder)
    if not arguments.sizes:
        within &= check_times(arguments.folder)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
