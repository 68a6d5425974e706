"""Checks a page that `relevance concepts` has written in headless Chromium.

    python3 Tools/reference/checks/check_concepts.py concept-index/concepts.html [--screenshots DIR]

Needs only Chromium and Python's standard library. Checks that the page sends no request and logs no error, that its search and its controls work
with mouse and keyboard, and that nothing overflows at 400 and 1280 pixels. Prints the results as JSON. Exit status 1: a check failed;
77: Chromium is not installed.
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import sys
import time

# Allows running this file from any folder, and with `python3 -m`.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks.browser import BROWSERS, Browser

SUM = """(canvas => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.reduce((hash, byte) => (hash * 31 + byte) | 0, 7);
})"""
CARDS = "[...document.querySelectorAll('.card h2')].map(each => each.textContent)"
FIRST = "document.querySelector('.examples canvas')"


def change(name, value, event):
    return (f"(() => {{ const e = document.getElementById('{name}'); e.value = {json.dumps(value)}; "
            f"e.dispatchEvent(new Event('{event}', {{bubbles: true}})); }})()")


def wait(browser, expression):
    """Waits until an expression is true; False after a timeout."""
    for _ in range(100):
        if browser.value(expression):
            return True
        time.sleep(0.1)
    return False


def check(browser, url, screenshots):
    found = {}

    def expect(name, holds):
        found[name] = bool(holds)

    browser.open(url)
    requests = [event["params"]["request"]["url"] for event in browser.events
                if event.get("method") == "Network.requestWillBeSent"]
    expect("requests only itself", all(each == url or each.startswith("data:") for each in requests))
    total = browser.value("data.layers[0].cards.length")
    expect("shows the first channels", len(browser.value(CARDS)) == min(total, 40))
    shares = browser.value("shown.map(each => each.share)")
    expect("the largest share comes first", shares == sorted(shares, reverse=True))
    has_examples = browser.value(f"!!{FIRST}")
    if has_examples:
        expect("draws visible images", wait(browser, f"!!{FIRST}.dataset.drawn"))
        expect("drawn images have more than a few colors", browser.value(
            f"new Set({FIRST}.getContext('2d').getImageData(0, 0, {FIRST}.width, {FIRST}.height).data).size > 4"))
        if browser.value(f"!!{FIRST}.example.mask"):
            before = browser.value(f"{SUM}({FIRST})")
            browser.value("document.getElementById('masked').click()")
            expect("the mask can be removed", wait(browser, f"{SUM}({FIRST}) !== {before}"))
            browser.value("document.getElementById('masked').click()")
            expect("and applied again", wait(browser, f"{SUM}({FIRST}) === {before}"))
        before = browser.value(f"{SUM}({FIRST})")
        browser.value("document.getElementById('cropped').click()")
        expect("the whole image can be shown", wait(browser, f"{SUM}({FIRST}) !== {before}"))
        browser.value("document.getElementById('cropped').click()")
        # An image is enlarged with the mouse and closed with the keyboard.
        browser.value("document.querySelector('.examples button').click()")
        expect("a click enlarges an image", browser.value("document.getElementById('large').open")
               and wait(browser, "!!document.getElementById('large-view').dataset.drawn"))
        expect("the dialog has a description", browser.value("document.getElementById('large-words').textContent.length > 10"))
        browser.key("Escape", 27)
        expect("escape closes it", wait(browser, "!document.getElementById('large').open"))
        browser.value("document.querySelector('.examples button').focus()")
        browser.do("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        browser.do("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)
        expect("the enter key enlarges an image", wait(browser, "document.getElementById('large').open"))
        browser.key("Escape", 27)
        label = browser.value(f"{FIRST}.example.label")
        browser.value(change("search", label.upper(), "input"))
        expect("a class is found", 0 < len(browser.value(CARDS)) and browser.value(
            f"shown.every(each => String(each.channel) === {json.dumps(label)} || [...each.relevance, ...each.activation].some(one => one.label.includes({json.dumps(label)})"
            f" || one.name.toLowerCase().includes({json.dumps(label.lower())})))"))
    last = browser.value("data.layers[0].cards.at(-1).channel")
    browser.value(change("search", str(last), "input"))
    expect("a channel is found", f"Channel {last}" in browser.value(CARDS))
    browser.value(change("search", "no such thing", "input"))
    expect("a search can have no results", browser.value(CARDS) == []
           and browser.value("document.getElementById('count').textContent").startswith("0 of "))
    browser.value(change("search", "", "input"))
    browser.value(change("order", "channel", "change"))
    channels = browser.value("shown.map(each => each.channel)")
    expect("channels can be sorted by number", channels == sorted(channels) and len(channels) == total)
    if total > 40:
        browser.value("document.querySelector('#more button').click()")
        expect("more can be shown", len(browser.value(CARDS)) == min(total, 80))
    if browser.value("data.layers.length") > 1:
        browser.value("(() => { const e = document.getElementById('layer'); e.selectedIndex = 1;"
                      " e.dispatchEvent(new Event('change')); })()")
        expect("another layer can be chosen", browser.value("shown.length === data.layers[1].cards.length"))

    problems = [event["params"] for event in browser.events
                if event.get("method") == "Runtime.exceptionThrown"
                or event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"]
    expect("logs no error", not problems)
    if problems:
        found["problems"] = problems

    browser.open(url)
    names, visible = [], True
    for _ in range(8):
        browser.key("Tab", 9)
        spot = browser.value("""(() => { const e = document.activeElement; return e === document.body ? null
          : [e.id || e.className || e.localName, getComputedStyle(e).outlineStyle]})()""")
        if spot is None:
            break
        names.append(spot[0])
        visible = visible and spot[1] != "none"
    expect("the tab key reaches the controls", all(name in names for name in ["search", "order", "masked", "cropped"]))
    expect("the focus is visible", visible)
    expect("every control has a name", browser.value(
        "[...document.querySelectorAll('input, select')].every(e => e.labels.length || e.ariaLabel)"))
    expect("every image has an alt text", browser.value("[...document.images].every(e => e.alt)"))
    expect("has a title and a language", browser.value("document.title !== '' && document.documentElement.lang === 'en'"))
    expect("runs only its own script", browser.value("window.intruded === undefined"))
    for width in (400, 1280):
        for dark in (False, True):
            browser.open(url, width=width, dark=dark)
            wait(browser, f"!{FIRST} || !!{FIRST}.dataset.drawn")
            expect(f"nothing overflows at {width} pixels", browser.value(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
            if screenshots:
                time.sleep(2)
                shot = browser.do("Page.captureScreenshot")
                path = pathlib.Path(screenshots) / f"concepts-{width}-{'dark' if dark else 'light'}.png"
                path.write_bytes(base64.b64decode(shot["data"]))
    browser.open(url, scripts=False)
    expect("shows a table without scripts", browser.value(
        "getComputedStyle(document.querySelector('.static-only')).display !== 'none'")
        and browser.value("document.querySelectorAll('.static-only tbody tr').length") >= total)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page")
    parser.add_argument("--screenshots", metavar="DIR")
    arguments = parser.parse_args()
    executable = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if not executable:
        print("Chromium is not installed")
        return 77
    if arguments.screenshots:
        os.makedirs(arguments.screenshots, exist_ok=True)
    with Browser(executable) as browser:
        found = check(browser, pathlib.Path(arguments.page).resolve().as_uri(), arguments.screenshots)
    print(json.dumps(found, indent=1))
    return 0 if all(value for name, value in found.items() if name != "problems") and "problems" not in found else 1


if __name__ == "__main__":
    sys.exit(main())
