"""The explorer's program and its page in a browser, for checks. Needs only Python's standard library."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(ROOT / "Tools/reference"))
from checks.browser import BROWSERS, Browser  # noqa: E402,F401: re-exported

SUM = """(canvas => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.reduce((hash, byte) => (hash * 31 + byte) | 0, 7);
})"""
STATE = "Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"


class Explorer:
    """The running program. A `with` block ends it."""

    def __init__(self, program, tool, model, images):
        self.process = subprocess.Popen(
            [program, *model, *[word for image in images for word in ("--images", image)]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "RELEVANCE_TOOL": tool})
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://"), "the explorer did not print its address"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(5)


class Page:
    """The page in a browser, and the results of the checks."""

    def __init__(self, browser, address, folder):
        self.browser, self.address, self.folder = browser, address, folder
        self.held, self.failed, self.notes = 0, [], []

    def expect(self, name, holds):
        if holds:
            self.held += 1
        else:
            self.failed.append(name)
            print(f"browse: failed: {name}", flush=True)

    def wait(self, expression, seconds=20):
        """Waits until an expression is true; False after a timeout."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.browser.value(f"!!({expression})"):
                return True
            time.sleep(0.02)
        return False

    def settle(self):
        """Waits until every map is drawn and no request is pending."""
        time.sleep(0.1)
        for _ in range(2):
            self.wait("document.querySelector('main').ariaBusy !== 'true' && document.querySelector('.map') && !document.querySelector('.map.waits')")
            time.sleep(0.15)

    def state(self, key):
        return self.browser.value(f"{STATE}[{json.dumps(key)}] ?? null")

    def map_sum(self, method="lrp"):
        return self.browser.value(f"{SUM}(document.querySelector('[data-method=\"{method}\"] canvas.view'))")

    def press(self, selector, key, code, text=None):
        """Focuses an element and presses a key."""
        self.browser.value(f"document.querySelector({json.dumps(selector)}).focus()")
        down = {"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
        if text:
            down["text"] = text
        self.browser.do("Input.dispatchKeyEvent", **down)
        self.browser.do("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def enter(self, selector):
        self.press(selector, "Enter", 13, "\r")

    def space(self, selector):
        self.press(selector, " ", 32, " ")

    def choose(self, selector, value):
        """Chooses an option of a select element, with a change event."""
        self.browser.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus();"
                           f" e.value = {json.dumps(value)}; e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()")

    def tab(self, name):
        self.browser.click(f"#tab-{name}")
        self.expect(f"the tab {name} opens", self.wait(f"!document.getElementById('panel-{name}').hidden"))
