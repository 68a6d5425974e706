"""Checks the service with many clients: no request is lost, memory stays within its limit, and clients take turns."""
import hashlib
import json
import queue
import random
import selectors
import socket
import statistics
import threading
import time

from service import JSON, NPY, PNG

# The number of requests of a flooding client, and of single requests of another client at the same time.
FLOOD, SINGLES = 100, 12
# The time of one computation of the flood, in seconds: long enough to measure.
COMPUTATION = 0.15
# The time that a request may take in addition to computing, in seconds.
SLACK = 0.1


def questions(subject):
    """Requests of every kind, for every image, with different tables and fits."""
    made = []
    for number in range(len(subject.images)):
        about = {"image": subject.image(number)}
        unit = {**about, "target": subject.unit}
        for more in ({}, {"fit": "whole"}, {"table": "EpsilonPlusFlat"}, {"edits": {"fill": "blur", "strokes": [{"radius": 9, "points": [9, 9, 30, 20]}]}}):
            made += [("predict", {**about, **more}, JSON), ("explain", {**about, **more, "target": "top:2", "method": "clrp1"}, JSON)]
            made += [("explain", {**about, **more, "method": method}, NPY) for method in ("lrp", "clrp2", "grad-cam")]
        made += [
            ("explain", {**unit, "method": "lrp"}, PNG), ("explain", {**about, "method": "lrp", "through": [subject.through]}, NPY),
            ("layer", {**about, "node": subject.node}, JSON), ("units", {**about, "node": subject.early, "pixel": [20, 30]}, JSON),
            ("ablate", {**about, "node": subject.node, "channels": [1, 2, 3]}, JSON), ("image", about, PNG),
            ("plan", {"table": "EpsilonPlusFlat"}, JSON), ("explain", {**about, "target": "class:1000000"}, JSON)]
    return made


def digest(answer):
    """A hash of a response without its time."""
    body = answer.body
    if answer.type == JSON:
        found = answer.json()
        found.pop("milliseconds", None)
        body = json.dumps(found, sort_keys=True).encode()
    return answer.status, hashlib.sha256(body).hexdigest()


