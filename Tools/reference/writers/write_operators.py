"""Writes the single-operator models with their inputs and ONNX Runtime's outputs.

    python -m writers.write_operators
"""

import json
import shutil

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_files import FIXTURES
from runtime import run
from seeded import seeded_tensor
from writers.attention_cases import CASES

# Of an input with more elements, the shape and the seed are written.
LARGEST_INPUT = 1 << 16


def constant(value, seed):
    """The array for a description: an array, a shape, or ("positive", shape)."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    if len(value) == 2 and value[0] == "positive":
        return seeded_tensor(seed, value[1], 0.5, 1.5)
    return seeded_tensor(seed, value)


def node(operator, inputs, outputs, attributes, seed):
    """A node; an attribute ("tensor", shape) becomes a seeded tensor, ("graph", nodes, output, its shape) a graph."""
    attributes = dict(attributes)
    for key, value in attributes.items():
        if isinstance(value, tuple) and value[0] == "tensor":
            attributes[key] = numpy_helper.from_array(seeded_tensor(seed, value[1]))
        elif isinstance(value, tuple) and value[0] == "graph":
            _, entries, output, shape = value
            result = helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape)
            attributes[key] = helper.make_graph([node(*entry, seed) for entry in entries], key, [], [result])
    return helper.make_node(operator, inputs, outputs, **attributes)


def build(name, case, seed, output_shape):
    """The model. Before version 4 of the format, initializers are also graph inputs."""
    opset = [helper.make_opsetid("", case["opset"])]
    version = helper.find_min_ir_version_for(opset)
    constants = {key: constant(value, seed + 1 + i) for i, (key, value) in enumerate(case["constants"].items())}
    shape, output_shape = list(case["shape"]), output_shape and list(output_shape)
    if case.get("symbolic"):
        shape[0] = "batch"
        output_shape = output_shape and ["batch", *output_shape[1:]]
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]
    if version < 4:
        for key, array in constants.items():
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            inputs.append(helper.make_tensor_value_info(key, kind, array.shape))
    graph = helper.make_graph(
        [node(*entry, seed + 50) for entry in case["nodes"]],
        name,
        inputs,
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(array, key) for key, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=opset, ir_version=version, producer_name="RelevanceKit")
    if output_shape is not None:
        onnx.checker.check_model(model, full_check=True)
    return model


def write_case(name, case, seed):
    folder = FIXTURES / "operators" / name
    folder.mkdir(parents=True, exist_ok=True)
    values = seeded_tensor(seed, case["shape"])
    result = run(build(name, case, seed, None).SerializeToString(), values)
    model = build(name, case, seed, result.shape).SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(model)
    if values.size > LARGEST_INPUT:
        (folder / "input.json").write_text(json.dumps({"shape": list(values.shape), "seed": seed}) + "\n")
    else:
        np.save(folder / "input.npy", values)
    np.save(folder / "output.npy", run(model, values))


def main():
    shutil.rmtree(FIXTURES / "operators", ignore_errors=True)
    for index, (name, case) in enumerate(CASES.items()):
        try:
            write_case(name, case, 100_000 + 100 * index)
        except Exception as error:
            raise RuntimeError(f"operator case {name} (opset {case['opset']})") from error
    print(f"{len(CASES)} operator cases")


if __name__ == "__main__":
    main()
