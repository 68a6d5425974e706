"""The three seeded networks of `Fixtures/concepts` as torch modules and as ONNX files, and their seeded inputs.

They are torchvision's VGG16 with batch normalization and ResNet-18 with an eighth of the channels, and a small chain of convolutions.
No rectifier works in place, so that the outputs of other modules do not change.
"""

import io
import json
from typing import Callable, NamedTuple

import numpy as np
import onnx
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock
from torchvision.models.vgg import VGG, cfgs, make_layers

import storage
from onnx_files import FIXTURES, Ranges, load_weights, write_described
from seeded import seeded_tensor, write_seeded_file

FOLDER = FIXTURES / "concepts"
CLASSES = 10
NARROW = 8
INPUTS = 64
# Inputs are noise added to random squares of increasing contrast, because a deep network has the same output for all noise. They are inside
# ImageNet's box.
SQUARES, COARSE, FINE = 8, 1.2, 0.6


class SmallNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 16, 3, padding=1, stride=2), nn.ReLU())
        self.classifier = nn.Linear(16 * 6 * 6, CLASSES)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def vgg16_bn():
    """torchvision's layers with an eighth of the channels; 64 × 64 pixels leave 2 × 2 for the classifier."""
    features = make_layers([width if width == "M" else width // NARROW for width in cfgs["D"]], batch_norm=True)
    network = VGG(features, num_classes=CLASSES, init_weights=False)
    network.avgpool = nn.Identity()
    hidden = 4096 // 64
    network.classifier = nn.Sequential(
        nn.Linear(512 // NARROW * 4, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(),
        nn.Linear(hidden, CLASSES))
    return network


class ResNet18(nn.Module):
    """torchvision's ResNet-18, built from its blocks, because it has no parameter for the number of channels."""

    def __init__(self):
        super().__init__()
        width = 64 // NARROW
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        for number in range(4):
            planes, stride = width << number, 1 if number == 0 else 2
            shortcut = None
            if number > 0:
                shortcut = nn.Sequential(nn.Conv2d(channels, planes, 1, stride=stride, bias=False), nn.BatchNorm2d(planes))
            blocks = nn.Sequential(BasicBlock(channels, planes, stride, shortcut), BasicBlock(planes, planes))
            setattr(self, f"layer{number + 1}", blocks)
            channels = planes
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Network(NamedTuple):
    make: Callable
    side: int
    weight_seed: int
    input_seed: int


# With these seeds, few channels are always inactive, and almost equal values in the orders of inputs are rare.
NETWORKS = {
    "small": Network(SmallNetwork, 24, 50200, 62000),
    "vgg16bn": Network(vgg16_bn, 64, 51100, 97000),
    "resnet18": Network(ResNet18, 48, 55000, 96000),
}
# As in the networks `…-kept`: the maps must show whether biases are included and whether batch normalization, with scales of either sign, is folded.
RANGES = Ranges(bias=0.1, scale=(-0.5, 2.0), shift=0.1)


def untrained(name):
    network = NETWORKS[name].make().eval()
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network


def export(name):
    """Writes model.onnx and weights.json. Batch normalization is kept as nodes."""
    torch.manual_seed(0)
    network, side = untrained(name), NETWORKS[name].side
    for key, tensor in network.state_dict().items():
        # Small tensors are stored in the file. Larger tensors must differ, because the exporter merges equal ones.
        shift = key.endswith(("bias", "running_mean"))
        if tensor.is_floating_point():
            low, high = (-RANGES.shift, RANGES.shift) if shift else (0.5, 1.5) if key.endswith("running_var") else RANGES.scale
            nn.init.uniform_(tensor, low, high)
    buffer = io.BytesIO()
    torch.onnx.export(
        network, (torch.zeros(1, 3, side, side),), buffer, dynamo=False, input_names=["input"], output_names=["logits"], opset_version=17,
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    model = onnx.load_from_string(buffer.getvalue())
    write_described(model, FOLDER / name, NETWORKS[name].weight_seed, RANGES)


def complete(name, scratch):
    """The path of a copy of the ONNX file with its weights."""
    target = scratch / name
    target.mkdir(parents=True, exist_ok=True)
    write_seeded_file(target / "weights.bin", json.loads(storage.read(FOLDER / name / "weights.json")))
    (target / "model.onnx").write_bytes(storage.read(FOLDER / name / "model.onnx"))
    return target / "model.onnx"


def torch_network(name, path):
    """The module with the weights of the completed ONNX file at `path`, in single precision."""
    network = untrained(name)
    weights = {key: torch.from_numpy(array.copy()) for key, array in load_weights(path)[1].items()}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
        raise SystemExit(f"{name}: the file's weights are not the module's: {missing}, {unexpected}")
    return network.requires_grad_(False)


def inputs(side, seed, count=INPUTS):
    """[count, 3, side, side]: input i has its squares from seed + 2i, within ±COARSE (i + 1)/count, and its noise from seed + 2i + 1."""
    images = []
    for i in range(count):
        bound = COARSE * (i + 1) / count
        squares = seeded_tensor(seed + 2 * i, (3, SQUARES, SQUARES), -bound, bound)
        squares = squares.repeat(side // SQUARES, axis=1).repeat(side // SQUARES, axis=2)
        images.append(squares + seeded_tensor(seed + 2 * i + 1, (3, side, side), -FINE, FINE))
    return np.stack(images)
