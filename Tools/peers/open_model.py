#!/usr/bin/env python3
"""Times the opening of a converted VGG16 (553 MB of weights) in this package and in ONNX Runtime alternately.

Usage: open_model.py --scratch FOLDER [--model MODEL.onnx] [--rounds 15] [--warm-ups 2] [--ours COMMAND] [--convert COMMAND] [--python PYTHON]

MODEL is first converted into FOLDER with convert-model. The default is the VGG16 that compare also keeps in FOLDER. PYTHON needs the packages of
requirements.txt; this script itself needs none. Every run is a separate process, so only the file's pages are warm. For RelevanceKit, the whole
process is timed, including the other work of `relevance inspect`: it infers shapes, resolves rules and prints. The same for a network of one
layer shows how little of this depends on the model. For ONNX Runtime, only the creation of a session is timed, after all imports: once with
default options, and once without the work that makes later runs faster (rewriting the graph, packing weights). Peak memory counts resident
pages including mapped files (Linux). The measured peak of RelevanceKit is at least the memory of this script.
"""
import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

import measuring
from measuring import HERE, PAUSE_SECONDS, Failure, others_seconds, quartiles

TINY = HERE.parent.parent / "Fixtures/operators/conv-3x3/model.onnx"
BUILT = shlex.quote(str(HERE.parent.parent / ".build/release"))
THEIRS = """
import resource, sys, time
import onnxruntime
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
options = onnxruntime.SessionOptions()
if sys.argv[2] == "bare":
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
before, start = peak(), time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
print(time.perf_counter() - start, peak(), before)
"""


class Side:
    """A way to open the model. `open` returns the seconds, the peak memory in KiB, and the memory in KiB before opening."""

    def __init__(self, name, open):
        self.name, self.open = name, open
        self.times, self.peaks, self.before = [], [], []

    def run(self, counts):
        time.sleep(PAUSE_SECONDS)
        seconds, peak, before = self.open()
        if counts:
            self.times.append(1000 * seconds)
            self.peaks.append(peak * 1024 / 1e6)
            self.before.append(before * 1024 / 1e6)

    def row(self):
        low, middle, high = quartiles(self.times)
        return (f"| {self.name} | {middle:.1f} | {low:.1f}–{high:.1f} | {min(self.times):.1f}–{max(self.times):.1f} | "
                f"{statistics.median(self.peaks):.0f} | {statistics.median(self.before):.0f} |")


def open_ours(command, model):
    start = time.perf_counter()
    try:
        process = subprocess.Popen([*command, str(model)], stdout=subprocess.DEVNULL)
    except OSError as error:
        raise Failure(f"cannot start {command[0]}: {error.strerror}")
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failure(f"{command[0]}: ended with status {process.returncode}")
    return seconds, usage.ru_maxrss, 0


def open_theirs(python, model, kind):
    result = subprocess.run([python, "-B", "-c", THEIRS, str(model), kind], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"ONNX Runtime: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    return map(float, result.stdout.split())


def converted(arguments):
    """The path of the converted model."""
    scratch = Path(arguments.scratch).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    source, target = Path(arguments.model or scratch / "vgg16/model.onnx"), scratch / "vgg16-converted.onnx"
    if not arguments.model:
        measuring.write_networks(["vgg16"], scratch, arguments.python)
    print("converting the model", file=sys.stderr)
    command = [*shlex.split(arguments.convert), str(source), str(target)]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
        raise Failure("cannot convert the model")
    return target


def busy_seconds():
    """The processor time of all processes except this script and its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return others_seconds([]) - children.ru_utime - children.ru_stime


def measure(arguments):
    model = converted(arguments)
    command = shlex.split(arguments.ours)
    ours = Side("RelevanceKit, the whole process", lambda: open_ours(command, model))
    tiny = Side("the same, a network of one layer", lambda: open_ours(command, TINY))
    theirs = Side("ONNX Runtime, the session", lambda: open_theirs(arguments.python, model, "default"))
    bare = Side("ONNX Runtime, nothing rewritten or packed", lambda: open_theirs(arguments.python, model, "bare"))
    for number in range(-arguments.warm_ups, arguments.rounds):     # negative rounds are warm-ups, which are not counted
        if number == 0:
            start, others = time.perf_counter(), busy_seconds()
        for side in ours, tiny, theirs, bare:
            side.run(counts=number >= 0)
    others = (busy_seconds() - others) / (time.perf_counter() - start)
    weights = model.with_name(model.name + ".data").stat().st_size
    print(f"Opening VGG16 with {weights / 1e6:.0f} MB of weights in an external file; {arguments.rounds} alternating rounds.\n")
    print("| system | median ms | quartiles | least–most | peak MB | MB before opening |")
    print("|---|---|---|---|---|---|")
    print("\n".join(side.row() for side in (ours, tiny, theirs, bare)), end="\n\n")
    for side in theirs, bare:
        ratios = [b / a for a, b in zip(ours.times, side.times)]
        low, _, high = quartiles(ratios)
        ratio = statistics.median(side.times) / statistics.median(ours.times)
        print(f"- Ratio of medians, {side.name}: {ratio:.1f} (quartiles of the ratios by round: {low:.1f}–{high:.1f}).")
    print(f"- {measuring.quiet_remark({'opening VGG16': others})}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Times the opening of a converted VGG16 in this package and in ONNX Runtime alternately.")
    parser.add_argument("--scratch", required=True, metavar="FOLDER", help="a folder that keeps the models (553 MB each) between runs")
    parser.add_argument("--model", metavar="MODEL.onnx", help="another network to convert and open")
    parser.add_argument("--rounds", type=int, default=15, help="counted runs of each system (default: 15)")
    parser.add_argument("--warm-ups", type=int, default=2, help="runs of each system before the counted ones (default: 2)")
    parser.add_argument("--ours", default=f"{BUILT}/relevance inspect", metavar="COMMAND", help="the command that opens the model (default: `relevance inspect` of the release build)")
    parser.add_argument("--convert", default=f"{BUILT}/convert-model", metavar="COMMAND", help="the command that converts the model (default: convert-model of the release build)")
    parser.add_argument("--python", default=sys.executable, help="a Python with the packages of requirements.txt")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    measuring.main("open_model", lambda: measure(arguments))
