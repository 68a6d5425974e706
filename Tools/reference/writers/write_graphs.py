"""Writes Fixtures/graphs: random networks with ONNX Runtime's outputs.

    python -m writers.write_graphs [--count N] [--seed N] [--folder FOLDER]

A graph is a random chain of blocks: convolutions (groups, dilations, strides, asymmetric pads, auto_pad), pooling of all kinds (ceil_mode, pads,
auto_pad, dilations), batch and local response normalization, activations (`graph_layers.py`), joined or summed branches, pads, resizing and channel
shuffles (`graph_structures.py`), with mostly odd extents, followed by a head. The opset is also random, and operators have the form of that opset. A
graph that ONNX Runtime rejects, or whose output is not finite, is replaced.
"""

import argparse
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime

from onnx_files import FIXTURES
from packed import Pack
from runtime import run
from writers import graph_layers as layers
from writers import graph_structures as structures
from writers.graph_draw import Draw, coarse

FOLDER = FIXTURES / "graphs"
BLOCKS = (
    *(layers.conv,) * 5, *(layers.activation,) * 4, *(layers.pool,) * 3, *(structures.residual,) * 2, *(structures.branches,) * 2,
    *(layers.batch_normalization,) * 2, layers.affine, layers.lrn, structures.squeeze_and_excite, structures.pad, structures.resize,
    structures.shuffle, structures.split, structures.crop, structures.nhwc, layers.transposed_conv,
)  # fmt: skip


def head(draw):
    """Adds a head: features from positions (or at positions), and a few classes from features."""
    batch, channels, height, width = draw.shape
    kind = draw.choice("flatten", "average", "maximum", "reshape", "mean", "none")
    if kind == "none":
        return
    if kind == "average":
        draw.follow(draw.node("Flatten", [draw.node("GlobalAveragePool", [draw.value])]))
    elif kind == "maximum":
        draw.follow(draw.node("Flatten", [draw.node("GlobalMaxPool", [draw.value])]))
    elif kind == "reshape":
        shape = draw.node("Shape", [draw.value])
        first = draw.node("Gather", [shape, draw.integers(0)], axis=0)
        if draw.opset < 13:
            first = draw.node("Unsqueeze", [first], axes=[0])
        else:
            first = draw.node("Unsqueeze", [first, draw.integers([0])])
        target = draw.node("Concat", [first, draw.integers([-1])], axis=0)
        draw.follow(draw.node("Reshape", [draw.value, target]))
    elif kind == "mean" and draw.opset < 18:
        draw.follow(draw.node("ReduceMean", [draw.value], axes=[2, 3], keepdims=0))
    elif kind == "mean":
        draw.follow(draw.node("ReduceMean", [draw.value, draw.integers([2, 3])], keepdims=0))
    else:
        draw.follow(draw.node("Flatten", [draw.value], axis=1))
    inputs, outputs = draw.shape[1], draw.random.randint(2, 7)
    if inputs > 400:
        return
    bound = (3 / inputs) ** 0.5
    if draw.chance(0.6):
        shape = (outputs, inputs) if draw.chance(0.5) else (inputs, outputs)
        names = [draw.value, draw.seeded(*shape, low=-bound, high=bound), draw.seeded(outputs)]
        draw.value = draw.node("Gemm", names, transB=int(shape[0] == outputs and shape != (inputs, outputs)))
    else:
        product = draw.node("MatMul", [draw.value, draw.seeded(inputs, outputs, low=-bound, high=bound)])
        draw.value = draw.node("Add", [product, draw.seeded(outputs)])
    if draw.chance(0.5):
        draw.value = draw.node(draw.choice("Softmax", "LogSoftmax"), [draw.value], axis=1)


def build(draw):
    """The model of a finished `Draw`."""
    layers.conv(draw)
    for _ in range(draw.random.randint(3, 8)):
        draw.random.choice(BLOCKS)(draw)
        if min(draw.shape[2:]) < 3:
            break
        if draw.shape[2] * draw.shape[3] > 900:
            draw.follow(draw.node("AveragePool", [draw.value], kernel_shape=[3, 3], strides=[3, 3]))
    head(draw)
    draw.follow(draw.value)
    return draw.model(draw.value, draw.shape)


def reproducible(model, values):
    """ONNX Runtime's output, or None if it depends on ONNX Runtime's optimizations.

    If rounding decides (steep functions of almost canceled sums), no implementation's last digits are a reference.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    plain = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"x": values})[0]
    output = run(model, values)
    if not np.isfinite(output).all() or output.size == 0 or not np.abs(output).max() > 1e-3:
        return None
    return output if np.abs(output - plain).max() <= 2e-6 * np.abs(output).max() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    pack, seed, again = Pack(), 1_000_000 * arguments.seed, {}
    while len(pack.cases) < arguments.count:
        seed += 1
        draw = Draw(seed)
        try:
            model = build(draw)
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            reason = str(error).splitlines()[0][:110]
            again[reason] = again.get(reason, 0) + 1
            continue
        values = coarse(np.random.default_rng(seed).uniform(-1, 1, draw.input).astype(np.float32))
        data = model.SerializeToString(deterministic=True)
        try:
            output = reproducible(data, values)
        except Exception as error:
            again[str(error)[:110]] = again.get(str(error)[:110], 0) + 1
            continue
        if output is None:
            again["not reproducible"] = again.get("not reproducible", 0) + 1
            continue
        pack.add(f"graph {seed} (opset {draw.opset})", data, values, output)
    pack.write(arguments.folder)
    for reason, count in sorted(again.items(), key=lambda item: -item[1]):
        print(f"drawn again {count} times: {reason}")


if __name__ == "__main__":
    main()
