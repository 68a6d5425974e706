#!/usr/bin/env python3
"""One LRP of VGG16 (224 × 224, seeded random weights) by this package and by Captum, measured run by run in turn.

Usage: vgg16_lrp.py --scratch FOLDER [--rounds 10] [--warm-ups 3] [--threads 2] [--ours COMMAND] [--python PYTHON] [--target class:K]

PYTHON has the packages of requirements.txt beside this script; this script itself needs none. Each side is a process of its own,
started as `COMMAND MODEL.onnx INPUT.npy --threads N`. It prints `ready` once it is warm. For every line `run` it explains its most
probable class (or K) once, forward and backward, and prints `<milliseconds> <sum of relevance> <logit>`; `quit` ends it.
Times are taken by this script's clock, from `run` to the answer. Needs Linux (peak memory is VmHWM, mapped files included).
"""
import argparse
import math
import os
import select
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = f"{shlex.quote(str(HERE.parent.parent / '.build/release/relevance'))} bench --on-request"
START_SECONDS, RUN_SECONDS = 600, 120                       # how long a worker may be silent
PAUSE_SECONDS = 0.1                                         # lets the threads of the side that has just run fall asleep
CLOCK_TOLERANCE = 0.05                                      # between this script's clock and the worker's, before it is reported
SUM_TOLERANCE = 1e-3                                        # of the logit
QUIET_CORES = 0.1                                           # what other processes may take before the result is called disturbed


class WorkerFailure(Exception):
    pass


