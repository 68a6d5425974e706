#!/usr/bin/env python3
"""Attacks the explorer's service over its port, as pages of other sites, other programs and broken clients could.

    python3 Tools/explorer/checks/attack.py --explorer PATH/relevance-explorer [--tool PATH/relevance] [--model Fixtures/digits/vgg] \\
        [--mutations 10000] [--seed 1] [--large-upload-bytes 2147483648] [--only strangers,pages,paths,...] [--repeat N]

Starts the program on a free port of 127.0.0.1 with images that it makes. Needs only Python's standard library. Prints a line for each failed
case, and at the end the number of cases. Exit status 1: a case failed. --repeat N sends only mutation N, and prints the request and the
response.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from files import make_files, png  # noqa: E402
from floods import Floods  # noqa: E402
from hostile import Explorer, GETS, PAGE, QUESTIONS, ROOT, converse  # noqa: E402
from mutations import Mutations  # noqa: E402
from nonsense import Nonsense  # noqa: E402
from strangers import Strangers  # noqa: E402


class Attack(Strangers, Floods, Nonsense):
    """The attack and its results."""

    def __init__(self, options, folder, inside, outside):
        self.options, self.folder, self.inside, self.outside = options, folder, inside, outside
        self.cases, self.failures, self.lock, self.notes = 0, 0, threading.Lock(), []
        self.explorer = None

    def start(self, *more):
        return Explorer(self.options.explorer, self.options.tool, self.options.model, [self.inside], self.folder, more)

    def expect(self, name, holds, found=""):
        with self.lock:
            self.cases += 1
            if not holds:
                self.failures += 1
                print(f"attack: {name}{': ' if found else ''}{found}", flush=True)
        return holds

    def answers(self, name, raw, *statuses, seconds=20.0):
        """Checks that the response to a request has one of the given statuses and no other fault."""
        answer = self.explorer.ask(raw, seconds)
        fault = answer.fault()
        if fault is None and answer.status not in statuses:
            fault = f"status {answer.status}, expected {' or '.join(map(str, statuses))}: {answer.body[:100]!r}"
        self.expect(name, fault is None, f"{fault}; sent {raw[:300]!r}" if fault else "")
        return answer

    def routes(self):
        """All routes: (name, method, target, body)."""
        for target in PAGE + [each.replace("{model}", self.explorer.model) for each in GETS]:
            yield "GET", target, b""
        for target in QUESTIONS:
            yield "POST", target, b'{"image": "file:0/a.png"}'
        yield "POST", "/api/images", png(8, 8)

    def run(self):
        checks = [self.strangers, self.pages, self.paths, self.floods, self.indexes, self.loris, self.deserters, self.fields, self.mutations]
        wanted = self.options.only.split(",") if self.options.only else None
        with self.start("--memory", "256") as self.explorer:
            self.learn()
            if self.options.repeat is not None:
                return self.repeat()
            for check in checks:
                if wanted and check.__name__ not in wanted:
                    continue
                begun, before = time.monotonic(), self.failures
                self.explorer.forget_peak()
                note = check()
                self.notes.append(f"{check.__name__}: {time.monotonic() - begun:.0f} s, peak {self.explorer.memory():.0f} MB, {self.failures - before} failures"
                                  + (f"; {note}" if note else ""))
                if self.explorer.process.poll() is not None:
                    self.expect(f"{check.__name__}: the program still runs", False, f"status {self.explorer.process.poll()}")
                    break
        for check in (self.efforts, self.signals):
            if not wanted or check.__name__ in wanted:
                begun, before = time.monotonic(), self.failures
                check()
                self.notes.append(f"{check.__name__}: {time.monotonic() - begun:.0f} s, {self.failures - before} failures")
        return None

    def learn(self):
        """Gets the names of layers, and a rule table."""
        plan = json.loads(self.explorer.ask(self.explorer.post("/api/plan", {})).body)
        nodes = [row["node"] for row in plan["rows"] if row.get("shape") and len(row["shape"]) == 4]
        self.nodes, self.yaml = [nodes[0], nodes[len(nodes) // 2], nodes[-1]] if nodes else [plan["rows"][0]["node"]], plan.get("yaml") or ""

    def repeat(self):
        made = Mutations(self.explorer, self.nodes, self.options.seed)
        made.yaml = self.yaml
        raw = made.request(self.options.repeat)
        answer = converse(self.explorer.port, [raw], 60, 0.7)[0]
        print(f"sent {len(raw)} bytes: {raw[:3000]!r}\nstatus {answer.status} after {answer.seconds:.2f} s, {answer.headers}\n{answer.body[:3000]!r}\nfault: {answer.fault()}")
        print(f"process: {self.explorer.process.poll()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--explorer", required=True, help="the program relevance-explorer")
    parser.add_argument("--tool", help="the program relevance, which writes pages", default=os.environ.get("RELEVANCE_TOOL"))
    parser.add_argument("--model", default=str(ROOT / "Fixtures/digits/vgg"), help="the name of a fetched model, or a folder with model.onnx")
    parser.add_argument("--mutations", type=int, default=10000, help="the number of mutated requests (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the mutations (default: 1)")
    parser.add_argument("--large-upload-bytes", type=int, default=2 << 30, help="the size of a large upload (default: 2 GB)")
    parser.add_argument("--only", help="the names of the checks to run, separated by commas")
    parser.add_argument("--repeat", type=int, metavar="N", help="send only mutation N")
    options = parser.parse_args()
    options.explorer = str(pathlib.Path(options.explorer).resolve())
    if os.path.exists(options.model):
        options.model = str(pathlib.Path(options.model).resolve())
    if not options.tool and (ROOT / ".build/release/relevance").exists():
        options.tool = str(ROOT / ".build/release/relevance")
    if options.tool:
        options.tool = str(pathlib.Path(options.tool).resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limit[1]), limit[1]))
    begun = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="explorer-attack-")).resolve()
    try:
        attack = Attack(options, folder, *make_files(folder))
        attack.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.repeat is not None:
        return
    for note in attack.notes:
        print(f"  {note}")
    print(f"attack: {attack.cases} cases, {attack.failures} failures, {time.monotonic() - begun:.0f} s")
    sys.exit(1 if attack.failures else 0)


if __name__ == "__main__":
    main()
