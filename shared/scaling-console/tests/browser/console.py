"""Drives the console in Chromium. Arguments: the address of a controller with a few groups that ticks once a second,
that of one with a thousand, and a folder for screenshots. Ends with 1 and says why when something does not hold.
With `--updates ADDRESS` it only measures how soon that console shows what it is told."""

import json
import pathlib
import re
import shutil
import sys
import time
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
MOST_BYTES = 300_000


class Browser:
    """A page that fails the test for every error of its scripts and every request to another server."""

    def __init__(self, chromium, address, folder, **context):
        self.context = chromium.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.address, self.folder, self.faults = address, folder, []
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("console", lambda message: message.type == "error" and self.faults.append(message.text))
        self.page.on("request", lambda request: request.url.startswith((address, "data:")) or self.faults.append(f"asks {request.url}"))
        self.page.goto(address)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None and self.faults:
            sys.exit("\n".join(self.faults))

    def check_accessible(self, name):
        # Settles what fades in; axe measures colours as they are painted.
        self.page.screenshot(path=self.folder / f"{name}.png")
        found = Axe().run(self.page)
        if found.violations_count:
            sys.exit(f"{name} is not accessible:\n{found.generate_report()}")

    def open_group(self, name):
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.locator(".uplot canvas").first.wait_for()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(name)


def accessible_everywhere(chromium, address, folder):
    for scheme, size, name in [("light", DESK, "light"), ("dark", DESK, "dark"), ("light", PHONE, "phone")]:
        with Browser(chromium, address, folder, color_scheme=scheme, viewport=size) as browser:
            page = browser.page
            page.locator("tbody tr").first.wait_for()
            browser.check_accessible(f"fleet-{name}")
            browser.open_group("web")
            page.locator("ol.list li").nth(2).wait_for()
            replicas = page.locator("section", has=page.get_by_role("heading", name="Replicas, and the type that launches"))
            expect(replicas.get_by_role("img")).to_have_attribute("aria-label", re.compile("type m7i"))
            expect(replicas.locator(".legend")).to_contain_text(re.compile("type m7i.*another type"))
            browser.check_accessible(f"group-{name}")
            page.screenshot(path=folder / f"group-{name}-whole.png", full_page=True)
            page.get_by_role("button", name="Scale…").click()
            browser.check_accessible(f"dialog-{name}")
            width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, f"{name} is {width} pixels wider than its window"
            hidden = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
            assert (cut := page.evaluate(hidden)) == [], f"{name}: {cut} have columns out of sight"
    print("accessible: fleet, group and dialog, light, dark and at phone width")


