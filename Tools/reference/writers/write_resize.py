"""Writes Fixtures/resize: random resizing with ONNX Runtime's outputs.

    python -m writers.write_resize [--count N] [--seed N] [--folder FOLDER]

cases.json contains the parameters, and outputs.npy all outputs in succession. Element i of an input is (7919 i mod 1009) / 1009 in single precision.
Cases that ONNX Runtime rejects are replaced. With half of the factors, positions are on multiples of ½, or beside them because of rounding.
"""

import argparse
import json
import pathlib
import random

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import storage
from onnx_files import FIXTURES
from runtime import run

FOLDER = FIXTURES / "resize"
OPSETS = (7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 17, 18, 18, 19, 19)
FACTORS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1 / 3, 2 / 3, 1.1, 1.2, 1.25, 1.3, 1.4, 1.5, 1.6, 1.75, 4 / 3, 5 / 3, 2, 2.2, 2.5, 3)
FRAMES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric", "tf_half_pixel_for_nn")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def values(shape):
    """The input with a shape."""
    return ((np.arange(np.prod(shape)) * 7919 % 1009).astype(np.float32) / np.float32(1009)).reshape(shape)


def draw(source):
    """The parameters of a case."""
    opset, rank = source.choice(OPSETS), source.choice((3, 4, 4, 4, 4, 5))
    most = {3: 14, 4: 11, 5: 5}[rank]
    shape = [source.randint(1, 2), source.randint(1, 3)] + [source.randint(1, most) for _ in range(rank - 2)]
    case = {"opset": opset, "shape": shape, "mode": source.choice(("nearest", "nearest", "linear"))}
    resized = range(source.choice((0, 1, 2, 2, 2, 2)), rank)
    chosen = sorted(source.sample(resized, source.randint(1, len(resized))) if source.random() < 0.4 else resized)
    factor = lambda: float(np.float32(source.choice(FACTORS) if source.random() < 0.5 else source.uniform(0.3, 2.6)))
    if opset < 10:
        factor = lambda: float(np.float32(source.choice([f for f in FACTORS if f > 1] + [1.0])))
    axes = chosen if opset >= 18 and source.random() < 0.4 else list(range(rank))
    if axes is chosen:
        case["axes"] = axes if source.random() < 0.5 else [axis - rank for axis in axes]
    if opset >= 11 and source.random() < 0.5:
        case["sizes"] = [source.randint(1, 2 * shape[axis] + 2) if axis in chosen else shape[axis] for axis in axes]
        # With negative axes, ONNX Runtime keeps all extents with these policies, contrary to ONNX's definition.
        if opset >= 18 and source.random() < 0.3 and min(case.get("axes", [0])) >= 0:
            case["policy"] = source.choice(("not_larger", "not_smaller"))
    else:
        case["scales"] = [factor() if axis in chosen else 1.0 for axis in axes]
    if opset >= 11:
        case["frame"] = source.choice(FRAMES if opset >= 13 else FRAMES[:4])
        if case["mode"] == "nearest":
            case["rounding"] = source.choice(ROUNDINGS)
    return case


def model(case):
    """The case as a model of one node."""
    opset, attributes = case["opset"], {"mode": case["mode"]}
    inputs, weights = ["x"], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(array, name))
        inputs.append(name)

    scales = np.array(case.get("scales", []), np.float32)
    if opset < 9:
        attributes["scales"] = scales.tolist()
    elif opset < 11:
        constant("scales", scales)
    else:
        constant("roi", np.zeros(0, np.float32))
        constant("scales", scales)
        if "sizes" in case:
            constant("sizes", np.array(case["sizes"], np.int64))
            if opset >= 13:
                inputs[2] = ""
        names = {"frame": "coordinate_transformation_mode", "rounding": "nearest_mode", "axes": "axes", "policy": "keep_aspect_ratio_policy"}
        attributes |= {name: case[key] for key, name in names.items() if key in case}
    node = helper.make_node("Resize" if opset >= 10 else "Upsample", inputs, ["y"], **attributes)
    imports = [helper.make_opsetid("", opset)]
    version = max(helper.find_min_ir_version_for(imports), 4)
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, case["shape"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=imports, ir_version=version).SerializeToString()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    source = random.Random(arguments.seed)
    cases, outputs, refused = [], [], 0
    while len(cases) < arguments.count:
        case = draw(source)
        try:
            output = run(model(case), values(case["shape"]))
        except Exception:
            refused += 1
            continue
        if not 0 < output.size <= 250:
            continue
        cases.append(case | {"output": list(output.shape)})
        outputs.append(output.ravel())
    rows = ",\n".join("  " + json.dumps(case) for case in cases)
    flat = storage.npy(np.concatenate(outputs).astype(np.float32))
    storage.pack(arguments.folder, {"cases.json": f"[\n{rows}\n]\n", "outputs.npy": flat})
    print(f"{len(cases)} cases, {sum(output.size for output in outputs)} elements; {refused} rejected")


if __name__ == "__main__":
    main()
