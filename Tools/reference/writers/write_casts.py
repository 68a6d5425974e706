"""Writes Fixtures/casts: chains of casts and arithmetic over all integer types, with the results of ONNX Runtime.

    python -m writers.write_casts [--chains N] [--seed N] [--folder FOLDER]

A network consists of several chains over one input, whose results are cast to FLOAT and joined. `pairs-…` cast to one type and then to every other
type; `chains-…` are random sequences of casts and of arithmetic in the current type; `reductions` are sums, products, means and extremes. Each network
also has a version `…, constant`, whose values are constants to which an input of zeros is added.

Every node is run separately in ONNX Runtime. Operations that it does not implement, such as sums of UINT8, are computed with Python's integers and
wrap around. The result of a chain keeps only elements that single precision represents exactly at every step, without casts to UINT32 of numbers
outside -2³¹ … 2³², whose result in ONNX Runtime depends on the position in the tensor.
"""

import argparse
import functools
import pathlib
import random

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_files import FIXTURES
from packed import Pack
from runtime import run

FOLDER = FIXTURES / "casts"
OPSET = 18
INTEGERS = {np.dtype(name): getattr(TensorProto, name.upper()) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}
TYPES = INTEGERS | {np.dtype(bool): TensorProto.BOOL, np.dtype(np.float32): TensorProto.FLOAT}
VALUES = np.array(
    [0, -0.0, 0.3, -0.4, 0.999, 1, -1, 1.7, -1.6, 2.5, -3, 5, 7.9, -9, 12, 25.5, -31, 100, 126.9, 127, 127.5, 128, -127, -128, -128.9, -129]
    + [200.7, 255, 255.9, 256, 300.2, -300, 1000, -4097, 32767.5, 32768, -32768, -32769, 65535, 65536, 65536.5, 70000, -70001, 1e6 + 0.5]
    + [16777215, -16777216, 2**31 - 128, 2.0**31, -(2.0**31), -3e9, 3e9, 2.0**32, 5e9, 9.2e18, 9.3e18, 1.8e19, 2e19, -1e30, 1e30, 1e-30],
    np.float32,
)[None]


@functools.cache
def session(operator, kinds, constants, attributes):
    """The bytes of a model of one node whose first input has the given type, and whether ONNX Runtime supports it."""
    names = ["x"] + [f"c{index}" for index in range(len(constants))]
    weights = [numpy_helper.from_array(np.frombuffer(data, dtype).reshape(shape), name) for (data, dtype, shape), name in zip(constants, names[1:])]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], **dict(attributes))],
        "one",
        [helper.make_tensor_value_info("x", TYPES[kinds[0]], None)],
        [helper.make_tensor_value_info("y", TYPES[kinds[1]], None)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8).SerializeToString()
    try:
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    except Exception:
        return model, False
    return model, True


def wrapped(number, dtype):
    """An integer modulo 2ⁿ."""
    bits = 8 * dtype.itemsize
    number &= (1 << bits) - 1
    return number - (1 << bits) if dtype.kind == "i" and number >> (bits - 1) else number


def in_integers(operator, x, constants):
    """The result by ONNX's definition, with Python's integers."""
    c = [int(constant.reshape(-1)[0]) for constant in constants]
    function = {
        "Add": lambda a: a + c[0],
        "Sub": lambda a: a - c[0],
        "Mul": lambda a: a * c[0],
        "Div": lambda a: abs(a) // abs(c[0]) * (1 if (a < 0) == (c[0] < 0) else -1),
        "Neg": lambda a: -a,
        "Abs": abs,
        "Max": lambda a: max(a, c[0]),
        "Min": lambda a: min(a, c[0]),
        "Clip": lambda a: min(max(a, c[0]), c[1]),
        "Relu": lambda a: max(a, 0),
        "Pow": lambda a: a ** c[0],
    }[operator]
    return np.array([wrapped(function(int(a)), x.dtype) for a in x.reshape(-1)], x.dtype).reshape(x.shape)


def is_exact(x):
    """Whether single precision represents each element exactly."""
    return np.array([float(np.float32(a)) == a and int(np.float32(a)) == int(a) if x.dtype.kind in "iu" else True for a in x.reshape(-1)]).reshape(x.shape)


