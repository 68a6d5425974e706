"""Writes Fixtures/cases/activations: maps of small networks whose activations are not only ReLUs, by PyTorch and Captum.

    python -m writers.write_activation_cases

Guided backpropagation and deconvolution are Captum's, which changes only modules `nn.ReLU`. Therefore other rectifiers (ReLU6 as Clip, Max with 0) are
built from `nn.ReLU` and equivalent functions: `min(relu(x), 6)`. Grad-CAM follows Selvaraju et al. 2017, eq. 1 and 2, at the output of the last
activation. Weights come from the seeded generator; `RectifierTests` and `CAMLayerTests` build the same networks.
"""

import json

import numpy as np
import torch
from captum.attr import Deconvolution, GuidedBackprop
from torch import nn

from onnx_files import FIXTURES
from seeded import seeded_tensor

FOLDER = FIXTURES / "cases/activations"
SIDE, CHANNELS, CLASSES = 8, 4, 3


class Capped(nn.Module):
    """`min(relu(x), highest)`; values equal to the cap pass no gradient."""

    def __init__(self, highest):
        super().__init__()
        self.relu = nn.ReLU()
        self.highest = highest

    def forward(self, x):
        y = self.relu(x)
        return torch.where(y < self.highest, y, torch.full_like(y, self.highest))


def weights(seed, *shape):
    return torch.from_numpy(seeded_tensor(seed, shape)).double()


class Network(nn.Module):
    """Two 3 × 3 convolutions, each with an activation, and a linear layer over all positions or over their means."""

    def __init__(self, activation, averages=False):
        super().__init__()
        self.first = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.activations = nn.ModuleList([activation(), activation()])
        self.averages = averages
        self.head = nn.Linear(CHANNELS if averages else CHANNELS * SIDE * SIDE, CLASSES)
        with torch.no_grad():
            for seed, layer in ((1, self.first), (2, self.second), (3, self.head)):
                layer.weight.copy_(weights(seed, *layer.weight.shape))
                layer.bias.copy_(weights(seed + 1000, *layer.bias.shape))
        self.double().eval()

    def features(self, x):
        return self.activations[1](self.second(self.activations[0](self.first(x))))

    def forward(self, x):
        y = self.features(x)
        return self.head(y.mean((2, 3)) if self.averages else y.flatten(1))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    x = torch.from_numpy(seeded_tensor(9, (1, 3, SIDE, SIDE))).double()
    index = {}

    def write(name, value):
        np.save(FOLDER / f"{name}.npy", value.detach().numpy().astype(np.float32))

    for name, activation in (("relu", nn.ReLU), ("capped2", lambda: Capped(2.0))):
        network = Network(activation)
        index[name] = network(x)[0].tolist()
        for method, attribution in (("guided", GuidedBackprop(network)), ("deconvolution", Deconvolution(network))):
            write(f"{name}.{method}", attribution.attribute(x.clone().requires_grad_(), target=1))

    network = Network(nn.SiLU, averages=True)
    activations = network.features(x).detach().requires_grad_()
    scores = network.head(activations.mean((2, 3)))
    index["silu"] = scores[0].tolist()
    (gradient,) = torch.autograd.grad(scores[0, 1], activations)
    write("silu.grad-cam", (gradient.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True).clamp(min=0))
    (FOLDER / "logits.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
