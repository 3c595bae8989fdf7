"""Laws of report.html in a browser: walk.py CHROMIUM FOLDER SMALL LARGE. Each check says the truth that is lost when it fails."""

import re
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM, FOLDER, SMALL, LARGE = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
FIRST_PAINT_MS = 1000
CLICK_MS = 50
# What the browser alone takes to answer a click with one changed colour, where nobody else wants the machine.
QUIET_MS = 24
MOST_BYTES = 15_000_000
failed = []


def check(truth, holds, seen=""):
    print(f"{'ok  ' if holds else 'LOST'}  {truth}{f': {seen}' if seen != '' else ''}", flush=True)
    if not holds:
        failed.append(truth)


# From an input to the frame that shows its answer, as the browser itself counts it (Event Timing, W3C), in steps of 8 ms.
WATCH = """
window.answers = [];
new PerformanceObserver(list => list.getEntries().forEach(e => {
  if (['pointerup', 'click', 'keydown'].includes(e.name)) window.answers.push([e.name, e.duration]);
})).observe({ type: 'event', durationThreshold: 16, buffered: true });
"""
# A click that changes one colour: what it takes is the browser's and the machine's, not the page's.
PROBE = """() => {
  const probe = Object.assign(document.createElement('button'), { id: 'probe', textContent: 'probe' });
  probe.style.cssText = 'position: fixed; left: 0; top: 0; z-index: 9';
  probe.onclick = () => { probe.style.color = probe.style.color === 'red' ? 'blue' : 'red'; };
  document.body.append(probe);
}"""
FIRST_PAINT = "() => (performance.getEntriesByName('first-paint')[0] || {}).startTime"
ROIS = "() => JSON.parse(document.getElementById('data').textContent).rois"
PLANE = "() => JSON.parse(document.getElementById('data').textContent).planes[0]"
UNNAMED = """() => [...document.querySelectorAll('button, input, select, canvas, a')].filter(e =>
  !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent.trim())).map(e => e.outerHTML)"""


class Report:
    """A report in a fresh tab, with all that it asked for and complained of."""

    def __init__(self, browser, path, scheme="light"):
        self.page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
        self.asked, self.complaints = [], []
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.add_init_script(WATCH)
        self.url = path.resolve().as_uri()
        self.page.goto(self.url)
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        self.settle()

    def settle(self):
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, what):
        return self.page.text_content(what)

    def selected(self):
        found = re.search(r"ROI (\d+)", self.text("#roi-title"))
        return int(found[1]) if found else None

    def focus(self, what):
        # In view first: a key that scrolls the page would be answered later.
        self.page.locator(what).scroll_into_view_if_needed()
        self.page.focus(what)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.settle()

    def pixel(self, y, x):
        """Where a pixel of the recording is on the screen, in the whole field."""
        plane = self.page.evaluate(PLANE)
        box = self.page.locator("#field").bounding_box()
        scale = min(box["width"] / plane["width"], box["height"] / plane["height"])
        left = box["x"] + (box["width"] - plane["width"] * scale) / 2
        top = box["y"] + (box["height"] - plane["height"] * scale) / 2
        return left + (x + 0.5) * scale, top + (y + 0.5) * scale

    def click_roi(self, rois, at):
        self.page.locator("#field").scroll_into_view_if_needed()
        self.page.mouse.click(*self.pixel(rois["y"][at], rois["x"][at]))
        self.settle()
        return self.selected()

    def close(self, name):
        check(f"{name}: nothing is complained of", not self.complaints, self.complaints[:3] or "")
        strangers = [url for url in self.asked if url != self.url and not url.startswith(("data:", "blob:"))]
        check(f"{name}: nothing is asked of anybody", not strangers, strangers[:3] or "")
        self.page.close()


def small_walk(browser):
    report = Report(browser, SMALL)
    page, rois = report.page, report.page.evaluate(ROIS)
    cells = [i for i, cell in enumerate(rois["cell"]) if cell]
    hits = [report.click_roi(rois, i) == rois["number"][i] for i in cells]
    # Of two that overlap the smaller is on top.
    check("a click on a ROI selects it", sum(hits) >= 0.9 * len(hits), f"{sum(hits)} of {len(hits)}")
    check("its traces and facts are shown", "Signal to noise" in report.text("#roi-facts"))
    check("who listens is told", f"ROI {report.selected()}" in report.text("#said"), report.text("#said")[:50])

    chip = page.locator(".chip").nth(1)
    count = int(chip.locator("span").text_content())
    chip.click()
    report.settle()
    check("a click on a cluster shows its cells only", f"{count} ROI" in report.text("#field-caption"), report.text("#field-caption"))
    check("the cluster says that it is chosen", chip.get_attribute("aria-pressed") == "true")
    chip.click()
    report.settle()

    keyboard(report)
    pointers(report)
    check("everything that can be used has a name", not page.evaluate(UNNAMED), page.evaluate(UNNAMED)[:3] or "")
    check("settings tell their source", page.locator("#settings tbody tr").count() >= 8)
    check("the run tells its machine", "Machine" in report.text("#run"))
    page.pdf(path=str(FOLDER / "demo.pdf"), format="A4")
    check("printing leaves the theme as it was", page.evaluate("document.documentElement.dataset.theme") == "light")
    report.close("demo")


