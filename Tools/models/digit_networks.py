"""Three small networks for scenes of digits, with the architectures of AlexNet, VGG and GoogLeNet, and their export to ONNX.

Inputs are N × 3 × 64 × 64; outputs are the logits of ten classes. A node of the ONNX graph has the name of its layer here.
"""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from digits import CLASSES, SIDE

OPSET, IR_VERSION = 17, 8
MEAN, DEVIATION = 0.25, 0.25                                # of every channel, for pixels from 0 to 1; the inputs are then from −1 to 3
DROPOUT = 0.3

PREPROCESSOR = {
    "do_resize": True, "size": {"height": SIDE, "width": SIDE}, "resample": 2,
    "do_center_crop": False,
    "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [MEAN] * 3, "image_std": [DEVIATION] * 3,
}


class Concat(nn.Module):
    """Concatenates channels."""

    def forward(self, *values):
        return torch.cat(values, 1)


class Network(nn.Module):
    """A graph of named layers, which PyTorch runs and which is exported to ONNX. Methods such as `add` return the name of a value."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict()
        self.inputs = {}

    def add(self, name, layer, *inputs):
        self.layers[name], self.inputs[name] = layer, inputs
        return name

    def convolution(self, value, name, outputs, kernel, stride=1, padding=0):
        return self.add(f"relu_{name}", nn.ReLU(), self.add(name, nn.LazyConv2d(outputs, kernel, stride, padding), value))

    def dense(self, value, name, outputs):
        value = self.add(f"relu_{name}", nn.ReLU(), self.add(name, nn.LazyLinear(outputs), value))
        return self.add(f"drop_{name}", nn.Dropout(DROPOUT), value)

    def inception(self, value, name, one, three_reduced, three, five_reduced, five, pooled):
        branches = [
            self.convolution(value, f"{name}_1x1", one, 1),
            self.convolution(self.convolution(value, f"{name}_3x3_reduce", three_reduced, 1), f"{name}_3x3", three, 3, padding=1),
            self.convolution(self.convolution(value, f"{name}_5x5_reduce", five_reduced, 1), f"{name}_5x5", five, 5, padding=2),
            self.convolution(self.add(f"{name}_pool", nn.MaxPool2d(3, 1, 1), value), f"{name}_pool_proj", pooled, 1),
        ]
        return self.add(f"{name}_concat", Concat(), *branches)

    def initialized(self):
        """Determines the sizes of all inputs and initializes the weights: He initialization, and zeros for the last layer."""
        self(torch.zeros(2, 3, SIDE, SIDE))
        *rectified, last = [layer for layer in self.layers.values() if isinstance(layer, nn.Conv2d | nn.Linear)]
        for layer in rectified:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return self

    @torch.no_grad()
    def centered(self):
        """The same network with logits that sum to 0. The softmax is unchanged, and the logits of present digits are positive."""
        last = self.layers["logits"]
        last.weight -= last.weight.mean(0, keepdim=True)
        last.bias -= last.bias.mean()
        return self

    def forward(self, input):
        values = {"input": input}
        for name, layer in self.layers.items():
            values[name] = layer(*(values[value] for value in self.inputs[name]))
        return values["logits"]


def alexnet():
    """Krizhevsky et al. 2012: a large first kernel with a stride, overlapping pooling, normalization across channels.

    The normalization follows the pooling, as in CaffeNet; before the pooling it would take most of the time.
    """
    network = Network()
    value = network.convolution("input", "conv1", 24, 7, stride=2, padding=2)
    value = network.add("pool1", nn.MaxPool2d(3, 2), value)
    value = network.add("norm1", nn.LocalResponseNorm(5), value)
    value = network.convolution(value, "conv2", 48, 5, padding=2)
    value = network.add("pool2", nn.MaxPool2d(3, 2), value)
    value = network.add("norm2", nn.LocalResponseNorm(5), value)
    value = network.convolution(value, "conv3", 64, 3, padding=1)
    value = network.convolution(value, "conv4", 64, 3, padding=1)
    value = network.convolution(value, "conv5", 48, 3, padding=1)
    value = network.add("pool5", nn.MaxPool2d(3, 2), value)
    return classified(network, value, 128, 96)


def vgg():
    """Simonyan and Zisserman 2014: pairs of 3×3 convolutions, each followed by pooling that halves the sides."""
    network = Network()
    value = "input"
    for stage, width in enumerate((16, 32, 48, 64), 1):
        for place in (1, 2):
            value = network.convolution(value, f"conv{stage}_{place}", width, 3, padding=1)
        value = network.add(f"pool{stage}", nn.MaxPool2d(2), value)
    return classified(network, value, 96, 64)


def googlenet():
    """Szegedy et al. 2014: modules with four branches, a global average, one fully connected layer."""
    network = Network()
    value = network.convolution("input", "conv1", 16, 7, stride=2, padding=3)
    value = network.add("pool1", nn.MaxPool2d(3, 2, ceil_mode=True), value)
    value = network.add("norm1", nn.LocalResponseNorm(5), value)
    value = network.convolution(value, "conv2_reduce", 16, 1)
    value = network.convolution(value, "conv2", 32, 3, padding=1)
    value = network.inception(value, "inception_3a", 16, 16, 24, 6, 8, 8)
    value = network.inception(value, "inception_3b", 24, 24, 32, 8, 16, 12)
    value = network.add("pool3", nn.MaxPool2d(3, 2, ceil_mode=True), value)
    value = network.inception(value, "inception_4a", 32, 32, 48, 12, 24, 16)
    value = network.inception(value, "inception_4b", 40, 40, 64, 16, 32, 24)
    value = network.add("average", nn.AdaptiveAvgPool2d(1), value)
    value = network.add("flat", nn.Flatten(), value)
    value = network.add("drop", nn.Dropout(DROPOUT), value)
    network.add("logits", nn.LazyLinear(len(CLASSES)), value)
    return network.initialized()


def classified(network, value, *widths):
    """The network with three fully connected layers after `value`."""
    value = network.add("flat", nn.Flatten(), value)
    for number, width in enumerate(widths, 1):
        value = network.dense(value, f"fc{number}", width)
    network.add("logits", nn.LazyLinear(len(CLASSES)), value)
    return network.initialized()


NETWORKS = {"alexnet": alexnet, "vgg": vgg, "googlenet": googlenet}


def operator(layer):
    """The ONNX operator of a layer, with its attributes."""
    match layer:
        case nn.Conv2d():
            pads = [*layer.padding, *layer.padding]
            return "Conv", {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": pads}
        case nn.Linear():
            return "Gemm", {"transB": 1}
        case nn.MaxPool2d():
            sizes = {"kernel_shape": layer.kernel_size, "strides": layer.stride}
            square = {key: [value] * 2 for key, value in sizes.items()} | {"pads": [layer.padding] * 4}
            return "MaxPool", square | {"ceil_mode": int(layer.ceil_mode)}
        case nn.LocalResponseNorm():
            return "LRN", {"size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "bias": float(layer.k)}
        case nn.ReLU():
            return "Relu", {}
        case nn.AdaptiveAvgPool2d():
            return "GlobalAveragePool", {}
        case nn.Flatten():
            return "Flatten", {}
        case Concat():
            return "Concat", {"axis": 1}
    raise TypeError(f"no ONNX operator for {layer}")


def to_onnx(network, name):
    """The ONNX model of a trained network, without dropout. The batch size is symbolic, the sides are fixed."""
    nodes, tensors, alias = [], [], {}
    for key, layer in network.layers.items():
        inputs = [alias.get(value, value) for value in network.inputs[key]]
        if isinstance(layer, nn.Dropout):
            alias[key] = inputs[0]
            continue
        for parameter, value in layer.named_parameters():
            tensors.append(numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy(), "<f4"), f"{key}.{parameter}"))
            inputs.append(tensors[-1].name)
        kind, attributes = operator(layer)
        nodes.append(helper.make_node(kind, inputs, [key], name=key, **attributes))
    shapes = {"input": ["batch", 3, SIDE, SIDE], "logits": ["batch", len(CLASSES)]}
    input, logits = (helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in shapes.items())
    graph = helper.make_graph(nodes, f"digits-{name}", [input], [logits], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model
