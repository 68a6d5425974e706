"""Shared by the measurements in this folder: workers that run alternately, the load of the machine, and the comparison of maps.

A worker is a process that prints `ready` when it is warm. For every line `run`, it computes once (forward and, if it explains, backward) and
prints `<milliseconds> <sum of the map> <score>`. For `save PATH`, it writes the last map, or the logits, as float32 .npy and prints `saved`.
`quit` ends it. Times are measured by the script that sends the lines, from `run` to the response.
Requires Linux: peak memory is VmHWM, which counts resident pages including mapped files.
"""
import argparse
import array
import ast
import math
import operator
import os
import select
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = shlex.quote(str(HERE.parent.parent / ".build/release/relevance"))
START_SECONDS, RUN_SECONDS = 600, 600                       # time limits for a worker's responses
SHORT_MILLISECONDS = 1000                                   # shorter runs are repeated and the first is discarded: processors wake slowly
PAUSE_SECONDS = 0.1                                         # lets the threads of the last worker fall asleep
CLOCK_TOLERANCE = 0.05                                      # the relative difference to the worker's clock that is reported
QUIET_CORES = 0.1                                           # the load of other processes, in cores, that counts as a disturbance
LIBRARIES = ("OMP", "MKL", "OPENBLAS")
# Variables that limit libraries to an instruction set, and make OpenBLAS use it on processors that it does not recognize.
OURS_WITH = {
    "avx2": {"RELEVANCEKIT_ISA": "avx2", "OPENBLAS_CORETYPE": "Haswell"},
    "avx512": {"RELEVANCEKIT_ISA": "avx512", "OPENBLAS_CORETYPE": "SkylakeX"},
}
PEERS_WITH = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
             "OPENBLAS_CORETYPE": "Haswell"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512", "OPENBLAS_CORETYPE": "SkylakeX"},
}
VERSIONS = "import sys; from importlib.metadata import version; print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"


class Failure(Exception):
    pass