class Graph:
    """The nodes and constants of a random network under construction."""

    def __init__(self):
        self.nodes, self.weights, self.parts, self.results, self.count = [], [], [], [], 0

    def constant(self, array):
        self.count += 1
        self.weights.append(numpy_helper.from_array(np.asarray(array), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, operator, inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(operator, inputs, [f"v{self.count}"], f"{operator}{self.count}", **attributes))
        return f"v{self.count}"


class Chain:
    """A value that passes through a sequence of nodes, and the elements that are exact in all of them."""

    def __init__(self, graph, values=VALUES):
        self.graph, self.name, self.value, self.valid = graph, "x", values, np.ones(values.shape, bool)

    def step(self, operator, *constants, result=None, **attributes):
        """Adds a node. Its elements have the chain's type, unless `result` is another type."""
        source = self.value.dtype
        key = tuple((array.tobytes(), array.dtype.str, array.shape) for array in constants)
        model, exists = session(operator, (source, result or source), key, tuple(sorted(attributes.items())))
        if exists:
            value = run(model, self.value)
        else:
            value = in_integers(operator, self.value, constants)
        names = [self.graph.constant(array) for array in constants]
        self.name = self.graph.node(operator, [self.name, *names], **attributes)
        if value.shape == self.value.shape:
            self.valid &= is_exact(value)
        else:
            self.valid = np.broadcast_to(self.valid.all(axis=-1, keepdims=True), value.shape) & is_exact(value)
        self.value = value
        return self

    def cast(self, dtype):
        if dtype == np.uint32 and self.value.dtype == np.float32:
            self.valid &= (self.value >= -(2.0**31)) & (self.value < 2.0**32)
        return self.step("Cast", result=dtype, to=TYPES[dtype])

    def pick(self, places):
        """Selects elements."""
        self.name = self.graph.node("Gather", [self.name, self.graph.constant(np.array(places, np.int64))], axis=1)
        self.value, self.valid = self.value[:, places], self.valid[:, places]
        return self

    def reshape(self, *shape):
        self.name = self.graph.node("Reshape", [self.name, self.graph.constant(np.array(shape, np.int64))])
        self.value, self.valid = self.value.reshape(shape), self.valid.reshape(shape)
        return self

    def end(self):
        """Adds the exact elements to the network's results."""
        places = np.nonzero(self.valid[0])[0]
        if len(places):
            self.pick(places).cast(np.dtype(np.float32))
            self.graph.parts.append(self.name)
            self.graph.results.append(self.value)


def add(pack, name, graph):
    """Adds a network to the pack, and the same network with constant values."""
    expected = np.concatenate(graph.results, axis=1)
    for variant in ("", ", constant"):
        nodes, weights, entry = list(graph.nodes), list(graph.weights), "x"
        if variant:
            weights.append(numpy_helper.from_array(VALUES, "x"))
            entry = "zeros"
            nodes.append(helper.make_node("Concat", graph.parts, ["joined"], "Concat", axis=1))
            nodes.append(helper.make_node("Add", ["joined", "zeros"], ["y"], "Add"))
        else:
            nodes.append(helper.make_node("Concat", graph.parts, ["y"], "Concat", axis=1))
        values = np.zeros((1, 1), np.float32) if variant else VALUES
        model = helper.make_model(
            helper.make_graph(
                nodes,
                "casts",
                [helper.make_tensor_value_info(entry, TensorProto.FLOAT, values.shape)],
                [helper.make_tensor_value_info("y", TensorProto.FLOAT, expected.shape)],
                weights,
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=8,
        )
        pack.add(name + variant, model.SerializeToString(), values, expected, tolerance=0)


def arithmetic(chain, source):
    """Adds an operation in the chain's type."""
    dtype = chain.value.dtype
    if dtype == np.float32:
        operator = source.choice(("Mul", "Add"))
        return chain.step(operator, np.array(source.choice((0.37, 0.75, -1.5, 3.1, 100.3)), dtype))
    if dtype == bool:
        return chain
    info = np.iinfo(dtype)

    def number(low=None, high=None):
        wide = source.random() < 0.3
        low = low if low is not None else max(info.min, -(2**24) if wide else -9)
        high = high if high is not None else min(info.max, 2**24 if wide else 9)
        return np.array(source.randint(low, high), dtype)

    operators = ["Add", "Sub", "Mul", "Mul", "Div", "Div", "Abs", "Max", "Min", "Clip", "Pow"]
    if dtype.kind == "i":
        operators.append("Neg")
    if dtype in (np.dtype("int8"), np.dtype("int32")):
        operators.append("Relu")
    operator = source.choice(operators)
    if operator in ("Abs", "Neg", "Relu"):
        return chain.step(operator)
    if operator == "Clip":
        low, high = sorted((number(), number()))
        return chain.step("Clip", low, high)
    if operator == "Pow":
        return chain.step("Pow", np.array(source.choice((2, 3)), dtype))
    divisor = source.choice((2, 3, 5, 7, -2, -3)) if dtype.kind == "i" else source.choice((2, 3, 5, 7))
    return chain.step(operator, np.array(divisor, dtype) if operator == "Div" else number())


def pairs(pack):
    for first in TYPES:
        graph = Graph()
        for second in TYPES:
            Chain(graph).cast(first).cast(second).end()
        add(pack, f"pairs-{first}", graph)


def chains(pack, count, seed):
    source = random.Random(seed)
    kinds = list(TYPES)
    for start in range(0, count, 20):
        graph = Graph()
        for _ in range(20):
            chain = Chain(graph)
            for _ in range(source.randint(1, 3)):
                chain.cast(source.choice(kinds[:8] + kinds))
                for _ in range(source.randint(1, 3)):
                    arithmetic(chain, source)
            chain.end()
        add(pack, f"chains-{start // 20}", graph)


def reductions(pack):
    graph = Graph()
    small = np.nonzero(np.abs(VALUES[0]) < 1000)[0][:32]
    for name in ("int8", "uint8", "int32", "int64"):
        for operator in ("ReduceSum", "ReduceProd", "ReduceMean", "ReduceMax", "ReduceMin"):
            chain = Chain(graph).pick(small).cast(np.dtype(name)).reshape(1, 8, 4)
            axes = np.array([2], np.int64)
            try:
                chain.step(operator, axes, keepdims=1).reshape(1, 8).end()
            except KeyError:
                pass  # ONNX Runtime does not support it for this type.
    add(pack, "reductions", graph)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    pack = Pack()
    pairs(pack)
    chains(pack, arguments.chains, arguments.seed)
    reductions(pack)
    pack.write(arguments.folder)


if __name__ == "__main__":
    main()