class Worker:
    def __init__(self, name, command, environment):
        self.name, self.times, self.own_times = name, [], []
        start = time.perf_counter()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        except OSError as error:
            raise WorkerFailure(f"{name}: cannot start {command[0]}: {error.strerror}")
        answer = self.answer(START_SECONDS)
        if answer != "ready":
            raise WorkerFailure(f"{name}: expected `ready`, found `{answer}`")
        self.start_seconds = time.perf_counter() - start
        self.first_peak = self.peak_megabytes()             # a warm worker has explained once

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise WorkerFailure(f"{self.name}: silent for {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            raise WorkerFailure(f"{self.name}: ended with status {self.process.wait()}")
        return line.strip()

    def run(self):
        start = time.perf_counter()
        try:
            print("run", file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise WorkerFailure(f"{self.name}: ended with status {self.process.wait()}")
        answer = self.answer(RUN_SECONDS)
        self.times.append(1000 * (time.perf_counter() - start))
        try:
            own, self.total, self.logit = map(float, answer.split())
        except ValueError:
            raise WorkerFailure(f"{self.name}: expected `<milliseconds> <sum> <logit>`, found `{answer}`")
        self.own_times.append(own)

    def peak_megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6

    def quit(self):
        try:
            print("quit", file=self.process.stdin, flush=True)
            self.process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def others_seconds(processes):
    """Processor time that all but `processes` and this script have taken so far."""
    ticks = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    busy = sum(ticks) - sum(ticks[3:5])                     # without idle and waiting for input or output
    for process in ["self", *processes]:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        busy -= int(fields[11]) + int(fields[12])           # its user and system time
    return busy / os.sysconf("SC_CLK_TCK")


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def row(worker):
    low, middle, high = quartiles(worker.times)
    return (f"| {worker.name} | {middle:.1f} | {low:.1f}–{high:.1f} | {min(worker.times):.1f}–{max(worker.times):.1f} | "
            f"{worker.first_peak:.0f} | {worker.peak:.0f} | {worker.start_seconds:.1f} | {worker.logit:.6g} | {worker.total:.6g} |")


def remarks(ours, theirs, others):
    ratios = [b / a for a, b in zip(ours.times, theirs.times)]
    low, _, high = quartiles(ratios)
    ratio = statistics.median(theirs.times) / statistics.median(ours.times)
    yield (f"Ratio of medians, {theirs.name} to {ours.name}: {ratio:.2f} (quartiles of the rounds' ratios: {low:.2f}–{high:.2f}); "
           f"of peak memory: {theirs.first_peak / ours.first_peak:.2f} once, {theirs.peak / ours.peak:.2f} over all runs.")
    verdict = "" if others <= QUIET_CORES else ": DISTURBED, measure again when it is quiet"
    yield f"Other processes took {others:.2f} of {os.cpu_count()} cores meanwhile{verdict}."
    same = math.isclose(ours.logit, theirs.logit, rel_tol=SUM_TOLERANCE)
    yield f"The two logits {'agree' if same else 'DIFFER: the two did not explain the same'}."
    for worker in ours, theirs:
        agrees = math.isclose(worker.total, worker.logit, rel_tol=SUM_TOLERANCE)
        yield f"{worker.name}: the relevance {'sums to the logit' if agrees else 'DOES NOT sum to the logit'}."
        own, here = statistics.median(worker.own_times), statistics.median(worker.times)
        if abs(own - here) > CLOCK_TOLERANCE * here:
            yield f"{worker.name}: says {own:.1f} ms by its own clock, which is not the {here:.1f} ms seen here."


def measure(arguments):
    scratch = Path(arguments.scratch).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    model, picture = scratch / "vgg16.onnx", scratch / "vgg16-input.npy"
    environment = os.environ | {f"{library}_NUM_THREADS": str(arguments.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    if not (model.exists() and picture.exists()):
        print("writing the model", file=sys.stderr)
        if subprocess.run([arguments.python, "-B", HERE / "vgg16.py", model, picture], env=environment).returncode != 0:
            raise WorkerFailure("cannot write the model; are the packages of requirements.txt there?")
    options = [str(model), str(picture), "--threads", str(arguments.threads)]
    options += ["--target", arguments.target] if arguments.target else []
    workers = []
    try:
        captum = [arguments.python, "-B", str(HERE / "captum_worker.py")]
        for name, command in ("RelevanceKit", shlex.split(arguments.ours)), ("Captum 0.9", captum):
            print(f"starting {name}", file=sys.stderr)
            workers.append(Worker(name, command + options, environment))
        processes = [worker.process.pid for worker in workers]
        for number in range(-arguments.warm_ups, arguments.rounds):     # rounds below 0 warm up and are not counted
            if number == 0:
                start, others = time.perf_counter(), others_seconds(processes)
            for worker in workers:
                time.sleep(PAUSE_SECONDS)
                worker.run()
                if number < 0:
                    worker.times.clear()
                    worker.own_times.clear()
        others = (others_seconds(processes) - others) / (time.perf_counter() - start)
        for worker in workers:
            worker.peak = worker.peak_megabytes()
    finally:
        for worker in workers:
            worker.quit()
    print(f"One LRP of VGG16, 224 × 224, {arguments.threads} threads each, {arguments.rounds} rounds in turn, warm.\n")
    print("| system | median ms | quartiles | least–most | peak MB, once | peak MB, all runs | ready after s | logit | Σ relevance |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(map(row, workers)), end="\n\n")
    print("\n".join(f"- {remark}" for remark in remarks(*workers, others)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One LRP of VGG16 by this package and by Captum, measured in turn.")
    parser.add_argument("--scratch", required=True, metavar="FOLDER", help="keeps the exported model (553 MB) between runs")
    parser.add_argument("--rounds", type=int, default=10, help="counted runs of each side")
    parser.add_argument("--warm-ups", type=int, default=3, help="runs of each side before the counted ones")
    parser.add_argument("--threads", type=int, default=2, help="of each side")
    parser.add_argument("--ours", default=OURS, metavar="COMMAND", help="our worker; default: the release build's `relevance bench --on-request`")
    parser.add_argument("--python", default=sys.executable, help="has the packages of requirements.txt")
    parser.add_argument("--target", metavar="class:K", help="what both explain; default: the most probable class")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        measure(arguments)
    except WorkerFailure as failure:
        sys.exit(f"vgg16_lrp: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
