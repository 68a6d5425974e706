"""A headless Chromium with one page, controlled by the DevTools protocol. Needs only Python's standard library."""

import base64
import json
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import urllib.parse
import urllib.request

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


class WebSocket:
    """A client that sends and receives whole text messages (RFC 6455)."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline(), "the browser rejected the connection"
        while self.file.readline().strip():
            pass

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = len(data)
        head = (struct.pack("!BB", 0x81, 0x80 | length) if length < 126
                else struct.pack("!BBH", 0x81, 0xFE, length) if length < 1 << 16
                else struct.pack("!BBQ", 0x81, 0xFF, length))
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self):
        message = b""
        while True:
            first, second = self.file.read(2)
            length = second & 0x7F
            if length == 126:
                length, = struct.unpack("!H", self.file.read(2))
            elif length == 127:
                length, = struct.unpack("!Q", self.file.read(8))
            content = self.file.read(length)
            if first & 0x0F in (0, 1):
                message += content
                if first & 0x80:
                    return message.decode()


class Browser:
    """The running browser, which a `with` block ends. `events` contains its events since the page was opened."""

    def __init__(self, executable):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [executable, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={self.folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        port = None
        for line in self.process.stderr:
            if "DevTools listening on" in line:
                port = urllib.parse.urlsplit(line.split()[-1]).port
                break
        assert port, "the browser did not start"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [page for page in json.load(answer) if page["type"] == "page"]
        self.connection = WebSocket(pages[0]["webSocketDebuggerUrl"])
        self.count = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def do(self, method, **parameters):
        self.count += 1
        self.connection.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.connection.receive())
            if message.get("id") == self.count:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def wait(self, event):
        while not any(message.get("method") == event for message in self.events):
            self.events.append(json.loads(self.connection.receive()))

    def value(self, expression):
        result = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, (expression, result)
        return result["result"].get("value")

    def open(self, url, scripts=True, width=1280, dark=False):
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(f"{domain}.enable")
        self.do("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.do("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def key(self, key, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def text(self, characters):
        """Types into the element that has the focus."""
        self.do("Input.insertText", text=characters)

    def place(self, selector, across=0.5, down=0.5):
        """A point of an element in the window, after scrolling it into view."""
        box = self.value(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
          if (!e) return null;
          e.scrollIntoView({{block: 'center'}});
          const box = e.getBoundingClientRect();
          return [box.left, box.top, box.width, box.height]; }})()""")
        assert box and box[2] > 0 and box[3] > 0, f"{selector} is not visible"
        return box[0] + across * box[2], box[1] + down * box[3]

    def mouse(self, kind, x, y, **more):
        self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", **more)

    def click(self, selector, across=0.5, down=0.5):
        x, y = self.place(selector, across, down)
        self.mouse("mousePressed", x, y, clickCount=1)
        self.mouse("mouseReleased", x, y, clickCount=1)

    def drag(self, selector, points):
        """Drags the mouse through points, given as shares of an element's width and height."""
        places = [self.place(selector, *point) for point in points]
        self.mouse("mousePressed", *places[0], clickCount=1, buttons=1)
        for place in places[1:]:
            self.mouse("mouseMoved", *place, buttons=1)
        self.mouse("mouseReleased", *places[-1], clickCount=1)

    def screenshot(self, path):
        size = self.do("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.do("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))
