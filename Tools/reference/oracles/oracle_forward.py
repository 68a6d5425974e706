"""The forward computation of ONNX operators in float64 PyTorch, each as a function of (attributes, inputs).

The functions are differentiable if the oracle needs their adjoint.
"""

import math

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

OPERATORS = {}


def operator(*names):
    def register(function):
        OPERATORS.update((name, function) for name in names)
        return function

    return register


def attributes_of(node):
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in values.items()}


def constant_tensor(array):
    """Converts floating-point arrays to float64 and integer arrays to int64."""
    tensor = torch.from_numpy(array.copy())
    return tensor.double() if tensor.is_floating_point() else tensor.long()


class Window:
    """The positions of the windows of a convolution or pooling: pads (before, after) by axis, and the output size."""

    def __init__(self, a, size, kernel):
        self.kernel, rank = kernel, len(kernel)
        self.strides = a.get("strides", [1] * rank)
        self.dilations = a.get("dilations", [1] * rank)
        extent = [d * (k - 1) + 1 for k, d in zip(kernel, self.dilations)]
        mode, pads = a.get("auto_pad", "NOTSET"), a.get("pads", [0] * 2 * rank)
        before, after = list(pads[:rank]), list(pads[rank:])
        self.output = []
        for i in range(rank):
            if mode.startswith("SAME"):
                total = max(0, (math.ceil(size[i] / self.strides[i]) - 1) * self.strides[i] + extent[i] - size[i])
                before[i] = total // 2 if mode == "SAME_UPPER" else total - total // 2
                after[i] = total - before[i]
            elif mode == "VALID":
                before[i] = after[i] = 0
            span = size[i] + before[i] + after[i] - extent[i]
            steps = span // self.strides[i]
            if a.get("ceil_mode", 0) and span % self.strides[i] and (steps + 1) * self.strides[i] < size[i] + before[i]:
                steps += 1
            self.output.append(steps + 1)
        self.declared = (before, after)
        needed = [(n - 1) * s + e for n, s, e in zip(self.output, self.strides, extent)]
        self.before, self.after = before, [n - size[i] - before[i] for i, n in enumerate(needed)]

    def pad(self, x, value, before=None, after=None):
        """`x`, padded or cropped at its end to exactly the extent of the windows."""
        before, after = before or self.before, after or self.after
        flat = [side for pair in reversed(list(zip(before, after))) for side in pair]
        return F.pad(x, flat, value=value)


def convolve(a, x, weight):
    """The linear part of Conv, without the bias."""
    window = Window(a, x.shape[2:], weight.shape[2:])
    padded = window.pad(x, 0.0)
    return F.conv2d(padded, weight, None, window.strides, 0, window.dilations, a.get("group", 1))


@operator("Conv")
def conv(a, x, weight, bias=None):
    y = convolve(a, x, weight)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


@operator("MaxPool")
def max_pool(a, x):
    window = Window(a, x.shape[2:], a["kernel_shape"])
    padded = window.pad(x, -math.inf)
    return F.max_pool2d(padded, window.kernel, window.strides, 0, window.dilations)


@operator("AveragePool")
def average_pool(a, x):
    window = Window(a, x.shape[2:], a["kernel_shape"])
    ones = torch.ones(1, 1, *window.kernel, dtype=x.dtype)

    def total(values):
        folded = values.reshape(-1, 1, *values.shape[2:])
        sums = F.conv2d(folded, ones, None, window.strides, 0, window.dilations)
        return sums.reshape(*values.shape[:2], *sums.shape[2:])

    counted = torch.ones(1, 1, *x.shape[2:], dtype=x.dtype)
    if a.get("count_include_pad", 0):
        before, after = window.declared
        counted = window.pad(counted, 1.0, before, after)
        counted = window.pad(counted, 0.0, [0, 0], [have - want for have, want in zip(window.after, after)])
    else:
        counted = window.pad(counted, 0.0)
    return total(window.pad(x, 0.0)) / total(counted)


@operator("GlobalAveragePool")
def global_average_pool(a, x):
    return x.mean((2, 3), keepdim=True)


@operator("ReduceMean")
def reduce_mean(a, x, axes=None):
    axes = a.get("axes") if axes is None else axes.tolist()
    axes = tuple(axes) if axes else tuple(range(x.ndim))
    return x.mean(axes, keepdim=bool(a.get("keepdims", 1)))


@operator("Relu")
def relu(a, x):
    return x.clamp(min=0)


@operator("Dropout", "Identity")
def identity(a, x, *unused):
    return x


@operator("BatchNormalization")
def batch_normalization(a, x, scale, bias, mean, variance):
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, a.get("epsilon", 1e-5))


@operator("LRN")
def lrn(a, x):
    return F.local_response_norm(x, a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0))


def linear(a, x, weight):
    """The linear part of Gemm (without alpha) and of MatMul."""
    x = x.t() if a.get("transA", 0) else x
    return x @ (weight.t() if a.get("transB", 0) else weight)


@operator("Gemm")
def gemm(a, x, weight, c=None):
    y = a.get("alpha", 1.0) * linear(a, x, weight)
    return y if c is None else y + a.get("beta", 1.0) * c


OPERATORS["MatMul"] = linear
OPERATORS["Add"] = lambda a, x, y: x + y
OPERATORS["Sub"] = lambda a, x, y: x - y
OPERATORS["Mul"] = lambda a, x, y: x * y
OPERATORS["Div"] = lambda a, x, y: x / y
OPERATORS["Sigmoid"] = lambda a, x: torch.sigmoid(x)
OPERATORS["Neg"] = lambda a, x: -x
OPERATORS["Concat"] = lambda a, *parts: torch.cat(parts, a["axis"])


@operator("Softmax", "LogSoftmax")
def softmax(a, x):
    """Softmax as of opset 13. For [N, C] and [N, C, 1, 1] along axis 1, earlier opsets define the same."""
    return torch.softmax(x, a.get("axis", -1))


@operator("Flatten")
def flatten(a, x):
    axis = a.get("axis", 1) % x.ndim
    return x.reshape(math.prod(x.shape[:axis]), -1)


@operator("Reshape")
def reshape(a, x, shape):
    keep = not a.get("allowzero", 0)
    return x.reshape([x.shape[i] if n == 0 and keep else n for i, n in enumerate(shape.tolist())])


@operator("Transpose")
def transpose(a, x):
    return x.permute(a.get("perm", list(reversed(range(x.ndim)))))


@operator("Squeeze")
def squeeze(a, x, axes=None):
    axes = a.get("axes") if axes is None else axes.tolist()
    return x.squeeze(tuple(axes)) if axes else x.squeeze()


@operator("Unsqueeze")
def unsqueeze(a, x, axes=None):
    axes = a.get("axes") if axes is None else axes.tolist()
    for axis in sorted(i % (x.ndim + len(axes)) for i in axes):
        x = x.unsqueeze(axis)
    return x


@operator("Constant")
def constant(a):
    (value,) = a.values()
    if isinstance(value, onnx.TensorProto):
        return constant_tensor(numpy_helper.to_array(value))
    kind = torch.float64 if "value_float" in a or "value_floats" in a else torch.int64
    return torch.tensor(value, dtype=kind)
