"""A running relevance-explorer, a client for it, and decoders of its responses."""
import base64
import http.client
import json
import math
import os
import re
import struct
import subprocess
import threading
import time
import zlib
from dataclasses import dataclass

NPY, PNG, JSON = "application/x-npy", "image/png", "application/json"
# Time limits for starting the server and for a response.
START_SECONDS = 60
ANSWER_SECONDS = 300


class Server:
    """The running server on a free port. A `with` block ends it."""

    def __init__(self, explorer, tool, models, images, memory):
        arguments = [explorer, *models, "--port", "0", "--memory", str(memory)]
        for image in images:
            arguments += ["--images", image]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "RELEVANCE_TOOL": str(tool)})
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\w+)\n", line)
        if not found:
            self.process.kill()
            raise SystemExit(f"parity: {explorer} printed {line!r}; expected its address. {self.process.communicate()[1].strip()}")
        self.port, self.token = int(found[1]), found[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def client(self, name=""):
        return Client(self.port, self.token, name)

    def memory(self):
        """VmRSS and VmHWM in MB; empty on systems without /proc."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                values = dict(line.split(":", 1) for line in file if ":" in line)
            return {name: int(values[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}
        except OSError:
            return {}


@dataclass
class Answer:
    status: int
    type: str
    body: bytes

    def json(self):
        return json.loads(self.body)

    def message(self):
        return self.json()["error"]["message"]


class Client:
    """A connection to the server. It stays open between requests that follow each other quickly."""

    def __init__(self, port, token, name=""):
        self.name = name
        self.headers = {"Authorization": f"Bearer {token}"}
        self.used = time.monotonic()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        # The server closes connections that are idle for 15 seconds.
        if time.monotonic() - self.used > 5:
            self.close()
        self.connection.request(method, path, body=body, headers={**self.headers, **headers})
        response = self.connection.getresponse()
        answer = Answer(response.status, response.headers.get("Content-Type", ""), response.read())
        self.used = time.monotonic()
        return answer

    def get(self, path):
        return self.request("GET", path)

    def ask(self, name, question, accept=JSON):
        body = json.dumps({"client": self.name, **question})
        return self.request("POST", f"/api/{name}", body, Content_Type=JSON, Accept=accept)

    def lines(self, name, question):
        return [json.loads(line) for line in self.ask(name, question).body.splitlines()]


def float32(value):
    """The single-precision number that is nearest to a number."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def map_values(answer):
    """The values of a map, row by row."""
    data = base64.b64decode(answer["values"])
    return list(struct.unpack(f"<{answer['width'] * answer['height']}f", data))


def read_npy(data):
    """The shape and the values of a NumPy file of little-endian float32."""
    if data[:6] != b"\x93NUMPY":
        raise ValueError("not a NumPy file")
    length, start = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
    header = data[start:start + length].decode("latin-1")
    if "'<f4'" not in header or "'fortran_order': False" not in header:
        raise ValueError(f"unexpected header {header.strip()}")
    shape = [int(size) for size in re.findall(r"\d+", header.split("'shape':", 1)[1])]
    body = data[start + length:]
    return shape, struct.unpack(f"<{len(body) // 4}f", body)


def is_sum_over_channels(values, data):
    """Whether the values of a map are the sums over channels of a NumPy file [C,H,W], up to rounding in single precision."""
    shape, elements = read_npy(data)
    places = shape[1] * shape[2]
    if len(values) != places:
        return False
    for place, value in enumerate(values):
        column = elements[place::places]
        if abs(value - math.fsum(column)) > len(column) * 2.0 ** -24 * math.fsum(map(abs, column)) + 1e-44:
            return False
    return True


def read_png(data):
    """Width, height and pixels of a PNG file of 8-bit RGB without interlacing."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    place, packed = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place:place + 8])
        chunk = data[place + 8:place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", chunk)
            if (depth, color, interlace) != (8, 2, 0):
                raise ValueError("expected 8-bit RGB without interlacing")
        if kind == b"IDAT":
            packed += chunk
        place += 12 + length
    raw, step, rows = zlib.decompress(packed), 3 * width, []
    above = bytes(step)
    for row in range(height):
        filtering, line = raw[row * (step + 1)], bytearray(raw[row * (step + 1) + 1:(row + 1) * (step + 1)])
        for column in range(step if filtering else 0):
            left, up, corner = (line[column - 3], above[column], above[column - 3]) if column > 2 else (0, above[column], 0)
            line[column] = (line[column] + predicted(filtering, left, up, corner)) & 255
        above = bytes(line)
        rows.append(above)
    return width, height, b"".join(rows)


def predicted(filtering, left, up, corner):
    """The value that a PNG filter adds to a byte."""
    if filtering == 4:
        distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
        return (left, up, corner)[distances.index(min(distances))]
    return (0, left, up, (left + up) // 2)[filtering]