class Watch(threading.Thread):
    """Samples the memory of the server and of its cached runs."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.client = server, server.client("watch")
        self.ended = threading.Event()
        self.resident, self.kept = [], []

    def run(self):
        while not self.ended.wait(0.05):
            self.resident.append(self.server.memory().get("VmRSS", 0))
            self.kept.append(self.client.get("/api/memory").json()["bytes"])

    def end(self):
        self.ended.set()
        self.join()
        self.client.close()


def check_load(server, subject, given, findings):
    """Sends random requests of several clients at once. Each response must equal the response to the request alone."""
    every = questions(subject)
    alone = server.client("alone")
    expected = [digest(alone.ask(*question)) for question in every]
    alone.close()
    for question, (status, _) in zip(every, expected):
        findings.expect("load", status == (422 if question[1].get("target") == "class:1000000" else 200), f"alone: {question}: {status}")
    before = server.memory()
    waiting, waits, lock = queue.SimpleQueue(), [], threading.Lock()
    chooser = random.Random(given.seed)
    for index in (chooser.sample(range(len(every)), len(every)) * (given.requests // len(every) + 1))[:given.requests]:
        waiting.put(index)

    def work(name):
        client = server.client(name)
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                break
            start = time.monotonic()
            try:
                found = digest(client.ask(*every[index]))
            except (OSError, ValueError) as error:
                found = f"lost: {error!r}"
                client.close()
            with lock:
                waits.append(time.monotonic() - start)
                findings.expect("load", found == expected[index], f"{every[index]}: {found}, alone {expected[index]}")
        client.close()

    watch = Watch(server)
    watch.start()
    start = time.monotonic()
    threads = [threading.Thread(target=work, args=(f"client {number}",)) for number in range(given.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - start
    watch.end()
    after = server.memory()
    limit = given.memory << 20
    findings.expect("load", len(waits) == given.requests, f"{given.requests} requests, {len(waits)} responses")
    findings.expect("memory", max(watch.kept) <= limit, f"cached runs have {max(watch.kept)} bytes; expected at most {limit}")
    memory = (f"VmRSS {before['VmRSS']:.0f} MB before, {max(watch.resident):.0f} during, {after['VmRSS']:.0f} after, VmHWM {after['VmHWM']:.0f}, "
              if before else "")
    return (f"{len(waits)} responses to {given.clients} clients in {seconds:.1f} s, wait median {statistics.median(waits) * 1000:.0f} ms, "
            f"worst {max(waits) * 1000:.0f} ms; {memory}cached runs at most {max(watch.kept) / (1 << 20):.1f} of {given.memory} MB")


class Flood:
    """Requests of one client, each on a separate connection, all sent before the first response."""

    def __init__(self, server, question, count):
        body = json.dumps({**question, "client": "flood"}).encode()
        head = (f"POST /api/explain HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {server.token}\r\n"
                f"Content-Type: {JSON}\r\nAccept: {PNG}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        self.sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
        for each in self.sockets:
            each.sendall(head + body)
        self.answers = {each: b"" for each in self.sockets}
        self.left, self.end = count, 0.0
        self.reader = threading.Thread(target=self.read, daemon=True)

    def read(self):
        with selectors.DefaultSelector() as selector:
            for each in self.sockets:
                selector.register(each, selectors.EVENT_READ)
            while self.left:
                for key, _ in selector.select():
                    try:
                        data = key.fileobj.recv(1 << 16)
                    except OSError:
                        data = b""
                    self.answers[key.fileobj] += data
                    if not data:
                        selector.unregister(key.fileobj)
                        self.left -= 1
        self.end = time.monotonic()

    def close(self):
        for each in self.sockets:
            each.close()


def slow_question(client, subject):
    """A request that takes about COMPUTATION seconds, and its measured time."""
    def seconds(samples):
        question = {"image": subject.image(0), "method": f"smoothgrad:samples={samples}", "ledger": False}
        return question, statistics.median(client.ask("explain", question).json()["milliseconds"] / 1000 for _ in range(3))

    _, few = seconds(2)
    samples = max(2, round(2 * COMPUTATION / few))
    return seconds(samples)


def check_fairness(server, subject, findings):
    """Sends single requests of one client during a flood of another one. Each request waits for at most about two computations."""
    client = server.client("single")
    slow, computation = slow_question(client, subject)
    single = {"image": subject.image(0), "target": "top:2", "method": "lrp", "ledger": False}
    own = statistics.median(timed(client, single) for _ in range(5))
    start = time.monotonic()
    flood = Flood(server, slow, FLOOD)
    flood.reader.start()
    time.sleep(2 * computation)
    waits = [timed(client, single) - own for _ in range(SINGLES)]
    left = flood.left
    findings.expect("fairness", left > 0, "the flood ended before the single requests; nothing was measured")
    flood.reader.join()
    # The time of one computation under the load of this machine.
    computation = (flood.end - start - SINGLES * own) / FLOOD
    typical, worst = statistics.median(waits), max(waits)
    findings.expect("fairness", typical <= 2 * computation + SLACK and worst <= 3 * computation + SLACK,
                    f"waits of {[round(wait * 1000) for wait in waits]} ms; one computation takes {computation * 1000:.0f} ms")
    answered = sum(data.startswith(b"HTTP/1.1 200") for data in flood.answers.values())
    findings.expect("fairness", answered == FLOOD, f"the flood had {answered} responses to {FLOOD} requests")
    flood.close()
    hung = check_hanging_up(server, client, slow, single, own, computation, findings)
    client.close()
    return (f"during {FLOOD} requests of {computation * 1000:.0f} ms, another client waits {typical * 1000:.0f} ms in the median, {worst * 1000:.0f} ms at worst "
            f"({typical / computation:.1f} and {worst / computation:.1f} computations), with {left} requests of the flood left; after closed connections {hung * 1000:.0f} ms")


def check_hanging_up(server, client, slow, single, own, computation, findings):
    """Requests whose connections are closed are not computed. Uses the same client name, so that the order of turns does not matter."""
    flood = Flood(server, slow, FLOOD // 2)
    time.sleep(2 * computation)
    flood.close()
    time.sleep(2 * SLACK)
    wait = timed(client, {**single, "client": "flood"}) - own
    findings.expect("hanging up", wait <= 2 * computation + SLACK, f"a request waits {wait * 1000:.0f} ms for {FLOOD // 2} canceled requests")
    return wait


def timed(client, question):
    start = time.monotonic()
    answer = client.ask("explain", question)
    if answer.status != 200:
        raise SystemExit(f"parity: {question}: {answer.status} {answer.message()}")
    return time.monotonic() - start


def check(server, subject, given, findings):
    return f"{check_load(server, subject, given, findings)}; {check_fairness(server, subject, findings)}"
