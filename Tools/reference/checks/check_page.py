"""Checks a page that `relevance explain --save html` has written in headless Chromium.

    python3 Tools/reference/checks/check_page.py explanations/photo/explanation.html [--screenshots DIR]

Needs only Chromium and Python's standard library. Checks that the page sends no request and logs no error, that its controls work with mouse and
keyboard, and that nothing overflows at 400 and 1280 pixels. Prints the results as JSON. Exit status 1: a check failed; 77: Chromium is not
installed.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys

# Allows running this file from any folder, and with `python3 -m`.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks.browser import BROWSERS, Browser

# The state of the page: a checksum of each canvas, and its captions.
STATE = """(() => {
  const sum = canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.reduce((hash, byte) => (hash * 31 + byte) | 0, 7);
  };
  const list = (query, take) => [...document.querySelectorAll(query)].map(take);
  return {
    maps: list('#maps ~ .maps .map canvas.view', sum), compared: list('#compare canvas.view', sum),
    words: list('#maps ~ .maps .words', each => each.textContent),
    limits: list('#maps ~ .maps .bar div', each => [...each.children].map(tick => tick.textContent)),
  };
})()"""


def choose(name, value):
    return f"document.querySelector('input[name={name}][value={value}]').click()"


def change(name, value, event):
    return (f"(() => {{ const e = document.getElementById('{name}'); e.value = {json.dumps(value)}; "
            f"e.dispatchEvent(new Event('{event}', {{bubbles: true}})); }})()")


def check(browser, url, screenshots):
    found = {}

    def expect(name, holds):
        found[name] = bool(holds)

    browser.open(url)
    requests = [event["params"]["request"]["url"] for event in browser.events
                if event.get("method") == "Network.requestWillBeSent"]
    expect("requests only itself", all(each == url or each.startswith("data:") for each in requests))
    state = browser.value(STATE)
    count = len(state["maps"])
    expect("draws a canvas for each map", count > 0 and count == browser.value("maps.length"))
    expect("has an image for each map", browser.value("document.querySelectorAll('.map img').length") == count)
    expect("shows canvases and hides images", browser.value(
        "[...document.querySelectorAll('.map img')].every(e => getComputedStyle(e).display === 'none')"))

    # The canvases show the same as the images of the maps, which the tool has drawn.
    start = browser.value("data.scale")
    agreement = browser.value("""Promise.all([...document.querySelectorAll('.map img')].map(async image => {
      await image.decode();
      const copy = document.createElement('canvas');
      [copy.width, copy.height] = [image.naturalWidth, image.naturalHeight];
      const context = copy.getContext('2d');
      context.drawImage(image, 0, 0);
      const canvas = image.parentElement.querySelector('canvas.view');
      const [a, b] = [context, canvas.getContext('2d')].map(c => c.getImageData(0, 0, copy.width, copy.height).data);
      return a.reduce((most, byte, i) => Math.max(most, Math.abs(byte - b[i])), 0);
    }))""")
    found["largest difference of a color from the tool's"] = max(agreement)
    expect("draws the tool's colors", max(agreement) <= 6)

    browser.value(choose("scale", "common"))
    common = browser.value(STATE)
    expect("a common scale shares limits within a unit", browser.value(
        "new Set(maps.map(m => m.unit)).size === new Set(maps.map(m => m.unit + limitOf(m))).size"))
    browser.value(choose("scale", "own"))
    own = browser.value(STATE)
    expect("own and common scales differ", count == 1 or own["words"] != common["words"])
    expect("a choice can be reverted", start != "own" or own == state)
    browser.value(change("fixed", "1e9", "input"))
    expect("a fixed scale is applied", all("|r| = 1000000000 " in words for words in browser.value(STATE)["words"]))
    browser.value(choose("scale", "own"))

    browser.value(change("first", "0", "change") + ";" + change("second", "0", "change"))
    expect("a map does not differ from itself", browser.value("compared.difference.every(each => each === 0)"))
    if count > 1:
        browser.value(change("second", "1", "change"))
        expect("two maps differ", browser.value("compared.difference.some(each => each !== 0)"))
        expect("their similarity is shown", "Cosine" in browser.value("document.getElementById('similarity').textContent"))

    if browser.value("!!document.getElementById('opacity')"):
        browser.value("document.getElementById('opacity').focus()")
        before = browser.value("document.getElementById('opacity').value")
        browser.key("ArrowLeft", 37)
        after = browser.value("document.getElementById('opacity').value")
        expect("arrow keys move the slider", int(after) == int(before) - 5)
        expect("the slider shows the image", browser.value(STATE)["maps"] != own["maps"]
               and browser.value("document.querySelector('[name=view][value=overlay]').checked"))
        browser.value(choose("view", "map"))

    browser.value("document.querySelector('#compare canvas.view').focus()")
    before = browser.value("document.getElementById('probe').textContent")
    browser.key("ArrowRight", 39)
    expect("arrow keys move the probe", browser.value("document.getElementById('probe').textContent") != before)

    rows = browser.value("document.getElementById('plan-rows').rows.length")
    operator = browser.value("document.getElementById('plan-rows').rows[1].cells[1].textContent")
    browser.value(change("plan-filter", operator, "input"))
    shown = "[...document.getElementById('plan-rows').rows].filter(row => !row.hidden)"
    expect("the plan can be filtered", 0 < browser.value(f"{shown}.length") <= rows
           and browser.value(f"{shown}.every(row => row.textContent.toLowerCase().includes({json.dumps(operator.lower())}))"))
    browser.value(change("plan-filter", "no such node", "input"))
    expect("a filter can hide all", browser.value(f"{shown}.length") == 0)
    browser.value(change("plan-filter", "", "input"))

    if browser.value("!!document.getElementById('ledger-of')"):
        all_rows = browser.value("document.getElementById('ledger-rows').rows.length")
        browser.value("document.getElementById('only-losses').click()")
        some = browser.value("document.getElementById('ledger-rows').rows.length")
        expect("the ledger has a row per layer", all_rows > 0 and some <= all_rows)
        browser.value("document.getElementById('only-losses').click()")

    problems = [event["params"] for event in browser.events
                if event.get("method") == "Runtime.exceptionThrown"
                or event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"]
    expect("logs no error", not problems)
    if problems:
        found["problems"] = problems

    # The tab key reaches every control in the order of the page, and the focus is visible.
    browser.open(url)
    order, visible = [], True
    for _ in range(60):
        browser.key("Tab", 9)
        spot = browser.value("""(() => { const e = document.activeElement; return e === document.body ? null
          : [[...document.querySelectorAll('*')].indexOf(e), getComputedStyle(e).outlineStyle, e.id || e.name || e.href]})()""")
        if spot is None or any(spot[0] == each[0] for each in order):
            break
        order.append(spot)
        visible = visible and spot[1] != "none"
    names = [spot[2] for spot in order]
    controls = ["scale", "fixed", "first", "second", "plan-filter"]
    expect("the tab key reaches the controls", all(name in names for name in controls))
    if not all(name in names for name in controls):
        found["reached"] = names
    expect("the tab order is the page's", [spot[0] for spot in order] == sorted(spot[0] for spot in order))
    expect("the focus is visible", visible)
    expect("every control has a name", browser.value(
        "[...document.querySelectorAll('input, select')].every(e => e.labels.length || e.ariaLabel)"))
    expect("every image has an alt text", browser.value("[...document.images].every(e => e.alt)"))
    expect("identifiers are unique", browser.value(
        "(ids => ids.length === new Set(ids).size)([...document.querySelectorAll('[id]')].map(e => e.id))"))
    expect("has a title and a language", browser.value("document.title !== '' && document.documentElement.lang === 'en'"))
    expect("runs only its own script", browser.value("window.intruded === undefined"))
    for width in (400, 1280):
        for dark in (False, True):
            browser.open(url, width=width, dark=dark)
            wide = browser.value("document.documentElement.scrollWidth")
            expect(f"fits {width} pixels, {'dark' if dark else 'light'}", wide <= width)
            if screenshots:
                browser.screenshot(f"{screenshots}/{width}-{'dark' if dark else 'light'}.png")
    if screenshots:
        browser.open(url)
        browser.value("setOverlay(true); showAll()")
        browser.screenshot(f"{screenshots}/overlay.png")

    # Without scripts the page shows images. Evaluation by the protocol still works.
    browser.open(url, scripts=False)
    if screenshots:
        browser.screenshot(f"{screenshots}/no-script.png")
    expect("shows images without scripts", browser.value(
        "[...document.querySelectorAll('.map img')].every(e => e.naturalWidth > 0 && e.offsetWidth > 0)"))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshots", help="a folder for screenshots, created if it does not exist")
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        print(f"found no browser; expected one of {', '.join(BROWSERS)}", file=sys.stderr)
        return 77
    if options.screenshots:
        os.makedirs(options.screenshots, exist_ok=True)
    with Browser(executable) as browser:
        found = check(browser, options.page.resolve().as_uri(), options.screenshots)
    print(json.dumps(found, indent=2))
    return 1 if any(value is False for value in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
