"""Checks the explorer's page in headless Chromium with mouse and keyboard, as a person uses it.

    python3 Tools/explorer/checks/browse.py --explorer PATH/relevance-explorer --tool PATH/relevance \\
        [--model Fixtures/digits/vgg] [--images Fixtures/digits/scenes] [--screenshots DIR] [--clicks 30]

Needs only Chromium and Python's standard library. Prints a line for each failed check; at the end the numbers of passed and failed checks, and
the time from a click to the drawn map. Exit status 1: a check failed; 77: Chromium is not installed.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from asking import Asking  # noqa: E402
from page import BROWSERS, ROOT, STATE, SUM, Browser, Explorer  # noqa: E402


class Check(Asking):
    """Checks layers, pixels, paint, links, exports and background tasks."""

    def layers(self):
        self.press("#tab-rules", "ArrowLeft", 37)
        self.expect("arrow keys change tabs", self.wait("!document.getElementById('panel-layers').hidden"))
        self.expect("the flow lists layers", self.browser.value("document.querySelectorAll('#flow [role=option]').length") >= 2)
        self.browser.click("#flow [role=option]:nth-child(3)")
        self.expect("a click chooses a layer", self.wait("document.querySelector('#flow [role=option]:nth-child(3)').ariaSelected === 'true'"))
        node = self.state("node")
        self.press("#flow", "ArrowDown", 40)
        self.expect("arrow keys choose a layer", self.wait(f"{STATE}.node !== {json.dumps(node)}"))
        # A layer with positions.
        self.expect("the layer's relevance is drawn", self.wait("document.querySelector('#layer canvas')") or self.deeper())
        self.wait(f"document.querySelector('#layer h3')?.textContent.startsWith({STATE}.node + ':')")
        self.browser.click("#layer tbody tr:nth-child(1) button")
        self.expect("a channel has a conditional map", self.wait("document.querySelector('#channel canvas')?.dataset.painted"))
        self.expect("the channel is scrolled into view", self.wait(
            "(() => { const box = document.getElementById('channel').getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0; })()"))
        self.expect("and shows the score without the channel", self.wait("/→/.test(document.getElementById('channel').textContent)"))
        self.enter("#layer tbody tr:nth-child(2) button")
        self.expect("the enter key chooses a channel", self.wait(
            f"document.querySelector('#channel h3')?.textContent.startsWith('Channel ' + {STATE}.channel + ' ')"))

    def deeper(self):
        for _ in range(12):
            self.press("#flow", "ArrowDown", 40)
            if self.wait("document.querySelector('#layer canvas')", 1):
                return True
        return False

    def pixels(self):
        self.browser.click("[data-method=lrp] .stage", 0.7, 0.5)
        self.expect("a click on a pixel lists units", self.wait("document.querySelectorAll('#units tbody tr').length"))
        first = self.state("pixel")
        for key, code in [("ArrowLeft", 37), ("ArrowUp", 38)]:
            self.press("[data-method=lrp] canvas.view", key, code)
        self.expect("arrow keys move the pixel", self.state("pixel") != first)
        self.enter("[data-method=lrp] canvas.view")
        wanted = json.loads(self.state("pixel"))
        self.expect("the enter key lists its units", self.wait(
            f"document.querySelector('#units h3')?.textContent.includes('column {wanted[0]}, row {wanted[1]}')"))
        self.browser.click("#units tbody tr:nth-child(1) button")
        self.expect("a unit shows the pixels that it responds to", self.wait("document.querySelectorAll('#unit canvas').length === 2"))
        self.expect("and the score without its channel", self.wait("/Without channel/.test(document.getElementById('unit').textContent)"))

    def paint(self):
        self.settle()
        before = self.map_sum()
        self.browser.click("input[name=tool][value=paint]")
        self.browser.drag("[data-method=lrp] .stage", [(0.55 + 0.04 * i, 0.3 + 0.04 * (i % 8)) for i in range(10)])
        self.expect("painting adds a stroke", self.wait(f"({STATE}.strokes ?? '').includes('points')"))
        self.settle()
        self.expect("the map changes after painting", self.map_sum() != before)
        self.expect("the change of the class's score is shown", self.wait(
            "/Painted over: .* → /.test(document.getElementById('change').textContent)"))
        for fill in ("zero", "blur"):
            shown = self.map_sum()
            self.choose("#fill", fill)
            self.expect(f"paint can be {fill}", self.wait(f"{STATE}.fill === '{fill}'"))
            self.settle()
            self.wait(f"{SUM}(document.querySelector('[data-method=lrp] canvas.view')) !== {shown}", 5)
        strokes = len(json.loads(self.state("strokes")))
        self.enter("[data-method=lrp] canvas.view")
        self.expect("the enter key paints at the pixel", self.wait(f"JSON.parse({STATE}.strokes).length === {strokes + 1}"))
        self.browser.click("#undo")
        self.expect("a stroke can be undone", self.wait(f"JSON.parse({STATE}.strokes).length === {strokes}"))

    def link(self):
        """The address contains the state: opening it again shows the same."""
        self.settle()
        link, shown = self.browser.value("location.href"), self.map_sum()
        scores = self.browser.value("document.getElementById('scores').textContent")
        self.browser.open("about:blank")
        self.browser.open(link)
        self.wait("document.querySelector('.map')?.dataset.painted")
        self.settle()
        self.wait(f"{SUM}(document.querySelector('[data-method=lrp] canvas.view')) === {shown}", 8)
        self.expect("the address gives the same map", self.map_sum() == shown)
        self.expect("and the same scores", self.wait(f"document.getElementById('scores').textContent === {json.dumps(scores)}", 5))
        self.browser.click("#clear")
        self.settle()
        self.expect("all paint can be removed", self.state("strokes") is None
                    and self.browser.value("document.getElementById('change').hidden"))

    def exports(self, tool):
        self.tab("export")
        self.browser.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.folder))
        files = {}
        for kind, button in [("overlay.png", "png"), ("png", "map"), ("svg", "svg"), ("npy", "npy"), ("html", "page"),
                             ("input", "image")]:
            before = set(self.folder.iterdir())
            self.browser.click(f"#save-{button}")
            found = self.arrived(before)
            self.expect(f"saves {button}", found)
            if found:
                files[button] = found.read_bytes()
        self.expect("saved images are PNG", all(files.get(each, b"").startswith(b"\x89PNG") for each in ("png", "map", "image")))
        self.expect("the figure is SVG with its map", "image" in [node.tag.split("}")[1] for node in xml.etree.ElementTree.fromstring(files["svg"])])
        self.expect("the saved page is HTML", b"<html" in files.get("html", files.get("page", b"")))
        # The command computes the same numbers.
        command = self.browser.value("document.getElementById('command').textContent").splitlines()[-1].split()
        image = self.state("image")
        words = [tool, *command[1:]]
        words[3] = str(next(path for path in self.paths if path.name == image.split("/")[-1]))
        done = subprocess.run([*words, "--output", str(self.folder / "out"), "--save", "npy,png"], capture_output=True, text=True, cwd=ROOT)
        numbers = list((self.folder / "out").rglob("*.npy"))
        self.expect("the command runs", done.returncode == 0 and numbers)
        self.expect("and computes the same numbers to the bit", numbers and numbers[0].read_bytes() == files.get("npy"))
        overlay = list((self.folder / "out").rglob("*.overlay.png"))
        self.expect("and the same overlay", overlay and overlay[0].read_bytes() == files.get("png"))
        self.expect("Swift is shown", "Explainer" in self.browser.value("document.getElementById('swift').textContent"))
        for what in ("command", "swift", "link"):
            self.browser.click(f"#copy-{what}")
            self.expect(f"{what} can be copied", self.wait("document.getElementById('copied').textContent.includes('copied')"))

    def arrived(self, before):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            new = [path for path in set(self.folder.iterdir()) - before if not path.name.endswith(".crdownload") and path.stat().st_size]
            if new:
                return new[0]
            time.sleep(0.05)
        return None

    def work(self):
        self.tab("work")
        total = self.browser.value("document.querySelectorAll('.gallery button').length")
        self.browser.click("#run-batch")
        self.expect("a batch shows progress", self.wait("document.querySelectorAll('#batch button').length >= 1"))
        self.browser.click(".score:nth-child(3) .main")
        self.expect("requests are answered during the batch", self.wait("!document.querySelector('.map.waits')", 15))
        done = self.browser.value("document.querySelectorAll('#batch button').length")
        if done < total - 2:
            self.enter("#cancel")
            self.expect("a batch can be canceled", self.wait("document.getElementById('progress-text').textContent.includes('canceled')"))
        self.wait("document.getElementById('cancel').disabled", 60)
        self.browser.click("#run-index")
        self.expect("an index is made", self.wait("document.getElementById('progress-text').textContent.startsWith('All ')", 120))
        self.browser.click("#tab-layers")
        self.wait("document.querySelector('#layer tbody button')")
        self.browser.click("#layer tbody tr:nth-child(1) button")
        self.expect("a channel has references", self.wait("document.querySelectorAll('.references img').length >= 1"))
        self.expect("the reference images are loaded", self.wait("[...document.querySelectorAll('.references img')].every(e => e.complete && e.naturalWidth)"))
        self.browser.click(".score:nth-child(1) .main")
        self.settle()

    def latency(self, clicks):
        """Measures the time from a click on a class to the drawn map, with and without the time of the explanation."""
        self.browser.value("""window.timed = (selector) => new Promise(done => {
          const figure = document.querySelector('.map'), before = figure.dataset.painted, start = performance.now();
          const watch = new MutationObserver(() => { if (figure.dataset.painted !== before) { watch.disconnect();
            requestAnimationFrame(() => setTimeout(() => done([performance.now() - start,
              Number(document.getElementById('status').textContent.match(/explained in (\\d+) ms/)?.[1] ?? 0)]))); } });
          watch.observe(figure, {attributes: true, attributeFilter: ['data-painted']});
          document.querySelector(selector).click(); })""")
        whole, beyond = [], []
        for index in range(clicks):
            self.settle()
            time.sleep(0.3)
            all_, own = self.browser.value(f"timed('.score:nth-child({2 if index % 2 == 0 else 1}) .main')")
            whole.append(all_)
            beyond.append(all_ - own)
        if clicks:
            p95 = lambda values: sorted(values)[int(0.95 * (len(values) - 1))]
            self.notes.append(f"from click to drawn map: median {statistics.median(whole):.0f} ms, 95th percentile {p95(whole):.0f} ms; "
                              f"without the explanation {statistics.median(beyond):.0f} and {p95(beyond):.0f} ms ({clicks} clicks)")

    def surroundings(self, screenshots):
        problems = [event["params"] for event in self.browser.events if event.get("method") == "Runtime.exceptionThrown"
                    or event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"]
        self.expect("logs no error", not problems)
        if problems:
            print(json.dumps(problems)[:2000])
        requests = [event["params"]["request"]["url"] for event in self.browser.events if event.get("method") == "Network.requestWillBeSent"]
        origin = self.address.split("?")[0]
        self.expect("sends no request to another host", all(url.startswith((origin, "data:", "blob:", "about:")) for url in requests))
        self.expect("every control has a name", self.browser.value(
            "[...document.querySelectorAll('input, select, textarea')].every(e => e.labels?.length || e.ariaLabel)"
            " && [...document.querySelectorAll('button')].every(e => e.textContent.trim() || e.ariaLabel)"))
        self.expect("every image has an alt text", self.browser.value("[...document.images].every(e => e.hasAttribute('alt'))"))
        link = self.browser.value("location.href")
        for width in (400, 1280, 1920):
            for dark in (False, True):
                self.browser.open("about:blank")
                self.browser.open(link, width=width, dark=dark)
                self.wait("document.querySelector('.map')?.dataset.painted")
                self.settle()
                time.sleep(0.5)
                self.expect(f"nothing overflows at {width} pixels", self.browser.value(
                    "document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
                if screenshots:
                    self.browser.screenshot(screenshots / f"explorer-{width}-{'dark' if dark else 'light'}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--explorer", required=True, help="the program relevance-explorer")
    parser.add_argument("--tool", required=True, help="the program relevance")
    parser.add_argument("--model", nargs="+", default=[str(ROOT / "Fixtures/digits/vgg")], help="models for the explorer")
    parser.add_argument("--images", nargs="+", default=[str(ROOT / "Fixtures/digits/scenes")], help="image files or folders")
    parser.add_argument("--screenshots", type=pathlib.Path, help="a folder for screenshots")
    parser.add_argument("--clicks", type=int, default=6, help="the number of clicks to measure (default: 6)")
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        print("browse: Chromium is not installed; the check of the explorer's page is skipped")
        return 77
    with tempfile.TemporaryDirectory() as folder, Explorer(arguments.explorer, arguments.tool, arguments.model, arguments.images) as explorer, \
            Browser(browser) as driver:
        check = Check(driver, explorer.address, pathlib.Path(folder))
        check.paths = [path for each in map(pathlib.Path, arguments.images) for path in ([each] if each.is_file() else each.rglob("*"))]
        check.begin()
        for step in (check.images, check.classes, check.methods, check.rules, check.layers, check.pixels, check.paint, check.link,
                     lambda: check.exports(arguments.tool), check.work, lambda: check.latency(arguments.clicks),
                     lambda: check.surroundings(arguments.screenshots)):
            try:
                step()
            except Exception as error:  # the next steps may still run
                check.expect(f"{getattr(step, '__name__', 'a step')}: {type(error).__name__}: {error}", False)
    print("\n".join(check.notes))
    print(f"browse: {check.held} checks passed, {len(check.failed)} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
