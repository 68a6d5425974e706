"""For the attack on the explorer: the program, and requests and responses as bytes.

Needs only Python's standard library. All connections are to 127.0.0.1.
"""

import json
import os
import pathlib
import selectors
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
SECRET = b"outside-" + uuid.uuid4().hex.encode()
PAGE = ["/", "/explorer.css", *[f"/{name}.js" for name in (
    "explorer", "state", "service", "maps", "images", "layers", "rules", "exports", "page", "work")], "/api/openapi.json"]
GETS = ["/api/overview", "/api/memory", "/api/models/{model}/labels", "/api/thumbnail?image=file:0/a.png",
        "/api/crop?image=file:0/a.png"]
QUESTIONS = [f"/api/{name}" for name in (
    "predict", "plan", "layer", "units", "ablate", "references", "image", "explain", "page", "batch", "index")]


class Answer:
    """A response: status, headers in lower case, body. Status 0: the connection was closed without a response; None: there was no response."""

    def __init__(self, status, headers=(), body=b"", seconds=0.0):
        self.status, self.headers, self.body, self.seconds = status, list(headers), body, seconds
        self.is_of_head = False

    def __getitem__(self, name):
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def is_of_parser(self):
        """Whether the HTTP library rejected the request, which it does without a message if the request is not HTTP."""
        return self.status in (400, 431) and not self.body and self["connection"] == "close" and self["content-length"] == "0"

    def fault(self):
        """A fault that no response may have, or None."""
        if SECRET in self.body or any(SECRET.decode() in value for _, value in self.headers):
            return "the response contains bytes of a file outside the folder"
        if self.status in (0, None) or self.is_of_parser:
            return "there is no response" if self.status is None else None
        policy = self["content-security-policy"]
        if "default-src 'none'" not in policy or "unsafe-inline" in policy or "unsafe-eval" in policy:
            return f"the Content-Security-Policy is {policy!r}"
        for name, value in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
                            ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin")]:
            if self[name] != value:
                return f"the header {name} is {self[name]!r}"
        if any(name.startswith("access-control-allow") for name, _ in self.headers):
            return "the response admits other origins"
        if self.status == 500:
            return f"the status is 500: {self.body[:300]!r}"
        if self.status >= 400 and not self.is_of_head:
            try:
                error = json.loads(self.body)["error"]
                text = error["message"]
                good = bool(text) and self.body.count(b"\n") == 1 and self.body.endswith(b"\n") and len(self.body) < 4096
            except (ValueError, KeyError, TypeError):
                good = False
            if not good or self["content-type"] != "application/json":
                what = "a message of more than 4,000 bytes" if len(self.body) >= 4096 else "no line of JSON with a message"
                return f"status {self.status} with {what}: {self.body[:100]!r}"
        return None


