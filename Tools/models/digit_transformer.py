"""A small vision transformer for scenes of digits, and its export to ONNX.

The architecture is that of Dosovitskiy et al. 2021: a token for each 8 × 8 pixels, a class token, learned positions, normalization before
attention and before the two fully connected layers of a block, and logits from the class token. The tokens are computed by three convolutions
with stride 2, as in Xiao et al. 2021, instead of a single one: with a single one, the same training reached 56 %, where the other networks
reach 90 %. Input, output and names of nodes are as in `digit_networks`. Nodes such as `block2_query` are products with weights; the nodes that
add the biases have the suffix `_bias`.
"""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from digits import CLASSES, SIDE

OPSET, IR_VERSION = 20, 9                                   # the first opset with Gelu
STEM, PATCH, WIDTH, HEADS, HIDDEN, BLOCKS = (16, 32), 8, 64, 4, 192, 4
KERNEL, STRIDE, PADDING = 3, 2, 1                           # of the convolutions
EPSILON = 1e-6
PROJECTIONS = "query", "key", "value"


class Block(nn.Module):
    """Attention and two fully connected layers, each after a normalization and with a residual connection."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, EPSILON), nn.LayerNorm(WIDTH, EPSILON)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, tokens):
        normed = self.norm1(tokens)
        parts = [getattr(self, name)(normed).unflatten(2, (HEADS, -1)).transpose(1, 2) for name in PROJECTIONS]
        tokens = tokens + self.out(functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))
        return tokens + self.fc2(functional.gelu(self.fc1(self.norm2(tokens))))


class Transformer(nn.Module):
    """The network. `centered` and `to_onnx` are as for the convolutional networks."""

    def __init__(self):
        super().__init__()
        widths = [3, *STEM, WIDTH]
        *stem, self.patches = (nn.Conv2d(*pair, KERNEL, STRIDE, PADDING) for pair in zip(widths, widths[1:]))
        self.stem = nn.ModuleList(stem)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.position = nn.Parameter(0.02 * torch.randn(1, 1 + (SIDE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.logits = nn.Linear(WIDTH, len(CLASSES))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                (nn.init.xavier_uniform_ if isinstance(layer, nn.Linear) else nn.init.kaiming_normal_)(layer.weight)
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.logits.weight)

    @torch.no_grad()
    def centered(self):
        """The same network with logits that sum to 0."""
        self.logits.weight -= self.logits.weight.mean(0, keepdim=True)
        self.logits.bias -= self.logits.bias.mean()
        return self

    def forward(self, input):
        for layer in self.stem:
            input = layer(input).relu()
        tokens = self.patches(input).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        return self.logits(self.norm(tokens)[:, 0])


def transformer():
    return Transformer()


class Graph:
    """Collects nodes and tensors. A node has the name of its value."""

    def __init__(self):
        self.nodes, self.tensors = [], []

    def tensor(self, name, value):
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        kind = "<f4" if value.dtype.kind == "f" else "<i8"
        self.tensors.append(numpy_helper.from_array(np.asarray(value, kind, order="C"), name))
        return name

    def add(self, name, kind, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def convolution(self, name, layer, value):
        weights = self.tensor(f"{name}.weight", layer.weight), self.tensor(f"{name}.bias", layer.bias)
        sizes = {"kernel_shape": [KERNEL] * 2, "strides": [STRIDE] * 2, "pads": [PADDING] * 4}
        return self.add(name, "Conv", value, *weights, **sizes)

    def linear(self, name, layer, value):
        """Adds a matrix product. The weights are stored transposed, as MatMul requires."""
        value = self.add(name, "MatMul", value, self.tensor(f"{name}.weight", layer.weight.T))
        return self.add(f"{name}_bias", "Add", value, self.tensor(f"{name}.bias", layer.bias))

    def norm(self, name, layer, value):
        weights = self.tensor(f"{name}.weight", layer.weight), self.tensor(f"{name}.bias", layer.bias)
        return self.add(name, "LayerNormalization", value, *weights, axis=-1, epsilon=EPSILON)

    def attention(self, name, block, value):
        normed, parts = self.norm(f"{name}_norm1", block.norm1, value), []
        for part in PROJECTIONS:
            linear = self.linear(f"{name}_{part}", getattr(block, part), normed)
            heads = self.add(f"{name}_{part}_heads", "Reshape", linear, "heads")
            order = (0, 2, 3, 1) if part == "key" else (0, 2, 1, 3)
            parts.append(self.add(f"{name}_{part}_first", "Transpose", heads, perm=order))
        scores = self.add(f"{name}_scores", "Mul", self.add(f"{name}_products", "MatMul", *parts[:2]), "scale")
        weights = self.add(f"{name}_attention", "Softmax", scores, axis=-1)
        mixed = self.add(f"{name}_mixed", "MatMul", weights, parts[2])
        joined = self.add(f"{name}_joined", "Reshape", self.add(f"{name}_last", "Transpose", mixed, perm=(0, 2, 1, 3)), "tokens")
        return self.add(f"{name}_sum1", "Add", value, self.linear(f"{name}_out", block.out, joined))

    def layers(self, name, block, value):
        hidden = self.linear(f"{name}_fc1", block.fc1, self.norm(f"{name}_norm2", block.norm2, value))
        return self.add(f"{name}_sum2", "Add", value, self.linear(f"{name}_fc2", block.fc2, self.add(f"{name}_gelu", "Gelu", hidden)))


def to_onnx(network, name):
    """The ONNX model of a trained network. The batch size is symbolic, the sides are fixed."""
    graph = Graph()
    for key, value in ("heads", [0, 0, HEADS, WIDTH // HEADS]), ("tokens", [0, 0, WIDTH]), ("rows", [0, WIDTH, -1]):
        graph.tensor(key, value)
    graph.tensor("scale", np.float32((WIDTH // HEADS) ** -0.5))
    value = "input"
    for number, layer in enumerate(network.stem, 1):
        value = graph.add(f"relu_stem{number}", "Relu", graph.convolution(f"stem{number}", layer, value))
    value = graph.convolution("patches", network.patches, value)
    value = graph.add("patch_tokens", "Transpose", graph.add("patch_rows", "Reshape", value, "rows"), perm=(0, 2, 1))
    shape = graph.add("class_shape", "Concat", graph.add("batch", "Shape", "input", end=1), graph.tensor("one_token", [1, WIDTH]), axis=0)
    first = graph.add("class_token", "Expand", graph.tensor("class_token.value", network.class_token), shape)
    value = graph.add("with_class", "Concat", first, value, axis=1)
    value = graph.add("position", "Add", value, graph.tensor("position.value", network.position))
    for number, block in enumerate(network.blocks, 1):
        value = graph.layers(f"block{number}", block, graph.attention(f"block{number}", block, value))
    value = graph.norm("norm", network.norm, value)
    value = graph.add("class", "Gather", value, graph.tensor("first", 0), axis=1)
    last = network.logits
    weights = graph.tensor("logits.weight", last.weight), graph.tensor("logits.bias", last.bias)
    graph.add("logits", "Gemm", value, *weights, transB=1)
    shapes = {"input": ["batch", 3, SIDE, SIDE], "logits": ["batch", len(CLASSES)]}
    input, logits = (helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in shapes.items())
    model = helper.make_model(
        helper.make_graph(graph.nodes, f"digits-{name}", [input], [logits], graph.tensors),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model
