"""A random graph under construction."""

import random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22)


def coarse(values):
    """Single-precision numbers cut off after eight significant bits."""
    return (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


class Draw:
    """A random graph under construction: its nodes and weights, and the value that the next block reads."""

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
        """Adds an initializer, and returns its name."""
        self.count += 1
        name = f"w{self.count}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def seeded(self, *shape, low=-1.0, high=1.0):
        # Eight significant bits: the low half of a number is zero, and takes no space in the archive.
        values = self.numbers.uniform(low, high, shape).astype(np.float32)
        return self.constant(coarse(values))

    def integers(self, values):
        return self.constant(np.array(values, dtype=np.int64))

    def node(self, operator, inputs, outputs=1, **attributes):
        """Adds a node, and returns the names of its outputs."""
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
