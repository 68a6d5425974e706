"""Write Fixtures/graphs: random networks with ONNX Runtime's outputs.

    python -m writers.write_graphs [--count N] [--seed N] [--folder FOLDER]

A graph is a chain of blocks drawn by a seeded generator: convolutions (groups, dilations, strides, asymmetric pads, auto_pad),
pools of all kinds (ceil_mode, pads, auto_pad, dilations), batch and local response normalization, activations, branches that are
joined or summed, pads, resizing, transposed convolutions and channel shuffles, in extents that are mostly odd; then a head. The
opset is drawn too, and operators are written the way that it wants them. What ONNX Runtime refuses, or what is not finite, is
drawn again.
"""

import argparse
import pathlib
import random
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_files import FIXTURES
from packed import Pack
from runtime import run

FOLDER = FIXTURES / "graphs"
OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22)
MOST_CHANNELS = 12


class Draw:
    """One graph while it is drawn: its nodes and weights, and the value that the next block takes."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.opset = self.random.choice(OPSETS)
        self.nodes, self.weights, self.count = [], [], 0
        batch, channels = self.random.choice((1, 1, 2, 3)), self.random.choice((1, 2, 3, 4))
        self.input = (batch, channels, self.random.randint(7, 17), self.random.randint(7, 17))
        self.value, self.shape = "x", self.input

    def choice(self, *options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def constant(self, array):
        """The name of an initializer."""
        self.count += 1
        name = f"w{self.count}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def seeded(self, *shape, low=-1.0, high=1.0):
        return self.constant(self.numbers.uniform(low, high, shape).astype(np.float32))

    def integers(self, values):
        return self.constant(np.array(values, dtype=np.int64))

    def node(self, operator, inputs, outputs=1, **attributes):
        """Adds a node; the names of its outputs."""
        self.count += 1
        names = [f"v{self.count}" + (f"_{index}" if index else "") for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, f"{operator}{self.count}", **attributes))
        return names if outputs > 1 else names[0]

    def model(self, output, shape=None):
        imports = [helper.make_opsetid("", self.opset)]
        graph = helper.make_graph(
            self.nodes,
            "random",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.input)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            self.weights,
        )
        version = helper.find_min_ir_version_for(imports)
        if version < 4:
            for weight in self.weights:
                graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
        return helper.make_model(graph, opset_imports=imports, ir_version=version)

    def follow(self, name):
        """Makes a value the current one, and infers its shape."""
        model = onnx.shape_inference.infer_shapes(self.model(name), strict_mode=True, data_prop=True)
        shape = tuple(extent.dim_value for extent in model.graph.output[0].type.tensor_type.shape.dim)
        if not shape or min(shape) < 1 or np.prod(shape) > 1 << 17:
            raise ValueError("an extent is open, 0 or large")
        self.value, self.shape = name, shape

    # Blocks

    def window(self, kernel, pools):
        """Strides, pads and dilations of a window over two axes."""
        attributes = {}
        strides = [self.choice(1, 1, 2, 3), self.choice(1, 1, 2)]
        if strides != [1, 1] or self.chance(0.3):
            attributes["strides"] = strides
        dilations = [1, 1]
        if self.chance(0.3) and (not pools or self.opset >= (10 if pools == "MaxPool" else 19)):
            dilations = attributes["dilations"] = [self.choice(1, 2), self.choice(1, 2, 3)]
        kind = self.choice("none", "pads", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID")
        if kind == "pads":
            reach = [(size - 1) // (2 if pools else 1) for size in kernel]
            attributes["pads"] = [self.random.randint(0, size) for size in reach + reach]
        elif kind != "none" and not (kind == "SAME_LOWER" and self.opset < 12) and dilations == [1, 1]:
            attributes["auto_pad"] = kind
        if pools and self.opset >= 10 and self.chance(0.4):
            attributes["ceil_mode"] = 1
        pads = attributes.get("pads", [0, 0, 0, 0])
        for axis, size in enumerate(kernel):
            # ONNX Runtime pools over windows that are larger than the padded input, by a quirk of C++'s division.
            if self.shape[2 + axis] + pads[axis] + pads[2 + axis] < (size - 1) * dilations[axis] + 1:
                raise ValueError("a window is larger than its input")
        return attributes

    def conv(self):
        inputs = self.shape[1]
        divisors = [n for n in range(1, inputs + 1) if inputs % n == 0]
        groups = self.random.choice(divisors)
        outputs = groups * self.random.randint(1, max(1, MOST_CHANNELS // groups))
        kernel = [self.random.randint(1, 5), self.random.randint(1, 4)] if self.chance(0.5) else self.choice([1, 1], [3, 3], [3, 3])
        fan_in = inputs // groups * kernel[0] * kernel[1]
        bound = (3 / fan_in) ** 0.5
        names = [self.value, self.seeded(outputs, inputs // groups, *kernel, low=-bound, high=bound)]
        if self.chance(0.7):
            names.append(self.seeded(outputs, low=-0.3, high=0.3))
        attributes = self.window(kernel, None)
        if groups > 1 or self.chance(0.2):
            attributes["group"] = groups
        if self.chance(0.8):
            attributes["kernel_shape"] = kernel
        self.follow(self.node("Conv", names, **attributes))

    def transposed_conv(self):
        inputs, kernel = self.shape[1], self.choice([2, 2], [3, 3], [3, 2], [4, 4])
        outputs = self.random.randint(1, 5)
        attributes = {"kernel_shape": kernel, "strides": [self.choice(1, 2), self.choice(1, 2)]}
        if self.chance(0.5):
            attributes["pads"] = [self.choice(0, 1) for _ in range(4)]
        if self.chance(0.3) and attributes["strides"] == [2, 2]:
            attributes["output_padding"] = [1, 0]
        names = [self.value, self.seeded(inputs, outputs, *kernel, low=-0.4, high=0.4), self.seeded(outputs)]
        self.follow(self.node("ConvTranspose", names, **attributes))

    def pool(self):
        operator = self.choice("MaxPool", "AveragePool")
        kernel = [self.random.randint(1, 4), self.random.randint(2, 4)]
        attributes = self.window(kernel, operator)
        if operator == "AveragePool" and self.chance(0.4):
            attributes["count_include_pad"] = 1
        self.follow(self.node(operator, [self.value], kernel_shape=kernel, **attributes))

    def batch_normalization(self):
        channels = self.shape[1]
        names = [self.seeded(channels, low=low, high=high) for low, high in ((0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5))]
        attributes = {"epsilon": self.choice(1e-5, 1e-3)}
        self.value = self.node("BatchNormalization", [self.value, *names], **attributes)

    def affine(self):
        """Batch normalization as some exporters spell it."""
        shape = self.choice((1, self.shape[1], 1, 1), (self.shape[1], 1, 1))
        product = self.node("Mul", [self.value, self.seeded(*shape, low=0.5, high=1.5)])
        operator = self.choice("Add", "Sub")
        self.value = self.node(operator, [product, self.seeded(*shape)])

    def lrn(self):
        size = self.choice(1, 3, 5)
        self.value = self.node("LRN", [self.value], size=size, alpha=self.choice(1e-4, 0.1), beta=0.75, bias=self.choice(1.0, 2.0))

    def activation(self):
        operator = self.choice("Relu", "Relu", "Relu", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "Tanh", "Clip", "HardSigmoid", "Swish", "Softplus", "HardSwish", "Gelu")
        names, attributes = [self.value], {}
        if operator == "PRelu":
            names.append(self.seeded(self.shape[1], 1, 1, low=0, high=0.5))
        elif operator == "Clip":
            if self.opset < 11:
                attributes = {"min": 0.0, "max": 0.6}
            else:
                names += [self.constant(np.float32(0)), self.constant(np.float32(0.6))]
        elif operator == "Swish":
            gate = self.node("Sigmoid", names)
            self.value = self.node("Mul", [self.value, gate])
            return
        elif operator == "HardSwish" and self.opset < 14:
            gate = self.node("HardSigmoid", names, alpha=1 / 6, beta=0.5)
            self.value = self.node("Mul", [self.value, gate])
            return
        elif operator == "Gelu" and self.opset < 20:
            if self.opset < 9:
                operator = "Relu"
            else:
                inner = self.node("Erf", [self.node("Div", [self.value, self.constant(np.float32(2**0.5))])])
                half = self.node("Mul", [self.value, self.node("Add", [inner, self.constant(np.float32(1))])])
                self.value = self.node("Mul", [half, self.constant(np.float32(0.5))])
                return
        elif operator == "Gelu":
            attributes = {"approximate": self.choice("none", "tanh")}
        self.value = self.node(operator, names, **attributes)

    def branches(self):
        """Two or three branches of the same extents, joined."""
        parts = [self.value] if self.chance(0.4) else []
        for _ in range(self.random.randint(1, 2)):
            parts.append(self.same_extents(self.random.randint(1, 4)))
        self.follow(self.node("Concat", parts, axis=self.choice(1, 1, -3)))

    def same_extents(self, outputs):
        """A branch that keeps height and width."""
        kernel = self.choice(1, 3, 5)
        value, inputs = self.value, self.shape[1]
        if self.chance(0.2):
            value = self.node("MaxPool", [value], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        bound = (3 / (inputs * kernel * kernel)) ** 0.5
        weight = self.seeded(outputs, inputs, kernel, kernel, low=-bound, high=bound)
        value = self.node("Conv", [value, weight], pads=[kernel // 2] * 4)
        return self.node("Relu", [value]) if self.chance(0.5) else value

    def residual(self):
        names = [self.value, self.same_extents(self.shape[1])]
        operator = self.choice("Add", "Add", "Sum", "Sub", "Max", "Min")
        if operator == "Sum" and self.chance(0.5):
            names.append(self.same_extents(self.shape[1]))
        self.value = self.node(operator, names)

    def squeeze_and_excite(self):
        channels = self.shape[1]
        if self.chance(0.5):
            mean = self.node("GlobalAveragePool", [self.value])
        elif self.opset < 18:
            mean = self.node("ReduceMean", [self.value], axes=self.choice([2, 3], [-1, -2]), keepdims=1)
        else:
            mean = self.node("ReduceMean", [self.value, self.integers(self.choice([2, 3], [-1, -2]))], keepdims=1)
        gate = self.node("Conv", [mean, self.seeded(channels, channels, 1, 1), self.seeded(channels)])
        self.value = self.node("Mul", [self.value, self.node(self.choice("Sigmoid", "HardSigmoid"), [gate])])

    def pad(self):
        amounts = [0, 0, self.choice(0, 1, 2), self.choice(0, 1), 0, 0, self.choice(0, 1), self.choice(0, 2)]
        mode = self.choice("constant", "constant", "reflect", "edge")
        if self.opset < 11:
            self.follow(self.node("Pad", [self.value], pads=amounts, mode=mode))
        else:
            self.follow(self.node("Pad", [self.value, self.integers(amounts)], mode=mode))

    def resize(self):
        scales = np.array([1, 1, self.choice(1, 2), self.choice(2, 2, 3)], np.float32)
        mode = self.choice("nearest", "linear")
        if self.opset < 9:
            self.follow(self.node("Upsample", [self.value], scales=scales.tolist(), mode=mode))
        elif self.opset < 11:
            self.follow(self.node("Upsample" if self.opset == 9 else "Resize", [self.value, self.constant(scales)], mode=mode))
        else:
            frame = self.choice("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
            rounding = {"nearest_mode": self.choice("floor", "round_prefer_floor")} if mode == "nearest" else {}
            names = [self.value, self.constant(np.zeros(0, np.float32))]
            if self.chance(0.5):
                names.append(self.constant(scales))
            else:
                sizes = [*self.shape[:2], self.shape[2] + self.random.randint(0, 5), self.shape[3] + self.random.randint(1, 6)]
                names += [self.constant(np.zeros(0, np.float32)), self.integers(sizes)]
            self.follow(self.node("Resize", names, mode=mode, coordinate_transformation_mode=frame, **rounding))

    def shuffle(self):
        batch, channels, height, width = self.shape
        groups = self.random.choice([n for n in range(1, channels + 1) if channels % n == 0])
        split = self.node("Reshape", [self.value, self.integers([batch, groups, channels // groups, height, width])])
        order = self.node("Transpose", [split], perm=[0, 2, 1, 3, 4])
        self.value = self.node("Reshape", [order, self.integers([0, -1, height, width])])

    def split(self):
        """Two halves of the channels (or what is nearest), swapped."""
        channels = self.shape[1]
        if channels < 2:
            return self.conv()
        extents = [channels // 2, channels - channels // 2]
        if self.opset < 13:
            halves = self.node("Split", [self.value], 2, axis=1, split=extents)
        else:
            halves = self.node("Split", [self.value, self.integers(extents)], 2, axis=1)
        self.value = self.node("Concat", list(reversed(halves)), axis=1)

    def slice(self):
        starts, ends = [self.choice(0, 1)], [self.choice(-1, 1000)]
        axis = self.choice(2, 3, -1)
        if self.opset < 10:
            self.follow(self.node("Slice", [self.value], starts=starts, ends=ends, axes=[axis]))
        else:
            names = [self.integers(starts), self.integers(ends), self.integers([axis]), self.integers([self.choice(1, 1, 2)])]
            self.follow(self.node("Slice", [self.value, *names]))

    def nhwc(self):
        """A detour over channels-last order."""
        turned = self.node("Transpose", [self.value], perm=[0, 2, 3, 1])
        turned = self.node(self.choice("Relu", "Tanh"), [self.node("Add", [turned, self.seeded(self.shape[1])])])
        self.value = self.node("Transpose", [turned], perm=[0, 3, 1, 2])

    def head(self):
        batch, channels, height, width = self.shape
        kind = self.choice("flatten", "average", "maximum", "reshape", "mean", "none")
        if kind == "none":
            return
        if kind == "average":
            self.follow(self.node("Flatten", [self.node("GlobalAveragePool", [self.value])]))
        elif kind == "maximum":
            self.follow(self.node("Flatten", [self.node("GlobalMaxPool", [self.value])]))
        elif kind == "reshape":
            shape = self.node("Shape", [self.value])
            first = self.node("Gather", [shape, self.integers(0)], axis=0)
            if self.opset < 13:
                first = self.node("Unsqueeze", [first], axes=[0])
            else:
                first = self.node("Unsqueeze", [first, self.integers([0])])
            target = self.node("Concat", [first, self.integers([-1])], axis=0)
            self.follow(self.node("Reshape", [self.value, target]))
        elif kind == "mean" and self.opset < 18:
            self.follow(self.node("ReduceMean", [self.value], axes=[2, 3], keepdims=0))
        elif kind == "mean":
            self.follow(self.node("ReduceMean", [self.value, self.integers([2, 3])], keepdims=0))
        else:
            self.follow(self.node("Flatten", [self.value], axis=1))
        inputs, outputs = self.shape[1], self.random.randint(2, 7)
        if inputs > 400:
            return
        bound = (3 / inputs) ** 0.5
        if self.chance(0.6):
            shape = (outputs, inputs) if self.chance(0.5) else (inputs, outputs)
            names = [self.value, self.seeded(*shape, low=-bound, high=bound), self.seeded(outputs)]
            self.value = self.node("Gemm", names, transB=int(shape[0] == outputs and shape != (inputs, outputs)))
        else:
            product = self.node("MatMul", [self.value, self.seeded(inputs, outputs, low=-bound, high=bound)])
            self.value = self.node("Add", [product, self.seeded(outputs)])
        if self.chance(0.5):
            self.value = self.node(self.choice("Softmax", "LogSoftmax"), [self.value], axis=1)

    BLOCKS = (
        *("conv",) * 5, *("activation",) * 4, *("pool",) * 3, *("residual",) * 2, *("branches",) * 2, *("batch_normalization",) * 2,
        "affine", "lrn", "squeeze_and_excite", "pad", "resize", "shuffle", "split", "slice", "nhwc", "transposed_conv",
    )

    def build(self):
        self.conv()
        for _ in range(self.random.randint(3, 8)):
            getattr(self, self.random.choice(self.BLOCKS))()
            if min(self.shape[2:]) < 3:
                break
            if self.shape[2] * self.shape[3] > 900:
                self.follow(self.node("AveragePool", [self.value], kernel_shape=[3, 3], strides=[3, 3]))
        self.head()
        self.follow(self.value)
        return self.model(self.value, self.shape)


def reproducible(model, values):
    """ONNX Runtime's output, if it does not depend on its own rewrites; None otherwise.

    Where rounding decides (steep functions of almost canceled sums), nobody's last digits are a reference.
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
            model = draw.build()
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            reason = str(error).splitlines()[0][:110]
            again[reason] = again.get(reason, 0) + 1
            continue
        values = np.random.default_rng(seed).uniform(-1, 1, draw.input).astype(np.float32)
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
