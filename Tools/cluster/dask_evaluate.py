#!/usr/bin/env python3
"""Runs an evaluation in shards on Dask, and merges them into the same bytes that a single run writes.

The arguments after -- are those of `relevance evaluate`: the evaluation, the model, the data and their options. Without --scheduler, the
workers are processes of this machine. With --scheduler, each thread of the cluster's workers runs one shard at a time; the tool, the model,
the data and the output folder must have the same paths on all machines, and the output folder must be on a shared file system.

If a worker dies, another one continues its shard from the journal. Complete shards are not run again: repeat the same command to continue an
interrupted evaluation.
Example: Tools/cluster/dask_evaluate.py --shards 8 -- pointing squeezenet1.1 VOC2012 --method lrp --method clrp1 --output DIR
"""
import argparse
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from dask.distributed import Client, LocalCluster, wait
from distributed.scheduler import KilledWorker

NAME = "dask_evaluate"
TOOL = Path(__file__).resolve().parent.parent.parent / ".build/release/relevance"
CONNECT_SECONDS = 30
POLL_SECONDS, LOG_SECONDS = 1, 30                           # intervals for reading journals, and for lines of progress without a terminal
RETRY_SECONDS = [2, 5, 15]                                  # pauses before a shard is tried again after a temporary failure
BUSY = "another process is writing to it"                   # the tool's message for the journal of a shard that another process runs
USAGE, MISSING, UNAVAILABLE = 64, 66, 69                    # exit statuses, as in sysexits.h