def keyboard(report):
    page = report.page
    report.focus("#field")
    before = report.selected()
    report.press("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp")
    report.press("j")
    after = report.selected()
    report.press("j")
    check("keys go from ROI to ROI", after is not None and report.selected() != after, f"{before}, {after}, {report.selected()}")
    report.focus("#detail")
    report.press("+", "+")
    zoomed = report.text("#readout")
    report.press("ArrowRight")
    check("keys zoom in time and move", " to " in zoomed and report.text("#readout") != zoomed, report.text("#readout"))
    report.press("0")
    check("0 goes back to the whole", "Drag to zoom" in report.text("#readout"))
    report.press("2")
    check("digits choose a cluster", page.locator(".chip[aria-pressed=true]").text_content().startswith("Cluster 2"))
    report.press("a", "t")
    check("t turns the light off", page.evaluate("document.documentElement.dataset.theme") == "dark")
    report.press("t", "?")
    check("? opens the list of keys", page.locator("#help").is_visible())
    report.press("Escape")
    check("Escape closes it", not page.locator("#help").is_visible())
    report.press("Escape")
    check("Escape selects nothing", report.selected() is None)


def pointers(report):
    page = report.page
    page.locator("#traces").scroll_into_view_if_needed()
    box = page.locator("#traces").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    report.settle()
    first = report.selected()
    check("a click on a trace selects its ROI", first is not None, first)
    page.locator("#matrix").scroll_into_view_if_needed()
    box = page.locator("#matrix").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    report.settle()
    check("a click on the matrix selects its cell", report.selected() not in (None, first), report.selected())
    page.locator("#detail").scroll_into_view_if_needed()
    box = page.locator("#detail").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 100, steps=5)
    page.mouse.up()
    page.mouse.move(5, 5)
    report.settle()
    check("a drag over a trace zooms into that time", " to " in report.text("#readout"), report.text("#readout"))
    page.locator("#time-whole").click()
    page.locator("#field").scroll_into_view_if_needed()
    page.locator("#field-in").click()
    page.locator("#field-whole").click()
    for kind in ("max", "sd", "first", "mean"):
        page.click(f"[data-kind={kind}]")
    for order in ("peak", "snr", "probability", "area", "number", "cluster"):
        page.select_option("#sort", order)
        report.settle()


def answered(report, clicks, count):
    """How long the browser took to show the answers to some clicks, ms."""
    report.page.evaluate("window.answers.length = 0")
    clicks()
    report.page.wait_for_timeout(300)
    found = [duration for name, duration in report.page.evaluate("window.answers") if name == "pointerup"]
    # What was answered within the browser's threshold of 16 ms is not in its list.
    return found + [16] * max(0, count - len(found))


def large_walk(browser):
    size = LARGE.stat().st_size
    check("5,000 ROIs of 100,000 frames are under 15 MB", size < MOST_BYTES, f"{size / 1e6:.2f} MB")
    paints = []
    for _ in range(3):
        report = Report(browser, LARGE)
        paints.append(report.page.evaluate(FIRST_PAINT))
        if len(paints) < 3:
            report.page.close()
    # The machine may be busy with something else: the best of three tells of the page.
    check("the first paint comes within a second", min(paints) < FIRST_PAINT_MS, [round(p) for p in paints])
    page, rois = report.page, report.page.evaluate(ROIS)
    every = range(0, len(rois["number"]), len(rois["number"]) // 25)
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    own = {"ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}

    def busy():
        return 1000 * sum(m["value"] for m in metrics.send("Performance.getMetrics")["metrics"] if m["name"] in own)

    hits, spent = [], []

    def one(at):
        before = busy()
        hits.append(report.click_roi(rois, at) == rois["number"][at])
        spent.append(busy() - before)

    answers = answered(report, lambda: [one(at) for at in every], len(every))
    check("a click finds its ROI among five thousand", all(hits), f"{sum(hits)} of {len(hits)}")
    check("the page's own work on a click, script and layout, is 50 ms at most", statistics.median(spent) <= CLICK_MS,
          f"median {statistics.median(spent):.0f} ms, worst {max(spent):.0f} ms of processor time")
    page.evaluate(PROBE)
    alone = statistics.median(answered(report, lambda: [(page.mouse.click(20, 10), report.settle()) for _ in every], len(every)))
    page.evaluate("document.getElementById('probe').remove()")
    median = statistics.median(answers)
    seen = f"median {median:.0f} ms, worst {max(answers):.0f} ms; the browser alone {alone:.0f} ms"
    if alone > QUIET_MS:
        # Others want the same cores: what a clock on the wall shows is theirs. What the page spends was judged above.
        print(f"not judged, the machine is busy: a click is answered within 50 ms: {seen}", flush=True)
    else:
        check("a click is answered within 50 ms", median <= CLICK_MS, seen)
    check("no element stands for a ROI", page.evaluate("document.querySelectorAll('*').length") < 1000)
    page.screenshot(path=FOLDER / "large.png", full_page=True)
    report.close("large")


with sync_playwright() as playwright:
    # Root has no sandbox of its own to make; the page is this repository's.
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    small_walk(browser)
    large_walk(browser)
    for scheme in ("light", "dark"):
        report = Report(browser, SMALL, scheme)
        check(f"the {scheme} system gets a {scheme} page", report.page.evaluate("document.documentElement.dataset.theme") == scheme)
        report.page.screenshot(path=FOLDER / f"demo-{scheme}.png", full_page=True)
        report.page.close()
    browser.close()
print(f"{len(failed)} lost" if failed else "all truths hold")
sys.exit(1 if failed else 0)
