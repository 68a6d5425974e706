"""Writes single layers with the relevance of their inputs by Zennit's rules, in double precision.

    python -m writers.write_rule_cases
"""

import math

import numpy as np
import torch
import zennit.rules
from torch import nn
from zennit.layer import Sum

from onnx_files import FIXTURES
from packed import Pack
from seeded import seeded_tensor

FOLDER = FIXTURES / "rules"
# The largest error of single precision, relative to the largest value. A case with a larger error is replaced.
LARGEST_ERROR = 2e-6


def conv(shape, outputs, kernel, bias=True, strides=(1, 1), pads=(0, 0), dilations=(1, 1), group=1):
    module = nn.Conv2d(shape[1], outputs, kernel, strides, pads, dilations, group, bias)
    attributes = dict(kernel_shape=kernel, strides=strides, pads=pads * 2, dilations=dilations, group=group)
    return "Conv", shape, module, attributes


def conv_transpose(shape, outputs, kernel, bias=True, strides=(1, 1), pads=(0, 0), dilations=(1, 1), group=1, extra=(0, 0)):
    module = nn.ConvTranspose2d(shape[1], outputs, kernel, strides, pads, extra, group, bias, dilations)
    attributes = dict(kernel_shape=kernel, strides=strides, pads=pads * 2, dilations=dilations, group=group)
    return "ConvTranspose", shape, module, attributes | {"output_padding": extra}


def linear(shape, outputs, bias=True):
    return "Gemm", shape, nn.Linear(shape[1], outputs, bias), {"transB": 1}


def average(shape, kernel, strides=(1, 1), pads=(0, 0), ceil=False, include=False):
    module = nn.AvgPool2d(kernel, strides, pads, ceil, include)
    attributes = dict(kernel_shape=kernel, strides=strides, pads=pads * 2, ceil_mode=int(ceil), count_include_pad=int(include))
    return "AveragePool", shape, module, attributes


# A layer is the name of the ONNX operator, the shape of its input, a PyTorch module and ONNX attributes.
WEIGHTED = {
    "conv": conv((1, 3, 7, 8), 4, (3, 3), pads=(1, 1)),
    "conv without bias": conv((1, 3, 7, 6), 4, (3, 3), bias=False),
    "conv with strides": conv((1, 2, 9, 11), 3, (3, 3), strides=(2, 3), pads=(1, 0)),
    "conv with dilations": conv((1, 2, 9, 8), 3, (3, 2), pads=(2, 1), dilations=(2, 3)),
    "conv in groups": conv((1, 6, 6, 5), 4, (3, 3), pads=(1, 1), group=2),
    "conv by channel": conv((1, 4, 6, 7), 8, (3, 3), bias=False, strides=(2, 2), pads=(1, 1), group=4),
    "conv 1x1": conv((1, 5, 5, 6), 4, (1, 1)),
    "conv of two items": conv((2, 3, 6, 6), 3, (5, 5), strides=(2, 2), pads=(2, 2)),
    "conv of one row": conv((1, 3, 5, 9), 4, (1, 5), bias=False, pads=(0, 2)),
    "transposed conv": conv_transpose((1, 3, 5, 6), 4, (3, 3), pads=(1, 1)),
    "transposed conv with strides": conv_transpose((1, 3, 4, 5), 2, (3, 4), strides=(2, 3), pads=(1, 1), extra=(1, 0)),
    "transposed conv in groups": conv_transpose((1, 4, 5, 4), 6, (2, 2), bias=False, strides=(2, 2), group=2),
    "transposed conv with dilations": conv_transpose((2, 2, 5, 5), 3, (2, 3), dilations=(2, 1), pads=(0, 1)),
    "linear": linear((1, 30), 12),
    "linear without bias": linear((1, 24), 10, bias=False),
    "linear of three items": linear((3, 16), 7),
}
POOLING = {
    "average 2x2": average((1, 3, 6, 8), (2, 2), (2, 2)),
    "average that overlaps": average((1, 2, 8, 9), (3, 3), (2, 2)),
    "average with padding": average((1, 2, 7, 7), (3, 3), (2, 2), (1, 1)),
    "average that counts padding": average((1, 2, 7, 7), (3, 3), (1, 2), (1, 1), include=True),
    "average with a partial window": average((2, 2, 6, 7), (3, 2), (2, 2), ceil=True),
    "average of everything": average((1, 5, 6, 6), (6, 6)),
}
BIAS = {"zero_params": ["bias"]}
RULES = [
    ("Epsilon", {"epsilon": 1e-6}),
    ("Epsilon", {"epsilon": 0.25}),
    ("Epsilon", {"epsilon": 1e-6} | BIAS),
    ("Gamma", {"gamma": 0.25, "stabilizer": 1e-6}),
    ("Gamma", {"gamma": 2.0, "stabilizer": 0.05}),
    ("Gamma", {"gamma": 0.25, "stabilizer": 1e-6} | BIAS),
    ("ZPlus", {"stabilizer": 1e-6}),
    ("ZPlus", {"stabilizer": 1e-6} | BIAS),
    ("AlphaBeta", {"alpha": 2.0, "beta": 1.0, "stabilizer": 1e-6}),
    ("AlphaBeta", {"alpha": 1.5, "beta": 0.5, "stabilizer": 0.05}),
    ("AlphaBeta", {"alpha": 2.0, "beta": 1.0, "stabilizer": 1e-6} | BIAS),
    ("WSquare", {"stabilizer": 1e-6}),
    ("WSquare", {"stabilizer": 1e-6} | BIAS),
    ("Flat", {"stabilizer": 1e-6}),
    ("Flat", {"stabilizer": 0.05}),
    ("ZBox", {"stabilizer": 1e-6}),
    ("ZBox", {"stabilizer": 0.05} | BIAS),
]