# Replaces itself with the tool, which dies with its worker. Otherwise the tool would continue and lock the journal for the next worker.
TIED = """import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)                  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class Failure(Exception):
    """An error that ends this script, with a line and an exit status."""

    def __init__(self, line, status):
        super().__init__(line)
        self.status = status


class Shard:
    """Part `index` of `count` of the items, with its progress according to its journal."""

    def __init__(self, folder, index, count):
        self.index, self.count = index, count
        self.journal = Path(folder) / f"journal-{index}-of-{count}.jsonl"
        self.bytes_read, self.lines, self.items = 0, 0, None

    def update(self):
        """Reads new lines of the journal. The last line may be incomplete; a resumed run writes it again."""
        try:
            with self.journal.open("rb") as file:
                file.seek(self.bytes_read)
                new = file.read()
        except FileNotFoundError:
            return
        new = new[:new.rfind(b"\n") + 1]
        if self.items is None and new:
            try:
                self.items = len(range(self.index - 1, json.loads(new.partition(b"\n")[0])["items"], self.count))
            except (ValueError, KeyError, TypeError):       # not a journal; the tool will report it
                return
        self.bytes_read += len(new)
        self.lines += new.count(b"\n")

    @property
    def done(self):
        return max(self.lines - 1, 0)                       # the first line is the header

    @property
    def is_complete(self):
        return self.items is not None and self.done >= self.items


class Progress:
    """A line of progress on standard error, which is updated in a terminal and repeated at intervals otherwise."""

    def __init__(self, shards):
        self.shards, self.start = shards, time.monotonic()
        self.is_terminal, self.is_shown, self.last = sys.stderr.isatty(), False, self.start
        self.before = sum(shard.done for shard in shards)

    def update(self):
        for shard in self.shards:
            if not shard.is_complete:
                shard.update()
        now = time.monotonic()
        if self.is_terminal or now - self.last >= LOG_SECONDS:
            self.last = now
            done, complete = sum(shard.done for shard in self.shards), sum(shard.is_complete for shard in self.shards)
            rate = 60 * (done - self.before) / max(now - self.start, 1e-3)
            known = [shard.items for shard in self.shards if shard.items is not None]
            about = "" if len(known) == len(self.shards) else "about "
            items = f" of {about}{round(sum(known) / len(known) * len(self.shards))}" if known else ""
            self.write(f"{done}{items} items, {complete} of {len(self.shards)} shards, {rate:.0f} items a minute", stays=False)

    def write(self, text, stays=True):
        clear = "\r\033[K" if self.is_shown else ""
        self.is_shown = self.is_terminal and not stays
        print(clear + text, end="" if self.is_shown else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.is_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self.is_shown = False


def run_shard(command, folder, variables):
    """Runs the tool on a worker. Returns its exit status, negative for a signal, and the lines of its standard error."""
    tool = shutil.which(command[0], path=os.environ.get("PATH"))
    if not tool or not os.path.isdir(folder):
        return MISSING, [f"{folder if tool else command[0]}: not found on {socket.gethostname()}"]
    for seconds in [*RETRY_SECONDS, None]:
        tied = [sys.executable, "-I", "-S", "-c", TIED, str(os.getpid()), tool, *command[1:]]
        ended = subprocess.run(tied, cwd=folder, env=os.environ | variables, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        lines = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
        # The tool was killed, for example because memory ran out, or a worker that lost its connection still runs the shard.
        is_temporary = ended.returncode == -signal.SIGKILL or ended.returncode > 0 and any(BUSY in line for line in lines)
        if not is_temporary or seconds is None:
            return ended.returncode, lines
        time.sleep(seconds)


def result_of(future):
    """The exit status and the reason of a failed shard, or None; and the notes of its run."""
    if future.status != "finished":
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return (UNAVAILABLE, f"its worker died {error.allowed_failures + 1} times"), []
        return (UNAVAILABLE, " ".join(str(error or f"was {future.status}").split())), []
    status, lines = future.result()
    notes = [line for line in lines if line.startswith("note: ")]
    return (failure(status, lines) if status else None), notes


def failure(status, lines):
    """The exit status and the reason of a failed process."""
    if status < 0:
        return 128 - status, f"ended by {signal.Signals(-status).name}"
    errors = [line.removeprefix("relevance: ") for line in lines if line.startswith("relevance: ") or status == MISSING]
    return status, errors[-1] if errors else f"ended with status {status}"


def run_shards(client, evaluation, shards, progress):
    """Runs shards; a failed shard does not stop the others. Returns the failures: (status, reason) → shards."""
    variables = {name: os.environ[name] for name in ["RELEVANCEKIT_MODELS"] if name in os.environ}
    futures = {client.submit(run_shard, evaluation.command(shard), os.getcwd(), variables, pure=False): shard for shard in shards}
    pending, failures, noted = set(futures), {}, set()
    while pending:
        try:
            finished, pending = wait(pending, timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            finished = set()
        for future in finished:
            failed, notes = result_of(future)
            if failed:
                failures.setdefault(failed, []).append(futures[future])
            for note in notes:
                if note not in noted:
                    progress.write(note)
                    noted.add(note)
        progress.update()
    return failures


class Evaluation:
    """The command line after --."""

    def __init__(self, words, tool, threads):
        parser = argparse.ArgumentParser(prog=f"{NAME}: after --", usage=argparse.SUPPRESS, add_help=False, allow_abbrev=False)
        for option in "--output", "--resamples", "--threads", "--shard":
            parser.add_argument(option)
        parser.add_argument("--resume", action="store_true")
        given, self.words = parser.parse_known_args(words)
        if not self.words or self.words[0].startswith("-") or self.words[0] == "merge":
            raise Failure("after --: expected an evaluation, a model, data and their options", USAGE)
        if given.shard:
            raise Failure(f"after --: --shard is {given.shard}; expected no --shard, because --shards sets it", USAGE)
        # The tool's path must not depend on the worker's folder.
        self.tool, self.threads = os.path.abspath(tool) if os.sep in tool else tool, given.threads or str(threads)
        self.output = given.output or "evaluation"
        self.resamples = ["--resamples", given.resamples] if given.resamples else []

    def command(self, shard):
        return [self.tool, "evaluate", *self.words, *self.resamples, "--output", self.output, "--threads", self.threads, "--resume",
                "--shard", f"{shard.index}/{shard.count}"]

    def merge(self, shards):
        """Writes and prints the report, as a run without shards does."""
        command = [self.tool, "evaluate", "merge", *[str(shard.journal) for shard in shards], "--output", self.output, *self.resamples]
        try:
            ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace")
        except OSError as error:
            raise Failure(f"{self.tool}: {error.strerror}", MISSING)
        if ended.returncode:
            status, reason = failure(ended.returncode, ended.stderr.strip().splitlines())
            raise Failure(f"merge: {reason}", status)


def cluster_of(arguments):
    """A client of the given scheduler, or of a local cluster of processes."""
    if not arguments.scheduler:
        return Client(LocalCluster(
            n_workers=arguments.workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL))
    try:
        return Client(arguments.scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise Failure(f"--scheduler {arguments.scheduler}: {' '.join(str(error).split())}", UNAVAILABLE)


def evaluate(arguments, words):
    """Runs and merges the evaluation. Returns 0, or the exit status of the first failed shard."""
    # Local processes share the processors equally; the processors of a cluster's thread are unknown here.
    share = 1 if arguments.scheduler else max(len(os.sched_getaffinity(0)) // arguments.workers, 1)
    evaluation = Evaluation(words, arguments.relevance, arguments.threads or share)
    shards = [Shard(evaluation.output, index + 1, arguments.shards) for index in range(arguments.shards)]
    for shard in shards:
        shard.update()
    # Also runs one complete shard, so that the tool compares its settings with the given ones. The merge compares the settings of the others.
    left = [shard for shard in shards if not shard.is_complete]
    left += [shard for shard in shards if shard.is_complete][:1]
    progress = Progress(shards)
    client = cluster_of(arguments)
    try:
        failures = run_shards(client, evaluation, left, progress)
    finally:
        progress.end()
        client.close()
        if client.cluster:
            client.cluster.close()
    for (_, line), failed in failures.items():
        numbers = ", ".join(str(shard.index) for shard in sorted(failed, key=lambda shard: shard.index))
        print(f"{NAME}: shard{'s' if len(failed) > 1 else ''} {numbers} of {len(shards)}: {line}", file=sys.stderr)
    if all(shard.is_complete for shard in shards) or not failures:
        evaluation.merge(shards)
    return next(iter(failures))[0] if failures else 0


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def main():
    words = sys.argv[1:]
    own, rest = (words[:words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage="%(prog)s --shards N [option]... -- EVALUATION MODEL DATA [option]...")
    parser.add_argument("--shards", type=positive, required=True, metavar="N", help="the number of shards; at least 2")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="the address of a running cluster's scheduler, such as tcp://host:8786")
    where.add_argument("--workers", type=positive, default=2, metavar="N", help="the number of processes on this machine (default: 2)")
    parser.add_argument("--threads", type=positive, metavar="N",
                        help="threads of each shard (default: an equal part of this machine's processors; with --scheduler: 1)")
    parser.add_argument("--relevance", default=str(TOOL), metavar="PATH", help="the tool (default: the release build)")
    arguments = parser.parse_args(own)
    if arguments.shards < 2:
        parser.error("--shards is 1; expected 2 or more")
    try:
        return evaluate(arguments, rest)
    except Failure as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