def parsed(data, is_head=False):
    """The first response in some bytes, or None if it is incomplete."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    lines = head.split(b"\r\n")
    try:
        status = int(lines[0].split(b" ", 2)[1])
    except (IndexError, ValueError):
        return Answer(-1, [], data)
    headers = [(name.decode("latin-1").lower(), value.strip().decode("latin-1"))
               for name, _, value in (line.partition(b":") for line in lines[1:])]
    answer = Answer(status, headers)
    if status < 200 and status != 101:
        return parsed(rest, is_head)
    answer.is_of_head = is_head
    if is_head or status in (204, 304):
        return answer
    if answer["transfer-encoding"] == "chunked":
        body = b""
        while True:
            size, found, rest = rest.partition(b"\r\n")
            if not found:
                return None
            size = int(size.split(b";")[0], 16)
            if len(rest) < size + 2:
                return None
            body, rest = body + rest[:size], rest[size + 2:]
            if size == 0:
                answer.body = body
                return answer
    length = int(answer["content-length"] or 0)
    if len(rest) < length:
        return None
    answer.body = rest[:length]
    return answer


class Talk:
    """A request on a separate connection, sent without waiting for the response."""

    def __init__(self, port, request):
        self.begun, self.request, self.left, self.data, self.answer = time.monotonic(), request, request, b"", None
        self.is_ended = False
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)

    def send(self):
        """Continues sending. Returns whether there is more to send."""
        try:
            while self.left:
                self.left = self.left[self.socket.send(self.left[:1 << 18]):]
        except BlockingIOError:
            pass
        except OSError:
            self.left = b""
        return bool(self.left)

    def receive(self):
        try:
            piece = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.data += piece
        try:
            self.answer = parsed(self.data, self.request.startswith(b"HEAD "))
        except ValueError:
            self.answer = Answer(-1, [], self.data)
        if self.answer is None and not piece:
            self.answer = Answer(0, [], self.data)
        if self.answer is None and self.data.startswith(b"HTTP/1.1 200") and b"x-ndjson" in self.data[:2000] and self.data.count(b"\n{") > 3:
            head = self.data.partition(b"\r\n\r\n")[0]
            self.answer = parsed(head + b"\r\ncontent-length: 0\r\n\r\n", True)

    def end(self):
        """Closes the connection for writing."""
        self.is_ended = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def converse(port, requests, seconds=20.0, patience=1.0):
    """The responses to requests that are sent at the same time. After `patience` seconds, unanswered connections are closed for writing."""
    talks = [Talk(port, request) for request in requests]
    with selectors.DefaultSelector() as selector:
        for talk in talks:
            selector.register(talk.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, talk)
        begun, open_talks = time.monotonic(), len(talks)
        while open_talks and time.monotonic() - begun < seconds:
            for key, events in selector.select(0.1):
                talk = key.data
                if events & selectors.EVENT_WRITE and not talk.send():
                    selector.modify(talk.socket, selectors.EVENT_READ, talk)
                if events & selectors.EVENT_READ:
                    talk.receive()
                if talk.answer is not None:
                    selector.unregister(talk.socket)
                    talk.socket.close()
                    talk.answer.seconds = time.monotonic() - talk.begun
                    open_talks -= 1
            if time.monotonic() - begun > patience:
                for talk in talks:
                    if talk.answer is None and not talk.is_ended and not talk.left:
                        talk.end()
    for talk in talks:
        talk.socket.close()
    return [talk.answer or Answer(None, [], talk.data, time.monotonic() - talk.begun) for talk in talks]


def request(method, target, headers, body=b""):
    """The bytes of a request. Header values may be bytes."""
    def raw(text):
        return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    lines = [raw(method) + b" " + raw(target) + b" HTTP/1.1", *[raw(name) + b": " + raw(value) for name, value in headers]]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Explorer:
    """The running program with the files of the attack. A `with` block ends it."""

    def __init__(self, program, tool, model, images, folder, more=()):
        self.mark = uuid.uuid4().hex
        self.scratch = pathlib.Path(tempfile.mkdtemp(dir=folder, prefix="scratch-"))
        environment = {**os.environ, "TMPDIR": str(self.scratch), "EXPLORER_ATTACK": self.mark}
        if tool:
            environment["RELEVANCE_TOOL"] = tool
        self.process = subprocess.Popen(
            [program, model, *[word for path in images for word in ("--images", str(path))], "--port", "0", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        address = self.process.stdout.readline().strip()
        if not address.startswith("http://127.0.0.1:"):
            self.process.kill()
            raise SystemExit("attack: the explorer did not print its address")
        parts = urllib.parse.urlsplit(address)
        self.port, self.token = parts.port, urllib.parse.parse_qs(parts.query)["token"][0]
        self.model = pathlib.Path(model).name
        self.host = f"127.0.0.1:{self.port}"
        self.admission = ("Authorization", f"Bearer {self.token}")
        self.usual = [("Host", self.host), self.admission]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        for number in self.others():
            os.kill(number, signal.SIGKILL)

    def get(self, target):
        return request("GET", target, self.usual)

    def post(self, target, question, kind="application/json"):
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        return request("POST", target, [*self.usual, ("Content-Type", kind)], body)

    def ask(self, raw, seconds=20.0):
        return converse(self.port, [raw], seconds)[0]

    def is_alive(self, seconds=10.0):
        return self.process.poll() is None and self.ask(self.get("/api/overview"), seconds).status == 200

    def others(self):
        """Child processes of the program that are still running."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(entry.name) != self.process.pid and \
                        f"EXPLORER_ATTACK={self.mark}\0".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def memory(self, name="VmHWM"):
        """The memory in MB; 0 on systems without /proc."""
        try:
            for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
        except OSError:
            pass
        return 0.0

    def forget_peak(self):
        """Resets the peak memory."""
        try:
            pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        except OSError:
            pass
