"""Writes model files with the exporters of common libraries, and reports the tool's results for each file without options.

    python -m checks.make_layouts --relevance PATH --scratch FOLDER --images FOLDER [--only TEXT ...] [--again]

Needs two environments, because TensorFlow and PyTorch require different versions of the same packages:

    pip install -r requirements-layouts.txt              # PyTorch's side
    pip install -r requirements-layouts-tensorflow.txt   # Keras and TensorFlow

The script runs in either environment, makes the cases whose libraries are installed, and keeps each case's row in `--scratch`. The table, layouts.md
beside this script, contains all existing rows. Networks have seeded weights, so no downloads are needed; everything else is written by the library.
Two images from `--images` (JPEG) are prepared by the library's image processor. The library computes the logits to compare with, or ONNX Runtime if
the file is no longer the library's network.

A network with random weights has nearly the same output for every image. Therefore differences are measured relative to the largest difference
between the logits of the two images: a difference of 1 is no better than the wrong image.
"""

import argparse
import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import traceback
import warnings

import numpy as np
from PIL import Image

from checks import layout_cases
from checks.layout_cases import CASES

TABLE = pathlib.Path(__file__).resolve().parent / "layouts.md"


def tool(relevance, *arguments):
    """Runs the tool. Returns its exit status, its standard output and its standard error."""
    command = [str(relevance), *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return run.returncode, run.stdout, run.stderr.strip()


def shown(text, folder):
    """The tool's message without the folder, for a table."""
    text = " ".join(text.replace(str(folder) + "/", "").replace("|", "\\|").split())
    return text if len(text) <= 400 else text[:399] + "…"


def logits(relevance, model, image, output):
    status, _, error = tool(relevance, "predict", model, image, "--save", "npy", "--output", output, "--quiet")
    if status != 0:
        raise RuntimeError(error)
    return np.load(output / image.stem / "logits.npy").ravel()


def outcome(case, folder, images, relevance):
    """The columns of a case: the largest difference, and the tool's messages with any failures."""
    output = folder.parent / "results" / folder.name
    shutil.rmtree(output, ignore_errors=True)
    given = [case.tensor_file(folder, index) for index in range(2)] if case.takes_tensors else images
    expected = [np.asarray(case.logits(case.prepare(Image.open(image).convert("RGB")))).ravel() for image in images]
    spread = np.abs(expected[0] - expected[1]).max()
    if spread < 1e-6 * np.abs(expected[0]).max():
        return ["", "the network has the same output for both images"]
    try:
        found = [logits(relevance, case.location, image, output / "predict") for image in given]
    except RuntimeError as error:
        return ["", shown(f"predict: {error}", folder)]
    if found[0].shape != expected[0].shape:
        return ["", f"finds {found[0].shape} scores; expected {expected[0].shape}"]
    difference = max(np.abs(one - other).max() for one, other in zip(found, expected)) / spread
    column = f"{difference:.1e}" + ("" if difference <= case.tolerance else " **too large**")
    messages = []
    status, printed, error = tool(relevance, "explain", case.location, given[0], "--output", output / "explain")
    if status != 0:
        messages.append(f"**explain: {error}**")
    else:
        messages.append(error.replace(f"{given[0].parent}/", ""))
        best = int(found[0].argmax())
        maps = list((output / "explain" / given[0].stem).glob(f"class{best}.*.npy"))
        if len(found[0]) > 2 and not any(np.isfinite(np.load(path)).all() and np.load(path).any() for path in maps):
            messages.append("**the map is zero or not finite**")
        if case.label and case.label(best) not in printed:
            messages.append(f"**the name of the top class is not {case.label(best)}**")
    for command in ("inspect", "doctor"):
        status, printed, error = tool(relevance, command, case.location)
        if status != 0:
            messages.append(f"**{command}: {error}**")
        (output / command).write_text(printed + error)
    return [column, shown("; ".join(filter(None, messages)), folder)]


def versions(packages):
    return ", ".join(f"{name} {importlib.metadata.version(name).split('+')[0]}" for name in packages)


def row(name, scratch, images, relevance):
    folder = scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    case = CASES[name]
    head = [name, versions(case.packages), case.what]
    part = "exporter"
    try:
        made = case.make(folder)
        part = "library"
        return [*head, *outcome(made, folder, images, relevance)]
    except Exception as error:
        (folder / "error.txt").write_text(traceback.format_exc())
        return [*head, "", f"the {part} fails: {type(error).__name__}: {shown(str(error), folder)[:150]}"]


def table(rows):
    head = ["case", "library", "file", "difference", "messages"]
    lines = [head, ["---"] * len(head), *rows]
    return """# Files of common libraries

Written by `make_layouts.py`. Each file is written by the library's own exporter, with seeded weights, and read by `predict`, `explain`, `inspect` and
`doctor` without options. *Difference*: the largest difference of the logits from those of the library for an image that its own image processor
prepared, relative to the difference between the logits of two images. *Messages*: notes and warnings of `explain`; failures in bold.

""" + "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relevance", required=True, type=pathlib.Path)
    parser.add_argument("--scratch", required=True, type=pathlib.Path)
    parser.add_argument("--images", required=True, type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=[""], metavar="TEXT", help="make only cases with one of these texts in their name")
    parser.add_argument("--again", action="store_true", help="also make existing files again")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    layout_cases.MAKE_AGAIN = arguments.again
    images = sorted(arguments.images.glob("*.JPEG"))[:2]
    rows = arguments.scratch / "rows"
    rows.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        if not case.is_available or not any(text in name for text in arguments.only):
            continue
        found = row(name, arguments.scratch, images, arguments.relevance)
        (rows / f"{name}.json").write_text(json.dumps(found))
        print(" | ".join(found), flush=True)
    # Also the rows from the other environment.
    names = sorted(path.stem for path in rows.glob("*.json"))
    TABLE.write_text(table([json.loads((rows / f"{name}.json").read_text()) for name in names]))


if __name__ == "__main__":
    main()
