#!/usr/bin/env python3
"""Figures of the three functions as they are deployed: size, zipped size, and time from start to first poll.

    cargo build --profile lambda -p schedule -p alarm -p api
    scripts/function_figures.py target/lambda

Each program is started against a stand-in for the Lambda runtime interface on loopback; the time is from just before the
process is made to its first `GET .../runtime/invocation/next`. Exits with 1 when a figure is over its limit.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

FUNCTIONS = ["schedule", "alarm", "api"]
STARTS = 20
MOST_BYTES = 7_000_000
MOST_ZIPPED_BYTES = 3_000_000
MOST_MILLISECONDS = 8.0


def zipped(program: Path) -> int:
    """Bytes of the package that is uploaded: the program alone, named `bootstrap`."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(program, "bootstrap")
    return len(packed.getvalue())


def start_to_first_poll(program: Path) -> float:
    """Milliseconds of one start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": program.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "AWS_REGION": "us-east-1",
            "SCALING_TABLE": "scaling",
        }
        began = time.perf_counter()
        process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL)
        try:
            connection, _ = server.accept()
            with connection:
                request = connection.recv(4096)
                took = (time.perf_counter() - began) * 1000
        finally:
            process.kill()
            process.wait()
    if not request.startswith(b"GET /2018-06-01/runtime/invocation/next "):
        sys.exit(f"{program}: the first request is {request[:80]!r}")
    return took


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    over = False
    print(f"{'function':10} {'bytes':>10} {'zipped':>10} {'ms, median of ' + str(STARTS):>18} {'slowest':>8}")
    for name in FUNCTIONS:
        program = folder / name
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: build it with `cargo build --profile lambda -p {name}`")
        times = [start_to_first_poll(program) for _ in range(STARTS)]
        size, packed, median = program.stat().st_size, zipped(program), statistics.median(times)
        print(f"{name:10} {size:10} {packed:10} {median:18.2f} {max(times):8.2f}")
        over |= size > MOST_BYTES or packed > MOST_ZIPPED_BYTES or median > MOST_MILLISECONDS
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
