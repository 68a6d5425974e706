"""Converts networks with `convert-model`, and compares the converted with the original networks in ONNX Runtime.

    python -m checks.check_conversions --tool PATH --scratch FOLDER [--torchvision FOLDER] [--models FOLDER] [--wheel FILE] [--only TEXT]

`PATH` is the built tool (`swift build -c release --product convert-model`). Converts the networks of the repository, with seeded weights in
`--scratch` (2.2 GB, written once); the exports of sweep_torchvision.py in `--torchvision`; every .onnx file below `--models`; the network of
check_tumor.py's wheel; and the fixtures of operators, vectors, random graphs and the zoo. Each is converted in four ways. A conversion passes if
onnx's checker accepts it with inferred shapes (`full_check`), if input and output keep their names, and if ONNX Runtime with default options
computes the same from both files.

Writes conversions.md beside this script, unless `--only` selects networks or families by a part of their name. Exit status 1: a conversion failed.
Every conversion is deleted after the comparison; the largest has 553 MB.
"""

import argparse
import dataclasses
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime

from checks.conversion_cases import FAMILIES, Subject, input_for, networks

TABLE = pathlib.Path(__file__).resolve().parent / "conversions.md"
# variant: (options, the allowed difference of the output relative to its largest element)
VARIANTS = {
    "default": ([], 1e-5),
    "inline": (["--inline"], 1e-5),
    "half": (["--half"], 1e-2),
    "folded": (["--fold-batch-norm"], 1e-5),
}


@dataclasses.dataclass
class Result:
    """The result of a conversion; `problem` is the reason why it failed."""

    difference: float = 0.0
    nodes: int = 0
    bytes: int = 0
    problem: str = ""


def compute(path, values):
    """The first output for an input, in single precision, and the names of both."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 4
    network = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry, output = network.get_inputs()[0], network.get_outputs()[0]
    kind = {"tensor(float16)": np.float16, "tensor(double)": np.float64}.get(entry.type, np.float32)
    return network.run([output.name], {entry.name: values.astype(kind)})[0].astype(np.float32), [entry.name, output.name]


def expectation(subject):
    """The output of the original, and the names of its input and output."""
    try:
        return compute(subject.path, subject.values)
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        graph = onnx.load(str(subject.path)).graph
        return subject.output, [graph.input[0].name, graph.output[0].name]


def difference(found, expected):
    """The largest difference, relative to the largest expected element; infinities and NaN must be in the same places."""
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    largest = np.abs(expected[finite]).max(initial=0)
    return float(np.abs(found[finite] - expected[finite]).max(initial=0) / (largest or 1))


def compare(target, subject, expected, names, limit):
    """The result for a conversion in the file `target`."""
    onnx.checker.check_model(str(target), full_check=True)
    nodes = len(onnx.load(str(target), load_external_data=False).graph.node)
    result = Result(nodes=nodes, bytes=sum(path.stat().st_size for path in target.parent.iterdir()))
    found, found_names = compute(target, subject.values)
    if found_names != names or found.shape != expected.shape:
        result.problem = f"found {found_names} of shape {found.shape}; expected {names} of shape {expected.shape}"
        return result
    result.difference = difference(found, expected)
    if not result.difference <= limit:
        result.problem = f"the output differs by {result.difference:.1e}; expected at most {limit:.0e}"
    return result


def convert(subject, variant, tool, expected, names):
    """Converts in one way and compares. Deletes the files afterward."""
    options, limit = VARIANTS[variant]
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "converted.onnx"
        run = subprocess.run([str(tool), str(subject.path), str(target), *options], capture_output=True, text=True)
        if run.returncode != 0:
            return Result(problem=f"exit status {run.returncode}: {run.stderr.strip()}")
        try:
            return compare(target, subject, expected, names, max(limit, subject.tolerance))
        except Exception as error:
            return Result(problem=f"{type(error).__name__}: {error}".strip())


def results(subject, tool):
    """The result of each variant. Prints failures."""
    expected, names = expectation(subject)
    found = {variant: convert(subject, variant, tool, expected, names) for variant in VARIANTS}
    for variant, result in found.items():
        if result.problem:
            print(f"FAILS: {subject.name}, {variant}: {result.problem}", flush=True)
    return found


def problems(found):
    return sum(bool(result.problem) for result in found.values())


def file_bytes(path):
    """The bytes of a model and of its external data."""
    model = onnx.load(str(path), load_external_data=False)
    entries = (entry for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location")
    return path.stat().st_size + sum((path.parent / name).stat().st_size for name in {entry.value for entry in entries})


def network_row(name, path, found):
    nodes = len(onnx.load(str(path), load_external_data=False).graph.node)
    differences = ["fails" if result.problem else f"{result.difference:.1e}" for result in found.values()]
    counts = [nodes, found["default"].nodes, found["folded"].nodes]
    sizes = [file_bytes(path), found["default"].bytes, found["half"].bytes]
    return [name, *map(str, counts), *(f"{size / 1e6:.1f}" for size in sizes), *differences]


def family_rows(name, cases):
    """A row for each variant, from a list of (name, results)."""
    for variant in VARIANTS:
        worst, found = max(cases, key=lambda case: case[1][variant].difference)
        failures = sum(bool(found[variant].problem) for _, found in cases)
        yield [name, str(len(cases)), variant, str(failures), f"{found[variant].difference:.1e}", worst]


def markdown(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def table(rows, families):
    head = ["network", "nodes", "converted", "folded", "MB", "converted", "half", *VARIANTS]
    limits = ", ".join(f"{name} {limit:.0e}" for name, (_, limit) in VARIANTS.items())
    return f"""# Results of convert-model

