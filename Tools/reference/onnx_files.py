"""ONNX files whose weights are described instead of stored."""

import json
import math
import pathlib
from typing import NamedTuple

import numpy as np
import onnx

import storage
from seeded import write_seeded_file
from storage import FIXTURES

ALIGNMENT = 64
LARGEST_INLINE_COUNT = 16
FLOATING = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)


class Ranges(NamedTuple):
    """The distribution of seeded weights: the power for matrices and kernels, and the bounds of all other tensors."""

    power: int = 1
    bias: float = 0.05
    scale: tuple = (0.5, 1.5)
    shift: float = 0.1


def strip_annotations(model):
    """Removes documentation and metadata, in which exporters record source files and stack traces."""

    def strip(message):
        for field in ("doc_string", "metadata_props"):
            if field in message.DESCRIPTOR.fields_by_name:
                message.ClearField(field)

    strip(model)
    graph = model.graph
    strip(graph)
    for group in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer):
        for message in group:
            strip(message)


def initializer_roles(model):
    """For each initializer, the (operator, input position) that reads it, also through Identity nodes."""
    source = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Identity"}
    roles = {}
    for node in model.graph.node:
        if node.op_type == "Identity":
            continue
        for position, name in enumerate(node.input):
            while name in source:
                name = source[name]
            roles.setdefault(name, (node, position))
    return roles


def value_range(tensor, role, ranges):
    """The range of a seeded tensor: He initialization for weights, biases of both signs, variances near 1.

    Weights with an odd `power` have a wider range, so that their variance is also that of He initialization.
    """
    node, position = role
    if node.op_type == "BatchNormalization":
        return {1: ranges.scale, 4: (0.5, 1.5)}.get(position, (-ranges.shift, ranges.shift))
    if len(tensor.dims) < 2:
        return (-ranges.bias, ranges.bias)
    if node.op_type == "Gemm":
        transposed = any(a.name == "transB" and a.i == 1 for a in node.attribute)
        fan_in = tensor.dims[1 if transposed else 0]
    elif node.op_type == "Conv":
        fan_in = math.prod(tensor.dims[1:])
    else:
        raise ValueError(f"{tensor.name}: no range for an input of {node.op_type}")
    bound = round(math.sqrt(2.0 * (2 * ranges.power + 1) / fan_in), 6)
    return (-bound, bound)


def describe_weights(model, first_seed, ranges, drawn=None):
    """Replaces larger floating-point initializers by references to weights.bin; returns their descriptions for weights.json.

    `drawn` contains the seed, low and high of tensors by name, for tensors whose range does not follow from their operator.
    """
    roles = initializer_roles(model) if drawn is None else {}
    tensors, end = [], 0
    for tensor in model.graph.initializer:
        count = math.prod(tensor.dims)
        if tensor.data_type not in FLOATING or count <= LARGEST_INLINE_COUNT:
            continue
        if tensor.data_type != onnx.TensorProto.FLOAT:
            raise ValueError(f"{tensor.name}: only float32 weights are described")
        seed = first_seed + len(tensors)
        if drawn is None:
            low, high = value_range(tensor, roles[tensor.name], ranges)
        else:
            seed, low, high = drawn[tensor.name]
        offset = -(-end // ALIGNMENT) * ALIGNMENT
        end = offset + 4 * count
        entry = dict(name=tensor.name, offset=offset, count=count, low=low, high=high, seed=seed)
        if ranges.power != 1 and len(tensor.dims) >= 2:
            entry["power"] = ranges.power
        tensors.append(entry)
        for field in ("raw_data", "float_data", "external_data"):
            tensor.ClearField(field)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights.bin"), ("offset", offset), ("length", 4 * count)):
            tensor.external_data.add(key=key, value=str(value))
    return {"file": "weights.bin", "bytes": end, "tensors": tensors}


def write_described(model, folder, first_seed=0, ranges=Ranges(), drawn=None):
    """Writes model.onnx and weights.json into the archive of `folder`; the weights are seeded, with the ranges of `ranges` or `drawn`."""
    strip_annotations(model)
    description = describe_weights(model, first_seed, ranges, drawn)
    rows = ",\n".join("    " + json.dumps(tensor) for tensor in description["tensors"])
    text = f'{{\n  "file": "weights.bin",\n  "bytes": {description["bytes"]},\n  "tensors": [\n{rows}\n  ]\n}}\n'
    storage.pack(folder, {"model.onnx": model.SerializeToString(deterministic=True), "weights.json": text})
    return description


def complete_model(name, scratch):
    """Makes `scratch/name`, a copy of the fixture with weights.bin; returns the path of its model.onnx."""
    source, target = FIXTURES / "networks" / name, pathlib.Path(scratch) / name
    target.mkdir(parents=True, exist_ok=True)
    model, weights = target / "model.onnx", target / "weights.bin"
    description = storage.read(source / "weights.json")
    stamp = target / "weights.json"
    if not stamp.exists() or stamp.read_bytes() != description:
        write_seeded_file(weights, json.loads(description))
        stamp.write_bytes(description)
    model.write_bytes(storage.read(source / "model.onnx"))
    return model


def load_weights(path):
    """An ONNX model, and all of its initializers as a dictionary of arrays."""
    model = onnx.load(str(path))
    return model, {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def to_float32(array):
    """A C-contiguous float32 array, the format of the .npy fixtures."""
    return np.ascontiguousarray(array, dtype=np.float32)
