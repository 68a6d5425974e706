"""Attacks by clients that send too much, send too slowly, or close their connections."""

import itertools
import socket
import struct
import threading
import time

from files import jpeg, png, text_bomb
from hostile import converse, request
from limits import PATIENCE, PROMPT


class Floods:
    """Attacks by clients that send too much, send too slowly, or close their connections."""

    def upload(self, name, head, total, piece, limit):
        """Sends a large body until the server responds, and continues until it closes the connection. It may close it a little later, so that
        the response arrives."""
        explorer = self.explorer
        explorer.forget_peak()
        before, sent, heard, data, begun = explorer.memory("VmRSS"), 0, None, b"", time.monotonic()
        with socket.create_connection(("127.0.0.1", explorer.port), 10) as connection:
            connection.settimeout(5)
            connection.sendall(head)
            time.sleep(0.1)
            try:
                while sent < total and time.monotonic() - begun < 60:
                    connection.sendall(piece)
                    sent += len(piece)
                    connection.setblocking(False)
                    try:
                        more = connection.recv(65536)
                        data, heard = data + more, sent
                        break
                    except BlockingIOError:
                        pass
                    connection.settimeout(5)
                connection.settimeout(5)
                while sent < total and time.monotonic() - begun < 60:
                    connection.sendall(piece)
                    sent += len(piece)
                data += connection.recv(65536)
            except OSError:
                pass
        seconds, risen = time.monotonic() - begun, explorer.memory() - before
        status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else 0
        self.expect(f"{name} is rejected with 413", status == 413, f"status {status} after {sent} bytes: {data[:100]!r}")
        self.expect(f"{name} is rejected as soon as it is too large", heard is not None and heard < limit, f"after {heard} bytes")
        self.expect(f"{name} is cut off", sent < total and seconds < 5, f"{sent} bytes were sent in {seconds:.1f} s")
        self.expect(f"{name} takes little memory", risen < 200, f"{risen:.0f} MB")
        self.notes.append(f"{name}: rejected after {(heard or sent) / 1e6:.0f} MB, cut off after {sent / 1e6:.0f} MB and {seconds:.2f} s, {risen:.0f} MB more memory")

    def floods(self):
        """Sends more bytes and more pixels than the service accepts."""
        explorer, large = self.explorer, self.options.large_upload_bytes
        usual = b"".join(f"{name}: {value}\r\n".encode() for name, value in explorer.usual)
        piece = b"\0" * (1 << 20)
        chunked = b"%x\r\n" % len(piece) + piece + b"\r\n"
        for target in ("/api/images", "/api/predict", "/api/batch"):
            self.upload(f"POST {target} of {large} bytes", b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (target.encode(), usual, large), large, piece, 64 << 20)
            self.upload(f"POST {target} without a length", b"POST %s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % (target.encode(), usual), large, chunked, 96 << 20)
        stranger = f"Host: {explorer.host}\r\n".encode()
        begun, sent = time.monotonic(), 0
        with socket.create_connection(("127.0.0.1", explorer.port), 5) as connection:
            try:
                connection.sendall(b"POST /api/images HTTP/1.1\r\n" + stranger + b"Transfer-Encoding: chunked\r\n\r\n")
                while sent < large and time.monotonic() - begun < 30:
                    connection.sendall(chunked)
                    sent += len(piece)
            except OSError:
                pass
        self.expect("an upload without the token is cut off", sent < large and time.monotonic() - begun < 5, f"{sent} bytes in {time.monotonic() - begun:.1f} s")
        bombs = {
            "a PNG of 60000×60000": png(60000, 60000, bytes(1 << 22), 1, 0), "a PNG of 2^31-1 pixels": png(2**31 - 1, 1, b"", 1, 0), "a PNG of 0×0": png(0, 0, b""),
            "a PNG of 2^31×2^31": png(2**31, 2**31, b""), "a JPEG of 65535×65535": jpeg(65535, 65535), "a progressive JPEG of 65535×65535": jpeg(65535, 65535, True),
            "a JPEG of 0×0": jpeg(0, 0), "a PNG of 50001×1000": png(50001, 1000, bytes(1 << 20), 1, 0)}
        for name, data in bombs.items():
            explorer.forget_peak()
            before = explorer.memory("VmRSS")
            self.answers(f"{name} ({len(data)} bytes)", explorer.post("/api/images", data, "image/png"), 413, 422, seconds=5)
            self.answers(f"{name}, predict", explorer.post("/api/predict", data, "image/png"), 413, 422, seconds=5)
            self.expect(f"{name} takes little memory", explorer.memory() - before < 100, f"{explorer.memory() - before:.0f} MB")
        explorer.forget_peak()
        before = explorer.memory("VmRSS")
        answer = self.answers("a PNG with 256 MB of text in it", explorer.post("/api/images", png(8, 8, more=text_bomb(256 << 20)), "image/png"), 201, 422, 413)
        self.expect("text in a PNG takes little memory", explorer.memory() - before < 150, f"{explorer.memory() - before:.0f} MB, status {answer.status}")
        slow = {"a JPEG of 900 scans": jpeg(7000, 7000, True, 900), "a PNG of 49 million pixels": png(7000, 7000, bytes(7000 * 876), 1, 0)}
        for name, data in slow.items():
            answers, slowest = [], 0.0
            thread = threading.Thread(target=lambda: answers.extend(converse(explorer.port, [explorer.post("/api/images", data) for _ in range(8)], 60, 60)))
            thread.start()
            while thread.is_alive():
                slowest = max(slowest, explorer.ask(explorer.get("/api/overview"), 30).seconds)
                time.sleep(0.05)
            faults = {answer.fault() for answer in answers} - {None}
            self.expect(f"8 times {name}", not faults, str(faults))
            self.expect(f"other clients are answered while 8 times {name} are decoded", slowest < PROMPT, f"after {slowest:.1f} s")
            self.notes.append(f"8 times {name} ({len(data)} bytes): status {answers[0].status}, {max(answer.seconds for answer in answers):.1f} s, others answered within "
                              f"{slowest:.2f} s")
        # A mistake of a client with the token must not exhaust the machine either.
        explorer.forget_peak()
        image = b"\x89PNG" + bytes((31 << 20))
        answers = converse(explorer.port, [explorer.post("/api/images", image, "image/png") for _ in range(24)], 60, 60)
        self.expect("24 uploads of 31 MB are answered", all(answer.status == 422 for answer in answers), str({answer.status for answer in answers}))
        self.expect("24 uploads of 31 MB are not stored", explorer.memory() < 3000, f"{explorer.memory():.0f} MB")
        self.notes.append(f"24 concurrent uploads of 31 MB: peak {explorer.memory():.0f} MB")
        self.expect("the service still responds", explorer.is_alive())

    def indexes(self):
        """Starts many long tasks at the same time."""
        explorer = self.explorer
        sockets, slowest = [], 0.0
        for number in range(24):
            connection = socket.create_connection(("127.0.0.1", explorer.port), 10)
            connection.sendall(explorer.post("/api/index", {"nodes": self.nodes}) if number % 2 else explorer.post("/api/batch", {"method": "integrated-gradients"}))
            sockets.append(connection)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            slowest = max(slowest, explorer.ask(explorer.get("/api/memory"), 30).seconds)
            time.sleep(0.05)
        for connection in sockets:
            connection.close()
        self.expect("other clients are answered while 12 indexes and 12 batches are computed", slowest < PROMPT, f"after {slowest:.1f} s")
        self.notes.append(f"12 concurrent indexes and 12 concurrent batches: others answered within {slowest:.2f} s, peak {explorer.memory():.0f} MB")

    def loris(self):
        """Opens connections that send very slowly, while another client sends requests."""
        explorer = self.explorer
        begun = time.monotonic()
        head = request("POST", "/api/predict", [*explorer.usual, ("Content-Type", "application/json")], b" " * 2000)
        place = head.index(b"\r\n\r\n") + 4
        kinds = {"in its header": (80, b"GET /api/overview HTTP/1.1\r\nHost: ", b"a"), "in its body": (80, head[:place + 3], b" "), "in its chunks": (20, request(
            "POST", "/api/images", [*explorer.usual, ("Transfer-Encoding", "chunked")])[:-4].replace(b"\r\nContent-Length: 0", b"") + b"\r\n\r\n", b"1\r\na\r\n"), "that sends nothing": (20, b"", b"")}
        connections = []
        for name, (count, first, more) in kinds.items():
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", explorer.port), 5)
                connection.sendall(first)
                connection.setblocking(False)
                connections.append([name, connection, more])
        closed, slowest, unanswered = {name: [] for name in kinds}, 0.0, 0
        next_ask = next_byte = 0.0
        while connections and time.monotonic() - begun < PATIENCE + 5:
            now = time.monotonic() - begun
            if now >= next_ask:
                answer = explorer.ask(explorer.get("/api/overview"), 5)
                slowest, unanswered, next_ask = max(slowest, answer.seconds), unanswered + (answer.status != 200), now + 1
            for entry in list(connections):
                name, connection, more = entry
                try:
                    if more and now >= next_byte:
                        connection.send(more)
                    if connection.recv(4096) == b"":
                        raise ConnectionError
                except BlockingIOError:
                    continue
                except OSError:
                    closed[name].append(now)
                    connection.close()
                    connections.remove(entry)
            if now >= next_byte:
                next_byte = now + 3
            time.sleep(0.05)
        for name, (count, _, _) in kinds.items():
            self.expect(f"a connection slow {name} is closed within {PATIENCE:.0f} s", len(closed[name]) == count and max(closed[name]) <= PATIENCE,
                        f"{count - len(closed[name])} of {count} are open after {time.monotonic() - begun:.0f} s")
            if closed[name]:
                self.notes.append(f"connections slow {name}: closed after {min(closed[name]):.0f} to {max(closed[name]):.0f} s")
        for _, connection, _ in connections:
            connection.close()
        self.expect("other clients are answered", not unanswered and slowest < PROMPT, f"{unanswered} not, slowest {slowest:.1f} s")
        self.notes.append(f"slowest response to other clients: {slowest * 1000:.0f} ms")
        self.expect("the service still responds", explorer.is_alive())

    def deserters(self):
        """Closes connections before the response."""
        explorer = self.explorer
        edit = itertools.count()

        def question(route, **fields):
            stroke = {"radius": 2, "points": [next(edit) % 90 + 0.5, 3]}
            return explorer.post(f"/api/{route}", {"image": "file:0/a.png", "edits": {"strokes": [stroke]}, **fields})

        requests = {
            "a request": lambda: question("explain"), "a slow request": lambda: question("explain", method="integrated-gradients"), "a batch": lambda: question("batch"),
            "a page": lambda: question("page"), "half an upload": lambda: explorer.post("/api/images", png(64, 64), "image/png")[:-2000], "a thumbnail": lambda: explorer.get("/api/thumbnail?image=file:0/b.png"),
            "a map as an array": lambda: question("explain", fit="whole"), "an index": lambda: question("index", nodes=[self.nodes[0]])}
        for name, make in requests.items():
            for reset in (False, True):
                for wait in (0.0, 0.02, 0.2):
                    sockets = []
                    for _ in range(3 if name in ("a page", "an index") else 12):
                        connection = socket.create_connection(("127.0.0.1", explorer.port), 10)
                        if reset:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        connection.sendall(make())
                        sockets.append(connection)
                    time.sleep(wait)
                    for connection in sockets:
                        connection.close()
                    self.expect(f"{name}, closed after {wait} s: the service still responds", explorer.is_alive(PROMPT))
        # Clients that do not read their responses must not delay others.
        sockets = []
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", explorer.port), 10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(question("batch"))
            sockets.append(connection)
        begun = time.monotonic()
        answer = explorer.ask(question("predict", client="patient"), 60)
        self.expect("a request is answered after all that", answer.status == 200, f"status {answer.status} after {time.monotonic() - begun:.1f} s {answer.body[:200]!r}")
        self.notes.append(f"a request after the closed connections: {time.monotonic() - begun:.1f} s")
        for connection in sockets:
            connection.close()
        end = time.monotonic() + 20
        while list(explorer.scratch.iterdir()) and time.monotonic() < end:
            time.sleep(0.2)
        self.expect("temporary files are removed", not list(explorer.scratch.iterdir()), str(list(explorer.scratch.iterdir())[:3]))
        while explorer.others() and time.monotonic() < end:
            time.sleep(0.2)
        self.expect("no process is left", not explorer.others())
