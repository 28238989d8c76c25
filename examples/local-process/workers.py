#!/usr/bin/env python3
"""A pool of worker processes on this machine, driven by the controller.

The configuration beside this file names it three times: as the program that describes the group, the one that
applies a step, and the one that reads metrics. Each is started without a shell, gets JSON on standard input and
prints JSON. Whatever can answer the same three questions can be a group: a pool of containers, a batch queue.

The workers are `sleep` processes, so that trying this costs no CPU; how much work there is for them is a number in
the file `load` of the state folder, in workers' worth of work. The folder is `scaling-workers` among the temporary
files, or WORKERS_STATE.

By hand:
  workers.py describe < /dev/null      the group as the controller sees it
  workers.py load 2.5                  two and a half workers' worth of work from now on
  workers.py stop                      ends all workers
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

STATE = Path(os.environ.get("WORKERS_STATE") or Path(tempfile.gettempdir()) / "scaling-workers")
LEAST, MOST = 1, 8
# A name of the catalogue: it gives a worker its vCPU, memory and price.
TYPE = "m7i.large"
# Exit code that says "another change is running, ask again".
ANOTHER_CHANGE = 75


def workers():
    """Process ids of the workers that live, oldest first."""
    found = []
    for file in STATE.glob("worker-*"):
        pid = int(file.name.removeprefix("worker-"))
        try:
            since = file.stat().st_mtime_ns
        except FileNotFoundError:  # ended meanwhile
            continue
        if lives(pid):
            found.append((since, pid))
        else:
            file.unlink(missing_ok=True)
    return [pid for _, pid in sorted(found)]


def lives(pid):
    """Whether the process is there, is no zombie, and is one of ours and not a later one with its number."""
    shown = subprocess.run(["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, command = shown.stdout.strip().partition(" ")
    return bool(state) and not state.startswith("Z") and "sleep" in command


def describe():
    alive = workers()
    # The state is the processes themselves: a worker that has died is not desired any more, and the next decision
    # asks for another one if there is work for it.
    return {
        "min": LEAST,
        "max": MOST,
        "desired": len(alive),
        "instance_type": TYPE,
        "instances": [
            {"id": str(pid), "instance_type": TYPE, "lifecycle": "in_service", "healthy": True, "protected": False}
            for pid in alive
        ],
    }


def apply(request):
    """Brings the number of workers to the one wanted. Asked twice, it does nothing the second time."""
    wanted = request["step"]["desired"]
    lock = STATE / "lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        try:
            if time.time() - lock.stat().st_mtime > 60:
                lock.unlink(missing_ok=True)  # left by one that was killed
        except FileNotFoundError:
            pass
        print("another change is running", file=sys.stderr)
        sys.exit(ANOTHER_CHANGE)
    try:
        resize(wanted)
    finally:
        lock.unlink(missing_ok=True)
    return {}


def resize(wanted):
    alive = workers()
    for pid in alive[wanted:]:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:  # ended by itself meanwhile
            pass
        (STATE / f"worker-{pid}").unlink(missing_ok=True)
    for _ in range(wanted - len(alive)):
        quiet = subprocess.DEVNULL
        worker = subprocess.Popen(
            ["sleep", "1000000"], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
        (STATE / f"worker-{worker.pid}").touch()


def metrics(request):
    """The newest complete period. A share of 1 is a worker that is busy all the time."""
    period = request["period"]
    start = int(time.time()) // period * period - period
    try:
        load = float((STATE / "load").read_text())
    except (FileNotFoundError, ValueError):
        load = 0.0
    busy = min(1.0, load / max(1, len(workers())))
    return {"cpu_usage": [[datetime.fromtimestamp(start, timezone.utc).isoformat(), busy]]}


def main():
    STATE.mkdir(parents=True, exist_ok=True)
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "describe":
        answer = describe()
    elif what == "apply":
        answer = apply(json.load(sys.stdin))
    elif what == "metrics":
        answer = metrics(json.load(sys.stdin))
    elif what == "load" and len(sys.argv) == 3:
        (STATE / "load").write_text(str(float(sys.argv[2])))
        answer = {}
    elif what == "stop":
        resize(0)
        answer = {}
    else:
        sys.exit(__doc__)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
