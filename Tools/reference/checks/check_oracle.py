"""Checks the oracle against definitions, against ONNX Runtime's operators, and against Zennit.

    python -m checks.check_oracle
"""

import io
import tempfile
import warnings

import numpy as np
import onnx
import torch
from torch import nn
from zennit.rules import Pass, ZBox, ZPlus
from zennit.core import Composite

from onnx_files import FIXTURES
from oracles import oracle_forward
from oracles.oracle import Oracle
from oracles.oracle_contrasts import unit_clrp2
from storage import load_input

BOX = ([-2.0, -2.5, -1.5], [2.0, 1.5, 2.5])


class Small(nn.Module):
    """VGG16 in miniature: two stages of convolutions and max pooling, three fully connected layers."""

    def __init__(self, bias=True):
        super().__init__()

        def stage(into, out):
            return nn.Conv2d(into, out, 3, padding=1, bias=bias), nn.ReLU()

        self.features = nn.Sequential(
            *stage(3, 8), *stage(8, 8), nn.MaxPool2d(2), *stage(8, 12), *stage(12, 12), nn.MaxPool2d(3, 2, ceil_mode=True)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(12 * 16, 32, bias=bias), nn.ReLU(), nn.Linear(32, 10, bias=bias)
        )

    def forward(self, x):
        return self.head(self.features(x))