def usable_by_keyboard(chromium, address, folder):
    with Browser(chromium, address, folder, viewport=DESK) as browser:
        page = browser.page
        page.locator("tbody tr").first.wait_for()
        page.keyboard.press("/")
        expect(page.locator("#filter")).to_be_focused()
        page.keyboard.type("web")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.get_by_role("link", name="web", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        page.locator(".uplot canvas").first.wait_for()
        page.keyboard.press("s")
        expect(page.get_by_role("spinbutton", name="Replicas")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        # A tick draws the page anew and takes the focus from nobody.
        page.get_by_role("button", name="Pause…").focus()
        title = page.locator("#live").get_attribute("title")
        expect(page.locator("#live")).not_to_have_attribute("title", title)
        expect(page.get_by_role("button", name="Pause…")).to_be_focused()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        page.keyboard.press("f")
        expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
        page.locator("#skip").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
    print("usable by keyboard")


def shows_first_and_does_then(chromium, address, folder):
    with Browser(chromium, address, folder, viewport=DESK) as browser:
        page = browser.page
        browser.open_group("observed")
        before = page.locator(".card").first.inner_text()
        page.get_by_role("button", name="Scale…").click()
        page.get_by_role("spinbutton", name="Replicas").fill("12")
        page.get_by_role("button", name="Show what it would do").click()
        expect(page.locator(".answer")).to_contain_text("→ 12 replicas")
        assert page.locator(".card").first.inner_text() == before, "a dry run has changed the group"
        page.get_by_role("spinbutton", name="Replicas").fill("11")
        expect(page.get_by_role("button", name="Do it")).to_be_hidden()
        page.get_by_role("button", name="Show what it would do").click()
        page.get_by_role("button", name="Do it").click()
        expect(page.locator(".answer")).to_contain_text("Accepted")
        page.get_by_role("button", name="Close").click()
        expect(page.locator(".card").first).to_contain_text("11")
        page.get_by_role("button", name="Scale…").click()
        page.get_by_role("spinbutton", name="Replicas").fill("4000")
        page.get_by_role("button", name="Show what it would do").click()
        expect(page.locator(".answer.bad")).to_be_visible()
        page.keyboard.press("Escape")
        browser.faults = [fault for fault in browser.faults if "422" not in fault]

        page.get_by_role("button", name="Pause…").click()
        page.get_by_label("Why").fill("maintenance")
        page.get_by_role("button", name="Show what it would do").click()
        expect(page.locator(".answer")).to_contain_text("whatever its load")
        page.get_by_role("button", name="Pause it").click()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("maintenance")
        page.get_by_role("button", name="Resume…").click()
        page.get_by_role("button", name="Show what it would do").click()
        page.get_by_role("button", name="Resume it").click()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("button", name="Pause…")).to_be_visible(timeout=30_000)

        page.get_by_role("button", name="Override…").click()
        page.get_by_label("At least so many replicas").fill("14")
        page.get_by_label("Why").fill("a sale")
        page.get_by_role("button", name="Show what it would do").click()
        expect(page.locator(".answer")).to_contain_text("between 14 and")
        page.get_by_role("button", name="Set it").click()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("override until")
    print("shows first what it would do, then does it: scale, pause, resume, override")


def tells_what_holds_for_the_fleet(chromium, address, folder):
    def switch(method, **body):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/kill-switch", json.dumps(body).encode(), headers, method=method)
        urllib.request.urlopen(request).close()

    with Browser(chromium, address, folder, viewport=DESK) as browser:
        page = browser.page
        # The override that was set on the group's own page.
        expect(page.locator("tr", has_text="observed").locator(".chip")).to_have_text(["override"])
        switch("PUT", by="ada", reason="an incident")
        expect(page.locator("main .notice")).to_contain_text("No change is asked for: kill switch by ada: an incident")
        browser.check_accessible("fleet-switched")
        switch("DELETE", by="ada")
        expect(page.locator("main .notice")).to_be_hidden()
        page.route("**/health", lambda route: route.fulfill(status=502, json={"detail": "a proxy's trouble"}))
        page.reload()
        page.locator("tbody tr").first.wait_for()
        expect(page.get_by_role("alert")).to_be_hidden()
        page.unroute("**/health")
        silent = {"type": "urn:scaling:problem:not-ticking", "detail": "the last tick ended 400 s ago"}
        page.route("**/health", lambda route: route.fulfill(status=503, json=silent))
        page.reload()
        expect(page.get_by_role("alert")).to_have_text("The groups are not evaluated: the last tick ended 400 s ago")
        browser.check_accessible("fleet-silent")
        browser.faults = [fault for fault in browser.faults if "503" not in fault and "502" not in fault]
    print("tells overrides, the kill switch, and that the groups are not evaluated")


def live(chromium, address, folder):
    with Browser(chromium, address, folder, viewport=DESK) as browser:
        page = browser.page
        expect(page.locator("#live")).to_have_text("live")
        browser.open_group("web")
        seen = page.locator("section", has=page.locator("#decision")).locator("p").nth(1)
        for _ in range(2):
            before = seen.inner_text()
            expect(seen).not_to_have_text(before)
    print("live: each tick shows by itself")


def shows_what_it_is_told(chromium, address):
    """How long after the news of a tick the page has changed: news as another client of the same stream gets them."""
    watch = """() => {
        window.changed = [];
        const note = () => window.changed.push(Date.now());
        new MutationObserver(note).observe(document.getElementById("main"),
                                           {subtree: true, childList: true, characterData: true, attributes: true});
    }"""
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(address)
    page.locator("tbody tr").first.wait_for()
    page.evaluate(watch)
    told = []
    with urllib.request.urlopen(f"{address}/console/data/news", timeout=120) as news:
        for line in news:
            told += [time.time() * 1000] if line.startswith(b"data:") else []
            if len(told) == 8:
                break
    page.wait_for_timeout(3000)
    changed = page.evaluate("window.changed")
    context.close()
    # The first is the state at the beginning, and clocks are read to the millisecond.
    after = [min((at - news for at in changed if at >= news - 1), default=None) for news in told[1:]]
    assert None not in after, f"the page did not change after each tick: {after}"
    after.sort()
    print(f"after a tick the page has changed within {after[len(after) // 2]:.0f} ms (median of {len(after)}), "
          f"{after[-1]:.0f} ms at the latest")


def light_with_a_thousand_groups(chromium, address, folder):
    paints, sizes = [], []
    for _ in range(5):
        with Browser(chromium, address, folder, viewport=DESK) as browser:
            page = browser.page
            page.locator("tbody tr").nth(99).wait_for()
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            table = page.evaluate("performance.now()")
            entries = "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
            sizes.append(page.evaluate(f"{entries}.reduce((sum, entry) => sum + entry.transferSize, 0)"))
            expect(page.locator("tbody tr")).to_have_count(100)
            page.get_by_role("button", name="Show all 1000").click()
            expect(page.locator("tbody tr")).to_have_count(1000)
            page.locator("#filter").fill("service-0999")
            expect(page.locator("tbody tr")).to_have_count(1)
            browser.open_group("service-0999")
            whole = page.evaluate(f"{entries}.reduce((sum, entry) => sum + entry.transferSize, 0)")
    assert max(sizes) < MOST_BYTES, f"the page weighs {max(sizes)} bytes"
    assert whole < MOST_BYTES, f"with a group it weighs {whole} bytes"
    paints.sort()
    print(f"1,000 groups: first paint after {paints[2]:.0f} ms (median of 5), table after {table:.0f} ms at the latest, "
          f"{max(sizes)} bytes, {whole} with a group")


def main():
    # Nothing here fails for want of speed; a busy machine may take its time.
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if sys.argv[1] == "--updates":
            shows_what_it_is_told(chromium, sys.argv[2])
            return
        small, large, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
        folder.mkdir(parents=True, exist_ok=True)
        accessible_everywhere(chromium, small, folder)
        usable_by_keyboard(chromium, small, folder)
        shows_first_and_does_then(chromium, small, folder)
        tells_what_holds_for_the_fleet(chromium, small, folder)
        live(chromium, small, folder)
        shows_what_it_is_told(chromium, small)
        light_with_a_thousand_groups(chromium, large, folder)
        chromium.close()


main()
