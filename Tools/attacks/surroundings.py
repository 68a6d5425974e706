"""Cases with a hostile environment: special files, limits, signals, unwritable streams, command lines."""
import os
import signal
import socket

from .damage import NUMBERS, TEXTS
from .harness import MODEL, SCENES

IMAGE = str(SCENES / "005.png")


def special(case, random, name):
    """A special file in the case's folder; never a device."""
    path = case.folder / name
    match random.randrange(7):
        case 0 | 1: os.mkfifo(path)
        case 2: path.symlink_to(name)
        case 3: path.symlink_to("nowhere/at/all")
        case 4: path.mkdir()
        case 5:
            os.mkfifo(case.folder / "pipe")
            path.symlink_to("pipe")
        case _:
            here = os.open(case.folder, os.O_RDONLY)
            try:  # with a short path: the path of a socket has at most 107 characters
                with socket.socket(socket.AF_UNIX) as place:
                    place.bind(f"/proc/self/fd/{here}/{name}")
            finally:
                os.close(here)
    return name


def special_inputs(random, case):
    match random.randrange(7):
        case 0: case.arguments = ["predict", str(MODEL), special(case, random, random.choice(["a.png", "a.jpg", "a.npy"]))]
        case 1: case.arguments = ["inspect", special(case, random, random.choice(["m.onnx", "m"]))]
        case 2: case.arguments = ["inspect", str(MODEL), "--rules", special(case, random, "r.yaml")]
        case 3:
            case.copy(MODEL, "model")
            name = random.choice(["config.json", "preprocessor_config.json"])
            (case.folder / "model" / name).unlink()
            special(case, random, "model/" + name) if random.random() < 0.7 else os.mkfifo(case.folder / "model" / name)
            case.arguments = ["predict", "model", IMAGE]
        case 4: case.arguments = ["evaluate", "merge", special(case, random, "journal.jsonl"), "--output", "out"]
        case 5: case.arguments = ["evaluate", "border", str(MODEL), special(case, random, random.choice(["d.csv", "d.json", "d"])), "--output", "out"]
        case _:
            (case.folder / "data").mkdir()
            special(case, random, "data/a.png")
            case.arguments = ["predict", str(MODEL), "data"]


def special_outputs(random, case):
    match random.randrange(4):
        case 0:
            case.tool, case.arguments = "convert-model", [str(MODEL / "model.onnx"), special(case, random, "o.onnx")]
        case 1:
            case.arguments = ["explain", str(MODEL), IMAGE, "--output", special(case, random, "out"), "--save", "json,png"]
        case 2:
            (case.folder / "out/005").mkdir(parents=True)
            name = random.choice(["005/maps.png", "005/explanation.html", "report.json"])
            special(case, random, "out/" + name) if random.random() < 0.6 else os.mkfifo(case.folder / "out" / name)
            case.arguments = ["explain", str(MODEL), IMAGE, "--output", "out", "--save", "json,png,html"]
        case _:
            (case.folder / "out").mkdir()
            special(case, random, "out/" + random.choice(["journal.jsonl", "report.md"]))
            case.arguments = evaluation(random) + random.choice([[], ["--resume"]])


def evaluation(random):
    kind = random.choice(["pointing", "border", "ablation", "similarity"])
    return ["evaluate", kind, str(MODEL), str(SCENES / "instances.json"), "--output", "out", "--limit", "3", "--method", "lrp", "--resamples", "20"]


def anything(random):
    """A command that computes and writes files."""
    return random.choice([
        ["explain", str(MODEL), IMAGE, "--output", "out", "--save", "json,png,html,npy", "--target", "top:2"],
        ["predict", str(MODEL), str(SCENES / "001.png"), IMAGE], evaluation(random), ["inspect", str(MODEL)], ["list", "rules"],
        ["predict", str(MODEL), "missing.png"], ["--help"], ["units", str(MODEL), IMAGE, "--layer", "inception_3a_1x1", "--output", "out"],
    ])


