"""Converts every .onnx file below a folder with `convert-model`, and compares the converted with the original files in ONNX Runtime.

    python -m checks.check_published FOLDER --tool PATH [--only TEXT] [--workers N] [--list]

`PATH` is the built tool (`swift build -c release --product convert-model`). The files can have several inputs, open extents and any types. Inputs
are seeded random numbers of the declared types; all except the one that remains an input of the converted file are also given to the tool. A
conversion passes if onnx's checker accepts it, if its output is a value of the original, and if ONNX Runtime computes the same from both files
within 1e-4 of the largest element (2e-3 if the original computes in half precision).

Prints the numbers of files that pass, that the tool rejects, and that cannot be compared because ONNX Runtime does not run the original, and one
line for each file that differs. `--list` prints a line for every file. Exit status 1: a file differs, or the tool ended with neither a result nor
an error.
"""

import argparse
import collections
import multiprocessing
import pathlib
import subprocess
import tempfile
import zlib
from multiprocessing.pool import ThreadPool

import numpy as np
import onnx
import onnxruntime

TOLERANCE, HALF_TOLERANCE = 1e-4, 2e-3
REFUSALS = {64, 65, 66}
SECONDS = 120
# The values to try for open extents, in order.
SIDES = (224, 64, 32, 28, 320, 8, 1)


def network(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    source = model if isinstance(model, str) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def element_type(entry):
    names = {"float": "float32", "double": "float64"}
    name = entry.type.removeprefix("tensor(").removesuffix(")")
    return np.dtype(names.get(name, name))


def value_for(entry, shape, side, seed):
    """Random numbers of an input's type. Open extents are 1 (the first axis), 3 (channels) or `side`."""
    extents = []
    for axis, extent in enumerate(shape):
        if isinstance(extent, int) and extent > 0:
            extents.append(extent)
        elif axis == 0:
            # Statistics over a batch of one item would have no variance.
            extents.append(1 if len(shape) == 4 else 4)
        else:
            last = isinstance(shape[-1], int) and shape[-1] in (1, 3)
            extents.append(3 if axis == 1 and len(shape) == 4 and not last else side)
    random, kind = np.random.default_rng(seed), element_type(entry)
    if kind.kind == "f":
        return random.random(extents).astype(kind)
    return random.integers(0, 2, extents).astype(kind)


def inputs_of(model):
    constants = {tensor.name for tensor in model.graph.initializer}
    return [entry.name for entry in model.graph.input if entry.name not in constants]


def shapes_of(session):
    return {entry.name: list(entry.shape) for entry in session.get_inputs()}


def feeds(session, shapes, name):
    """The values to try, by name: as few as are sufficient to find differences."""
    entries = session.get_inputs()
    open_extents = any(not isinstance(extent, int) for entry in entries for extent in shapes[entry.name])
    for side in SIDES if open_extents else SIDES[:1]:
        yield {
            entry.name: value_for(entry, shapes[entry.name], side, zlib.crc32(f"{name} {index}".encode()))
            for index, entry in enumerate(entries)
        }


def with_output(model, name):
    """The model with a value as an output, or None if it has no such value."""
    if any(output.name == name for output in model.graph.output):
        return model
    if not any(name in node.output for node in model.graph.node):
        return None
    model.graph.output.append(onnx.ValueInfoProto(name=name))
    return model


def first_run(session, candidates, outputs):
    """The outputs for the first values that the network accepts, and these values."""
    problem = None
    for values in candidates:
        try:
            return session.run(outputs, values), values
        except Exception as error:
            problem = error
    raise problem


def computes_half(model):
    kinds = {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    values = [*model.graph.input, *model.graph.output]
    return any(tensor.data_type in kinds for tensor in model.graph.initializer) or any(
        value.type.tensor_type.elem_type in kinds for value in values
    )


def difference(found, expected):
    """The largest difference relative to the largest expected element; infinite if the sizes or the positions of finite elements differ."""
    found, expected = (np.asarray(array, np.float64).ravel() for array in (found, expected))
    finite = np.isfinite(expected)
    if found.size != expected.size or not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    largest = np.abs(expected[finite]).max(initial=0)
    distance = np.abs(found[finite] - expected[finite]).max(initial=0)
    return float(distance / largest) if distance > 1e-7 else 0.0


def rounds(model):
    """Whether the network rounds values to integers."""
    names = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "Round"}
    return any(node.op_type in names for node in model.graph.node)


def otherwise_equal(found, expected):
    """Whether nearly all elements are equal, or all are nearly equal: sums in another order may be rounded to the next integer."""
    distances = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64)).ravel()
    largest = np.abs(expected).max()
    return np.mean(distances > TOLERANCE * largest) <= 0.1 or distances.max() <= 0.02 * largest