def relevance(module, rule, values, arriving):
    """The relevance of a layer's input by a rule."""
    values = values.clone().requires_grad_(True)
    handles = rule.register(module)
    output = module(values)
    result = torch.autograd.grad(output, values, arriving)[0].detach()
    handles.remove()
    return result


class Drawn:
    """A layer with seeded weights, input and relevance, all in single precision."""

    def __init__(self, layer, seed, sign, box=False):
        self.operator, shape, self.module, self.attributes = layer
        fan_in = getattr(self.module, "in_features", None) or math.prod(getattr(self.module, "weight", torch.ones(1, 1)).shape[1:])
        bounds = {"weight": math.sqrt(6 / fan_in), "bias": 0.5}
        self.parameters = {}
        for index, (name, tensor) in enumerate(self.module.named_parameters()):
            self.parameters[name] = seeded_tensor(seed + index, tensor.shape, -bounds[name], bounds[name])
        self.values = seeded_tensor(seed + 2, shape)
        self.box = None
        if box:
            self.box = seeded_tensor(seed + 3, shape[1:2], -1.5, -0.5), seeded_tensor(seed + 4, shape[1:2], 0.5, 1.5)
            columns = [side.reshape(1, -1, *[1] * (len(shape) - 2)) for side in self.box]
            self.values = np.clip(1.5 * self.values, *columns)
        elif sign == "rectified":
            self.values = self.values.clip(min=0)
        self.load(torch.float64)
        self.arriving = seeded_tensor(seed + 5, self.module(torch.from_numpy(self.values).double()).shape)

    def load(self, dtype):
        self.module.load_state_dict({name: torch.from_numpy(array) for name, array in self.parameters.items()})
        self.module.to(dtype)

    def relevance(self, kind, parameters, dtype):
        self.load(dtype)
        if self.box:
            shape = (1, -1) + (1,) * (self.values.ndim - 2)
            low, high = (torch.from_numpy(side).to(dtype).reshape(shape) for side in self.box)
            parameters = parameters | {"low": low, "high": high}
        values, arriving = (torch.from_numpy(array).to(dtype) for array in (self.values, self.arriving))
        return relevance(self.module, getattr(zennit.rules, kind)(**parameters), values, arriving).double()


def error(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


def add(pack, name, layer, kind, parameters, seed, sign):
    """Adds the first random case whose results in single and double precision agree."""
    for attempt in range(100):
        drawn = Drawn(layer, seed + 10 * attempt, sign, box=kind == "ZBox")
        expected = drawn.relevance(kind, parameters, torch.float64)
        if error(drawn.relevance(kind, parameters, torch.float32), expected) <= LARGEST_ERROR:
            break
    else:
        raise SystemExit(f"{name}, {kind}: no draw is well conditioned")
    case = {"name": f"{name}, {kind} {len(pack.cases)}", "operator": drawn.operator, "attributes": drawn.attributes}
    case |= {"rule": kind, "parameters": parameters, "input": pack.tensor(drawn.values)}
    case |= {key: pack.tensor(array) for key, array in drawn.parameters.items()}
    if drawn.box:
        case |= {"low": pack.tensor(drawn.box[0]), "high": pack.tensor(drawn.box[1])}
    pack.cases.append(case | {"relevance": pack.tensor(drawn.arriving), "expected": pack.tensor(expected.numpy())})


def add_sum(pack, shape, seed, sign):
    """The sum of two tensors with the rule Norm: the relevance of each."""
    operands = [seeded_tensor(seed + index, shape, 0.1 if sign == "rectified" else -1) for index in range(2)]
    if sign == "signed":
        operands[1] = np.where(operands[0] < 0, operands[1] - 1.2, operands[1] + 1.2).astype(np.float32)
    arriving = seeded_tensor(seed + 2, shape)
    stacked = torch.from_numpy(np.stack(operands, axis=-1)).double()
    parts = relevance(Sum(), zennit.rules.Norm(stabilizer=1e-6), stacked, torch.from_numpy(arriving).double()).numpy()
    case = {"name": f"sum of {sign}, Norm {len(pack.cases)}", "operator": "Add", "attributes": {}}
    case |= {"rule": "Norm", "parameters": {"stabilizer": 1e-6}, "input": pack.tensor(operands[0]), "other": pack.tensor(operands[1])}
    case |= {"relevance": pack.tensor(arriving), "expected": pack.tensor(parts[..., 0]), "expected_other": pack.tensor(parts[..., 1])}
    pack.cases.append(case)


def main():
    torch.set_num_threads(1)
    pack = Pack()
    # Combines each rule with every fourth layer, and each layer with every fourth rule; signed and rectified inputs alternate.
    for j, (kind, parameters) in enumerate(RULES):
        for i, (name, layer) in enumerate(WEIGHTED.items()):
            if (i + j) % 4 == 0:
                sign = ("signed", "rectified")[(i + j) // 4 % 2]
                add(pack, name, layer, kind, parameters, 10_000 * (j + 1) + 1000 * i, sign)
    for i, (name, layer) in enumerate(POOLING.items()):
        for sign in ("signed", "rectified"):
            add(pack, name, layer, "Norm", {"stabilizer": 0.05 if i == 1 else 1e-6}, 200_000 + 1000 * i, sign)
    for i, sign in enumerate(("signed", "rectified")):
        add_sum(pack, (1, 3, 5, 6), 300_000 + 1000 * i, sign)
    pack.write(FOLDER, tolerance={"relative_to_largest": 1e-5})


if __name__ == "__main__":
    main()