class Pooled(nn.Module):
    """A network with a residual sum and a convolutional head: convolution, rectifier, global average, softmax."""

    def __init__(self):
        super().__init__()
        self.first, self.left = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.norm, self.last = nn.BatchNorm2d(8), nn.Conv2d(16, 10, 1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = x + torch.relu(self.norm(self.left(x)))
        averages = nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        x = torch.relu(self.last(torch.cat([x, averages], 1)))
        return torch.softmax(x.mean((2, 3)), 1)


def exported(network, size=16):
    """(oracle, network in float64, image) for a random image inside the box."""
    generator = torch.Generator().manual_seed(7)
    low, high = (torch.tensor(side).reshape(1, 3, 1, 1) for side in BOX)
    image = low + (high - low) * torch.rand(1, 3, size, size, generator=generator)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        buffer = io.BytesIO()
        torch.onnx.export(network.eval(), (image,), buffer, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE)
        file.write(buffer.getvalue())
        file.flush()
        oracle = Oracle(file.name, image.numpy(), BOX)
    return oracle, network.double(), image.double()


def close(what, actual, expected, tolerance):
    """Checks a relative L2 distance; exits with a message if it is too large."""
    actual, expected = (torch.as_tensor(value, dtype=torch.float64) for value in (actual, expected))
    error = ((actual - expected).norm() / expected.norm()).item()
    print(f"{'ok  ' if error <= tolerance else 'FAIL'} {what}: {error:.2g}")
    if not error <= tolerance:
        raise SystemExit(1)


def against_zennit():
    torch.manual_seed(1)
    oracle, network, image = exported(Small())
    target = oracle.best()[0]
    low, high = (torch.tensor(side, dtype=torch.float64).reshape(1, 3, 1, 1).expand_as(image) for side in BOX)
    box = ZBox(low=low, high=high, zero_params="bias", stabilizer=1e-9)

    def rules(context, name, module):
        if isinstance(module, nn.Conv2d) and name == "features.0":
            return box
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            return ZPlus(zero_params="bias", stabilizer=1e-9)
        return Pass() if isinstance(module, nn.ReLU) else None

    image.requires_grad_(True)
    with Composite(module_map=rules).context(network) as modified:
        output = modified(image)
        seed = torch.zeros_like(output)
        seed[0, target] = output[0, target]
        (expected,) = torch.autograd.grad(output, image, seed)
    close("LRP as in Zennit", oracle.lrp(target, "paper"), expected, 1e-5)


def dense_head_dual():
    """CLRP2 with a Gemm head, computed step by step with an explicit matrix."""
    torch.manual_seed(2)
    oracle, network, _ = exported(Small())
    target = oracle.best()[0]
    hidden = network.head[:3](network.features(oracle.values[oracle.input]))[0]
    negated = (-network.head[3].weight[target]).clamp(min=0)
    share = hidden * negated / (hidden * negated).sum() * oracle.score(target)
    node, _ = oracle._head()
    expected = oracle.propagate(node.input[0], share.detach()[None], "paper")
    close("CLRP2's dual from its definition", oracle.dual_of_negated_weights(target, "paper"), expected, 1e-6)


def unit_behind_normalization():
    """CLRP2 of a unit, with the scale of the normalization, of either sign, multiplied into its weights."""
    torch.manual_seed(4)
    network = Pooled()
    network.norm.weight.data[:4] *= -1
    oracle, network, _ = exported(network)
    below = torch.relu(network.first(oracle.values[oracle.input])).detach()
    (node,) = [n for n in oracle.nodes if n.op_type == "Conv" and n.input[1] == "left.weight"]
    after = torch.relu(network.norm(network.left(below)))
    (name,) = [n.output[0] for n in oracle.nodes if n.op_type == "Relu" and "Batch" in n.input[0]]
    for channel in (1, 6):
        y, x = divmod(int(after[0, channel].argmax()), after.shape[3])
        weight = network.norm.weight[channel] * network.left.weight[channel : channel + 1]

        def shares(positive):
            def unit(v):
                return nn.functional.conv2d(v, positive, padding=1)[0, 0, y, x]

            return below * torch.autograd.functional.jacobian(unit, below) / unit(below) * after[0, channel, y, x]

        difference = (shares(weight.clamp(min=0)) - shares((-weight).clamp(min=0))).detach()
        expected = oracle.propagate(node.input[0], difference, "default")
        sign = "negative" if network.norm.weight[channel] < 0 else "positive"
        close(f"CLRP2 of a unit, scale {sign}", unit_clrp2(oracle, (name, (0, channel, y, x))), expected, 1e-6)


def conservation_and_linearity():
    torch.manual_seed(3)
    for name, network, tables in (("small", Small(), ["paper"]), ("pooled", Pooled(), ["paper", "default"])):
        oracle = exported(network)[0]
        target = oracle.best()[0]
        for table in tables:
            relevance = oracle.lrp(target, table)
            lost = sum(oracle.absorbed.values())
            close(f"{name}, {table}: ΣR plus absorbed is S", relevance.sum() + lost, oracle.score(target), 1e-6)
            # Averages of zeros (classes that no position supports) and zero sums absorb relevance.
            if (name, table) != ("pooled", "paper"):
                close(f"{name}, {table}: nothing is absorbed", relevance.sum(), oracle.score(target), 1e-6)
            if name == "small":
                for method in ("clrp1", "clrp2"):
                    total = oracle.explain(target, method, table)[0].sum()
                    close(f"{name}, {table}: Σ({method}) is 0", oracle.score(target) + total, oracle.score(target), 1e-6)
            seed, units = oracle._seed()
            units[:] = -oracle.score(target) / (len(units) - 1)
            units[target] = oracle.score(target)
            once = oracle.propagate(oracle.logits, seed, table)
            close(f"{name}, {table}: CLRP1 in one pass", once, oracle.explain(target, "clrp1", table)[0], 1e-8)


def operators():
    """Compares the oracle's forward functions with ONNX Runtime on every operator case that it supports."""
    known = 0
    for folder in sorted((FIXTURES / "operators").iterdir()):
        model = onnx.load(folder / "model.onnx")
        names = {node.op_type for node in model.graph.node}
        if not names <= set(oracle_forward.OPERATORS) or "softmax" in folder.name:
            continue
        oracle = Oracle(folder / "model.onnx", load_input(folder), box=None)
        expected = torch.from_numpy(np.load(folder / "output.npy")).double()
        actual = oracle.values[model.graph.output[0].name]
        known += 1
        if actual.shape != expected.shape or (actual - expected).abs().max() > 1e-5 * expected.abs().max():
            raise SystemExit(f"FAIL {folder.name}")
    print(f"ok   {known} operator cases as in ONNX Runtime")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    operators()
    against_zennit()
    dense_head_dual()
    unit_behind_normalization()
    conservation_and_linearity()
