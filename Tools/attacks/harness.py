"""Runs a case of Tools/attack and checks the expectations for every case."""
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"
MODEL = FIXTURES / "digits/googlenet"
SCENES = FIXTURES / "digits/scenes"

STATUSES = {0, 64, 65, 66, 70, 73}
LONGEST_LINE = 1000
# The largest memory of a process: a constant for the tool, the libraries, the model and the threads, plus a multiple of its input.
MEMORY_BASE = 400 << 20
MEMORY_PER_INPUT_BYTE = 200
# The hard limit for every process, which protects the machine.
ADDRESS_SPACE = 6 << 30
SECONDS = 20
# A sanitizer needs address space and memory beyond these limits.
IS_SANITIZED = False


@dataclass
class Case:
    """A command with its folder, and the conditions under which it runs."""

    folder: Path
    arguments: list
    tool: str = "relevance"
    # Redirections and limits in shell syntax: "2>/dev/full", "ulimit -v 400000;".
    redirection: str = ""
    limits: str = ""
    stdin: bytes = b""
    # The signal to send, and the time in seconds after which it is sent.
    signal: int = 0
    delay: float = 0
    # Whether standard output is read; otherwise it is a closed pipe, and the system sends SIGPIPE.
    is_read: bool = True
    # The number of inputs that may fail, each with one line.
    inputs: int = 1
    # Additional bytes of input, for decoded pixels.
    decoded: int = 0
    environment: dict = field(default_factory=dict)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        return name

    def copy(self, source, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, path)
        return name


@dataclass
class Outcome:
    status: int
    output: str
    errors: str
    seconds: float
    memory: int
    timed_out: bool


def snapshot(folder):
    """The kind of each file below a folder, and the contents of regular files."""
    found = {}
    for path in folder.rglob("*"):
        mode = os.lstat(path).st_mode
        found[path.relative_to(folder)] = (stat.S_IFMT(mode), path.read_bytes() if stat.S_ISREG(mode) and os.lstat(path).st_size < 1 << 22 else None)
    return found


def input_size(folder):
    return sum(os.lstat(p).st_size for p in folder.rglob("*") if stat.S_ISREG(os.lstat(p).st_mode))


def run(case, tools, private):
    """Runs a case. `private` is a folder for its standard output and standard error."""
    usual = "" if IS_SANITIZED else f"ulimit -v {ADDRESS_SPACE >> 10};"
    shell = f"{case.limits or usual} exec \"$0\" \"$@\" {case.redirection}"
    private.mkdir(exist_ok=True)
    (private / "in").write_bytes(case.stdin)
    start = time.monotonic()
    options = {name: os.environ[name] for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if IS_SANITIZED and name in os.environ}
    environment = options | {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": str(private), "TMPDIR": str(private)}
    with open(private / "out", "wb") as out, open(private / "err", "wb") as err, open(private / "in", "rb") as given:
        unread = None
        if not case.is_read:
            end, unread = os.pipe()
            os.close(end)
        process = subprocess.Popen(
            ["/bin/sh", "-c", shell, tools[case.tool], *case.arguments], cwd=case.folder, stdin=given, stdout=out if unread is None else unread, stderr=err,
            env=environment | case.environment, start_new_session=True)
        if unread is not None:
            os.close(unread)
        timed_out, sent, pause = False, False, 0.002
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            passed = time.monotonic() - start
            if case.signal and not sent and passed >= case.delay:
                os.kill(process.pid, case.signal)
                sent = True
            if passed > SECONDS:
                timed_out = True
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(pause * 1.3, 0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = [(private / name).read_bytes().decode("utf-8", "backslashreplace") for name in ("out", "err")]
    return Outcome(process.returncode, *text, time.monotonic() - start, usage.ru_maxrss * 1024, timed_out)


def faults(case, outcome, before, size):
    """The faults of a case's outcome, one sentence each."""
    if outcome.timed_out:
        yield f"does not end within {SECONDS} s"
        return
    sent = case.signal and outcome.status == -case.signal or not case.is_read and outcome.status == -signal.SIGPIPE
    if outcome.status == 127 and "error while loading shared libraries" in outcome.errors:
        return  # the limit prevents the system from starting the tool
    if outcome.status not in STATUSES and not sent:
        last = outcome.errors.strip().splitlines()[-1:] or [""]
        yield f"ends with {'signal ' + signal.Signals(-outcome.status).name if outcome.status < 0 else f'status {outcome.status}'}: {last[0][:300]}"
    allowed = MEMORY_BASE + MEMORY_PER_INPUT_BYTE * size + 8 * case.decoded
    if outcome.memory > allowed and not IS_SANITIZED:
        yield f"takes {outcome.memory >> 20} MB for an input of {size} bytes; expected at most {allowed >> 20} MB"
    lines = [line for line in outcome.errors.split("\n") if line]
    errors = [line for line in lines if not line.startswith("note: ") and not re.match(r"[\w ]+: \d+ of \d+, ", line)]
    readable = "2>" not in case.redirection and "-f " not in case.limits
    if outcome.status > 0 and readable and not 1 <= len(errors) <= case.inputs:
        yield f"prints {len(errors)} lines of errors with status {outcome.status}; expected {case.inputs}: {' / '.join(errors)[:300]}"
    for line in lines:
        if len(line) > LONGEST_LINE:
            yield f"writes a line of {len(line)} characters; expected at most {LONGEST_LINE}"
    for name, text in (("standard output", outcome.output), ("standard error", outcome.errors)):
        hidden = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]", text)
        if hidden:
            yield f"writes the character {ord(hidden[0]):#x} to {name}"
    yield from left_behind(case, before, outcome.status == -signal.SIGKILL)


def left_behind(case, before, is_killed):
    after = snapshot(case.folder)
    for path, (kind, content) in before.items():
        if path not in after:
            yield f"removed {path}"
        elif after[path][0] != kind:
            yield f"replaced {path}, which is a special file"
    for path in after:
        # A killed process cannot clean up; the next process that writes the same file does.
        if is_killed and path.name.startswith(".relevancekit-"):
            continue
        if path not in before and (path.name.startswith(".") or ".sb-" in path.name or path.name.startswith("core")):
            yield f"left {path} behind"


def limit_self():
    """Limits the memory of this script."""
    if not IS_SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
