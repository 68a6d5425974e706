"""Writes Fixtures/quantized: networks that ONNX Runtime has quantized or optimized, and its own operators.

    python -m writers.write_quantized

`static-…`, `dynamic-…`: a small network quantized by onnxruntime.quantization, as written and as saved by the optimizer. `saved-…`: a floating-point
network as saved by the optimizer at the levels basic, extended and all; the last one depends on the processor (blocks of 16 channels with AVX-512,
otherwise of 8). `op-…`: single operators of the domain com.microsoft, and integer operators.
"""

import logging
import pathlib
import shutil
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from onnx_files import FIXTURES, strip_annotations
from runtime import run
from seeded import seeded_tensor

FOLDER = FIXTURES / "quantized"
LEVELS = {
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


def model(nodes, weights, shape, opset=17, element=TensorProto.FLOAT):
    """A model of nodes (operator, inputs, outputs, attributes) from `x` to `y`."""
    made = [helper.make_node(op, taken, out, **attributes) for op, taken, out, attributes in nodes]
    domains = {node.domain for node in made} - {""}
    graph = helper.make_graph(
        made,
        "quantized",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in sorted(domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="RelevanceKit")


def network(seed, classes=10):
    """Convolutions, a residual connection, pooling of each kind, a gate, a fully connected layer."""
    draw = iter(range(seed, seed + 100))

    def weight(*shape, scale=1.0):
        return seeded_tensor(next(draw), shape) * np.float32(scale)

    weights = {
        "w1": weight(8, 3, 3, 3, scale=0.5), "b1": weight(8, scale=0.2), "w2": weight(16, 8, 3, 3, scale=0.3), "b2": weight(16, scale=0.2),
        "w3": weight(16, 1, 3, 3, scale=0.6), "b3": weight(16, scale=0.2), "w4": weight(16, 16, 1, 1, scale=0.4), "b4": weight(16, scale=0.2),
        "w5": weight(16, classes, scale=0.8), "b5": weight(classes, scale=0.2),
    }  # fmt: skip
    nodes = [
        ("Conv", ["x", "w1", "b1"], ["c1"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["c1"], ["r1"], {}),
        ("MaxPool", ["r1"], ["m1"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", ["m1", "w2", "b2"], ["c2"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["c2"], ["r2"], {}),
        ("Conv", ["r2", "w3", "b3"], ["c3"], {"pads": [1, 1, 1, 1], "group": 16}),
        ("LeakyRelu", ["c3"], ["r3"], {"alpha": 0.1}),
        ("Conv", ["r3", "w4", "b4"], ["c4"], {}),
        ("Add", ["c4", "r2"], ["s4"], {}),
        ("Relu", ["s4"], ["r4"], {}),
        ("AveragePool", ["r4"], ["a4"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Sigmoid", ["a4"], ["g4"], {}),
        ("Mul", ["a4", "g4"], ["p4"], {}),
        ("Concat", ["p4", "a4"], ["k4"], {"axis": 2}),
        ("GlobalAveragePool", ["k4"], ["v4"], {}),
        ("Flatten", ["v4"], ["f4"], {}),
        ("Gemm", ["f4", "w5", "b5"], ["y"], {}),
    ]
    return model(nodes, weights, [1, 3, 12, 12])


def blocks(seed):
    """Layers whose channels do and do not fill blocks of 8 and 16, for the optimizer's layout in blocks."""
    draw = iter(range(seed, seed + 100))

    def weight(*shape, scale=0.3):
        return seeded_tensor(next(draw), shape) * np.float32(scale)

    weights = {
        "w1": weight(24, 3, 3, 3), "b1": weight(24), "w2": weight(24, 1, 3, 3), "b2": weight(24), "w3": weight(32, 24, 1, 1),
        "w4": weight(20, 32, 3, 3, scale=0.15), "b4": weight(20), "w5": weight(32, 16, 3, 3), "up": np.array([1, 1, 2, 2], np.float32),
        "w6": weight(12, 52, 1, 1),
    }  # fmt: skip
    pads = {"pads": [1, 1, 1, 1]}
    nodes = [
        ("Conv", ["x", "w1", "b1"], ["c1"], pads | {"strides": [2, 2]}),
        ("Clip", ["c1", "", "six"], ["r1"], {}),
        ("Conv", ["r1", "w2", "b2"], ["c2"], pads | {"group": 24}),
        ("Relu", ["c2"], ["r2"], {}),
        ("Conv", ["r2", "w3"], ["c3"], {}),
        ("MaxPool", ["c3"], ["m3"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("Conv", ["m3", "w4", "b4"], ["c4"], pads),
        ("Sigmoid", ["c4"], ["s4"], {}),
        ("Resize", ["s4", "", "up"], ["u4"], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        ("Conv", ["c3", "w5"], ["c5"], pads | {"group": 2}),
        ("Concat", ["u4", "c5"], ["k5"], {"axis": 1}),
        ("Conv", ["k5", "w6"], ["c6"], {}),
        ("GlobalMaxPool", ["c6"], ["p6"], {}),
        ("Flatten", ["p6"], ["y"], {}),
    ]
    return model(nodes, weights | {"six": np.float32(6)}, [1, 3, 16, 16])


def blocked(seed, channels):
    """Layers for the optimizer's layout in blocks. The 12 input channels show the size of the blocks: fewer than 16, and no multiple of 8."""
    weights = {
        "w1": seeded_tensor(seed, (32, channels, 3, 3)) * np.float32(0.3), "b1": seeded_tensor(seed + 1, (32,)),
        "w2": seeded_tensor(seed + 2, (16, 32, 1, 1)) * np.float32(0.3), "w3": seeded_tensor(seed + 3, (16, 5)),
    }  # fmt: skip
    nodes = [
        ("Conv", ["x", "w1", "b1"], ["c1"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["c1"], ["r1"], {}),
        ("Conv", ["r1", "w2"], ["c2"], {}),
        ("GlobalAveragePool", ["c2"], ["p2"], {}),
        ("Flatten", ["p2"], ["v2"], {}),
        ("MatMul", ["v2", "w3"], ["y"], {}),
    ]
    return model(nodes, weights, [1, channels, 6, 6])


def dense(seed):
    """Matrix products, which dynamic quantization supports."""
    weights = {
        "w1": seeded_tensor(seed, (12, 20)), "b1": seeded_tensor(seed + 1, (20,)),
        "w2": seeded_tensor(seed + 2, (20, 6)), "b2": seeded_tensor(seed + 3, (6,)),
    }  # fmt: skip
    nodes = [
        ("MatMul", ["x", "w1"], ["m1"], {}),
        ("Add", ["m1", "b1"], ["a1"], {}),
        ("Relu", ["a1"], ["r1"], {}),
        ("MatMul", ["r1", "w2"], ["m2"], {}),
        ("Add", ["m2", "b2"], ["y"], {}),
    ]
    return model(nodes, weights, [1, 4, 12])


class Calibration(CalibrationDataReader):
    def __init__(self, shape, seed):
        self.items = iter([{"x": seeded_tensor(seed + i, shape)} for i in range(8)])

    def get_next(self):
        return next(self.items, None)


def saved(source, level, path):
    """The model that ONNX Runtime saves after its optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def plain(path, values):
    """The output of ONNX Runtime without optimizations, so that each node is computed as in the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: values})[0]


def write(name, path, values):
    folder = FOLDER / name
    folder.mkdir(parents=True)
    result = plain(path, values)
    loaded = onnx.load(path)
    strip_annotations(loaded)
    (folder / "model.onnx").write_bytes(loaded.SerializeToString(deterministic=True))
    np.save(folder / "input.npy", values)
    np.save(folder / "output.npy", result)


def write_networks(scratch):
    source = scratch / "network.onnx"
    shape = (1, 3, 12, 12)
    onnx.save(network(900), source)
    values = seeded_tensor(950, shape)
    for level in LEVELS:
        target = scratch / f"saved-{level}.onnx"
        saved(source, level, target)
        write(f"saved-{level}", target, values)
    onnx.save(blocks(920), scratch / "blocks.onnx")
    target = scratch / "saved-blocks.onnx"
    saved(scratch / "blocks.onnx", "all", target)
    write("saved-blocks", target, seeded_tensor(951, (1, 3, 16, 16)))
    for label, channels in [("told", 12), ("open", 3)]:
        onnx.save(blocked(930, channels), scratch / "blocked.onnx")
        target = scratch / f"saved-blocks-{label}.onnx"
        saved(scratch / "blocked.onnx", "all", target)
        write(f"saved-blocks-{label}", target, seeded_tensor(952, (1, channels, 6, 6)))
    formats = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}
    for label, form in formats.items():
        for kind, types, per_channel in [
            ("uint8", (QuantType.QUInt8, QuantType.QUInt8), False),
            ("int8-channels", (QuantType.QInt8, QuantType.QInt8), True),
            ("mixed", (QuantType.QUInt8, QuantType.QInt8), True),
        ]:
            target = scratch / f"{label}-{kind}.onnx"
            quantize_static(
                source, target, Calibration(shape, 960), quant_format=form, per_channel=per_channel, activation_type=types[0],
                weight_type=types[1])  # fmt: skip
            write(f"static-{label}-{kind}", target, values)
            if kind == "mixed":
                for level in ("extended", "all"):
                    better = scratch / f"{label}-{kind}-{level}.onnx"
                    saved(target, level, better)
                    write(f"static-{label}-{level}", better, values)
    target = scratch / "qdq16.onnx"
    quantize_static(
        source, target, Calibration(shape, 960), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt16,
        weight_type=QuantType.QInt8)  # fmt: skip
    write("static-qdq-uint16", target, values)
    target = scratch / "dynamic-network.onnx"
    quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
    write("dynamic-network", target, values)
    source = scratch / "dense.onnx"
    onnx.save(dense(980), source)
    target = scratch / "dynamic-dense.onnx"
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)
    values = seeded_tensor(985, (1, 4, 12))
    write("dynamic-dense", target, values)
    for level in ("basic", "extended"):
        better = scratch / f"dynamic-dense-{level}.onnx"
        saved(target, level, better)
        write(f"dynamic-dense-{level}", better, values)


def write_operators(scratch):
    from writers.quantized_cases import CASES

    for index, (name, nodes, weights, shape, options) in enumerate(CASES):
        path = scratch / f"{name}.onnx"
        element = options.get("element", TensorProto.FLOAT)
        onnx.save(model(nodes, weights, list(shape), options.get("opset", 17), element), path)
        values = seeded_tensor(1000 + index, shape, *options.get("range", (-1.0, 1.0)))
        write(f"op-{name}", path, values)


def main():
    logging.disable(logging.WARNING)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        write_networks(pathlib.Path(folder))
        write_operators(pathlib.Path(folder))
    print(f"{len(list(FOLDER.iterdir()))} quantized or optimized networks")


if __name__ == "__main__":
    main()