class Worker:
    def __init__(self, name, command, threads, environment={}):
        self.name, self.times, self.own_times = name, [], []
        self.errors = tempfile.TemporaryFile("w+", errors="replace")
        environment = os.environ | {f"{library}_NUM_THREADS": str(threads) for library in LIBRARIES} | environment
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment)
        except OSError as error:
            raise Failure(f"{name}: cannot start {command[0]}: {error.strerror}")
        try:
            self.expect("ready", START_SECONDS)
        except BaseException:
            self.quit()
            raise

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Failure(f"{self.name}: no response within {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            self.fail()
        return line.strip()

    def expect(self, word, seconds):
        answer = self.answer(seconds)
        if answer != word:
            raise Failure(f"{self.name}: expected `{word}`, found `{answer}`")

    def ask(self, line):
        try:
            print(line, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self.fail()

    def fail(self):
        """Raises an error with the first error line of a worker that has ended, or with its last line."""
        status = self.process.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        reason = next((line for line in lines if line.startswith("Error")), lines[-1] if lines else "no message")
        raise Failure(f"{self.name}: ended with status {status}: {reason}")

    def run(self):
        start = time.perf_counter()
        self.ask("run")
        answer = self.answer(RUN_SECONDS)
        self.times.append(1000 * (time.perf_counter() - start))
        try:
            own, self.total, self.score = map(float, answer.split())
        except ValueError:
            raise Failure(f"{self.name}: expected `<milliseconds> <sum> <score>`, found `{answer}`")
        self.own_times.append(own)

    def forget_last(self):
        self.times.pop()
        self.own_times.pop()

    def saved(self, path):
        """The worker's last map, or the logits."""
        self.ask(f"save {path}")
        self.expect("saved", RUN_SECONDS)
        return floats(path)

    def peak_megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6

    @property
    def median(self):
        return statistics.median(self.times)

    def clock_remark(self):
        """A remark if the worker's clock differs from this script's, or None."""
        own = statistics.median(self.own_times)
        if abs(own - self.median) > CLOCK_TOLERANCE * self.median:
            return f"the worker's clock measured {own:.1f} ms, this script {self.median:.1f} ms"

    def quit(self):
        try:
            print("quit", file=self.process.stdin, flush=True)
            self.process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def run_in_turn(workers, rounds, warm_ups):
    """Runs each worker once per round. Returns the number of cores that other processes used. Warm-up rounds are not counted."""
    processes = [worker.process.pid for worker in workers]
    for number in range(-warm_ups, rounds):
        if number == 0:
            start, others = time.perf_counter(), others_seconds(processes)
        for worker in workers:
            time.sleep(PAUSE_SECONDS)
            worker.run()
            if number < 0 or worker.times[-1] < SHORT_MILLISECONDS:
                worker.forget_last()
                if number >= 0:
                    worker.run()
    return (others_seconds(processes) - others) / (time.perf_counter() - start)


def others_seconds(processes):
    """The processor time so far of all processes except `processes` and this script."""
    ticks = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    busy = sum(ticks) - sum(ticks[3:5])                     # without idle and waiting for input or output
    for process in ["self", *processes]:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        busy -= int(fields[11]) + int(fields[12])           # its user and system time
    return busy / os.sysconf("SC_CLK_TCK")


def quiet_remark(cores):
    """A remark on the load of other processes. `cores` contains their number of cores by name of the measurement."""
    worst = max(cores, key=cores.get)
    remark = f"Other processes used at most {cores[worst]:.2f} of {os.cpu_count()} cores ({worst})"
    disturbed = [name for name in cores if cores[name] > QUIET_CORES]
    return remark + (f"; DISTURBED, measure again on a quiet machine: {', '.join(disturbed)}." if disturbed else ".")


def machine_remark(threads):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{name}, {os.cpu_count()} cores; {threads} threads each."


def processor_has(instruction_set):
    flags = next((line.split() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), [])
    return all(flag in flags for flag in {"avx2": ["avx2", "fma"], "avx512": ["avx512f", "avx512vl", "avx512bw", "avx512dq"]}[instruction_set])


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def span(values, digits=1):
    low, _, high = quartiles(values)
    return f"{low:.{digits}f}–{high:.{digits}f}"


def floats(path):
    """The values of an .npy file of float32."""
    with open(path, "rb") as file:
        start = file.read(8)
        header = file.read(int.from_bytes(file.read(2 if start[6:7] == b"\1" else 4), "little"))
        if start[:6] != b"\x93NUMPY" or ast.literal_eval(header.decode("latin-1"))["descr"] != "<f4":
            raise Failure(f"{path}: expected float32 numbers in .npy format")
        return array.array("f", file.read())


def distance_and_cosine(reference, other):
    """The relative L2 distance and the cosine of two maps."""
    if len(reference) != len(other):
        raise Failure(f"one map has {len(reference)} elements, the other {len(other)}")
    length, other_length = math.hypot(*reference), math.hypot(*other)
    if length == 0 or other_length == 0:
        return (0.0 if length == other_length else math.inf), math.nan
    product = sum(map(operator.mul, reference, other))
    return math.dist(reference, other) / length, product / length / other_length


def write_networks(names, scratch, python):
    """Writes the model and the input of each network with networks.py, unless they exist in the scratch folder."""
    for name in names:
        folder = Path(scratch).resolve() / name
        if not (folder / "model.onnx").exists():
            print(f"writing {name}", file=sys.stderr)
            result = subprocess.run([python, "-B", HERE / "networks.py", name, folder], capture_output=True, text=True)
            if result.returncode != 0:
                raise Failure(f"cannot write {name}: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")


def versions(python, packages):
    try:
        result = subprocess.run([python, "-c", VERSIONS, *packages], capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"cannot start {python}: {error.strerror}")
    if result.returncode != 0:
        raise Failure(f"{python}: {result.stderr.strip().splitlines()[-1]}; install the packages of Tools/peers/requirements.txt")
    return result.stdout.strip()


def parser_with_common_options(ours="bench --on-request", **settings):
    parser = argparse.ArgumentParser(**settings)
    parser.add_argument("--scratch", metavar="FOLDER", help="a folder that keeps the exported models (1.2 GB) between runs")
    parser.add_argument("--rounds", type=positive, default=10, metavar="N", help="counted runs of each worker (default: 10)")
    parser.add_argument("--warm-ups", type=int, default=3, metavar="N", help="runs of each worker before the counted ones (default: 3)")
    parser.add_argument("--threads", type=positive, default=2, metavar="N", help="threads of each worker (default: 2)")
    parser.add_argument("--python", default=sys.executable, help="a Python with the packages of Tools/peers/requirements.txt")
    parser.add_argument("--ours", default=f"{TOOL} {ours}", metavar="COMMAND",
                        help=f"the command for RelevanceKit (default: `relevance {ours}` of the release build)")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="also write the table to this file")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="measure only cases with TEXT in their name; repeatable")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    return parser


def parse(parser, names):
    """The arguments, and the names that they select. With --list, prints these and exits."""
    arguments = parser.parse_args()
    chosen = [name for name in names if not arguments.only or any(text in name for text in arguments.only)]
    if arguments.list:
        print("\n".join(chosen))
        sys.exit()
    if not chosen:
        parser.error(f"--only: no case has {' or '.join(arguments.only)} in its name; --list lists the cases")
    if not arguments.scratch:
        parser.error("expected --scratch FOLDER")
    if arguments.warm_ups < 0:
        parser.error("--warm-ups must not be negative")
    if arguments.output and not arguments.output.resolve().parent.is_dir():
        parser.error(f"--output: {arguments.output.parent} is not a folder")
    return arguments, chosen


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def publish(lines, output):
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if output:
        partial = output.with_name(output.name + ".partial")
        partial.write_text(text)
        partial.rename(output)


def main(name, work):
    """Runs `work`, which returns the exit status. Prints a failure as one line."""
    try:
        sys.exit(work())
    except Failure as failure:
        sys.exit(f"{name}: {failure}")
    except OSError as error:
        sys.exit(f"{name}: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)
