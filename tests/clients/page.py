"""The page at `/` in a real Chromium: what it shows of a fleet in trouble, in light and dark, wide and on a phone; with
axe's rules of accessibility."""

import pathlib
import re
import sys

from axe_playwright_python.sync_playwright import Axe
from emulator import ENDPOINT, advance, autoscaling, control, make_group, make_template
from playwright.sync_api import expect, sync_playwright

CHROMIUM = pathlib.Path(__file__).resolve().parents[2] / ".tools/bin/chromium"

make_template()
make_group(size=(1, 20, 6))
make_group(name="batch", size=(0, 400, 310))
control("workload", {"group": "web", "load": {"constant": 100}})
autoscaling.suspend_processes(AutoScalingGroupName="batch", ScalingProcesses=["AZRebalance"])
advance(900)
for fault in [
    {"kind": "throttle", "operation": "AutoScaling.*", "times": 3},
    {"kind": "fail", "operation": "EC2.*", "code": "InternalFailure", "rate": 0.5},
    {"kind": "delay", "operation": "*", "milliseconds": 20},
    {"kind": "capacity_shortage", "instance_type": "*"},
    {"kind": "capacity_shortage", "instance_type": "m7i.large"},
    {"kind": "zone_shortage", "instance_type": "*", "zone": "us-east-1a"},
    {"kind": "launch_failure", "instance_type": "*", "message": "No more today."},
    {"kind": "vcpu_quota", "vcpu": 640},
    {"kind": "lost_metrics", "group": "*"},
]:
    control("faults", fault)


def check(chromium, scheme, width):
    page = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 844}).new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("request", lambda request: request.url.startswith((ENDPOINT, "data:")) or wrong.append(f"asks {request.url}"))
    page.goto(ENDPOINT)
    groups = page.locator("#groups section")
    expect(groups).to_have_count(2)
    # The group under load comes first, whatever its name.
    web, batch = groups.nth(0), groups.nth(1)
    expect(batch).to_contain_text("AZRebalance suspended")
    expect(batch.locator(".fleet i")).to_have_count(300)
    expect(batch).to_contain_text("and 10 more")
    expect(web).to_contain_text("6 of 6 serve, 1 to 20 allowed")
    expect(web.locator(".fleet .InService")).to_have_count(6)
    expect(web).to_contain_text(re.compile(r"load \d+\.\d/s"))
    faults = page.locator("#faults li")
    expect(faults).to_have_text(
        [
            "calls of AutoScaling.* are throttled, 3 more times",
            "calls of EC2.* fail with InternalFailure, 50 % of them",
            "calls of every operation are answered 20 ms late",
            "no capacity of any type",
            "no capacity of m7i.large",
            "no capacity of any type in us-east-1a",
            "launches of every type fail: No more today.",
            "a quota of 640 vCPU of Standard/OnDemand",
            "metrics of every group are lost",
        ]
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "it is wider than the screen"
    found = Axe().run(page)
    if found.violations_count:
        wrong.append(found.generate_report())
    if wrong:
        sys.exit(f"{scheme}, {width}:\n" + "\n".join(wrong))
    page.context.close()


# Nothing here is about speed; a busy machine may take its time.
expect.set_options(timeout=60_000)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for scheme, width in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]:
        check(browser, scheme, width)
    browser.close()
