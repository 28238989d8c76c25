#!/usr/bin/env python3
"""Puts load on a controller's REST interface and compares with the figures that it has to hold.

    cargo build --release && scripts/api_load.py [--program target/release/scaling] [--seconds 15]

Loopback only, and bounded in time. The controller keeps its state in an SQLite file and controls the demo's group on an
emulator in a process of its own. Needs `wrk`. Run it on a machine that does nothing else.

- reads: wrk, keep-alive, over all kinds of reads: at least 10,000 a second with p99 under 5 ms
- writes: 50 a second, each acknowledged only once it is on the disk: p99 under 20 ms, beside fsync's own in the same time
- idle: 10,000 open connections; it still answers, with less than 200 MB of memory
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

READS_PER_SECOND, READ_P99_MS = 10_000, 5.0
WRITES_PER_SECOND, WRITE_P99_MS = 50, 20.0
IDLE, IDLE_MB = 10_000, 200.0

SCRIPT = """
local paths = {"/health", "/groups", "/metrics", "/operations?limit=5", "/config", "/kill-switch", "/events?limit=5"}
local turn = 0
request = function()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn])
end
done = function(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %d %d %f %d\\n", summary.requests, summary.duration, latency:percentile(99) / 1000, failed))
end
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


@contextlib.contextmanager
def controller(program, folder):
    """The process and the port of its interface."""
    emulator, api, prometheus = free_port(), free_port(), free_port()
    config = {
        "mode": "hybrid",
        "groups": [{"name": "demo", "control": "act"}],
        "region": "us-east-1",
    }
    (folder / "scaling.json").write_text(json.dumps(config))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{emulator}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "env": environment}
    emulate = [program, "emulate", "--listen", f"127.0.0.1:{emulator}", "--demo-group"]
    run = [program, "run", "--config", "scaling.json", "--api", f"127.0.0.1:{api}"]
    run += ["--prometheus", f"127.0.0.1:{prometheus}", "--state", "scaling.db", "--logs", "logs"]
    with subprocess.Popen(emulate, **quiet) as first:
        try:
            wait_for(emulator)
            with subprocess.Popen(run, **quiet) as second:
                try:
                    wait_for(api)
                    yield second.pid, api
                finally:
                    second.terminate()
        finally:
            first.terminate()


def reads(api, seconds, folder):
    script = folder / "reads.lua"
    script.write_text(SCRIPT)
    url = f"http://127.0.0.1:{api}"
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script), "--latency", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    requests, micros, p99, failed = re.search(r"RESULT (\d+) (\d+) ([\d.]+) (\d+)", said).groups()
    return int(requests) / (int(micros) / 1e6), float(p99), int(failed)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def syncs(folder, until, found):
    with open(folder / "fsync.probe", "wb") as probe:
        while time.monotonic() < until:
            probe.write(b"x" * 4096)
            probe.flush()
            began = time.monotonic()
            os.fsync(probe.fileno())
            found.append((time.monotonic() - began) * 1000)
            time.sleep(0.05)


def writes(api, seconds, folder):
    """50 a second, whether or not the one before has been answered: what waits counts as waiting."""
    found, synced = [], []
    begin = time.monotonic() + 0.2
    probe = threading.Thread(target=syncs, args=(folder, begin + seconds, synced))
    probe.start()

    # One after the other: they change the same record, and writers that meet there would measure each other.
    connection = http.client.HTTPConnection("127.0.0.1", api, timeout=10)
    for turn in range(seconds * WRITES_PER_SECOND):
        due = begin + turn / WRITES_PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
        body = json.dumps({"reason": str(turn)})
        connection.request("PUT", "/kill-switch", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            found.append((time.monotonic() - due) * 1000)
    took = time.monotonic() - begin
    probe.join()
    return len(found) / took, percentile(found, 0.99), percentile(synced, 0.99)


def memory_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


async def idle(api, pid):
    """Each connection has asked once and is quiet since."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", api)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    open_ones = []
    for _ in range(IDLE // 100):
        open_ones += await asyncio.gather(*(connect() for _ in range(100)))
    began = time.monotonic()
    await connect()
    took, memory = (time.monotonic() - began) * 1000, memory_mb(pid)
    for _, writer in open_ones:
        writer.close()
    return len(open_ones), took, memory


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", default="target/release/scaling")
    arguments.add_argument("--seconds", type=int, default=15)
    asked = arguments.parse_args()
    program, seconds = str(Path(asked.program).resolve()), min(asked.seconds, 120)
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; Debian has it as `wrk`")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    held = []

    def figure(text, is_held):
        held.append(is_held)
        print(f"{'held  ' if is_held else 'MISSED'}  {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder, controller(program, Path(folder)) as (pid, api):
        time.sleep(3)
        rate, p99, failed = reads(api, seconds, Path(folder))
        good = rate >= READS_PER_SECOND and p99 < READ_P99_MS and failed == 0
        figure(f"reads: {rate:,.0f} a second, p99 {p99:.2f} ms, {failed} failed", good)
        rate, p99, sync = writes(api, seconds, Path(folder))
        good = rate >= WRITES_PER_SECOND * 0.99 and p99 < WRITE_P99_MS
        figure(f"durable writes: {rate:.1f} a second, p99 {p99:.2f} ms; fsync alone p99 {sync:.2f} ms", good)
        count, took, memory = asyncio.run(idle(api, pid))
        figure(f"{count:,} idle connections: one more answered in {took:.1f} ms, {memory:.0f} MB", memory < IDLE_MB)
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