Written by `check_conversions.py`: onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__} with default options. Every conversion passes
`onnx.checker.check_model` with `full_check` and keeps the names of input and output. The numbers are the largest difference between the outputs of
the converted file and of the original, relative to the largest output. The limits are: {limits}.
The variants are those of the tool: *default* with external weights, `--inline`, `--half`, and *folded* with `--fold-batch-norm`.

## Networks
The number of nodes of the original, the default and the folded file; the size in MB of the original, the default and the half file.

{markdown(head, rows)}
## Fixtures
The largest difference in each family, and its case. For a vector in half precision, its own tolerance is used.

{markdown(["family", "cases", "variant", "failures", "largest difference", "case"], families)}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path, help="the built convert-model")
    parser.add_argument("--scratch", required=True, type=pathlib.Path, help="a folder for the generated weights")
    parser.add_argument("--torchvision", type=pathlib.Path, help="a folder of exports")
    parser.add_argument("--models", type=pathlib.Path, help="a folder of further networks")
    parser.add_argument("--wheel", type=pathlib.Path, help="the wheel with a network from tf2onnx")
    parser.add_argument("--only", default="", metavar="TEXT", help="check only names with TEXT, and write no file")
    arguments = parser.parse_args()
    rows, families, failures = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in (name for name in FAMILIES if arguments.only in name):
            cases = [(case.name, results(case, arguments.tool)) for case in FAMILIES[name](folder)]
            families += family_rows(name, cases)
            failures += sum(problems(found) for _, found in cases)
            print("\n".join(" | ".join(row) for row in families[-len(VARIANTS) :]), flush=True)
        sources = arguments.scratch, arguments.torchvision, arguments.models, arguments.wheel
        for name, path in networks(*sources, folder):
            if arguments.only in name:
                found = results(Subject(name, path, input_for(path)), arguments.tool)
                rows.append(network_row(name, path, found))
                failures += problems(found)
                print(" | ".join(rows[-1]), flush=True)
    if not arguments.only:
        TABLE.write_text(table(rows, families))
    if failures:
        raise SystemExit(f"{failures} conversions failed")


if __name__ == "__main__":
    main()