def limits(random, case):
    megabytes = random.choice([20, 60, 100, 150, 200, 300, 400, 700, 1000, 2000])
    case.limits = random.choice([
        f"ulimit -v {megabytes * 1000};", f"ulimit -v {megabytes * 1000};", f"ulimit -f {random.choice([0, 1, 2, 8, 64])};", f"ulimit -n {random.choice([3, 4, 5, 6, 8, 12])};",
        f"ulimit -s {random.choice([64, 256, 1024])};", f"ulimit -d {megabytes * 1000};",
    ])
    case.arguments = anything(random)
    if random.random() < 0.3:
        case.arguments = random.choice([
            ["predict", str(MODEL), IMAGE, "--threads", random.choice(["1024", "32", "0", "-1", "99999999999999999999"])],
            ["bench", str(MODEL), "--batch", random.choice(["1000000", "99999999999999", "9223372036854775807", "0", "-1"])],
            ["explain", str(MODEL), IMAGE, "--output", "out", "--method", random.choice(["smoothgrad:samples=1000000000", "integratedGradients:steps=9999999999999"])],
        ])


def signals(random, case):
    case.arguments = random.choice([anything(random), evaluation(random)])
    case.signal = random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGUSR1])
    case.delay = random.random() ** 2 * 0.6
    if random.random() < 0.3:
        case.tool, case.arguments = "convert-model", [str(MODEL / "model.onnx"), "out.onnx"]


def streams(random, case):
    case.arguments, case.inputs = anything(random), 2
    case.redirection = random.choice([
        ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full", ">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-", "", "",
    ])
    case.is_read = case.redirection != ""


WORDS = [
    "predict", "explain", "inspect", "doctor", "lab", "units", "evaluate", "bench", "list", "merge", "pointing", "help", "--help", "--version", "-h", "-q", "-v", "-qv",
    "--output", "--top", "--target", "--method", "--rules", "--save", "--fit", "--threads", "--why", "--receptive-field", "conv1@1,2", "conv1@9223372036854775807,-1", "conv1@", "--layer", "--rule", "--seed", "--limit", "--batch", "--input", "--output-node",
    "--channel-range", "--scale", "--shard", "--resume", "--ledger", "--outputs", "--", "-", "=", "--top=", "--output=", "-dash.npy", "-5", "--no-such", "@file", "/dev/stdin", ".",
    "top:1", "class:0", "class:99999999999999999999", "class:9223372036854775807", "unit:conv1/9223372036854775807@9223372036854775807,0", "label:x", "region:0", "box:1", "box:9223372036854775807", "cosine:input.npy", "cosine:", "unit:conv1/0@1,2", "lrp", "clrp1:strength=nan", "zPlus", "epsilon:e=1e-3..1x7", "gamma:g=1e400", "png", "npy",
    "epsilon:e=1e-45..2e-45x100", "fixed:1e-300", "common", "1/3", "1/0", "0/0", "-1,1", "nan,nan", "1e38,1e39", "native", "whole",
]


def command_lines(random, case):
    tool = random.choice(["relevance"] * 4 + ["convert-model"])
    case.tool, case.inputs = tool, 9
    arguments = random.choice([[], ["predict", str(MODEL), IMAGE], ["explain", str(MODEL), IMAGE], ["lab", str(MODEL), IMAGE, "--layer", "conv1"], ["inspect", str(MODEL)], ["units", str(MODEL), IMAGE], evaluation(random)])
    if tool == "convert-model":
        arguments = [str(MODEL / "model.onnx"), "out.onnx"]
    arguments = list(arguments)
    for _ in range(random.randint(0 if arguments else 1, 4)):
        arguments.insert(random.randint(0, len(arguments)), random.choice(random.choice([WORDS, WORDS, NUMBERS, TEXTS])))
    # Commands write only below the case's folder, and read no endless files.
    case.arguments = [a for a in arguments if a not in ("/dev/zero", "..", "../../../etc/passwd")]