def convert(tool, source, target, values):
    """Runs the tool with values for inputs. Returns its exit status and its last line."""
    options = []
    for index, (name, value) in enumerate(values.items()):
        path = target.parent / f"input-{index}.npy"
        np.save(path, value.astype(np.float32))
        options += ["--input", f"{name}={path}"]
    run = subprocess.run(
        [str(tool), str(source), str(target), "--inline", *options], capture_output=True, text=True, timeout=SECONDS
    )
    lines = run.stderr.strip().splitlines()
    return run.returncode, lines[-1] if lines else ""


def outcome(tool, path, folder):
    """The outcome of a file: a word, and the reason."""
    try:
        model = onnx.load(str(path))
        model_network = network(str(path))
        candidates = list(feeds(model_network, shapes_of(model_network), path.name))
        given, unrun = candidates[0], None
    except Exception as error:
        # The result for such a file is not compared, but the tool must not fail.
        model, candidates, given, unrun = None, [], {}, f"{type(error).__name__}: {error}"
    target = folder / "converted.onnx"
    # The image is probably the first floating-point input of rank 4, or else the first input. Otherwise the tool reports an error.
    image = next((name for name, value in given.items() if value.ndim == 4), next(iter(given), None))
    if given and len(given) > 1:
        # Values that the network accepts for all of its inputs together.
        try:
            _, given = first_run(model_network, candidates, None)
        except Exception as error:
            unrun = f"{type(error).__name__}: {error}"
    others = {name: value for name, value in given.items() if name != image and value.dtype.kind in "fiub"}
    status, reason = convert(tool, path, target, others)
    if status in REFUSALS:
        return "refused", reason
    if status != 0:
        return "FAILS", f"exit status {status}: {reason}"
    try:
        onnx.checker.check_model(str(target), full_check=True)
        converted = onnx.load(str(target))
        converted_network = network(str(target))
    except Exception as error:
        return "not run" if unrun else "FAILS", f"{type(error).__name__}: {error}"
    if unrun:
        return "not run", unrun
    output, stays = converted.graph.output[0].name, inputs_of(converted)
    if model.graph.output[0].name in inputs_of(model):
        # A network without nodes: the converted file has a node, whose output cannot have the name of the input.
        output = model.graph.output[0].name
    extended = with_output(model, output)
    if extended is None:
        return "DIFFERS", f"the original has no value {output}"
    unknown = [name for name in stays if name not in given]
    if unknown:
        return "DIFFERS", f"the original has no input {unknown}"
    # Uses the extents of the converted file for open extents of the original.
    shapes = {**{name: list(value.shape) for name, value in others.items()}, **shapes_of(converted_network)}
    wanted = shapes_of(model_network) | shapes
    try:
        original = network(extended)
        expected, values = first_run(original, (values | others for values in feeds(original, wanted, path.name)), [output])
    except Exception as error:
        return "not run", f"{type(error).__name__}: {error}"
    types = {entry.name: element_type(entry) for entry in converted_network.get_inputs()}
    found = converted_network.run(None, {name: values[name].astype(types[name]) for name in stays})
    if np.shape(found[0]) != np.shape(expected[0]):
        return "DIFFERS", f"shape {np.shape(found[0])}; expected {np.shape(expected[0])}"
    distance, limit = difference(found[0], expected[0]), HALF_TOLERANCE if computes_half(model) else TOLERANCE
    if distance > limit and rounds(model) and otherwise_equal(found[0], expected[0]):
        return "equal except for rounding steps", f"{distance:.1e}"
    return ("equal" if distance <= limit else "DIFFERS"), f"{distance:.1e}"


def work(tool, path, answers):
    with tempfile.TemporaryDirectory() as folder:
        try:
            answers.put(outcome(tool, path, pathlib.Path(folder)))
        except subprocess.TimeoutExpired:
            answers.put(("FAILS", f"does not end within {SECONDS} s"))
        except Exception as error:
            answers.put(("DIFFERS", f"{type(error).__name__}: {error}"))


def alone(arguments):
    """The outcome, computed in a separate process, because ONNX Runtime may crash."""
    tool, path = arguments
    answers = CONTEXT.SimpleQueue()
    process = CONTEXT.Process(target=work, args=(tool, path, answers))
    process.start()
    process.join(2 * SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return path, ("not run", "ONNX Runtime crashed or did not end") if answers.empty() else answers.get()


CONTEXT = multiprocessing.get_context("fork")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tool", required=True, type=pathlib.Path, help="the built convert-model")
    parser.add_argument("--only", default="", metavar="TEXT", help="check only paths with TEXT")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print a line for every file")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*.onnx") if arguments.only in str(path))
    counts = collections.Counter()
    # Each thread waits for a process.
    with ThreadPool(arguments.workers) as pool:
        for path, (word, reason) in pool.imap_unordered(alone, [(arguments.tool, path) for path in paths]):
            counts[word] += 1
            if arguments.list or word.isupper():
                print(f"{word}: {path.relative_to(arguments.folder)}: {' '.join(reason.split())[:300]}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "no file")
    if any(word.isupper() for word in counts):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
