"""Attacks with invalid, expensive and damaged requests, and with signals."""

import itertools
import json
import os
import signal
import socket
import threading
import time

from files import png
from hostile import converse
from mutations import Mutations, NUMBERS, TEXTS


class Nonsense:
    """Attacks with invalid, expensive and damaged requests, and with signals."""

    def fields(self):
        """Sends unexpected values in every field."""
        explorer, node = self.explorer, self.nodes[0]
        usual = {"image": "file:0/a.png", "node": node, "channel": 0, "channels": [0], "pixel": [3, 4], "nodes": [node]}
        texts = [text.replace("NODE", node) for text in TEXTS] + ["[" * 500000, "{a: " * 100000, "- " * 300000, "a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 1000)),
                                                                  "name: x\nrules:\n" + "  - {op: Conv, rule: zPlus}\n" * 20000]
        cases = []
        for text in texts:
            cases += [(route, {field: text}) for field, routes in {
                "rules": ("plan", "explain"), "table": ("plan",), "target": ("explain", "layer", "ablate"), "method": ("explain", "units", "index"), "node": ("layer", "units", "ablate", "references"),
                "order": ("references",), "model": ("predict",), "image": ("predict",), "data": ("predict",), "fit": ("predict",), "client": ("predict",)}.items() for route in routes]
            cases += [("explain", {"through": [text]}), ("layer", {"through": [text, text]}), ("index", {"nodes": [text]}), ("page", {"methods": [text]} if len(text) < 5000 else {}), (
                "page", {"target": text} if len(text) < 5000 else {}), ("predict", {"edits": {"fill": text, "strokes": []}})]
        for number in NUMBERS:
            cases += [(route, {field: number}) for field in usual for route in ("predict", "layer", "units", "ablate", "references")]
            cases += [("ablate", {"channels": [number, number]}), ("ablate", {"channels": [0, number]}), ("units", {"pixel": [number, 3]}), ("units", {"pixel": [3, number]}), ("predict", {"top": number}),
                      ("layer", {"top": number}), ("references", {"channel": number}), ("index", {"top": number}), ("units", {"top": number}), ("batch", {"top": number}),
                      ("predict", {"edits": {"strokes": [{"radius": number, "points": [1, 2]}]}}), ("predict", {"edits": {"strokes": [{"radius": 2, "points": [number, 2, 3, number]}]}})]
            if number == int(number if abs(number) < 1e308 else 0):
                cases += [(route, {"target": pattern % int(number)}) for route in ("explain", "layer") for pattern in (
                    "top:%d", "class:%d", "region:%d", "box:%d", f"unit:{node}/%d", f"unit:{node}/0@%d,0", f"unit:{node}/0@0,%d", "class:0@%d", "class:0@%d,0")]
                cases += [("explain", {"through": [f"{node}/%d" % int(number)]}), *[("explain", {"method": pattern % int(number)}) for pattern in (
                    "clrp1:against=%d", "random:seed=%d", "clrp1:against=1:strength=%d")]]
                if abs(number) < 100 or abs(number) > 1e6:
                    cases += [("explain", {"method": pattern % int(number)}) for pattern in ("integrated-gradients:steps=%d", "smoothgrad:samples=%d")]
        raws = [explorer.post(f"/api/{route}", {**usual, **fields}) for route, fields in cases]
        faults = set()
        for first in range(0, len(raws), 24):
            for (route, fields), answer in zip(cases[first:first + 24], converse(explorer.port, raws[first:first + 24], 40, 40)):
                fault, text = answer.fault(), json.dumps(fields)
                if fault is None and answer.status in (0, -1):
                    fault = f"there is no response; process {explorer.process.poll()}"
                # Prints each kind of fault once per route.
                if self.expect_quietly(fault is None) is False and (route, fault[:40], list(fields)[0]) not in faults:
                    faults.add((route, fault[:40], list(fields)[0]))
                    print(f"attack: {route} with {text[:100]}{'…' if len(text) > 100 else ''} ({len(text)} bytes): {fault[:300]}", flush=True)
            if explorer.process.poll() is not None:
                self.expect("the program still runs", False, f"status {explorer.process.poll()} after one of " + "; ".join(
                    f"{route} {json.dumps(fields)[:120]}" for route, fields in cases[first:first + 24]))
                return
        self.notes.append(f"{len(cases)} fields with unexpected values")

    def expect_quietly(self, holds):
        with self.lock:
            self.cases += 1
            self.failures += not holds
        return holds

    def efforts(self):
        """Sends expensive requests and closes their connections, which must not keep other clients waiting."""
        image = {"image": "file:0/a.png"}
        points = [coordinate for index in range(20000) for coordinate in (index % 3000, index * 7 % 2000)]
        wide = {"strokes": [{"radius": 4096, "points": points}]}
        for name, route, question in [
                ("20,000 points with a wide brush", "image", {"edits": wide}), ("20,000 points with a wide brush on a large image", "image", {"fit": "native", "edits": wide}),
                ("a large image, blurred", "image", {"fit": "native", "edits": {"fill": "blur", "strokes": [{"radius": 1, "points": [1, 1]}]}}),
                ("a million steps", "explain", {"method": "integrated-gradients:steps=1000000"}), ("a million samples", "explain", {"method": "smoothgrad:samples=1000000"}),
                ("a page of a million steps", "page", {"methods": ["integrated-gradients:steps=1000000"]})]:
            with self.start() as explorer:
                if question.get("fit"):
                    image = {"image": json.loads(explorer.ask(explorer.post("/api/images", png(3000, 2000, bytes(2000 * 9001)), "image/png")).body)["id"]}
                with socket.create_connection(("127.0.0.1", explorer.port), 10) as connection:
                    connection.sendall(explorer.post(f"/api/{route}", {**image, **question}))
                    time.sleep(0.5)
                answer = explorer.ask(explorer.post("/api/predict", {"image": "file:0/b.png", "client": "another"}), 10)
                self.expect(f"{name}, closed after 0.5 s: another request is answered within 10 s", answer.status == 200, f"status {answer.status}")
                self.notes.append(f"{name}, closed after 0.5 s: another request has status {answer.status}" + (f" after {answer.seconds:.1f} s" if answer.status else ""))
            image = {"image": "file:0/a.png"}

    def mutations(self):
        """Sends randomly damaged requests on many connections."""
        explorer = self.explorer
        made = Mutations(explorer, self.nodes, self.options.seed)
        made.yaml = self.yaml
        numbers, statuses, faults = iter(range(self.options.mutations)), {}, {}
        slowest = (0.0, 0)

        def work():
            nonlocal slowest
            while True:
                with self.lock:
                    some = list(itertools.islice(numbers, 16))
                if not some or explorer.process.poll() is not None:
                    return
                raws = [made.request(number) for number in some]
                try:
                    answers = converse(explorer.port, raws, 30, 0.7)
                except OSError as error:
                    self.expect(f"mutations {some[0]} to {some[-1]}", False, f"no connection: {error}")
                    return
                for number, answer in zip(some, answers):
                    fault = answer.fault()
                    with self.lock:
                        self.cases += 1
                        if fault:
                            self.failures += 1
                            faults.setdefault(fault, []).append(number)
                            if len(faults[fault]) == 1:
                                print(f"attack: mutation {number} (--repeat {number}): {fault}", flush=True)
                        key = "parser's 400" if answer.is_of_parser else answer.status
                        statuses[key] = statuses.get(key, 0) + 1
                        slowest = max(slowest, (answer.seconds, number))
                if not explorer.is_alive(20):
                    self.expect(f"the service still responds after mutations {some[0]} to {some[-1]}", False, f"process status {explorer.process.poll()}")
                    return

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.expect("the service still responds after mutations", explorer.is_alive())
        for fault, found in faults.items():
            if len(found) > 1:
                self.notes.append(f"{len(found)} mutations: {fault[:160]}: {', '.join(map(str, found[:12]))}")
        self.notes.append("responses to mutations: " + ", ".join(f"{count}× {status}" for status, count in sorted(statuses.items(), key=lambda entry: -entry[1])))
        self.notes.append(f"slowest mutation: {slowest[1]}, {slowest[0]:.1f} s")

    def signals(self):
        """Sends signals: the program must end immediately in every state and leave no files or processes."""
        def ask(explorer, count, route, **fields):
            sockets = []
            for index in range(count):
                connection = socket.create_connection(("127.0.0.1", explorer.port), 10)
                connection.sendall(explorer.post(f"/api/{route}", {"image": "file:0/a.png", "client": str(index), "edits": {"strokes": [{"radius": 2, "points": [index, 5]}]}, **fields}))
                sockets.append(connection)
            return sockets

        works = {
            "idle": (lambda explorer: [], 0.1), "computing": (lambda explorer: ask(explorer, 20, "explain", method="integrated-gradients"), 0.3),
            "a batch streams": (lambda explorer: ask(explorer, 4, "batch"), 0.5), "a page is written": (lambda explorer: ask(explorer, 4, "page", methods=["lrp", "integrated-gradients"]), 0.4),
            "an index is made": (lambda explorer: ask(explorer, 2, "index", nodes=[self.nodes[0]]), 0.3), "an upload is on its way": (lambda explorer: ask(explorer, 1, "predict", rules=" " * (30 << 20)), 0.05)}
        slowest = 0.0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for name, (begin, wait) in works.items():
                if name == "a page is written" and not self.options.tool:
                    continue
                with self.start() as explorer:
                    sockets = begin(explorer)
                    time.sleep(wait)
                    begun = time.monotonic()
                    os.kill(explorer.process.pid, number)
                    try:
                        status = explorer.process.wait(5)
                    except Exception:  # noqa: BLE001: it did not end
                        status = None
                    seconds = time.monotonic() - begun
                    slowest = max(slowest, seconds)
                    what = f"{signal.Signals(number).name} while {name}"
                    self.expect(f"{what}: ends within a second with status 0", status == 0 and seconds < 1, f"status {status} after {seconds:.2f} s")
                    time.sleep(0.1)
                    others = explorer.others()
                    self.expect(f"{what}: no process is left", not others, f"{len(others)} still run")
                    time.sleep(0.4)
                    left = sorted(str(path.relative_to(explorer.scratch)) for path in explorer.scratch.rglob("*"))
                    self.expect(f"{what}: nothing is left in the temporary folder", not left, str(left[:4]))
                    for connection in sockets:
                        connection.close()
        self.notes.append(f"slowest end after a signal: {slowest * 1000:.0f} ms")
